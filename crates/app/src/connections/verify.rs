//! Looks without a message whether a connection is right: signs in over SMTP and leaves, or asks the service
//! about the key and the account. What it shows is recorded and never decides the state of the connection.
//! The way in is [`verify`].

use std::time::Duration;

use jiff::Timestamp;
use waxseal_check::report::published;
use waxseal_check::report::send::wire::{OutcomeV1, SEND_SCHEMA, SendV1, StepV1};
use waxseal_check::report::send::{Attempted, diagnosis, statements};
use waxseal_proto::smtp::submission::Goal;
use waxseal_services::account::Verified;
use waxseal_services::http::HTTPS_PORT;
use waxseal_store::StoreError;
use waxseal_store::connection::{Connection, NewTrial, TrialOutcome};
use waxseal_store::connections::Connections as _;
use waxseal_store::id::TrialId;
use waxseal_store::limits::TRIAL_DETAIL_OCTETS_MAX;

use super::error::ConnectionsError;
use super::line::{Line, open};
use super::wire::{AccountView, ConnectionView};
use super::{find, show};
use crate::service::{self, Service, StepState, VerifiedService};
use crate::store::Data;
use crate::submission::{self, submit};
use crate::world::World;

/// What a verification showed.
#[derive(Clone, Debug)]
pub struct Verification {
    /// The connection, with this as its newest verification.
    pub connection: ConnectionView,
    /// What was seen; `None` when the service has no such question and only a test send can tell.
    pub result: Option<SendV1>,
    /// What the account says about itself; `None` for SMTP.
    pub account: Option<AccountView>,
}

/// Told of every step that ended.
pub type StepListener<'a> = &'a mut (dyn FnMut(StepV1) + Send);

/// Looks whether a connection is right; sends no message.
///
/// # Errors
/// No such connection, a secret that is missing or does not open, or this machine cannot do it. A fault of
/// the other side is a result.
pub async fn verify(
    world: &World,
    data: &Data,
    name: &str,
    listener: StepListener<'_>,
    now: Timestamp,
) -> Result<Verification, ConnectionsError> {
    let connection = find(data, name).await?;
    let (result, account) = match open(world, data, &connection, Goal::Verify, now).await? {
        Line::Smtp(request) => {
            let mut tell = |told| {
                if let submission::StepTold::Ended(step) = told {
                    listener(step);
                }
            };
            let sent = Box::pin(submit(world, &request, &mut tell)).await?;
            (Some(sent), None)
        }
        Line::Api(service) => {
            let (seen, took) = ask(world, &service, listener).await;
            let account = AccountView::of(&seen.account);
            (of_service(world, &seen, took), Some(account))
        }
    };
    if let Some(result) = &result {
        let trial = trial(&connection, result, now)?;
        data.store().record_verify(data.workspace(), &[trial]).await?;
    }
    let connection = show(data, &connection.id.to_string(), now).await?;
    Ok(Verification { connection, result, account })
}

async fn ask(
    world: &World,
    service: &Service,
    listener: StepListener<'_>,
) -> (VerifiedService, Duration) {
    let watch = world.stopwatch();
    let mut tell = |told: service::StepTold| {
        if told.state != StepState::Begun {
            listener(step(&told, watch.elapsed()));
        }
    };
    let seen = Box::pin(service::verify(world, service, &mut tell)).await;
    (seen, watch.elapsed())
}

fn step(told: &service::StepTold, elapsed: Duration) -> StepV1 {
    let milliseconds = |took: Duration| took.as_secs_f64() * 1_000.0;
    StepV1 {
        step: told.step.as_str().to_owned(),
        passed: told.state == StepState::Passed,
        detail: told.detail.clone(),
        elapsed_ms: milliseconds(elapsed),
        took_ms: told.took.map(milliseconds),
    }
}

/// The published form; `None` when nothing could be asked, or this key may not ask.
fn of_service(world: &World, seen: &VerifiedService, took: Duration) -> Option<SendV1> {
    let host = seen.host.as_ref()?.as_str().to_owned();
    let (outcome, ended) = match &seen.verified {
        Some(Verified::OnlyTestSend(_)) => return None,
        Some(Verified::KeyAccepted | Verified::MaySend) => (OutcomeV1::Ready, "ready"),
        Some(Verified::Refused(_)) => (OutcomeV1::Rejected, "rejected"),
        None => (OutcomeV1::Failed, "no-answer"),
    };
    let findings = published(&seen.findings, &host);
    let said = statements(&Attempted {
        host: &host,
        port: HTTPS_PORT,
        verified: None,
        encrypted: true,
        signed_in: false,
        outcome,
    });
    let mut elapsed = Duration::ZERO;
    let steps = seen.steps.iter().map(|told| {
        elapsed += told.took.unwrap_or_default();
        step(told, elapsed)
    });
    Some(SendV1 {
        schema: SEND_SCHEMA.to_owned(),
        simulated: world.is_simulated(),
        began_at: world.now().to_string(),
        took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        service: Some(seen.service.as_str().to_owned()),
        port: HTTPS_PORT,
        security: "https".to_owned(),
        encrypted: true,
        accepted: false,
        outcome,
        ended: ended.to_owned(),
        server_id: None,
        message_id: None,
        signed_in_by: None,
        steps: steps.collect(),
        tls: None,
        certificate: None,
        recipients: Vec::new(),
        diagnosis: diagnosis(outcome, &findings),
        findings,
        transcript: Vec::new(),
        proves: said.proves,
        does_not_prove: said.does_not_prove,
        next: said.next,
        host,
    })
}

/// The row of a result. A result that is larger than a row may be loses its transcript first.
fn trial(
    connection: &Connection,
    result: &SendV1,
    now: Timestamp,
) -> Result<NewTrial, ConnectionsError> {
    let text =
        |result: &SendV1| serde_json::to_string(result).unwrap_or_else(|_| "null".to_owned());
    let mut detail = text(result);
    if detail.len() > TRIAL_DETAIL_OCTETS_MAX {
        let note = format!("(a transcript of {} lines was too large)", result.transcript.len());
        detail = text(&SendV1 { transcript: vec![note], ..result.clone() });
    }
    Ok(NewTrial {
        id: TrialId::new(now).map_err(StoreError::from)?,
        connection: connection.id,
        revision: connection.revision,
        started_at: now,
        took_ms: result.took_ms,
        outcome: match result.outcome {
            OutcomeV1::Accepted | OutcomeV1::Ready => TrialOutcome::Accepted,
            OutcomeV1::AuthFailed | OutcomeV1::Rejected => TrialOutcome::Rejected,
            OutcomeV1::Failed => TrialOutcome::Failed,
            OutcomeV1::Unknown => TrialOutcome::Unknown,
        },
        detail,
    })
}
