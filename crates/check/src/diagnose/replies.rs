//! What a refusal of MAIL, RCPT, DATA or the message says (RFC 5321 §4.2, RFC 3463): the basic code decides
//! about trying again, the text and the enhanced code together tell one refusal from another, because
//! providers give the same numbers different meanings. The way in is [`code_of`].

use waxseal_proto::finding::Code;
use waxseal_proto::smtp::reply::{EnhancedCode, Reply};
use waxseal_proto::smtp::reply_class::Permanence;
use waxseal_proto::smtp::submission::Step;

/// A reply on one line, as evidence: foreign text.
pub(super) fn quoted(reply: &Reply) -> String {
    crate::rules::greeting::reply_text(reply)
}

/// The code for a refusal in this step.
pub(super) fn code_of(reply: &Reply, step: Step) -> Code {
    let unknown_mailbox =
        matches!(reply.enhanced, Some(EnhancedCode { class: 5, subject: 1, detail: 1 | 2 | 10 }));
    match Permanence::of(reply.code) {
        Permanence::Permanent if step == Step::Rcpt && unknown_mailbox => {
            Code::SendRecipientUnknown
        }
        Permanence::Permanent => Code::SendPermanent,
        Permanence::Positive
        | Permanence::Intermediate
        | Permanence::Transient
        | Permanence::Other => Code::SendTemporary,
    }
}
