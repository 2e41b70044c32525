//! Tests and verifications of connections in SQLite: recorded, pruned, and shown beside their connection.
//!
//! Keep: a test decides the state only when it is of the present revision and the newest. The newest is the one
//! whose row was written last, and the row is written when the trial begins (`starts`): a clock that is set back
//! changes nothing. Nobody sees the row of a trial that is still open.

use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::{array, number, present, reading, writing};
use crate::connection::{Connection, ConnectionState, NewTrial, Trial, TrialKind, TrialOutcome};
use crate::connections::{ReceivedNote, Recorded};
use crate::database::Store;
use crate::error::StoreError;
use crate::id::{ConnectionId, TrialId, WorkspaceId};
use crate::limits::{RECEIVED_NOTE_OCTETS_MAX, TRIAL_DETAIL_OCTETS_MAX, TRIALS_KEPT_MAX};
use crate::rows;

const TRIALS: &str = "connection_trials";

/// The condition that a trial (`t`) is over.
macro_rules! ended {
    () => {
        "NOT EXISTS (SELECT 1 FROM connection_test_starts s WHERE s.workspace_id = t.workspace_id
             AND s.trial_id = t.id AND s.ended = 0)"
    };
}
pub(super) use ended;

/// The connections of these rows, each with its newest test and verification.
pub(super) async fn with_trials(
    reader: &mut SqliteConnection,
    workspace: WorkspaceId,
    found: &[SqliteRow],
) -> Result<Vec<Connection>, StoreError> {
    let mut connections =
        found.iter().map(rows::connection).collect::<Result<Vec<Connection>, _>>()?;
    let ids: Vec<ConnectionId> = connections.iter().map(|connection| connection.id).collect();
    let newest = sqlx::query(concat!(
        "SELECT * FROM connection_trials WHERE rowid IN (
             SELECT max(t.rowid) FROM connection_trials t
             WHERE t.workspace_id = ? AND t.connection_id IN (SELECT value FROM json_each(?)) AND ",
        ended!(),
        " GROUP BY t.connection_id, t.kind)"
    ))
    .bind(workspace.to_string())
    .bind(array(&ids)?)
    .fetch_all(reader)
    .await
    .map_err(reading())?;
    for row in &newest {
        let of: String = rows::column(TRIALS, row, "connection_id")?;
        let kind: String = rows::column(TRIALS, row, "kind")?;
        let owner = connections.iter_mut().find(|connection| connection.id.to_string() == of);
        let Some(owner) = owner else { continue };
        let trial = Some(rows::trial(row)?);
        match TrialKind::parse(&kind) {
            Some(TrialKind::Test) => owner.last_test = trial,
            Some(TrialKind::Verify) => owner.last_verify = trial,
            None => {
                let problem = "unknown kind".to_owned();
                return Err(StoreError::Row { table: TRIALS, problem });
            }
        }
    }
    Ok(connections)
}

/// Writes one trial that is over, and says whether it decides.
pub(super) async fn record_one(
    transaction: &mut SqliteConnection,
    workspace: WorkspaceId,
    kind: TrialKind,
    trial: &NewTrial,
) -> Result<Recorded, StoreError> {
    present(&mut *transaction, workspace, trial.connection).await?;
    write_trial(&mut *transaction, workspace, kind, trial).await?;
    sqlx::query(
        "UPDATE connection_test_starts SET ended = 1 WHERE workspace_id = ? AND trial_id = ?",
    )
    .bind(workspace.to_string())
    .bind(trial.id.to_string())
    .execute(&mut *transaction)
    .await
    .map_err(writing())?;
    let decides = decide(transaction, workspace, &trial.connection.to_string()).await?;
    let decides = decides.as_deref() == Some(trial.id.to_string().as_str());
    Ok(if decides { Recorded::Decides } else { Recorded::Outdated })
}

/// Sets the state of a connection by its newest test that is over, and says which that is. One of an older
/// revision decides nothing.
pub(super) async fn decide(
    transaction: &mut SqliteConnection,
    workspace: WorkspaceId,
    connection: &str,
) -> Result<Option<String>, StoreError> {
    let newest = sqlx::query(concat!(
        "SELECT t.id, t.outcome, t.revision = c.revision AS current FROM connection_trials t
         JOIN connections c ON c.workspace_id = t.workspace_id AND c.id = t.connection_id
         WHERE t.workspace_id = ? AND t.connection_id = ? AND t.kind = 'test' AND ",
        ended!(),
        " ORDER BY t.rowid DESC LIMIT 1"
    ))
    .bind(workspace.to_string())
    .bind(connection)
    .fetch_optional(&mut *transaction)
    .await
    .map_err(reading())?;
    let Some(newest) = newest else { return Ok(None) };
    if !rows::column::<bool>(TRIALS, &newest, "current")? {
        return Ok(None);
    }
    let outcome: String = rows::column(TRIALS, &newest, "outcome")?;
    let state = match TrialOutcome::parse(&outcome) {
        Some(TrialOutcome::Accepted) => ConnectionState::Passing,
        Some(TrialOutcome::Failed | TrialOutcome::Rejected | TrialOutcome::Unknown) => {
            ConnectionState::Failing
        }
        None => {
            let problem = "unknown outcome".to_owned();
            return Err(StoreError::Row { table: TRIALS, problem });
        }
    };
    sqlx::query("UPDATE connections SET state = ? WHERE workspace_id = ? AND id = ?")
        .bind(state.as_str())
        .bind(workspace.to_string())
        .bind(connection)
        .execute(transaction)
        .await
        .map_err(writing())?;
    rows::column(TRIALS, &newest, "id").map(Some)
}

/// Writes what a test's message says where it arrived into the detail of the test.
pub(super) async fn note_one_received(
    transaction: &mut SqliteConnection,
    workspace: WorkspaceId,
    connection: ConnectionId,
    note: &ReceivedNote,
) -> Result<(), StoreError> {
    if note.json.len() > RECEIVED_NOTE_OCTETS_MAX {
        let limit = format!("{RECEIVED_NOTE_OCTETS_MAX} octets");
        return Err(StoreError::TooLarge { what: "what a test's message says", limit });
    }
    let written = sqlx::query(
        "UPDATE connection_trials SET detail = json_set(detail, '$.received', json(?))
         WHERE workspace_id = ? AND connection_id = ? AND id = ? AND kind = 'test'",
    )
    .bind(note.json.as_str())
    .bind(workspace.to_string())
    .bind(connection.to_string())
    .bind(note.trial.to_string())
    .execute(transaction)
    .await
    .map_err(writing())?;
    if written.rows_affected() == 0 {
        return Err(StoreError::NotFound { what: "test", id: note.trial.to_string() });
    }
    Ok(())
}

/// The trials of one kind that are over, the newest first.
pub(super) async fn of_connection(
    store: &Store,
    workspace: WorkspaceId,
    connection: ConnectionId,
    kind: TrialKind,
) -> Result<Vec<Trial>, StoreError> {
    let found = sqlx::query(concat!(
        "SELECT t.* FROM connection_trials t
         WHERE t.workspace_id = ? AND t.connection_id = ? AND t.kind = ? AND ",
        ended!(),
        " ORDER BY t.rowid DESC"
    ))
    .bind(workspace.to_string())
    .bind(connection.to_string())
    .bind(kind.as_str())
    .fetch_all(store.readers())
    .await
    .map_err(reading())?;
    found.iter().map(rows::trial).collect()
}

/// One trial that is over, with its connection and its kind.
pub(super) async fn one(
    store: &Store,
    workspace: WorkspaceId,
    id: TrialId,
) -> Result<(ConnectionId, TrialKind, Trial), StoreError> {
    let found = sqlx::query(concat!(
        "SELECT t.* FROM connection_trials t WHERE t.workspace_id = ? AND t.id = ? AND ",
        ended!()
    ))
    .bind(workspace.to_string())
    .bind(id.to_string())
    .fetch_optional(store.readers())
    .await
    .map_err(reading())?;
    let Some(row) = found else {
        return Err(StoreError::NotFound { what: "test", id: id.to_string() });
    };
    let damaged = |problem: String| StoreError::Row { table: TRIALS, problem };
    let of: String = rows::column(TRIALS, &row, "connection_id")?;
    let of = ConnectionId::parse(&of).map_err(|error| damaged(error.to_string()))?;
    let kind: String = rows::column(TRIALS, &row, "kind")?;
    let kind = TrialKind::parse(&kind).ok_or_else(|| damaged("unknown kind".to_owned()))?;
    Ok((of, kind, rows::trial(&row)?))
}

/// Writes one trial, in place of what was written when it began, and drops those beyond the limit.
pub(super) async fn write_trial(
    transaction: &mut SqliteConnection,
    workspace: WorkspaceId,
    kind: TrialKind,
    trial: &NewTrial,
) -> Result<(), StoreError> {
    if trial.detail.len() > TRIAL_DETAIL_OCTETS_MAX {
        let limit = format!("{TRIAL_DETAIL_OCTETS_MAX} octets");
        return Err(StoreError::TooLarge { what: "the detail of a test", limit });
    }
    sqlx::query(
        "INSERT INTO connection_trials
             (workspace_id, id, connection_id, kind, revision, started_at_us, took_ms, outcome, detail)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (workspace_id, id) DO UPDATE SET
             revision = excluded.revision, started_at_us = excluded.started_at_us,
             took_ms = excluded.took_ms, outcome = excluded.outcome, detail = excluded.detail",
    )
    .bind(workspace.to_string())
    .bind(trial.id.to_string())
    .bind(trial.connection.to_string())
    .bind(kind.as_str())
    .bind(number(trial.revision))
    .bind(trial.started_at.as_microsecond())
    .bind(number(trial.took_ms))
    .bind(trial.outcome.as_str())
    .bind(trial.detail.as_str())
    .execute(&mut *transaction)
    .await
    .map_err(writing())?;
    sqlx::query(
        "DELETE FROM connection_trials
         WHERE workspace_id = ?1 AND connection_id = ?2 AND kind = ?3 AND id NOT IN (
             SELECT id FROM connection_trials
             WHERE workspace_id = ?1 AND connection_id = ?2 AND kind = ?3
             ORDER BY rowid DESC LIMIT ?4)",
    )
    .bind(workspace.to_string())
    .bind(trial.connection.to_string())
    .bind(kind.as_str())
    .bind(TRIALS_KEPT_MAX)
    .execute(transaction)
    .await
    .map_err(writing())?;
    Ok(())
}
