//! A test or verification from its beginning to its record. The ways in are [`begin`], [`trial_of`] and
//! [`settle`]. Keep: a trial is written before anything leaves, as what it is when nothing more is heard of it,
//! so that a process that dies leaves no connection looking better than anybody knows.

use jiff::Timestamp;
use waxseal_check::report::send::wire::{OutcomeV1, SEND_SCHEMA, SendV1};
use waxseal_check::report::send::{Attempted, statements};
use waxseal_services::http::HTTPS_PORT;
use waxseal_store::connection::{
    Connection, ConnectionKind, NewTrial, OneLine, Trial, TrialKind, TrialOutcome,
};
use waxseal_store::connections::{Connections as _, TrialGate, TrialPace, TrialStart};
use waxseal_store::id::TrialId;

use super::error::ConnectionsError;
use super::kept;
use super::secret::service_of;
use crate::limits::{TRIAL_LASTS_AT_MOST, TRIALS_MAX, TRIALS_WINDOW};
use crate::store::{Data, StoreError};
use crate::world::World;

/// What a request for a test or verification came to before anything left.
#[derive(Debug)]
pub(crate) enum Begun {
    /// A test of the same key has a record.
    Earlier(Trial),
    /// It is written and may leave.
    Now,
    /// A test of the same key is being carried out.
    UnderWay,
}

/// Writes that a trial of a connection begins.
pub(crate) async fn begin(
    world: &World,
    data: &Data,
    (connection, kind): (&Connection, TrialKind),
    key: Option<OneLine>,
    (id, now): (TrialId, Timestamp),
) -> Result<Begun, ConnectionsError> {
    const PACE: TrialPace = TrialPace {
        trials_max: TRIALS_MAX,
        window: TRIALS_WINDOW,
        lasts_at_most: TRIAL_LASTS_AT_MOST,
    };
    let outcome = match kind {
        // Nobody knows what became of its message.
        TrialKind::Test => OutcomeV1::Unknown,
        TrialKind::Verify => OutcomeV1::Failed,
    };
    let lost = lost(world, connection, outcome, now);
    let if_lost = trial_of(connection, &lost, (id, now));
    let start = TrialStart { kind, if_lost, key };
    let name = || connection.name.to_string();
    match data.store().begin_trial(data.workspace(), &start, PACE).await? {
        TrialGate::Begun => Ok(Begun::Now),
        TrialGate::Changed => Err(ConnectionsError::ChangedMeanwhile { name: name() }),
        TrialGate::Disabled => Err(ConnectionsError::Disabled { name: name() }),
        TrialGate::Recorded(trial) => Ok(Begun::Earlier(trial)),
        TrialGate::TooMany { free_at } => {
            Err(ConnectionsError::TooMany { name: name(), kind, free_at })
        }
        TrialGate::UnderWay => Ok(Begun::UnderWay),
    }
}

/// Ends the trials whose processes ended long ago, before anything shows or looks up trials.
pub(crate) async fn settle(data: &Data, now: Timestamp) -> Result<(), StoreError> {
    let begun_before = now.checked_sub(TRIAL_LASTS_AT_MOST).unwrap_or(Timestamp::MIN);
    data.store().settle_trials(data.workspace(), begun_before).await
}

/// The row of a result.
pub(crate) fn trial_of(
    connection: &Connection,
    result: &SendV1,
    (id, started_at): (TrialId, Timestamp),
) -> NewTrial {
    NewTrial {
        id,
        connection: connection.id,
        revision: connection.revision,
        started_at,
        took_ms: result.took_ms,
        outcome: match result.outcome {
            OutcomeV1::Accepted | OutcomeV1::Ready => TrialOutcome::Accepted,
            OutcomeV1::AuthFailed | OutcomeV1::Rejected => TrialOutcome::Rejected,
            OutcomeV1::Failed => TrialOutcome::Failed,
            OutcomeV1::Unknown => TrialOutcome::Unknown,
        },
        detail: kept::detail(result),
    }
}

/// A trial whose process ended before it could be recorded.
fn lost(
    world: &World,
    connection: &Connection,
    outcome: OutcomeV1,
    started_at: Timestamp,
) -> SendV1 {
    let (service, host, port, security) = match &connection.settings.kind {
        ConnectionKind::Api(api) => {
            let host = service_of(api).map(|id| id.api_host().to_owned()).unwrap_or_default();
            (Some(api.service.as_str().to_owned()), host, HTTPS_PORT, "https")
        }
        ConnectionKind::Smtp(smtp) => {
            (None, smtp.host.to_string(), smtp.port.get(), smtp.mode().as_str())
        }
    };
    let encrypted = connection.encrypts();
    let said = statements(&Attempted {
        host: &host,
        port,
        verified: None,
        encrypted,
        signed_in: false,
        outcome,
    });
    SendV1 {
        schema: SEND_SCHEMA.to_owned(),
        simulated: world.is_simulated(),
        began_at: started_at.to_string(),
        took_ms: 0,
        service,
        port,
        security: security.to_owned(),
        encrypted,
        accepted: false,
        outcome,
        ended: "lost".to_owned(),
        server_id: None,
        message_id: None,
        signed_in_by: None,
        steps: Vec::new(),
        tls: None,
        certificate: None,
        recipients: Vec::new(),
        diagnosis: None,
        findings: Vec::new(),
        suggestions: Vec::new(),
        transcript: Vec::new(),
        proves: said.proves,
        does_not_prove: said.does_not_prove,
        next: said.next,
        host,
    }
}
