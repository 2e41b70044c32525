//! The sealed secret of a connection in SQLite: written, replaced and erased. Keep: no statement here reads an
//! envelope, and mode none never comes to stand beside one.

use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::{changed, present, reading, writing};
use crate::connections::SealedSecret;
use crate::error::StoreError;
use crate::id::{ConnectionId, WorkspaceId};

pub(super) async fn set_one_secret(
    transaction: &mut SqliteConnection,
    workspace: WorkspaceId,
    secret: &SealedSecret,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = secret.connection();
    let before = present(&mut *transaction, workspace, id).await?;
    if !before.settings.kind.may_hold_secret() {
        return Err(StoreError::SecretNotAllowed { id });
    }
    put_secret(&mut *transaction, workspace, secret, now).await?;
    changed(transaction, workspace, id, now).await
}

/// Removes the secret of a connection and says whether there was one.
pub(super) async fn erase_secret(
    transaction: &mut SqliteConnection,
    workspace: WorkspaceId,
    id: ConnectionId,
) -> Result<bool, StoreError> {
    let removed =
        sqlx::query("DELETE FROM connection_secrets WHERE workspace_id = ? AND connection_id = ?")
            .bind(workspace.to_string())
            .bind(id.to_string())
            .execute(transaction)
            .await
            .map_err(writing())?;
    Ok(removed.rows_affected() > 0)
}

/// Writes an envelope in place of what was there; the caller has seen that the settings may hold one, and says
/// that the connection changed.
pub(super) async fn put_secret(
    transaction: &mut SqliteConnection,
    workspace: WorkspaceId,
    secret: &SealedSecret,
    now: Timestamp,
) -> Result<(), StoreError> {
    let key_id = secret.envelope().key_id();
    let known = sqlx::query("SELECT 1 FROM master_keys WHERE id = ?")
        .bind(key_id.as_str())
        .fetch_optional(&mut *transaction)
        .await
        .map_err(reading())?;
    if known.is_none() {
        return Err(StoreError::KeyNotKnown { id: key_id.clone() });
    }
    sqlx::query(
        "INSERT INTO connection_secrets
             (workspace_id, connection_id, key_id, envelope, changed_at_us)
         VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (workspace_id, connection_id) DO UPDATE SET
             key_id = excluded.key_id, envelope = excluded.envelope,
             changed_at_us = excluded.changed_at_us",
    )
    .bind(workspace.to_string())
    .bind(secret.connection().to_string())
    .bind(key_id.as_str())
    .bind(secret.envelope().to_text())
    .bind(now.as_microsecond())
    .execute(transaction)
    .await
    .map_err(writing())?;
    Ok(())
}
