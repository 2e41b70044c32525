//! What a submission means for each recipient (RFC 5321 §4.2.1, RFC 3463 §3): accepted, deferred, rejected or
//! uncertain, and what a refusal is about. The way in is [`outcomes`]. Keep: only a refusal of recipient
//! scope says anything about a recipient; a mistake of ours must not mark a list as bounced.

use waxseal_proto::name::Mailbox;
use waxseal_proto::smtp::reply::{EnhancedCode, Reply, ReplyCode};
use waxseal_proto::smtp::reply_class::{Permanence, Scope};
use waxseal_proto::smtp::submission::{RecipientSeen, SubmissionOutcome, SubmissionSeen};

/// What became of a message for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server took it; what it called it, foreign text.
    Accepted {
        /// The text of its last reply.
        id: Option<String>,
    },
    /// Not now: another attempt may pass.
    Deferred(Refusal),
    /// Not in this form: another attempt needs a change first.
    Rejected(Refusal),
    /// It may or may not have been taken; neither repeated nor dropped.
    Uncertain,
}

/// A refusal and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What must change before another attempt.
    pub scope: Scope,
    /// The reply that refused; `None` when the session came to none.
    pub reply: Option<RefusingReply>,
}

/// The reply that refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusingReply {
    /// Reply code.
    pub code: ReplyCode,
    /// Enhanced code.
    pub enhanced: Option<EnhancedCode>,
    /// The text, foreign.
    pub text: String,
}

/// What was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    Message,
    Recipient,
}

/// What a submission means for each recipient, in their order.
pub fn outcomes(seen: &SubmissionSeen) -> Vec<(Mailbox, Outcome)> {
    let of = |recipient: &RecipientSeen| (recipient.mailbox.clone(), outcome(seen, recipient));
    seen.recipients.iter().map(of).collect()
}

fn outcome(seen: &SubmissionSeen, recipient: &RecipientSeen) -> Outcome {
    let own = recipient.reply.seen().filter(|_| !recipient.is_accepted());
    match (seen.outcome, own) {
        (_, Some(reply)) if seen.mail.seen().is_some_and(|mail| mail.code.first_digit() == 2) => {
            refusal(reply, Refused::Recipient)
        }
        (SubmissionOutcome::Accepted, _) => Outcome::Accepted { id: seen.server_id() },
        (SubmissionOutcome::Uncertain, _) => Outcome::Uncertain,
        (
            SubmissionOutcome::AuthFailed
            | SubmissionOutcome::Failed
            | SubmissionOutcome::Ready
            | SubmissionOutcome::Rejected,
            _,
        ) => {
            let refused = [&seen.delivered, &seen.data, &seen.mail]
                .into_iter()
                .filter_map(|observed| observed.seen())
                .find(|reply| reply.code.first_digit() >= 4);
            match refused {
                Some(reply) => refusal(reply, Refused::Message),
                None => Outcome::Deferred(Refusal { scope: Scope::Session, reply: None }),
            }
        }
    }
}

fn refusal(reply: &Reply, refused: Refused) -> Outcome {
    let scope = match (reply.enhanced.and_then(Scope::of), refused) {
        // Before RCPT and after DATA a code about an address speaks of the message as a whole.
        (Some(Scope::Recipient | Scope::Message) | None, Refused::Message) => Scope::Message,
        (Some(scope), Refused::Message | Refused::Recipient) => scope,
        (None, Refused::Recipient) => bare_scope(reply),
    };
    let refusal = Refusal {
        scope,
        reply: Some(RefusingReply {
            code: reply.code,
            enhanced: reply.enhanced,
            text: reply.message(),
        }),
    };
    match Permanence::of(reply.code) {
        Permanence::Permanent => Outcome::Rejected(refusal),
        Permanence::Positive
        | Permanence::Intermediate
        | Permanence::Transient
        | Permanence::Other => Outcome::Deferred(refusal),
    }
}

/// A refused RCPT without an enhanced code (RFC 5321 §4.2.2): 550, 551, 553 and 450, 452 speak of the
/// mailbox, unless the text speaks of relaying or sign-in.
fn bare_scope(reply: &Reply) -> Scope {
    let text = reply.message().to_ascii_lowercase();
    match reply.code.number() {
        421 => Scope::Session,
        _ if ["relay", "authenticat", "sign in", "log in"]
            .iter()
            .any(|word| text.contains(word)) =>
        {
            Scope::Session
        }
        450 | 452 | 550 | 551 | 553 => Scope::Recipient,
        _ => Scope::Message,
    }
}

#[cfg(test)]
mod tests;
