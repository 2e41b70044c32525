//! What an attempt showed, in the one published shape. It copies and names; what it means is said by the
//! diagnosis and the words of [`waxseal_check::report::send`].

use super::steps::{Judge, verdict};
use super::{Attempted, Goal};
use crate::steps::connect_word;
use std::time::Duration;
use waxseal_check::diagnose::{SmtpTried, diagnose, suggestions};
use waxseal_check::report::send::wire::{
    OutcomeV1, RecipientV1, SEND_SCHEMA, SendV1, StepV1, SuggestionV1,
};
use waxseal_check::report::send::{self, diagnosis, statements};
use waxseal_check::report::wire::CertificateV1;
use waxseal_check::report::{certificate, published as published_findings, tls, transcript};
use waxseal_proto::name::Mailbox;
use waxseal_proto::smtp::outcome::ProbeOutcome;
use waxseal_proto::smtp::reply_class::Permanence;
use waxseal_proto::smtp::seen::SessionEnd;
use waxseal_proto::smtp::submission::{Step, SubmissionOutcome, SubmissionSeen};
use waxseal_proto::tls::mode::Mode;
use waxseal_proto::tls::seen::{HandshakeEnd, HandshakeSeen, TlsVersion};
use waxseal_send::outcome::{Outcome, outcomes};

/// The result of an attempt.
pub(super) fn published(attempted: &Attempted<'_>, steps: Vec<StepV1>, took: Duration) -> SendV1 {
    let Attempted { world, request, tried } = attempted;
    let seen = tried.session.as_ref();
    let outcome = outcome(seen);
    let handshake = seen.and_then(|seen| seen.session.handshake.seen());
    let host = request.host_text();
    let found = diagnose(tried);
    let suggestions = suggestions(tried, &found).into_iter().map(suggestion).collect();
    let findings = published_findings(&found, &host);
    let encrypted = request.mode() != Mode::None;
    let signed_in = seen.and_then(|seen| seen.signed_in.seen());
    let said = statements(&send::Attempted {
        host: &host,
        port: request.port,
        verified: handshake.and_then(verified),
        encrypted,
        signed_in: signed_in.is_some(),
        outcome,
    });
    SendV1 {
        schema: SEND_SCHEMA.to_owned(),
        simulated: world.is_simulated(),
        began_at: tried.at.to_string(),
        took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        service: None,
        port: request.port,
        security: request.mode().as_str().to_owned(),
        encrypted,
        accepted: outcome == OutcomeV1::Accepted,
        outcome,
        ended: ended(tried),
        server_id: seen.and_then(SubmissionSeen::server_id),
        message_id: None,
        signed_in_by: signed_in.map(|signed_in| signed_in.mechanism.as_str().to_owned()),
        steps,
        tls: handshake.map(tls),
        certificate: handshake.and_then(|handshake| certificate_of(attempted, handshake)),
        recipients: recipients(attempted),
        diagnosis: diagnosis(outcome, &findings),
        findings,
        suggestions,
        transcript: seen.map(|seen| transcript(&seen.session)).unwrap_or_default(),
        proves: said.proves,
        does_not_prove: said.does_not_prove,
        next: said.next,
        host,
    }
}

fn suggestion((port, mode): (u16, Mode)) -> SuggestionV1 {
    SuggestionV1 { port, security: mode.as_str().to_owned() }
}

fn outcome(seen: Option<&SubmissionSeen>) -> OutcomeV1 {
    match seen.map(|seen| seen.outcome) {
        Some(SubmissionOutcome::Accepted) => OutcomeV1::Accepted,
        Some(SubmissionOutcome::AuthFailed) => OutcomeV1::AuthFailed,
        Some(SubmissionOutcome::Failed) | None => OutcomeV1::Failed,
        Some(SubmissionOutcome::Ready) => OutcomeV1::Ready,
        Some(SubmissionOutcome::Rejected) => OutcomeV1::Rejected,
        Some(SubmissionOutcome::Uncertain) => OutcomeV1::Unknown,
    }
}

/// The strict verifier lets no other handshake finish.
const fn verified(handshake: &HandshakeSeen) -> Option<TlsVersion> {
    match &handshake.end {
        HandshakeEnd::Completed(session) => Some(session.version),
        HandshakeEnd::Failed(_) => None,
    }
}

fn certificate_of(attempted: &Attempted<'_>, handshake: &HandshakeSeen) -> Option<CertificateV1> {
    let tried = &attempted.tried;
    let judge = Judge { request: attempted.request, roots: &tried.roots, at: tried.at };
    verdict(handshake, &judge).as_ref().map(certificate)
}

/// The word for where it ended.
fn ended(tried: &SmtpTried) -> String {
    let Some(seen) = &tried.session else {
        let word = tried.connects.last().map(|(_, connect)| connect_word(connect));
        return word.unwrap_or("no-address").to_owned();
    };
    match seen.outcome {
        SubmissionOutcome::Failed => {}
        SubmissionOutcome::Accepted
        | SubmissionOutcome::AuthFailed
        | SubmissionOutcome::Ready
        | SubmissionOutcome::Rejected
        | SubmissionOutcome::Uncertain => return seen.outcome.as_str().to_owned(),
    }
    match seen.last_step() {
        Some(Step::Mail | Step::Rcpt | Step::Data | Step::Body) => {
            if was_put_off(seen) {
                "deferred"
            } else {
                lost(seen)
            }
        }
        Some(Step::SignIn) => lost(seen),
        Some(Step::EhloAfterTls) => ProbeOutcome::EhloFailed.as_str(),
        Some(Step::Ehlo) if seen.mode != Mode::Starttls => ProbeOutcome::EhloFailed.as_str(),
        Some(Step::Handshake) => ProbeOutcome::TlsHandshakeFailed.as_str(),
        Some(Step::Connect | Step::Greeting | Step::Ehlo | Step::StartTls | Step::Quit) | None => {
            return before_tls(seen).as_str().to_owned();
        }
    }
    .to_owned()
}

/// Where a session ended before it was encrypted; with TLS from the first octet the greeting comes inside.
fn before_tls(seen: &SubmissionSeen) -> ProbeOutcome {
    let mut session = seen.session.clone();
    if matches!(session.handshake.seen(), Some(seen) if verified(seen).is_some()) {
        let reason = waxseal_proto::observation::Reason::NotAsked;
        session.handshake = waxseal_proto::observation::Observation::NotObserved(reason);
    }
    session.outcome()
}

/// Whether the last word about the message was: not now.
fn was_put_off(seen: &SubmissionSeen) -> bool {
    let recipients = seen.recipients.iter().filter_map(|recipient| recipient.reply.seen());
    [&seen.delivered, &seen.data, &seen.mail]
        .into_iter()
        .filter_map(|observed| observed.seen())
        .chain(recipients)
        .any(|reply| Permanence::of(reply.code) == Permanence::Transient)
}

/// How a session was lost inside its encrypted part.
const fn lost(seen: &SubmissionSeen) -> &'static str {
    match seen.session.end {
        SessionEnd::TimedOut { .. } => "reply-timeout",
        SessionEnd::Closed | SessionEnd::Reset => ProbeOutcome::ClosedEarly.as_str(),
        SessionEnd::CapReached => ProbeOutcome::ReplyOverCap.as_str(),
        SessionEnd::TlsBroken => "tls-broken",
        SessionEnd::Complete | SessionEnd::Stopped => "failed",
    }
}

fn recipients(attempted: &Attempted<'_>) -> Vec<RecipientV1> {
    let Goal::Deliver(transaction) = &attempted.request.goal else { return Vec::new() };
    match &attempted.tried.session {
        None => transaction.recipients().iter().map(|mailbox| blank(mailbox, "not-sent")).collect(),
        Some(seen) => outcomes(seen)
            .iter()
            .map(|(mailbox, outcome)| recipient(seen, mailbox, outcome))
            .collect(),
    }
}

fn blank(mailbox: &Mailbox, outcome: &str) -> RecipientV1 {
    RecipientV1 {
        address: mailbox.to_string(),
        outcome: outcome.to_owned(),
        code: None,
        enhanced: None,
        message: None,
    }
}

fn recipient(seen: &SubmissionSeen, mailbox: &Mailbox, outcome: &Outcome) -> RecipientV1 {
    let (word, refusal) = match outcome {
        Outcome::Accepted { .. } => {
            let reply = seen.delivered.seen();
            return RecipientV1 {
                code: reply.map(|reply| reply.code.number()),
                enhanced: reply.and_then(|reply| reply.enhanced).map(|code| code.to_string()),
                message: reply.map(waxseal_proto::smtp::reply::Reply::message),
                ..blank(mailbox, "accepted")
            };
        }
        Outcome::Uncertain => return blank(mailbox, "uncertain"),
        Outcome::Deferred(refusal) => ("deferred", refusal),
        Outcome::Rejected(refusal) => ("rejected", refusal),
    };
    let Some(reply) = &refusal.reply else { return blank(mailbox, "not-sent") };
    RecipientV1 {
        code: Some(reply.code.number()),
        enhanced: reply.enhanced.map(|code| code.to_string()),
        message: Some(reply.text.clone()),
        ..blank(mailbox, word)
    }
}
