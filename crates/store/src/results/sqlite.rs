//! The links in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{LinkedReport, NewLink, ResultLinks};
use crate::database::Store;
use crate::error::StoreError;
use crate::id::{CheckId, WorkspaceId};
use crate::rows;
use crate::token::TokenHash;

const LINKS: &str = "result_links";

/// Reports that lost their last link. A report without any link was never public and is kept.
const DROP_ORPHANS: &str = "DELETE FROM checks WHERE (workspace_id, id) IN (
         SELECT workspace_id, check_id FROM dropped_links)
     AND NOT EXISTS (SELECT 1 FROM result_links
         WHERE result_links.workspace_id = checks.workspace_id AND result_links.check_id = checks.id)";

#[async_trait]
impl ResultLinks for Store {
    async fn link(&self, workspace: WorkspaceId, link: &NewLink) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        let stored = sqlx::query(
            "INSERT INTO result_links
                 (token_hash, owner_hash, workspace_id, check_id, created_at_us, expires_at_us)
             SELECT ?, ?, workspace_id, id, ?, ? FROM checks WHERE workspace_id = ? AND id = ?",
        )
        .bind(link.token.hex())
        .bind(link.owner.hex())
        .bind(link.created_at.as_microsecond())
        .bind(link.expires_at.as_microsecond())
        .bind(workspace.to_string())
        .bind(link.check.to_string())
        .execute(&mut *transaction)
        .await
        .map_err(failed())?;
        if stored.rows_affected() == 0 {
            return Err(StoreError::NotFound { what: "report", id: link.check.to_string() });
        }
        transaction.commit().await.map_err(failed())
    }

    async fn linked(
        &self,
        token: TokenHash,
        owner: Option<TokenHash>,
        now: Timestamp,
    ) -> Result<LinkedReport, StoreError> {
        let found = sqlx::query(
            "SELECT checks.id, checks.report, result_links.owner_hash, result_links.expires_at_us
             FROM result_links JOIN checks
                 ON checks.workspace_id = result_links.workspace_id
                 AND checks.id = result_links.check_id
             WHERE result_links.token_hash = ? AND result_links.expires_at_us > ?",
        )
        .bind(token.hex())
        .bind(now.as_microsecond())
        .fetch_optional(self.readers())
        .await
        .map_err(failed())?;
        let Some(row) = found else {
            return Err(StoreError::NotFound { what: "result", id: String::new() });
        };
        let id: String = rows::column(LINKS, &row, "id")?;
        let report: String = rows::column(LINKS, &row, "report")?;
        let owner_hash: String = rows::column(LINKS, &row, "owner_hash")?;
        Ok(LinkedReport {
            report: serde_json::from_str(&report).map_err(|error| damaged(&error))?,
            check: CheckId::parse(&id).map_err(|error| damaged(&error))?,
            expires_at: rows::time(LINKS, rows::column(LINKS, &row, "expires_at_us")?)?,
            is_owner: owner.is_some_and(|owner| owner.hex() == owner_hash),
        })
    }

    async fn unlink(&self, token: TokenHash, owner: TokenHash) -> Result<bool, StoreError> {
        let dropped = drop_links(
            self,
            "SELECT workspace_id, check_id, token_hash FROM result_links
             WHERE token_hash = ?1 AND owner_hash = ?2",
            (token.hex(), owner.hex()),
        )
        .await?;
        Ok(dropped > 0)
    }

    async fn drop_ended(&self, now: Timestamp) -> Result<u64, StoreError> {
        drop_links(
            self,
            "SELECT workspace_id, check_id, token_hash FROM result_links
             WHERE expires_at_us <= CAST(?1 AS INTEGER) AND ?2 = ''",
            (now.as_microsecond().to_string(), String::new()),
        )
        .await
    }
}

/// Deletes the links that a query names and then the reports that lost their last one.
async fn drop_links(
    store: &Store,
    which: &'static str,
    (first, second): (String, String),
) -> Result<u64, StoreError> {
    let mut transaction = store.write().await?;
    for statement in [
        "CREATE TEMP TABLE IF NOT EXISTS dropped_links
             (workspace_id TEXT, check_id TEXT, token_hash TEXT)",
        "DELETE FROM dropped_links",
    ] {
        sqlx::query(statement).execute(&mut *transaction).await.map_err(failed())?;
    }
    sqlx::query(sqlx::AssertSqlSafe(format!("INSERT INTO dropped_links {which}")))
        .bind(first)
        .bind(second)
        .execute(&mut *transaction)
        .await
        .map_err(failed())?;
    let dropped = sqlx::query(
        "DELETE FROM result_links WHERE token_hash IN (SELECT token_hash FROM dropped_links)",
    )
    .execute(&mut *transaction)
    .await
    .map_err(failed())?;
    sqlx::query(DROP_ORPHANS).execute(&mut *transaction).await.map_err(failed())?;
    transaction.commit().await.map_err(failed())?;
    Ok(dropped.rows_affected())
}

fn failed() -> impl Fn(sqlx::Error) -> StoreError {
    StoreError::database("handle the links to results")
}

fn damaged(problem: &dyn std::fmt::Display) -> StoreError {
    StoreError::Row { table: LINKS, problem: problem.to_string() }
}
