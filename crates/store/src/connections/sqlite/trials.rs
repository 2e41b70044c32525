//! Tests and verifications of connections in SQLite: recorded, pruned, and shown beside their connection.
//!
//! Keep: a test decides the state only when it is of the present revision and the newest. Of tests that began
//! at the same time, as under a clock that stands still, the one recorded last (`rowid`) is the newest.

use jiff::{SignedDuration, Timestamp};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::{array, number, present, reading, writing};
use crate::connection::{
    Connection, ConnectionState, NewTrial, OneLine, Trial, TrialKind, TrialOutcome,
};
use crate::connections::{ReceivedNote, Recorded, TestGate, TestPace, TestStart};
use crate::database::Store;
use crate::error::StoreError;
use crate::id::{ConnectionId, TrialId, WorkspaceId};
use crate::limits::{
    RECEIVED_NOTE_OCTETS_MAX, TEST_KEYS_KEPT, TRIAL_DETAIL_OCTETS_MAX, TRIALS_KEPT_MAX,
};
use crate::rows;

const STARTS: &str = "connection_test_starts";
const TRIALS: &str = "connection_trials";

/// The connections of these rows, each with its newest test and verification.
pub(super) async fn with_trials(
    reader: &mut SqliteConnection,
    workspace: WorkspaceId,
    found: &[SqliteRow],
) -> Result<Vec<Connection>, StoreError> {
    let mut connections =
        found.iter().map(rows::connection).collect::<Result<Vec<Connection>, _>>()?;
    let ids: Vec<ConnectionId> = connections.iter().map(|connection| connection.id).collect();
    let newest = sqlx::query(
        "SELECT t.* FROM connection_trials t
         WHERE t.workspace_id = ? AND t.connection_id IN (SELECT value FROM json_each(?))
             AND t.id = (
                 SELECT n.id FROM connection_trials n
                 WHERE n.workspace_id = t.workspace_id AND n.connection_id = t.connection_id
                     AND n.kind = t.kind
                 ORDER BY n.started_at_us DESC, n.rowid DESC LIMIT 1)",
    )
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

/// Looks for an earlier test of the same key and for the pace, and notes the start.
pub(super) async fn begin_one_test(
    transaction: &mut SqliteConnection,
    workspace: WorkspaceId,
    start: &TestStart,
    pace: TestPace,
) -> Result<TestGate, StoreError> {
    present(&mut *transaction, workspace, start.connection).await?;
    forget_old_starts(&mut *transaction, workspace, start.at, pace).await?;
    if let Some(key) = &start.key
        && let Some(gate) = earlier(&mut *transaction, workspace, (start, key), pace).await?
    {
        return Ok(gate);
    }
    let begun = sqlx::query(
        "SELECT started_at_us FROM connection_test_starts
         WHERE workspace_id = ? AND connection_id = ? AND started_at_us > ?
         ORDER BY started_at_us DESC LIMIT 1 OFFSET ?",
    )
    .bind(workspace.to_string())
    .bind(start.connection.to_string())
    .bind(before(start.at, pace.window).as_microsecond())
    .bind(i64::from(pace.tests_max.saturating_sub(1)))
    .fetch_optional(&mut *transaction)
    .await
    .map_err(reading())?;
    if let Some(row) = begun {
        let first = rows::time(STARTS, rows::column(STARTS, &row, "started_at_us")?)?;
        let free_at = first.checked_add(pace.window).unwrap_or(Timestamp::MAX);
        return Ok(TestGate::TooMany { free_at });
    }
    sqlx::query(
        "INSERT INTO connection_test_starts
             (workspace_id, trial_id, connection_id, idempotency_key, started_at_us, ended)
         VALUES (?, ?, ?, ?, ?, 0)",
    )
    .bind(workspace.to_string())
    .bind(start.trial.to_string())
    .bind(start.connection.to_string())
    .bind(start.key.as_ref().map(OneLine::as_str))
    .bind(start.at.as_microsecond())
    .execute(transaction)
    .await
    .map_err(writing())?;
    Ok(TestGate::Begun)
}

/// What became of the test of the same key, if there was one. A record that was dropped for newer ones
/// frees its key.
async fn earlier(
    transaction: &mut SqliteConnection,
    workspace: WorkspaceId,
    (start, key): (&TestStart, &OneLine),
    pace: TestPace,
) -> Result<Option<TestGate>, StoreError> {
    let found = sqlx::query(
        "SELECT trial_id, started_at_us, ended FROM connection_test_starts
         WHERE workspace_id = ? AND connection_id = ? AND idempotency_key = ?",
    )
    .bind(workspace.to_string())
    .bind(start.connection.to_string())
    .bind(key.as_str())
    .fetch_optional(&mut *transaction)
    .await
    .map_err(reading())?;
    let Some(row) = found else { return Ok(None) };
    let trial: String = rows::column(STARTS, &row, "trial_id")?;
    let ended: i64 = rows::column(STARTS, &row, "ended")?;
    let started_at = rows::time(STARTS, rows::column(STARTS, &row, "started_at_us")?)?;
    if ended == 0 {
        let trial = TrialId::parse(&trial)
            .map_err(|error| StoreError::Row { table: STARTS, problem: error.to_string() })?;
        let is_lost = started_at < before(start.at, pace.lasts_at_most);
        let gate = if is_lost { TestGate::Lost { trial, started_at } } else { TestGate::UnderWay };
        return Ok(Some(gate));
    }
    let record = sqlx::query("SELECT * FROM connection_trials WHERE workspace_id = ? AND id = ?")
        .bind(workspace.to_string())
        .bind(&trial)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(reading())?;
    if let Some(row) = record {
        return Ok(Some(TestGate::Recorded(rows::trial(&row)?)));
    }
    forget_start(transaction, workspace, &trial).await?;
    Ok(None)
}

/// Drops the note of one start.
pub(super) async fn forget_start(
    transaction: &mut SqliteConnection,
    workspace: WorkspaceId,
    trial: &str,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM connection_test_starts WHERE workspace_id = ? AND trial_id = ?")
        .bind(workspace.to_string())
        .bind(trial)
        .execute(transaction)
        .await
        .map_err(writing())?;
    Ok(())
}

/// Drops what neither paces a test nor answers for a key.
async fn forget_old_starts(
    transaction: &mut SqliteConnection,
    workspace: WorkspaceId,
    now: Timestamp,
    pace: TestPace,
) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM connection_test_starts
         WHERE workspace_id = ?1 AND (started_at_us < ?2
             OR (idempotency_key IS NULL AND started_at_us < ?3))",
    )
    .bind(workspace.to_string())
    .bind(before(now, TEST_KEYS_KEPT.max(pace.window)).as_microsecond())
    .bind(before(now, pace.window).as_microsecond())
    .execute(transaction)
    .await
    .map_err(writing())?;
    Ok(())
}

fn before(now: Timestamp, long: SignedDuration) -> Timestamp {
    now.checked_sub(long).unwrap_or(Timestamp::MIN)
}

/// Writes one test and says whether it decides.
pub(super) async fn record_one_test(
    transaction: &mut SqliteConnection,
    workspace: WorkspaceId,
    trial: &NewTrial,
) -> Result<Recorded, StoreError> {
    let connection = present(&mut *transaction, workspace, trial.connection).await?;
    record_trial(&mut *transaction, workspace, TrialKind::Test, trial).await?;
    sqlx::query(
        "UPDATE connection_test_starts SET ended = 1 WHERE workspace_id = ? AND trial_id = ?",
    )
    .bind(workspace.to_string())
    .bind(trial.id.to_string())
    .execute(&mut *transaction)
    .await
    .map_err(writing())?;
    let newest = sqlx::query(
        "SELECT id FROM connection_trials
         WHERE workspace_id = ? AND connection_id = ? AND kind = 'test'
         ORDER BY started_at_us DESC, rowid DESC LIMIT 1",
    )
    .bind(workspace.to_string())
    .bind(trial.connection.to_string())
    .fetch_one(&mut *transaction)
    .await
    .map_err(reading())?;
    let newest: String = rows::column(TRIALS, &newest, "id")?;
    if connection.revision != trial.revision || newest != trial.id.to_string() {
        return Ok(Recorded::Outdated);
    }
    let state = match trial.outcome {
        TrialOutcome::Accepted => ConnectionState::Passing,
        TrialOutcome::Failed | TrialOutcome::Rejected | TrialOutcome::Unknown => {
            ConnectionState::Failing
        }
    };
    sqlx::query("UPDATE connections SET state = ? WHERE workspace_id = ? AND id = ?")
        .bind(state.as_str())
        .bind(workspace.to_string())
        .bind(trial.connection.to_string())
        .execute(transaction)
        .await
        .map_err(writing())?;
    Ok(Recorded::Decides)
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

/// The trials of one kind, the newest first.
pub(super) async fn of_connection(
    store: &Store,
    workspace: WorkspaceId,
    connection: ConnectionId,
    kind: TrialKind,
) -> Result<Vec<Trial>, StoreError> {
    let found = sqlx::query(
        "SELECT * FROM connection_trials
         WHERE workspace_id = ? AND connection_id = ? AND kind = ?
         ORDER BY started_at_us DESC, rowid DESC",
    )
    .bind(workspace.to_string())
    .bind(connection.to_string())
    .bind(kind.as_str())
    .fetch_all(store.readers())
    .await
    .map_err(reading())?;
    found.iter().map(rows::trial).collect()
}

/// One trial, with its connection and its kind.
pub(super) async fn one(
    store: &Store,
    workspace: WorkspaceId,
    id: TrialId,
) -> Result<(ConnectionId, TrialKind, Trial), StoreError> {
    let found = sqlx::query("SELECT * FROM connection_trials WHERE workspace_id = ? AND id = ?")
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

/// Writes one trial and drops those beyond the limit.
pub(super) async fn record_trial(
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
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
             ORDER BY started_at_us DESC, rowid DESC LIMIT ?4)",
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
