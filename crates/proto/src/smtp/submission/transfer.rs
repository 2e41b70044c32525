//! The mail transaction of a submission (RFC 5321 §3.3, RFC 2920 §3.1): MAIL, RCPT, DATA as one group where
//! PIPELINING is offered, else one by one; then the message and its final dot in one write. The way in is
//! [`Transfer::begin`]. Keep: DATA is answered by 354 before an octet of the message leaves, and when nobody
//! is left to receive it, a lone dot ends it.

use super::plan::{Goal, Onward, Step, StepEnd, Transaction};
use super::record::Record;
use super::seen::{RecipientSeen, Stop, SubmissionOutcome, is_positive};
use crate::observation::{Observation, Reason};
use crate::smtp::ehlo::EhloSeen;
use crate::smtp::mail_command::{MailCommand, MailParameters};
use crate::smtp::reply::Reply;
use crate::smtp::reply_class::Permanence;
use crate::smtp::transcript::Transcript;
use crate::tls::requirement::Passage;

/// What is about to be written.
#[derive(Debug)]
pub(super) enum Outgoing {
    Body,
    Data,
    /// MAIL, every RCPT and DATA in one write.
    Group(MailParameters),
    /// The end of a message that nobody is to receive.
    LoneDot,
    Mail(MailParameters),
    Rcpt(usize),
}

/// Whether a server leaves with 421 (RFC 5321 §3.8) and says nothing about the message: without an enhanced
/// code, or with one about the system or the network (RFC 3463 §3.4, §3.5).
fn is_farewell(reply: &Reply) -> bool {
    reply.code.number() == 421
        && reply.enhanced.is_none_or(|enhanced| matches!(enhanced.subject, 3 | 4))
}

/// What a reply answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Body,
    Data,
    LoneDot,
    Mail,
    Rcpt(usize),
}

/// Whether other replies of the same write are still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Further {
    Awaited,
    None,
}

/// What follows a reply.
#[derive(Debug)]
pub(super) enum Turn {
    /// The next reply of the group.
    Listen,
    Send(Outgoing),
    Over,
}

/// What the server offers that matters to a transaction.
#[derive(Debug, Default)]
struct Offered {
    keywords: Vec<&'static str>,
    size: Option<u64>,
}

/// One transaction.
#[derive(Debug)]
pub(super) struct Transfer {
    offered: Offered,
    pub(super) mail: Observation<Reply>,
    pub(super) recipients: Vec<RecipientSeen>,
    pub(super) data: Observation<Reply>,
    pub(super) delivered: Observation<Reply>,
}

const USED_KEYWORDS: [&str; 5] = ["PIPELINING", "8BITMIME", "SMTPUTF8", "REQUIRETLS", "SIZE"];

impl Part {
    pub(super) const fn step(self) -> Step {
        match self {
            Self::Body => Step::Body,
            Self::Data | Self::LoneDot => Step::Data,
            Self::Mail => Step::Mail,
            Self::Rcpt(_) => Step::Rcpt,
        }
    }
}

impl Outgoing {
    /// The step that begins with it.
    pub(super) const fn step(&self) -> Step {
        match self {
            Self::Body => Step::Body,
            Self::Data | Self::LoneDot => Step::Data,
            Self::Group(_) | Self::Mail(_) => Step::Mail,
            Self::Rcpt(_) => Step::Rcpt,
        }
    }

    /// The octets, and what the replies to them answer.
    pub(super) fn encode(
        &self,
        transaction: &Transaction,
        passage: &Passage,
        transcript: &mut Transcript,
    ) -> (Vec<u8>, Vec<Part>) {
        let mail = |parameters: &MailParameters| {
            (MailCommand::Mail(transaction.sender().clone(), parameters.clone()), Part::Mail)
        };
        let rcpt = |index: usize| {
            let mailbox = transaction.recipients().get(index)?.clone();
            Some((MailCommand::Rcpt(mailbox), Part::Rcpt(index)))
        };
        let data = (MailCommand::Data, Part::Data);
        let commands: Vec<(MailCommand, Part)> = match self {
            Self::Body => {
                let octets = transaction.message().octets();
                transcript.push_client(&format!("[message of {octets} octets]"));
                return (transaction.message().encode(passage), vec![Part::Body]);
            }
            Self::LoneDot => {
                transcript.push_client(".");
                return (b".\r\n".to_vec(), vec![Part::LoneDot]);
            }
            Self::Data => vec![data],
            Self::Mail(parameters) => vec![mail(parameters)],
            Self::Rcpt(index) => rcpt(*index).into_iter().collect(),
            Self::Group(parameters) => std::iter::once(mail(parameters))
                .chain((0..transaction.recipients().len()).filter_map(rcpt))
                .chain(std::iter::once(data))
                .collect(),
        };
        let mut octets = Vec::new();
        let mut parts = Vec::new();
        for (command, part) in commands {
            transcript.push_client(&command.to_string());
            octets.extend(command.encode(passage));
            parts.push(part);
        }
        (octets, parts)
    }
}

impl Transfer {
    pub(super) fn new(goal: &Goal) -> Self {
        let missing = Observation::NotObserved(match goal {
            Goal::Deliver(_) => Reason::EarlierStageFailed,
            Goal::Verify => Reason::NotAsked,
        });
        let recipients = match goal {
            Goal::Deliver(transaction) => transaction.recipients(),
            Goal::Verify => &[],
        };
        let recipients = recipients
            .iter()
            .map(|mailbox| RecipientSeen { mailbox: mailbox.clone(), reply: missing.clone() })
            .collect();
        Self {
            offered: Offered::default(),
            mail: missing.clone(),
            recipients,
            data: missing.clone(),
            delivered: missing,
        }
    }

    /// Takes note of what the last EHLO offers.
    pub(super) fn learn(&mut self, ehlo: &EhloSeen) {
        let keywords = USED_KEYWORDS.into_iter().filter(|keyword| ehlo.offers(keyword)).collect();
        self.offered = Offered { keywords, size: ehlo.size() };
    }

    /// The first write, or why this message cannot go to this server.
    pub(super) fn begin(
        &self,
        transaction: &Transaction,
        passage: &Passage,
    ) -> Result<Outgoing, Stop> {
        let offers = |keyword: &str| self.offered.keywords.contains(&keyword);
        let mut parameters = MailParameters::default();
        let octets = transaction.message().octets();
        if let Some(limit) = self.offered.size
            && limit > 0
            && u64::try_from(octets).map_or(true, |octets| octets > limit)
        {
            return Err(Stop::TooLarge { limit });
        }
        if offers("SIZE") {
            parameters.size(octets);
        }
        match (transaction.message().needs_8bitmime(), offers("8BITMIME")) {
            (true, true) => parameters.body_8bitmime(),
            (true, false) => return Err(Stop::EightBitNotOffered),
            (false, _) => {}
        }
        match (transaction.needs_smtputf8(), offers("SMTPUTF8")) {
            (true, true) => parameters.smtputf8(),
            (true, false) => return Err(Stop::SmtpUtf8NotOffered),
            (false, _) => {}
        }
        match (transaction.onward(), passage) {
            // RFC 8689 §4.2.1: asked for inside verified TLS only, and never dropped.
            (Onward::RequireTls, Passage::Sealed(_)) if offers("REQUIRETLS") => {
                parameters.requiretls();
            }
            (Onward::RequireTls, Passage::InClear(_) | Passage::Sealed(_)) => {
                return Err(Stop::RequireTlsNotOffered);
            }
            (Onward::Unspecified, _) => {}
        }
        Ok(if offers("PIPELINING") {
            Outgoing::Group(parameters)
        } else {
            Outgoing::Mail(parameters)
        })
    }

    /// Takes the reply to one part.
    pub(super) fn on_reply(
        &mut self,
        part: Part,
        reply: Reply,
        record: &mut Record,
        further: Further,
    ) -> Turn {
        let end = if is_positive(&reply) { StepEnd::Passed } else { StepEnd::Failed };
        match part {
            Part::Mail => {
                record.end(end);
                self.mail = Observation::Observed(reply);
                match (further, end) {
                    (Further::Awaited, _) => Turn::Listen,
                    (Further::None, StepEnd::Passed) => Turn::Send(Outgoing::Rcpt(0)),
                    (Further::None, StepEnd::Failed) => Turn::Over,
                }
            }
            Part::Rcpt(index) => {
                if let Some(recipient) = self.recipients.get_mut(index) {
                    recipient.reply = Observation::Observed(reply);
                }
                let next = index.saturating_add(1);
                if next < self.recipients.len() {
                    return match further {
                        Further::Awaited => Turn::Listen,
                        Further::None => Turn::Send(Outgoing::Rcpt(next)),
                    };
                }
                let anyone = self.recipients.iter().any(RecipientSeen::is_accepted);
                record.end(if anyone { StepEnd::Passed } else { StepEnd::Failed });
                match (further, anyone) {
                    (Further::Awaited, _) => Turn::Listen,
                    (Further::None, true) => Turn::Send(Outgoing::Data),
                    (Further::None, false) => Turn::Over,
                }
            }
            Part::Data => {
                let goes = reply.is_exactly(354);
                self.data = Observation::Observed(reply);
                match (goes, self.has_receiver()) {
                    (true, true) => {
                        record.end(StepEnd::Passed);
                        Turn::Send(Outgoing::Body)
                    }
                    // RFC 2920 §3.1: the group ran ahead of the refusals.
                    (true, false) => Turn::Send(Outgoing::LoneDot),
                    (false, _) => Turn::Over,
                }
            }
            Part::Body => {
                record.end(end);
                self.delivered = Observation::Observed(reply);
                Turn::Over
            }
            Part::LoneDot => Turn::Over,
        }
    }

    /// What has become of the message by the replies so far, when the session ends by them.
    pub(super) fn outcome(&self) -> SubmissionOutcome {
        let refusal = |reply: &Reply| match Permanence::of(reply.code) {
            Permanence::Permanent => SubmissionOutcome::Rejected,
            Permanence::Positive
            | Permanence::Intermediate
            | Permanence::Transient
            | Permanence::Other => SubmissionOutcome::Failed,
        };
        if let Observation::Observed(delivered) = &self.delivered {
            return match Permanence::of(delivered.code) {
                Permanence::Positive if is_positive(delivered) => SubmissionOutcome::Accepted,
                Permanence::Permanent => SubmissionOutcome::Rejected,
                Permanence::Transient if is_farewell(delivered) => SubmissionOutcome::Uncertain,
                Permanence::Transient => SubmissionOutcome::Failed,
                // The answer cannot be read as a yes or a no.
                Permanence::Positive | Permanence::Intermediate | Permanence::Other => {
                    SubmissionOutcome::Uncertain
                }
            };
        }
        if let Some(mail) = self.mail.seen().filter(|mail| !is_positive(mail)) {
            return refusal(mail);
        }
        if self.has_receiver() {
            return self.data.seen().map_or(SubmissionOutcome::Failed, refusal);
        }
        let for_good = |recipient: &RecipientSeen| {
            recipient.reply.seen().map(refusal) == Some(SubmissionOutcome::Rejected)
        };
        if self.recipients.iter().all(for_good) {
            SubmissionOutcome::Rejected
        } else {
            SubmissionOutcome::Failed
        }
    }

    /// Records that no reply came, and why.
    pub(super) fn mark_missing(&mut self, part: Part, reason: Reason) {
        let missing = Observation::NotObserved(reason);
        match part {
            Part::Body => self.delivered = missing,
            Part::Data => self.data = missing,
            Part::LoneDot => {}
            Part::Mail => self.mail = missing,
            Part::Rcpt(index) => {
                if let Some(recipient) = self.recipients.get_mut(index) {
                    recipient.reply = missing;
                }
            }
        }
    }

    fn has_receiver(&self) -> bool {
        self.mail.seen().is_some_and(is_positive)
            && self.recipients.iter().any(RecipientSeen::is_accepted)
    }
}
