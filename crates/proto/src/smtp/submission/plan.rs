//! What a submission session is to do and what it asks of its driver (RFC 6409, RFC 8314 §3). Values only:
//! the session is [`super::SubmissionSession`]. Keep: only a security that has TLS can hold a sign-in, and
//! an action shows nothing of the octets it carries.

use crate::limits::RECIPIENTS_PER_MESSAGE_MAX;
use crate::name::Mailbox;
use crate::secret::Secret;
use crate::smtp::command::EhloName;
use crate::smtp::mail_command::ReversePath;
use crate::smtp::message_data::MessageData;
use crate::smtp::sasl::SignIn;
use crate::tls::danger::ClearTextAllowance;
use crate::tls::mode::Mode;
use crate::tls::requirement::Requirement;

/// What a session is to do.
#[derive(Clone, Debug)]
pub struct SubmissionPlan {
    /// The name given in EHLO.
    pub ehlo_name: EhloName,
    /// How the session is secured, and who signs in.
    pub security: Security,
    /// What for.
    pub goal: Goal,
}

/// How a session is secured. Without TLS there is no place for a sign-in.
#[derive(Clone, Debug)]
pub enum Security {
    /// Not at all, by allowance.
    None(ClearTextAllowance),
    /// STARTTLS, which must succeed and verify.
    StartTls(Secured),
    /// TLS from the first octet, which must verify.
    Tls(Secured),
}

/// What holds inside TLS.
#[derive(Clone, Debug)]
pub struct Secured {
    /// What the session must have.
    pub requirement: Requirement,
    /// Who signs in; nobody if absent.
    pub sign_in: Option<SignIn>,
}

/// What a session is for.
#[derive(Clone, Debug)]
pub enum Goal {
    /// To hand over one message.
    Deliver(Transaction),
    /// To sign in and leave: nothing is sent.
    Verify,
}

/// One message and its envelope.
#[derive(Clone, Debug)]
pub struct Transaction {
    sender: ReversePath,
    recipients: Vec<Mailbox>,
    message: MessageData,
    onward: Onward,
}

/// What is asked of the hops after this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Onward {
    /// REQUIRETLS (RFC 8689): verified TLS, or a bounce.
    RequireTls,
    /// Nothing.
    #[default]
    Unspecified,
}

/// Why there is no transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// No recipient.
    #[error("there is no recipient")]
    NoRecipient,
    /// Too many recipients.
    #[error("there are more than {RECIPIENTS_PER_MESSAGE_MAX} recipients")]
    TooManyRecipients,
}

/// What the driver does next.
#[derive(Debug)]
pub enum SubmissionAction {
    /// Read some octets and report them, with the time limit of this step.
    Read {
        /// The step that waits.
        step: Step,
    },
    /// Write these octets, all of them, and put them nowhere else.
    Write(Secret<Vec<u8>>),
    /// Start TLS now on the bare stream, with a verifier that refuses; the session holds no unread octet.
    StartTls,
    /// Close the connection; nothing more is sent.
    Close,
    /// The session is over.
    Done,
}

/// The steps of a submission, as a person sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// TCP; the driver's own step.
    Connect,
    /// Waiting for the greeting.
    Greeting,
    /// EHLO; with TLS from the first octet the only one.
    Ehlo,
    /// STARTTLS and its reply.
    StartTls,
    /// TLS handshake and certificate.
    Handshake,
    /// EHLO again, inside TLS.
    EhloAfterTls,
    /// AUTH.
    SignIn,
    /// MAIL.
    Mail,
    /// RCPT, all of them.
    Rcpt,
    /// DATA.
    Data,
    /// The message and its final dot.
    Body,
    /// QUIT.
    Quit,
}

/// Something a driver may tell at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepEvent {
    /// A step begins. [`Step::Body`] is told before its first octet is written: who keeps a ledger
    /// marks the message there as offered beyond recall.
    Begun(Step),
    /// The step is over.
    Ended(Step, StepEnd),
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepEnd {
    /// The session could not go on from it.
    Failed,
    /// It was passed.
    Passed,
}

impl Security {
    /// The mode this is.
    pub const fn mode(&self) -> Mode {
        match self {
            Self::None(_) => Mode::None,
            Self::StartTls(_) => Mode::Starttls,
            Self::Tls(_) => Mode::Tls,
        }
    }

    pub(super) const fn secured(&self) -> Option<&Secured> {
        match self {
            Self::None(_) => None,
            Self::StartTls(secured) | Self::Tls(secured) => Some(secured),
        }
    }
}

impl Transaction {
    /// One message to one or more recipients.
    ///
    /// # Errors
    ///
    /// No recipient, or more than every server takes.
    pub fn new(
        sender: ReversePath,
        recipients: Vec<Mailbox>,
        message: MessageData,
        onward: Onward,
    ) -> Result<Self, TransactionError> {
        if recipients.is_empty() {
            return Err(TransactionError::NoRecipient);
        }
        if recipients.len() > RECIPIENTS_PER_MESSAGE_MAX {
            return Err(TransactionError::TooManyRecipients);
        }
        Ok(Self { sender, recipients, message, onward })
    }

    /// Where bounces go.
    pub const fn sender(&self) -> &ReversePath {
        &self.sender
    }

    /// The recipients, in order.
    pub fn recipients(&self) -> &[Mailbox] {
        &self.recipients
    }

    /// The message.
    pub const fn message(&self) -> &MessageData {
        &self.message
    }

    /// What is asked of the further hops.
    pub const fn onward(&self) -> Onward {
        self.onward
    }

    /// Whether an address or the header needs SMTPUTF8.
    pub fn needs_smtputf8(&self) -> bool {
        self.sender.needs_smtputf8()
            || self.recipients.iter().any(Mailbox::needs_smtputf8)
            || self.message.needs_smtputf8()
    }
}

impl Step {
    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Greeting => "greeting",
            Self::Ehlo => "ehlo",
            Self::StartTls => "starttls",
            Self::Handshake => "handshake",
            Self::EhloAfterTls => "ehlo-after-tls",
            Self::SignIn => "sign-in",
            Self::Mail => "mail",
            Self::Rcpt => "rcpt",
            Self::Data => "data",
            Self::Body => "body",
            Self::Quit => "quit",
        }
    }
}
