//! Kept answers in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Sqlite, Transaction};

use super::{KeptAnswer, KeptAnswers, KeyGate, KeyedRequest};
use crate::database::Store;
use crate::error::StoreError;
use crate::id::WorkspaceId;
use crate::limits::KEPT_ANSWER_OCTETS_MAX;
use crate::rows;

const KEYS: &str = "idempotency_keys";

#[async_trait]
impl KeptAnswers for Store {
    async fn begin_keyed(
        &self,
        workspace: WorkspaceId,
        request: &KeyedRequest,
    ) -> Result<KeyGate, StoreError> {
        let mut transaction = self.write().await?;
        if let Some(row) = known(&mut transaction, workspace, request).await? {
            if let Some(gate) = gate(&row, request)? {
                return Ok(gate);
            }
            forget(&mut transaction, workspace, request).await?;
        }
        sqlx::query(
            "INSERT INTO idempotency_keys
                 (workspace_id, token_id, key_hash, request_hash, began_at_us, expires_at_us)
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(workspace.to_string())
        .bind(request.token.to_string())
        .bind(request.key.hex())
        .bind(request.request.hex())
        .bind(request.at.as_microsecond())
        .bind((request.at + request.kept).as_microsecond())
        .execute(&mut *transaction)
        .await
        .map_err(failed())?;
        transaction.commit().await.map_err(failed())?;
        Ok(KeyGate::Begun)
    }

    async fn keep_answer(
        &self,
        workspace: WorkspaceId,
        request: &KeyedRequest,
        answer: &KeptAnswer,
    ) -> Result<(), StoreError> {
        if answer.sealed.len() > KEPT_ANSWER_OCTETS_MAX {
            let limit = format!("{KEPT_ANSWER_OCTETS_MAX} octets");
            return Err(StoreError::TooLarge { what: "an answer", limit });
        }
        let mut transaction = self.write().await?;
        sqlx::query(
            "UPDATE idempotency_keys SET status = ?, answer = ?
             WHERE workspace_id = ? AND token_id = ? AND key_hash = ? AND request_hash = ?",
        )
        .bind(answer.status)
        .bind(answer.sealed.as_str())
        .bind(workspace.to_string())
        .bind(request.token.to_string())
        .bind(request.key.hex())
        .bind(request.request.hex())
        .execute(&mut *transaction)
        .await
        .map_err(failed())?;
        transaction.commit().await.map_err(failed())
    }

    async fn withdraw_keyed(
        &self,
        workspace: WorkspaceId,
        request: &KeyedRequest,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        forget(&mut transaction, workspace, request).await?;
        transaction.commit().await.map_err(failed())
    }

    async fn drop_ended_answers(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut transaction = self.write().await?;
        let dropped = sqlx::query("DELETE FROM idempotency_keys WHERE expires_at_us <= ?")
            .bind(now.as_microsecond())
            .execute(&mut *transaction)
            .await
            .map_err(failed())?;
        transaction.commit().await.map_err(failed())?;
        Ok(dropped.rows_affected())
    }
}

async fn known(
    transaction: &mut Transaction<'static, Sqlite>,
    workspace: WorkspaceId,
    request: &KeyedRequest,
) -> Result<Option<SqliteRow>, StoreError> {
    sqlx::query(
        "SELECT request_hash, status, answer, began_at_us, expires_at_us FROM idempotency_keys
         WHERE workspace_id = ? AND token_id = ? AND key_hash = ?",
    )
    .bind(workspace.to_string())
    .bind(request.token.to_string())
    .bind(request.key.hex())
    .fetch_optional(&mut **transaction)
    .await
    .map_err(failed())
}

/// What a stored row says about a request with its key; none when the row no longer counts.
fn gate(row: &SqliteRow, request: &KeyedRequest) -> Result<Option<KeyGate>, StoreError> {
    let time = |name| rows::time(KEYS, rows::column(KEYS, row, name)?);
    if time("expires_at_us")? <= request.at {
        return Ok(None);
    }
    let request_hash: String = rows::column(KEYS, row, "request_hash")?;
    if request_hash != request.request.hex() {
        return Ok(Some(KeyGate::OtherRequest));
    }
    let status: Option<u16> = rows::column(KEYS, row, "status")?;
    let sealed: Option<String> = rows::column(KEYS, row, "answer")?;
    if let (Some(status), Some(sealed)) = (status, sealed) {
        return Ok(Some(KeyGate::Answered(KeptAnswer { status, sealed })));
    }
    let is_lost = time("began_at_us")? + request.lasts_at_most <= request.at;
    Ok((!is_lost).then_some(KeyGate::UnderWay))
}

async fn forget(
    transaction: &mut Transaction<'static, Sqlite>,
    workspace: WorkspaceId,
    request: &KeyedRequest,
) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM idempotency_keys WHERE workspace_id = ? AND token_id = ? AND key_hash = ?",
    )
    .bind(workspace.to_string())
    .bind(request.token.to_string())
    .bind(request.key.hex())
    .execute(&mut **transaction)
    .await
    .map_err(failed())?;
    Ok(())
}

fn failed() -> impl Fn(sqlx::Error) -> StoreError {
    StoreError::database("handle kept answers")
}
