//! Tests and verifications of connections in SQLite: recorded, pruned, and shown beside their connection.
//!
//! Keep: a test decides the state only when it is of the present revision and the newest.

use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::{array, number, present, reading, writing};
use crate::connection::{Connection, ConnectionState, NewTrial, TrialKind, TrialOutcome};
use crate::connections::Recorded;
use crate::error::StoreError;
use crate::id::{ConnectionId, WorkspaceId};
use crate::limits::{TRIAL_DETAIL_OCTETS_MAX, TRIALS_KEPT_MAX};
use crate::rows;

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
                 ORDER BY n.started_at_us DESC, n.id DESC LIMIT 1)",
    )
    .bind(workspace.to_string())
    .bind(array(&ids)?)
    .fetch_all(reader)
    .await
    .map_err(reading())?;
    for row in &newest {
        let of: String = rows::column("connection_trials", row, "connection_id")?;
        let kind: String = rows::column("connection_trials", row, "kind")?;
        let owner = connections.iter_mut().find(|connection| connection.id.to_string() == of);
        let Some(owner) = owner else { continue };
        let trial = Some(rows::trial(row)?);
        match TrialKind::parse(&kind) {
            Some(TrialKind::Test) => owner.last_test = trial,
            Some(TrialKind::Verify) => owner.last_verify = trial,
            None => {
                let problem = "unknown kind".to_owned();
                return Err(StoreError::Row { table: "connection_trials", problem });
            }
        }
    }
    Ok(connections)
}

/// Writes one test and says whether it decides.
pub(super) async fn record_one_test(
    transaction: &mut SqliteConnection,
    workspace: WorkspaceId,
    trial: &NewTrial,
) -> Result<Recorded, StoreError> {
    let connection = present(&mut *transaction, workspace, trial.connection).await?;
    record_trial(&mut *transaction, workspace, TrialKind::Test, trial).await?;
    let newest = sqlx::query(
        "SELECT id FROM connection_trials
         WHERE workspace_id = ? AND connection_id = ? AND kind = 'test'
         ORDER BY started_at_us DESC, id DESC LIMIT 1",
    )
    .bind(workspace.to_string())
    .bind(trial.connection.to_string())
    .fetch_one(&mut *transaction)
    .await
    .map_err(reading())?;
    let newest: String = rows::column("connection_trials", &newest, "id")?;
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
             ORDER BY started_at_us DESC, id DESC LIMIT ?4)",
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
