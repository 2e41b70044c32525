//! What became of the message (RFC 5321 §3.3): the refusals of MAIL, RCPT, DATA and of the message itself.
//! The way in is [`findings`].

use super::replies::{code_of, quoted};
use super::{SmtpTried, case_of};
use crate::finding::Finding;
use waxseal_proto::smtp::reply::Reply;
use waxseal_proto::smtp::submission::{Step, SubmissionSeen};

/// What the transaction shows.
pub(super) fn findings(tried: &SmtpTried, seen: &SubmissionSeen) -> Vec<Finding> {
    let steps = [
        (Step::Mail, seen.mail.seen()),
        (Step::Data, seen.data.seen()),
        (Step::Body, seen.delivered.seen()),
    ];
    let of_steps = steps.into_iter().filter_map(|(step, reply)| Some((step, reply?, None)));
    let of_recipients = seen.recipients.iter().filter_map(|recipient| {
        Some((Step::Rcpt, recipient.reply.seen()?, Some(recipient.mailbox.to_string())))
    });
    of_recipients
        .chain(of_steps)
        .filter(|(_, reply, _)| reply.code.first_digit() >= 4)
        .map(|(step, reply, mailbox)| refused(tried, step, reply, mailbox))
        .collect()
}

fn refused(tried: &SmtpTried, step: Step, reply: &Reply, mailbox: Option<String>) -> Finding {
    let code = code_of(reply, step);
    let finding = Finding::new(code, case_of(code), tried.subject());
    let finding = match mailbox {
        Some(mailbox) => finding.with("recipient", mailbox),
        None => finding,
    };
    finding.with("refused at", step.as_str()).with("reply", quoted(reply))
}
