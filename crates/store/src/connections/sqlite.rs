//! The connections in SQLite. Each method is one transaction; reading takes one snapshot.
//!
//! Lists of identifiers go in as one JSON array, so that a batch is one statement. Keep: no statement here
//! reads the column `envelope`.

mod secret;
mod starts;
mod trials;

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{Sqlite, SqliteConnection, Transaction};

use super::{
    Connections, Page, ReceivedNote, Recorded, SealedSecret, TrialGate, TrialPace, TrialStart,
};
use crate::connection::{
    Connection, ConnectionChange, Holder, NewConnection, NewTrial, OneLine, SecretState,
    SecretWrite, Trial, TrialKind, Use,
};
use crate::database::Store;
use crate::error::StoreError;
use crate::id::{ConnectionId, TrialId, WorkspaceId};
use crate::limits::{BATCH_ROWS_MAX, PAGE_ROWS_MAX};
use crate::rows;
use secret::{erase_secret, put_secret, set_one_secret};
use trials::{note_one_received, record_one, with_trials};

/// A statement that reads connections, with its condition.
macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT c.*, s.changed_at_us AS secret_changed_at_us
             FROM connections c
             LEFT JOIN connection_secrets s
                 ON s.workspace_id = c.workspace_id AND s.connection_id = c.id
             WHERE c.workspace_id = ? ",
            $condition
        )
    };
}

#[async_trait]
impl Connections for Store {
    async fn list(
        &self,
        workspace: WorkspaceId,
        page: Page<ConnectionId>,
    ) -> Result<Vec<Connection>, StoreError> {
        let mut reader = self.read().await?;
        let found = sqlx::query(select!("AND c.id > ? ORDER BY c.id LIMIT ?"))
            .bind(workspace.to_string())
            .bind(page.after.map(|id| id.to_string()).unwrap_or_default())
            .bind(page.rows_max.min(PAGE_ROWS_MAX))
            .fetch_all(&mut *reader)
            .await
            .map_err(reading())?;
        with_trials(&mut reader, workspace, &found).await
    }

    async fn get(
        &self,
        workspace: WorkspaceId,
        ids: &[ConnectionId],
    ) -> Result<Vec<Connection>, StoreError> {
        let mut reader = self.read().await?;
        let found = sqlx::query(select!("AND c.id IN (SELECT value FROM json_each(?))"))
            .bind(workspace.to_string())
            .bind(array(ids)?)
            .fetch_all(&mut *reader)
            .await
            .map_err(reading())?;
        let found = with_trials(&mut reader, workspace, &found).await?;
        let found: BTreeMap<ConnectionId, Connection> =
            found.into_iter().map(|connection| (connection.id, connection)).collect();
        ids.iter().map(|id| found.get(id).cloned().ok_or_else(|| missing(*id))).collect()
    }

    async fn find(&self, workspace: WorkspaceId, name: &OneLine) -> Result<Connection, StoreError> {
        let mut reader = self.read().await?;
        let found = sqlx::query(select!("AND c.name = ?"))
            .bind(workspace.to_string())
            .bind(name.as_str())
            .fetch_all(&mut *reader)
            .await
            .map_err(reading())?;
        let mut found = with_trials(&mut reader, workspace, &found).await?;
        found.pop().ok_or_else(|| StoreError::NotFound { what: "connection", id: name.to_string() })
    }

    async fn insert(
        &self,
        workspace: WorkspaceId,
        connections: &[NewConnection],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        bounded(connections.len())?;
        let mut transaction = self.write().await?;
        for new in connections {
            insert_one(&mut transaction, workspace, new, now).await?;
        }
        commit(transaction).await
    }

    async fn update(
        &self,
        workspace: WorkspaceId,
        changes: &[ConnectionChange],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        bounded(changes.len())?;
        let mut transaction = self.write().await?;
        for change in changes {
            update_one(&mut transaction, workspace, change, now).await?;
        }
        commit(transaction).await
    }

    async fn set_secret(
        &self,
        workspace: WorkspaceId,
        secrets: &[SealedSecret],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        bounded(secrets.len())?;
        let mut transaction = self.write().await?;
        for secret in secrets {
            set_one_secret(&mut transaction, workspace, secret, now).await?;
        }
        commit(transaction).await
    }

    async fn remove_secret(
        &self,
        workspace: WorkspaceId,
        ids: &[ConnectionId],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        for id in ids {
            present(&mut transaction, workspace, *id).await?;
            if erase_secret(&mut transaction, workspace, *id).await? {
                changed(&mut transaction, workspace, *id, now).await?;
            }
        }
        commit(transaction).await
    }

    async fn begin_trial(
        &self,
        workspace: WorkspaceId,
        start: &TrialStart,
        pace: TrialPace,
    ) -> Result<TrialGate, StoreError> {
        let mut transaction = self.write().await?;
        let gate = starts::begin(&mut transaction, workspace, start, pace).await?;
        commit(transaction).await?;
        Ok(gate)
    }

    async fn test_of_key(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        key: &OneLine,
    ) -> Result<Option<Trial>, StoreError> {
        starts::of_key(self, workspace, connection, key).await
    }

    async fn withdraw_trial(
        &self,
        workspace: WorkspaceId,
        trial: TrialId,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        starts::withdraw(&mut transaction, workspace, &trial.to_string()).await?;
        commit(transaction).await
    }

    async fn settle_trials(
        &self,
        workspace: WorkspaceId,
        begun_before: Timestamp,
    ) -> Result<(), StoreError> {
        // Nearly always there is none, and readers should not wait for writers.
        if !starts::any_lost(self, workspace, begun_before).await? {
            return Ok(());
        }
        let mut transaction = self.write().await?;
        starts::settle(&mut transaction, workspace, begun_before).await?;
        commit(transaction).await
    }

    async fn record_test(
        &self,
        workspace: WorkspaceId,
        trials: &[NewTrial],
    ) -> Result<Vec<Recorded>, StoreError> {
        bounded(trials.len())?;
        let mut transaction = self.write().await?;
        let mut recorded = Vec::with_capacity(trials.len());
        for trial in trials {
            let kind = TrialKind::Test;
            recorded.push(record_one(&mut transaction, workspace, kind, trial).await?);
        }
        commit(transaction).await?;
        Ok(recorded)
    }

    async fn note_received(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        received: &[ReceivedNote],
    ) -> Result<(), StoreError> {
        bounded(received.len())?;
        let mut transaction = self.write().await?;
        for note in received {
            note_one_received(&mut transaction, workspace, connection, note).await?;
        }
        commit(transaction).await
    }

    async fn record_verify(
        &self,
        workspace: WorkspaceId,
        trials: &[NewTrial],
    ) -> Result<(), StoreError> {
        bounded(trials.len())?;
        let mut transaction = self.write().await?;
        for trial in trials {
            record_one(&mut transaction, workspace, TrialKind::Verify, trial).await?;
        }
        commit(transaction).await
    }

    async fn trials(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        kind: TrialKind,
    ) -> Result<Vec<Trial>, StoreError> {
        trials::of_connection(self, workspace, connection, kind).await
    }

    async fn trial(
        &self,
        workspace: WorkspaceId,
        id: TrialId,
    ) -> Result<(ConnectionId, TrialKind, Trial), StoreError> {
        trials::one(self, workspace, id).await
    }

    async fn set_enabled(
        &self,
        workspace: WorkspaceId,
        ids: &[ConnectionId],
        to: Use,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        for id in ids {
            present(&mut transaction, workspace, *id).await?;
        }
        sqlx::query(
            "UPDATE connections SET enabled = ?
             WHERE workspace_id = ? AND id IN (SELECT value FROM json_each(?))",
        )
        .bind(matches!(to, Use::Enabled))
        .bind(workspace.to_string())
        .bind(array(ids)?)
        .execute(&mut *transaction)
        .await
        .map_err(writing())?;
        commit(transaction).await
    }

    async fn hold(
        &self,
        workspace: WorkspaceId,
        ids: &[ConnectionId],
        holder: &Holder,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        for id in ids {
            present(&mut transaction, workspace, *id).await?;
        }
        sqlx::query(
            "INSERT INTO connection_holds
                 (workspace_id, connection_id, holder_kind, holder_id, since_us)
             SELECT ?, value, ?, ?, ? FROM json_each(?) WHERE true
             ON CONFLICT DO NOTHING",
        )
        .bind(workspace.to_string())
        .bind(holder.kind.as_str())
        .bind(holder.id.as_str())
        .bind(now.as_microsecond())
        .bind(array(ids)?)
        .execute(&mut *transaction)
        .await
        .map_err(writing())?;
        commit(transaction).await
    }

    async fn release(
        &self,
        workspace: WorkspaceId,
        ids: &[ConnectionId],
        holder: &Holder,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query(
            "DELETE FROM connection_holds
             WHERE workspace_id = ? AND holder_kind = ? AND holder_id = ?
                 AND connection_id IN (SELECT value FROM json_each(?))",
        )
        .bind(workspace.to_string())
        .bind(holder.kind.as_str())
        .bind(holder.id.as_str())
        .bind(array(ids)?)
        .execute(&mut *transaction)
        .await
        .map_err(writing())?;
        commit(transaction).await
    }

    async fn holders(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<Vec<Holder>, StoreError> {
        let mut reader = self.read().await?;
        holders(&mut reader, workspace, connection).await
    }

    async fn delete(&self, workspace: WorkspaceId, ids: &[ConnectionId]) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        for id in ids {
            present(&mut transaction, workspace, *id).await?;
            if let Some(holder) = holders(&mut transaction, workspace, *id).await?.first() {
                let holder = format!("{} {}", holder.kind, holder.id);
                return Err(StoreError::InUse { id: *id, holder });
            }
        }
        sqlx::query(
            "DELETE FROM connections
             WHERE workspace_id = ? AND id IN (SELECT value FROM json_each(?))",
        )
        .bind(workspace.to_string())
        .bind(array(ids)?)
        .execute(&mut *transaction)
        .await
        .map_err(writing())?;
        commit(transaction).await
    }
}

impl Store {
    /// Begins one snapshot.
    async fn read(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.readers().begin().await.map_err(reading())
    }
}

fn reading() -> impl Fn(sqlx::Error) -> StoreError {
    StoreError::database("read the connections")
}

fn writing() -> impl Fn(sqlx::Error) -> StoreError {
    StoreError::database("change the connections")
}

async fn commit(transaction: Transaction<'static, Sqlite>) -> Result<(), StoreError> {
    transaction.commit().await.map_err(writing())
}

fn missing(id: ConnectionId) -> StoreError {
    StoreError::NotFound { what: "connection", id: id.to_string() }
}

fn bounded(rows: usize) -> Result<(), StoreError> {
    if rows > BATCH_ROWS_MAX {
        let limit = format!("{BATCH_ROWS_MAX} rows");
        return Err(StoreError::TooLarge { what: "a batch of connections", limit });
    }
    Ok(())
}

/// Identifiers as a JSON array.
fn array(ids: &[ConnectionId]) -> Result<String, StoreError> {
    bounded(ids.len())?;
    Ok(ids.iter().map(ToString::to_string).collect::<serde_json::Value>().to_string())
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// One connection without its trials.
async fn present(
    connection: &mut SqliteConnection,
    workspace: WorkspaceId,
    id: ConnectionId,
) -> Result<Connection, StoreError> {
    let found = sqlx::query(select!("AND c.id = ?"))
        .bind(workspace.to_string())
        .bind(id.to_string())
        .fetch_optional(connection)
        .await
        .map_err(reading())?;
    rows::connection(&found.ok_or_else(|| missing(id))?)
}

async fn insert_one(
    transaction: &mut SqliteConnection,
    workspace: WorkspaceId,
    new: &NewConnection,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO connections
             (workspace_id, id, name, kind, from_name, from_address, settings, enabled, state,
              revision, created_at_us, changed_at_us)
         VALUES (?, ?, ?, ?, ?, ?, ?, 1, 'untested', 1, ?, ?)",
    )
    .bind(workspace.to_string())
    .bind(new.id.to_string())
    .bind(new.name.as_str())
    .bind(new.settings.kind.as_str())
    .bind(new.settings.from_name.as_ref().map(OneLine::as_str))
    .bind(new.settings.from_address.to_string())
    .bind(rows::settings_text(&new.settings.kind)?)
    .bind(now.as_microsecond())
    .bind(now.as_microsecond())
    .execute(&mut *transaction)
    .await
    .map_err(|error| named(&new.name, error))?;
    let Some(secret) = &new.secret else { return Ok(()) };
    if secret.connection() != new.id {
        return Err(missing(secret.connection()));
    }
    if !new.settings.kind.may_hold_secret() {
        return Err(StoreError::SecretNotAllowed { id: new.id });
    }
    put_secret(transaction, workspace, secret, now).await
}

/// A name that is taken, or another error.
fn named(name: &OneLine, error: sqlx::Error) -> StoreError {
    let taken =
        error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation);
    if taken {
        StoreError::NameTaken { what: "connection", name: name.to_string() }
    } else {
        writing()(error)
    }
}

async fn update_one(
    transaction: &mut SqliteConnection,
    workspace: WorkspaceId,
    change: &ConnectionChange,
    now: Timestamp,
) -> Result<(), StoreError> {
    let before = present(&mut *transaction, workspace, change.id).await?;
    if before.revision != change.seen_revision {
        return Err(StoreError::ChangedMeanwhile { id: change.id });
    }
    let held = matches!(before.secret, SecretState::Stored { .. });
    let holds_secret = match &change.secret {
        SecretWrite::Keep => held,
        SecretWrite::Remove => false,
        SecretWrite::Set(secret) if secret.connection() != change.id => {
            return Err(missing(secret.connection()));
        }
        SecretWrite::Set(_) => true,
    };
    if holds_secret && !change.settings.kind.may_hold_secret() {
        return Err(StoreError::SecretNotAllowed { id: change.id });
    }
    sqlx::query(
        "UPDATE connections SET name = ?, kind = ?, from_name = ?, from_address = ?, settings = ?
         WHERE workspace_id = ? AND id = ?",
    )
    .bind(change.name.as_str())
    .bind(change.settings.kind.as_str())
    .bind(change.settings.from_name.as_ref().map(OneLine::as_str))
    .bind(change.settings.from_address.to_string())
    .bind(rows::settings_text(&change.settings.kind)?)
    .bind(workspace.to_string())
    .bind(change.id.to_string())
    .execute(&mut *transaction)
    .await
    .map_err(|error| named(&change.name, error))?;
    let other_secret = match &change.secret {
        SecretWrite::Keep => false,
        SecretWrite::Remove => erase_secret(&mut *transaction, workspace, change.id).await?,
        SecretWrite::Set(secret) => {
            put_secret(&mut *transaction, workspace, secret, now).await?;
            true
        }
    };
    if before.settings == change.settings && !other_secret {
        return Ok(());
    }
    changed(transaction, workspace, change.id, now).await
}

/// Settings or secret are other ones: the connection is untested, and tests under way no longer count.
async fn changed(
    transaction: &mut SqliteConnection,
    workspace: WorkspaceId,
    id: ConnectionId,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE connections SET state = 'untested', revision = revision + 1, changed_at_us = ?
         WHERE workspace_id = ? AND id = ?",
    )
    .bind(now.as_microsecond())
    .bind(workspace.to_string())
    .bind(id.to_string())
    .execute(transaction)
    .await
    .map_err(writing())?;
    Ok(())
}

async fn holders(
    reader: &mut SqliteConnection,
    workspace: WorkspaceId,
    connection: ConnectionId,
) -> Result<Vec<Holder>, StoreError> {
    let found = sqlx::query(
        "SELECT holder_kind, holder_id FROM connection_holds
         WHERE workspace_id = ? AND connection_id = ? ORDER BY holder_kind, holder_id",
    )
    .bind(workspace.to_string())
    .bind(connection.to_string())
    .fetch_all(reader)
    .await
    .map_err(reading())?;
    found.iter().map(rows::holder).collect()
}
