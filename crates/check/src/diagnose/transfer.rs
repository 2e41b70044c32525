//! What became of the message (RFC 5321 §3.3, §6.1): refusals of MAIL, RCPT, DATA and of the message, what
//! the server lacks for it, and a session that was lost in between. The way in is [`findings`]. Keep: a
//! session lost after the final dot is neither a success nor a failure.

use super::refusal::classes_differ;
use super::replies::code_of;
use super::{SmtpTried, case_of, quoted};
use crate::finding::Finding;
use waxseal_proto::finding::Code;
use waxseal_proto::smtp::reply::Reply;
use waxseal_proto::smtp::seen::Stage;
use waxseal_proto::smtp::submission::{Step, Stop, SubmissionOutcome, SubmissionSeen};

/// What the transaction shows.
pub(super) fn findings(tried: &SmtpTried, seen: &SubmissionSeen) -> Vec<Finding> {
    let new = |code| Finding::new(code, case_of(code), tried.subject());
    let mut findings = Vec::new();
    if seen.outcome == SubmissionOutcome::Uncertain {
        findings.push(new(Code::SendAmbiguousEnd).with("after the final dot", lost_in_words(seen)));
    }
    findings.extend(seen.stop.as_ref().and_then(|stop| stopped(stop, new)));
    let refusals = refusals(seen);
    for (step, reply, mailbox) in &refusals {
        findings.extend(refused(new, (*step, reply), mailbox.as_deref()));
    }
    if findings.is_empty() {
        findings.extend(lost(seen, new));
    }
    findings
}

/// Every refusing reply of the transaction, in the order in which they came.
fn refusals(seen: &SubmissionSeen) -> Vec<(Step, &Reply, Option<String>)> {
    let steps = [(Step::Data, seen.data.seen()), (Step::Body, seen.delivered.seen())];
    let mail = seen.mail.seen().map(|reply| (Step::Mail, reply, None));
    let mail_refused = mail.as_ref().is_some_and(|(step, reply, _)| refuses(*step, reply));
    let recipients = seen.recipients.iter().filter_map(|recipient| {
        Some((Step::Rcpt, recipient.reply.seen()?, Some(recipient.mailbox.to_string())))
    });
    let later = recipients
        .chain(steps.into_iter().filter_map(|(step, reply)| Some((step, reply?, None))))
        // Commands of one group that ran ahead of a refusal are refused for it alone (RFC 2920 §3.1).
        .filter(|_| !mail_refused);
    let nobody = !seen.recipients.is_empty()
        && seen.recipients.iter().all(|r| r.reply.seen().is_some() && !r.is_accepted());
    mail.into_iter()
        .chain(later)
        .filter(|(step, reply, _)| refuses(*step, reply))
        .filter(|(step, _, _)| !(nobody && *step == Step::Data))
        .collect()
}

fn refuses(step: Step, reply: &Reply) -> bool {
    let wanted = if step == Step::Data { 3 } else { 2 };
    reply.code.first_digit() != wanted
}

fn refused(
    new: impl Fn(Code) -> Finding,
    (step, reply): (Step, &Reply),
    mailbox: Option<&str>,
) -> Vec<Finding> {
    let at_step = |finding: Finding| {
        let finding = match mailbox {
            Some(mailbox) => finding.with("recipient", mailbox),
            None => finding,
        };
        finding.with("refused at", step.as_str()).with("reply", quoted(reply))
    };
    let mut findings = vec![at_step(new(code_of(reply, step)))];
    if let Some(enhanced) = classes_differ(reply) {
        findings.push(
            at_step(new(Code::SendClassConflict))
                .with("basic code", reply.code)
                .with("enhanced code", enhanced),
        );
    }
    findings
}

/// Why the session stopped by itself before or in the transaction.
fn stopped(stop: &Stop, new: impl Fn(Code) -> Finding) -> Option<Finding> {
    Some(match stop {
        Stop::EightBitNotOffered => new(Code::SendFormatInvalid)
            .with("8BITMIME", "is not offered, and the message has octets outside ASCII"),
        Stop::OutOfStep => {
            new(Code::SendSequenceError).with("server", "said something that nobody had asked for")
        }
        Stop::RequireTlsNotOffered => {
            new(Code::SendRequiretlsUnsupported).with("REQUIRETLS", "is not offered inside TLS")
        }
        Stop::SmtpUtf8NotOffered => {
            new(Code::SendUtf8Unsupported).with("SMTPUTF8", "is not offered inside TLS")
        }
        Stop::TooLarge { limit } => {
            new(Code::SendTooLarge).with("the server takes at most", format!("{limit} octets"))
        }
        Stop::NotAllowedInClear | Stop::SignIn(_) | Stop::Unmet(_) => return None,
    })
}

/// A session that was lost between sign-in and the final dot: another attempt may pass.
fn lost(seen: &SubmissionSeen, new: impl Fn(Code) -> Finding) -> Option<Finding> {
    if seen.stop.is_some() || seen.session.stage != Stage::Quit {
        return None;
    }
    let step = seen.last_step()?;
    match (seen.outcome, step) {
        (SubmissionOutcome::Failed, Step::Mail | Step::Rcpt | Step::Data) => {}
        _ => return None,
    }
    // A farewell that nobody had asked for stands in the step itself.
    let last = seen.steps.iter().rfind(|seen| seen.step == step);
    if let Some(reply) = last.and_then(|step| step.replies.last()).filter(|r| refuses(step, r)) {
        let finding = new(code_of(reply, step));
        return Some(finding.with("refused at", step.as_str()).with("reply", quoted(reply)));
    }
    Some(
        new(Code::SendTemporary)
            .with("no answer at", step.as_str())
            .with("session", lost_in_words(seen)),
    )
}

fn lost_in_words(seen: &SubmissionSeen) -> &'static str {
    use waxseal_proto::smtp::seen::SessionEnd;
    if seen.delivered.seen().is_some_and(|reply| reply.code.number() == 421) {
        return "the server said goodbye and nothing about the message";
    }
    match seen.session.end {
        SessionEnd::Closed => "the connection was closed",
        SessionEnd::Reset => "the connection was reset",
        SessionEnd::TimedOut { .. } => "no answer came in time",
        SessionEnd::TlsBroken => "what came was no TLS of this session",
        SessionEnd::CapReached | SessionEnd::Complete | SessionEnd::Stopped => {
            "what came cannot be read as an answer"
        }
    }
}
