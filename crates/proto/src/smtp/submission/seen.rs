//! What one submission session showed (RFC 5321 §4.2, §6.1): the steps with their replies, the recipients,
//! the outcome. Values only; [`crate::smtp::reply_class`] and the rules judge them. The way in is
//! [`SubmissionSeen`]. Keep: a session lost after the final dot is [`SubmissionOutcome::Uncertain`], never a
//! success and never a failure.

use super::plan::{Step, StepEnd};
use crate::name::Mailbox;
use crate::observation::Observation;
use crate::smtp::reply::Reply;
use crate::smtp::sasl::Mechanism;
use crate::smtp::sasl::refusal::SignInRefusal;
use crate::smtp::seen::SessionSeen;
use crate::smtp::transcript::Transcript;
use crate::tls::mode::Mode;
use crate::tls::requirement::Unmet;

/// What became of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubmissionOutcome {
    /// The server has taken the message for at least one recipient.
    Accepted,
    /// Nobody was signed in; nothing was sent.
    AuthFailed,
    /// It did not come to a decision about the message, or the server said not now.
    Failed,
    /// Signed in, with nothing to send.
    Ready,
    /// The server refused the message or every recipient for good.
    Rejected,
    /// The whole message was sent and no answer came: it may or may not have been taken.
    Uncertain,
}

/// Why a session stopped by its own decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The message has octets outside ASCII and 8BITMIME is not offered.
    EightBitNotOffered,
    /// The allowance to send in clear does not cover this address; nothing was said.
    NotAllowedInClear,
    /// The server said something that nobody had asked.
    OutOfStep,
    /// The message asks for REQUIRETLS and it is not offered, or there is no TLS.
    RequireTlsNotOffered,
    /// The sign-in was refused, or no mechanism fits.
    SignIn(SignInRefusal),
    /// An address or header field is outside ASCII and SMTPUTF8 is not offered.
    SmtpUtf8NotOffered,
    /// The message is larger than the server takes, in octets.
    TooLarge {
        /// What the server declares.
        limit: u64,
    },
    /// TLS is not what it must be; nothing but QUIT was said.
    Unmet(Unmet),
}

/// One step that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepSeen {
    /// Which.
    pub step: Step,
    /// The replies of the server, in order.
    pub replies: Vec<Reply>,
    /// How it ended; `None` when the session ended in it.
    pub end: Option<StepEnd>,
}

/// One recipient and what the server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientSeen {
    /// The address.
    pub mailbox: Mailbox,
    /// The reply to its RCPT.
    pub reply: Observation<Reply>,
}

/// A sign-in that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// By which mechanism.
    pub mechanism: Mechanism,
    /// The server's reply.
    pub reply: Reply,
}

/// What one submission session showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmissionSeen {
    /// The mode it ran in.
    pub mode: Mode,
    /// What became of it.
    pub outcome: SubmissionOutcome,
    /// Why it stopped by its own decision, if it did.
    pub stop: Option<Stop>,
    /// Greeting, EHLO, STARTTLS and handshake, as a probe sees them; the end of the session and the
    /// transcript are there too. With TLS from the first octet, EHLO is in `ehlo_after_tls`.
    pub session: SessionSeen,
    /// The sign-in, if one was asked for and accepted.
    pub signed_in: Observation<SignedIn>,
    /// The reply to MAIL.
    pub mail: Observation<Reply>,
    /// The recipients, in the order given.
    pub recipients: Vec<RecipientSeen>,
    /// The reply to DATA.
    pub data: Observation<Reply>,
    /// The reply to the final dot.
    pub delivered: Observation<Reply>,
    /// The steps, in order.
    pub steps: Vec<StepSeen>,
}

impl SubmissionOutcome {
    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::AuthFailed => "auth-failed",
            Self::Failed => "failed",
            Self::Ready => "ready",
            Self::Rejected => "rejected",
            Self::Uncertain => "uncertain",
        }
    }
}

impl RecipientSeen {
    /// Whether RCPT was accepted: the message was taken for it only if it was taken at all.
    pub fn is_accepted(&self) -> bool {
        self.reply.seen().is_some_and(is_positive)
    }
}

impl SubmissionSeen {
    /// All lines in both directions, without secrets.
    pub const fn transcript(&self) -> &Transcript {
        &self.session.transcript
    }

    /// What the server called the message when it took it: the text of its last reply, without the
    /// enhanced code. Foreign text.
    pub fn server_id(&self) -> Option<String> {
        let reply = self.delivered.seen().filter(|reply| is_positive(reply))?;
        let text = reply.message();
        let text = match (reply.enhanced, text.split_once(' ')) {
            (Some(_), Some((_, rest))) => rest.to_owned(),
            (Some(_) | None, _) => text,
        };
        Some(text)
    }

    /// The step the session ended in: the last one begun, QUIT aside.
    pub fn last_step(&self) -> Option<Step> {
        self.steps.iter().map(|seen| seen.step).rfind(|step| *step != Step::Quit)
    }

    /// The refusal, when nobody was signed in.
    pub const fn refusal(&self) -> Option<&SignInRefusal> {
        match &self.stop {
            Some(Stop::SignIn(refusal)) => Some(refusal),
            Some(
                Stop::EightBitNotOffered
                | Stop::NotAllowedInClear
                | Stop::OutOfStep
                | Stop::RequireTlsNotOffered
                | Stop::SmtpUtf8NotOffered
                | Stop::TooLarge { .. }
                | Stop::Unmet(_),
            )
            | None => None,
        }
    }
}

/// A consistent 2yz.
pub(super) fn is_positive(reply: &Reply) -> bool {
    reply.code.first_digit() == 2 && reply.is_consistent()
}
