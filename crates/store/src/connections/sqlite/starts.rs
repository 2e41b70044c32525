//! Trials that begin, in SQLite: their pace, their keys, and what becomes of one whose process ended.
//!
//! A trial that begins is written at once as what it is when nothing more is heard of it. Keep: the same key never
//! begins a second test, and a trial that was lost has a record like every other one.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use sqlx::SqliteConnection;

use super::trials::{decide, ended, write_trial};
use super::{present, reading, writing};
use crate::connection::{OneLine, Trial};
use crate::connections::{TrialGate, TrialPace, TrialStart};
use crate::database::Store;
use crate::error::StoreError;
use crate::id::{ConnectionId, WorkspaceId};
use crate::limits::TEST_KEYS_KEPT;
use crate::rows;

const STARTS: &str = "connection_test_starts";

/// Looks for an earlier test of the same key and for the pace, and writes that the trial begins.
pub(super) async fn begin(
    transaction: &mut SqliteConnection,
    workspace: WorkspaceId,
    start: &TrialStart,
    pace: TrialPace,
) -> Result<TrialGate, StoreError> {
    let trial = &start.if_lost;
    let connection = present(&mut *transaction, workspace, trial.connection).await?;
    let now = trial.started_at;
    settle(&mut *transaction, workspace, before(now, pace.lasts_at_most)).await?;
    forget_old(&mut *transaction, workspace, now, pace).await?;
    if let Some(key) = &start.key
        && let Some(gate) = earlier(&mut *transaction, workspace, trial.connection, key).await?
    {
        return Ok(gate);
    }
    if !connection.enabled {
        return Ok(TrialGate::Disabled);
    }
    if connection.revision != trial.revision {
        return Ok(TrialGate::Changed);
    }
    if let Some(free_at) = too_many(&mut *transaction, workspace, start, pace).await? {
        return Ok(TrialGate::TooMany { free_at });
    }
    write_trial(&mut *transaction, workspace, start.kind, trial).await?;
    sqlx::query(
        "INSERT INTO connection_test_starts
             (workspace_id, trial_id, connection_id, idempotency_key, started_at_us, ended)
         VALUES (?, ?, ?, ?, ?, 0)",
    )
    .bind(workspace.to_string())
    .bind(trial.id.to_string())
    .bind(trial.connection.to_string())
    .bind(start.key.as_ref().map(OneLine::as_str))
    .bind(now.as_microsecond())
    .execute(transaction)
    .await
    .map_err(writing())?;
    Ok(TrialGate::Begun)
}

/// When the next trial of this kind may begin, when it is not now. What began later than now, under a clock that
/// was set back since, does not count.
async fn too_many(
    transaction: &mut SqliteConnection,
    workspace: WorkspaceId,
    start: &TrialStart,
    pace: TrialPace,
) -> Result<Option<Timestamp>, StoreError> {
    let now = start.if_lost.started_at;
    let begun = sqlx::query(
        "SELECT s.started_at_us FROM connection_test_starts s
         JOIN connection_trials t ON t.workspace_id = s.workspace_id AND t.id = s.trial_id
         WHERE s.workspace_id = ? AND s.connection_id = ? AND t.kind = ?
             AND s.started_at_us > ? AND s.started_at_us <= ?
         ORDER BY s.started_at_us DESC LIMIT 1 OFFSET ?",
    )
    .bind(workspace.to_string())
    .bind(start.if_lost.connection.to_string())
    .bind(start.kind.as_str())
    .bind(before(now, pace.window).as_microsecond())
    .bind(now.as_microsecond())
    .bind(i64::from(pace.trials_max.saturating_sub(1)))
    .fetch_optional(transaction)
    .await
    .map_err(reading())?;
    let Some(row) = begun else { return Ok(None) };
    let first = rows::time(STARTS, rows::column(STARTS, &row, "started_at_us")?)?;
    Ok(Some(first.checked_add(pace.window).unwrap_or(Timestamp::MAX)))
}

/// What became of the test of the same key, if there was one. A record that was dropped for newer ones
/// frees its key.
async fn earlier(
    transaction: &mut SqliteConnection,
    workspace: WorkspaceId,
    connection: ConnectionId,
    key: &OneLine,
) -> Result<Option<TrialGate>, StoreError> {
    let found = sqlx::query(
        "SELECT trial_id, ended FROM connection_test_starts
         WHERE workspace_id = ? AND connection_id = ? AND idempotency_key = ?",
    )
    .bind(workspace.to_string())
    .bind(connection.to_string())
    .bind(key.as_str())
    .fetch_optional(&mut *transaction)
    .await
    .map_err(reading())?;
    let Some(row) = found else { return Ok(None) };
    if !rows::column::<bool>(STARTS, &row, "ended")? {
        return Ok(Some(TrialGate::UnderWay));
    }
    let trial: String = rows::column(STARTS, &row, "trial_id")?;
    let record = sqlx::query("SELECT * FROM connection_trials WHERE workspace_id = ? AND id = ?")
        .bind(workspace.to_string())
        .bind(&trial)
        .fetch_optional(&mut *transaction)
        .await
        .map_err(reading())?;
    if let Some(row) = record {
        return Ok(Some(TrialGate::Recorded(rows::trial(&row)?)));
    }
    forget_start(transaction, workspace, &trial).await?;
    Ok(None)
}

/// The record of the test of that key, when it is over.
pub(super) async fn of_key(
    store: &Store,
    workspace: WorkspaceId,
    connection: ConnectionId,
    key: &OneLine,
) -> Result<Option<Trial>, StoreError> {
    let found = sqlx::query(
        "SELECT t.* FROM connection_trials t
         JOIN connection_test_starts s ON s.workspace_id = t.workspace_id AND s.trial_id = t.id
         WHERE s.workspace_id = ? AND s.connection_id = ? AND s.idempotency_key = ? AND s.ended = 1",
    )
    .bind(workspace.to_string())
    .bind(connection.to_string())
    .bind(key.as_str())
    .fetch_optional(store.readers())
    .await
    .map_err(reading())?;
    found.as_ref().map(rows::trial).transpose()
}

/// Takes back a trial that came to no attempt.
pub(super) async fn withdraw(
    transaction: &mut SqliteConnection,
    workspace: WorkspaceId,
    trial: &str,
) -> Result<(), StoreError> {
    sqlx::query(concat!(
        "DELETE FROM connection_trials AS t WHERE t.workspace_id = ? AND t.id = ? AND NOT ",
        ended!()
    ))
    .bind(workspace.to_string())
    .bind(trial)
    .execute(&mut *transaction)
    .await
    .map_err(writing())?;
    forget_start(transaction, workspace, trial).await
}

async fn forget_start(
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

/// Whether a trial that began before then is still open: its process ended.
pub(super) async fn any_lost(
    store: &Store,
    workspace: WorkspaceId,
    begun_before: Timestamp,
) -> Result<bool, StoreError> {
    let found = sqlx::query(
        "SELECT 1 FROM connection_test_starts
         WHERE workspace_id = ? AND ended = 0 AND started_at_us < ? LIMIT 1",
    )
    .bind(workspace.to_string())
    .bind(begun_before.as_microsecond())
    .fetch_optional(store.readers())
    .await
    .map_err(reading())?;
    Ok(found.is_some())
}

/// Ends the trials that began before then and are still open: what was written when they began is what became of
/// them, as far as anybody knows.
pub(super) async fn settle(
    transaction: &mut SqliteConnection,
    workspace: WorkspaceId,
    begun_before: Timestamp,
) -> Result<(), StoreError> {
    let lost = sqlx::query(
        "UPDATE connection_test_starts AS s SET ended = 1
         WHERE s.workspace_id = ? AND s.ended = 0 AND s.started_at_us < ?
             AND EXISTS (SELECT 1 FROM connection_trials t
                 WHERE t.workspace_id = s.workspace_id AND t.id = s.trial_id)
         RETURNING connection_id",
    )
    .bind(workspace.to_string())
    .bind(begun_before.as_microsecond())
    .fetch_all(&mut *transaction)
    .await
    .map_err(writing())?;
    let connections = lost.iter().map(|row| rows::column::<String>(STARTS, row, "connection_id"));
    for connection in connections.collect::<Result<BTreeSet<_>, _>>()? {
        decide(&mut *transaction, workspace, &connection).await?;
    }
    Ok(())
}

/// Drops what neither paces a trial nor answers for a key nor stands for one that is open.
async fn forget_old(
    transaction: &mut SqliteConnection,
    workspace: WorkspaceId,
    now: Timestamp,
    pace: TrialPace,
) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM connection_test_starts
         WHERE workspace_id = ?1 AND (started_at_us < ?2
             OR (idempotency_key IS NULL AND ended = 1 AND started_at_us < ?3))",
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
