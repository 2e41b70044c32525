//! What an attempt over a delivery service's interface showed, in the one published shape. It copies and names;
//! what it means is said by the diagnosis and the words of [`waxseal_check::report::send`].

use std::time::Duration;

use waxseal_check::call::CallEnd;
use waxseal_check::diagnose::service::{CameTo, Heard, ServiceTried};
use waxseal_check::finding::Finding;
use waxseal_check::report::send::wire::{OutcomeV1, RecipientV1, SEND_SCHEMA, SendV1, StepV1};
use waxseal_check::report::send::{Attempted, ServiceTold, diagnosis, say_of_service, statements};
use waxseal_check::report::{certificate, published as published_findings, tls};
use waxseal_proto::tls::seen::{HandshakeEnd, HandshakeSeen, TlsVersion};
use waxseal_services::account::Verified;
use waxseal_services::fault::{FaultClass, FaultKind, ServiceFault};
use waxseal_services::outcome::{Fate, RecipientOutcome};

use crate::steps::connect_word;
use crate::world::World;

/// The result of an attempt.
pub(super) fn published(
    world: &World,
    tried: &ServiceTried,
    findings: &[Finding],
    (steps, took): (Vec<StepV1>, Duration),
) -> SendV1 {
    let call = &tried.call;
    let host = call.host.to_string();
    let outcome = outcome(tried);
    let handshake = call.handshake.seen();
    let findings = published_findings(findings, &host);
    let mut said = statements(&Attempted {
        host: &host,
        port: call.port,
        verified: handshake.and_then(version),
        encrypted: true,
        signed_in: false,
        outcome,
    });
    let inbox_tls = tried.account.inbox_tls.seen().copied();
    let told = ServiceTold { host: &host, outcome, inbox_tls };
    say_of_service(&mut said, tried.service, &told);
    SendV1 {
        schema: SEND_SCHEMA.to_owned(),
        simulated: world.is_simulated(),
        began_at: tried.at.to_string(),
        took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        service: Some(tried.service.as_str().to_owned()),
        port: call.port,
        security: "https".to_owned(),
        encrypted: true,
        accepted: outcome == OutcomeV1::Accepted,
        outcome,
        ended: ended(tried, outcome).to_owned(),
        server_id: tried.accepted().flatten().map(|id| id.as_str().to_owned()),
        message_id: None,
        signed_in_by: None,
        steps,
        tls: handshake.map(tls),
        certificate: tried.chain().as_ref().map(certificate),
        recipients: recipients(tried),
        diagnosis: diagnosis(outcome, &findings),
        findings,
        suggestions: Vec::new(),
        transcript: Vec::new(),
        proves: said.proves,
        does_not_prove: said.does_not_prove,
        next: said.next,
        host,
    }
}

/// The fault of the call as a whole, or of its only message.
fn fault(tried: &ServiceTried) -> Option<&ServiceFault> {
    match &tried.heard {
        Heard::Nothing | Heard::Verified(Verified::KeyAccepted | Verified::MaySend) => None,
        Heard::Sent(outcome) => {
            outcome.fault.as_ref().or_else(|| outcome.rejected().next().map(|(_, fault)| fault))
        }
        Heard::Verified(Verified::OnlyTestSend(fault) | Verified::Refused(fault)) => Some(fault),
    }
}

fn outcome(tried: &ServiceTried) -> OutcomeV1 {
    let unknown_key =
        |fault: &ServiceFault| matches!(fault.kind, FaultKind::KeyInvalid | FaultKind::ClockWrong);
    match (&tried.heard, tried.came_to()) {
        (Heard::Verified(Verified::KeyAccepted | Verified::MaySend), _) => OutcomeV1::Ready,
        (Heard::Verified(Verified::OnlyTestSend(_)), _) => OutcomeV1::Failed,
        _ if fault(tried).is_some_and(unknown_key) => OutcomeV1::AuthFailed,
        (_, CameTo::Accepted) => OutcomeV1::Accepted,
        (_, CameTo::Rejected) => OutcomeV1::Rejected,
        (Heard::Sent(_) | Heard::Nothing, CameTo::Unknown) => OutcomeV1::Unknown,
        (_, CameTo::Failed | CameTo::Unknown) => OutcomeV1::Failed,
    }
}

/// The strict verifier lets no other handshake finish.
const fn version(handshake: &HandshakeSeen) -> Option<TlsVersion> {
    match &handshake.end {
        HandshakeEnd::Completed(session) => Some(session.version),
        HandshakeEnd::Failed(_) => None,
    }
}

/// The word for where it ended.
fn ended(tried: &ServiceTried, outcome: OutcomeV1) -> &'static str {
    let put_off = |fault: &ServiceFault| matches!(fault.class, FaultClass::Retry { .. });
    match (outcome, &tried.call.end) {
        (OutcomeV1::Accepted, _) => "accepted",
        (OutcomeV1::Ready, _) => "ready",
        (OutcomeV1::AuthFailed, _) => "auth-failed",
        (OutcomeV1::Unknown, _) => "uncertain",
        (_, CallEnd::NotAsked) => "not-tested",
        (_, CallEnd::Unresolved) => "no-address",
        (_, CallEnd::NotConnected) => {
            let last = tried.call.connects.last();
            last.map_or("no-address", |(_, connect)| connect_word(connect))
        }
        (_, CallEnd::TlsRefused) => "tls-handshake-failed",
        (_, CallEnd::Broken(..) | CallEnd::TimedOut(_)) => "deferred",
        (_, CallEnd::Answered(_)) if fault(tried).is_some_and(put_off) => "deferred",
        (_, CallEnd::Answered(_) | CallEnd::Redirected { .. } | CallEnd::Unwritable) => "rejected",
    }
}

fn recipients(tried: &ServiceTried) -> Vec<RecipientV1> {
    let Heard::Sent(outcome) = &tried.heard else { return Vec::new() };
    let status = match &tried.call.end {
        CallEnd::Answered(response) => Some(response.status()),
        CallEnd::Broken(..)
        | CallEnd::NotAsked
        | CallEnd::NotConnected
        | CallEnd::Redirected { .. }
        | CallEnd::TimedOut(_)
        | CallEnd::TlsRefused
        | CallEnd::Unresolved
        | CallEnd::Unwritable => None,
    };
    let of = |recipient: &RecipientOutcome| {
        let (word, fault) = match &recipient.fate {
            Fate::Accepted { .. } => ("accepted", None),
            Fate::NotTaken => ("not-sent", outcome.fault.as_ref()),
            Fate::Rejected(fault) => ("rejected", Some(fault)),
            Fate::Unknown => ("uncertain", outcome.fault.as_ref()),
        };
        RecipientV1 {
            address: recipient.recipient.as_str().to_owned(),
            outcome: word.to_owned(),
            code: status,
            enhanced: None,
            message: fault.and_then(|fault| Some(fault.text.as_ref()?.as_str().to_owned())),
        }
    };
    outcome.recipients.iter().map(of).collect()
}
