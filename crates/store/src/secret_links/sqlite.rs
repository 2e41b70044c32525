//! The links to secrets in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;

use super::{SecretLink, SecretLinks};
use crate::database::Store;
use crate::error::StoreError;
use crate::id::{ConnectionId, WorkspaceId};
use crate::rows;
use crate::token::TokenHash;

const LINKS: &str = "secret_links";

#[async_trait]
impl SecretLinks for Store {
    async fn add_secret_link(
        &self,
        token: TokenHash,
        link: &SecretLink,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        let stored = sqlx::query(
            "INSERT INTO secret_links (token_hash, workspace_id, connection_id, created_by,
                 created_at_us, expires_at_us)
             SELECT ?, workspace_id, id, ?, ?, ? FROM connections WHERE workspace_id = ? AND id = ?",
        )
        .bind(token.hex())
        .bind(link.created_by.as_str())
        .bind(now.as_microsecond())
        .bind(link.expires_at.as_microsecond())
        .bind(link.workspace.to_string())
        .bind(link.connection.to_string())
        .execute(&mut *transaction)
        .await
        .map_err(failed())?;
        if stored.rows_affected() == 0 {
            let id = link.connection.to_string();
            return Err(StoreError::NotFound { what: "connection", id });
        }
        transaction.commit().await.map_err(failed())
    }

    async fn secret_link(
        &self,
        token: TokenHash,
        now: Timestamp,
    ) -> Result<Option<SecretLink>, StoreError> {
        let found = sqlx::query(
            "SELECT workspace_id, connection_id, created_by, expires_at_us FROM secret_links
             WHERE token_hash = ? AND expires_at_us > ?",
        )
        .bind(token.hex())
        .bind(now.as_microsecond())
        .fetch_optional(self.readers())
        .await
        .map_err(failed())?;
        found.as_ref().map(link).transpose()
    }

    async fn take_secret_link(
        &self,
        token: TokenHash,
        now: Timestamp,
    ) -> Result<Option<SecretLink>, StoreError> {
        let mut transaction = self.write().await?;
        let found = sqlx::query(
            "DELETE FROM secret_links WHERE token_hash = ? AND expires_at_us > ?
             RETURNING workspace_id, connection_id, created_by, expires_at_us",
        )
        .bind(token.hex())
        .bind(now.as_microsecond())
        .fetch_optional(&mut *transaction)
        .await
        .map_err(failed())?;
        transaction.commit().await.map_err(failed())?;
        found.as_ref().map(link).transpose()
    }

    async fn drop_ended_secret_links(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut transaction = self.write().await?;
        let dropped = sqlx::query("DELETE FROM secret_links WHERE expires_at_us <= ?")
            .bind(now.as_microsecond())
            .execute(&mut *transaction)
            .await
            .map_err(failed())?;
        transaction.commit().await.map_err(failed())?;
        Ok(dropped.rows_affected())
    }
}

fn failed() -> impl Fn(sqlx::Error) -> StoreError {
    StoreError::database("handle links to secrets")
}

fn damaged(problem: &dyn std::fmt::Display) -> StoreError {
    StoreError::Row { table: LINKS, problem: problem.to_string() }
}

fn link(row: &SqliteRow) -> Result<SecretLink, StoreError> {
    let workspace: String = rows::column(LINKS, row, "workspace_id")?;
    let connection: String = rows::column(LINKS, row, "connection_id")?;
    Ok(SecretLink {
        workspace: WorkspaceId::parse(&workspace).map_err(|error| damaged(&error))?,
        connection: ConnectionId::parse(&connection).map_err(|error| damaged(&error))?,
        created_by: rows::column(LINKS, row, "created_by")?,
        expires_at: rows::time(LINKS, rows::column(LINKS, row, "expires_at_us")?)?,
    })
}
