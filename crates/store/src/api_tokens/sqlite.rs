//! The tokens in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;

use super::{ApiToken, ApiTokens, HeldToken};
use crate::database::Store;
use crate::error::StoreError;
use crate::id::{ApiTokenId, WorkspaceId};
use crate::limits::PAGE_ROWS_MAX;
use crate::rows;
use crate::token::TokenHash;

const TOKENS: &str = "api_tokens";

#[async_trait]
impl ApiTokens for Store {
    async fn add_api_token(&self, token: &ApiToken, hash: TokenHash) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        let stored = sqlx::query(
            "INSERT INTO api_tokens (workspace_id, id, name, token_hash, scopes, created_by,
                 created_at_us, expires_at_us, last_used_at_us)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (workspace_id, name) DO NOTHING",
        )
        .bind(token.workspace.to_string())
        .bind(token.id.to_string())
        .bind(token.name.as_str())
        .bind(hash.hex())
        .bind(token.scopes.join(" "))
        .bind(token.created_by.as_str())
        .bind(token.created_at.as_microsecond())
        .bind(token.expires_at.map(Timestamp::as_microsecond))
        .bind(token.last_used_at.map(Timestamp::as_microsecond))
        .execute(&mut *transaction)
        .await
        .map_err(failed())?;
        if stored.rows_affected() == 0 {
            return Err(StoreError::NameTaken { what: "token", name: token.name.clone() });
        }
        transaction.commit().await.map_err(failed())
    }

    async fn api_tokens(&self, workspace: WorkspaceId) -> Result<Vec<ApiToken>, StoreError> {
        let found = sqlx::query(
            "SELECT workspace_id, id, name, scopes, created_by, created_at_us, expires_at_us,
                    last_used_at_us
             FROM api_tokens WHERE workspace_id = ? ORDER BY name LIMIT ?",
        )
        .bind(workspace.to_string())
        .bind(PAGE_ROWS_MAX)
        .fetch_all(self.readers())
        .await
        .map_err(failed())?;
        found.iter().map(token).collect()
    }

    async fn api_token(
        &self,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<HeldToken>, StoreError> {
        let found = sqlx::query(
            "SELECT api_tokens.workspace_id, api_tokens.id, api_tokens.name, scopes, created_by,
                    api_tokens.created_at_us, expires_at_us, last_used_at_us,
                    workspaces.name AS workspace_name
             FROM api_tokens JOIN workspaces ON workspaces.id = api_tokens.workspace_id
             WHERE token_hash = ? AND (expires_at_us IS NULL OR expires_at_us > ?)",
        )
        .bind(hash.hex())
        .bind(now.as_microsecond())
        .fetch_optional(self.readers())
        .await
        .map_err(failed())?;
        let Some(row) = found else { return Ok(None) };
        let workspace_name = rows::column(TOKENS, &row, "workspace_name")?;
        Ok(Some(HeldToken { token: token(&row)?, workspace_name }))
    }

    async fn note_api_token_use(
        &self,
        workspace: WorkspaceId,
        token: ApiTokenId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query("UPDATE api_tokens SET last_used_at_us = ? WHERE workspace_id = ? AND id = ?")
            .bind(at.as_microsecond())
            .bind(workspace.to_string())
            .bind(token.to_string())
            .execute(&mut *transaction)
            .await
            .map_err(failed())?;
        transaction.commit().await.map_err(failed())
    }

    async fn remove_api_token(
        &self,
        workspace: WorkspaceId,
        token: ApiTokenId,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        let removed = sqlx::query("DELETE FROM api_tokens WHERE workspace_id = ? AND id = ?")
            .bind(workspace.to_string())
            .bind(token.to_string())
            .execute(&mut *transaction)
            .await
            .map_err(failed())?;
        if removed.rows_affected() == 0 {
            return Err(StoreError::NotFound { what: "token", id: token.to_string() });
        }
        transaction.commit().await.map_err(failed())
    }
}

fn failed() -> impl Fn(sqlx::Error) -> StoreError {
    StoreError::database("handle the tokens of programs")
}

fn damaged(problem: &dyn std::fmt::Display) -> StoreError {
    StoreError::Row { table: TOKENS, problem: problem.to_string() }
}

fn token(row: &SqliteRow) -> Result<ApiToken, StoreError> {
    let id: String = rows::column(TOKENS, row, "id")?;
    let workspace: String = rows::column(TOKENS, row, "workspace_id")?;
    let scopes: String = rows::column(TOKENS, row, "scopes")?;
    let end = |name| rows::column::<Option<i64>>(TOKENS, row, name);
    let time = |at: Option<i64>| at.map(|at| rows::time(TOKENS, at)).transpose();
    Ok(ApiToken {
        id: ApiTokenId::parse(&id).map_err(|error| damaged(&error))?,
        workspace: WorkspaceId::parse(&workspace).map_err(|error| damaged(&error))?,
        name: rows::column(TOKENS, row, "name")?,
        scopes: scopes.split(' ').map(str::to_owned).collect(),
        created_by: rows::column(TOKENS, row, "created_by")?,
        created_at: rows::time(TOKENS, rows::column(TOKENS, row, "created_at_us")?)?,
        expires_at: time(end("expires_at_us")?)?,
        last_used_at: time(end("last_used_at_us")?)?,
    })
}
