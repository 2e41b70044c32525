//! The reports in SQLite.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use waxseal_check::report::wire::{ReportV1, VerdictV1};

use super::{CheckSummary, Checks, NewCheck, Retention};
use crate::connections::Page;
use crate::database::Store;
use crate::error::StoreError;
use crate::id::{CheckId, WorkspaceId};
use crate::limits::{BATCH_ROWS_MAX, PAGE_ROWS_MAX, REPORT_OCTETS_MAX};
use crate::rows;

const CHECKS: &str = "checks";

#[async_trait]
impl Checks for Store {
    async fn save(&self, workspace: WorkspaceId, checks: &[NewCheck]) -> Result<(), StoreError> {
        bounded(checks.len())?;
        let mut transaction = self.write().await?;
        for check in checks {
            let report = &check.report;
            let text = serde_json::to_string(report).map_err(|error| damaged(&error))?;
            if text.len() > REPORT_OCTETS_MAX {
                let limit = format!("{REPORT_OCTETS_MAX} octets");
                return Err(StoreError::TooLarge { what: "the report", limit });
            }
            let checked_at: Timestamp =
                report.checked_at.parse().map_err(|error| damaged(&error))?;
            sqlx::query(
                "INSERT INTO checks
                     (workspace_id, id, target, checked_at_us, verdict, simulated, report)
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(workspace.to_string())
            .bind(check.id.to_string())
            .bind(report.target.as_str())
            .bind(checked_at.as_microsecond())
            .bind(verdict_word(report.verdict)?)
            .bind(report.simulated)
            .bind(text)
            .execute(&mut *transaction)
            .await
            .map_err(failed())?;
        }
        transaction.commit().await.map_err(failed())
    }

    async fn summaries(
        &self,
        workspace: WorkspaceId,
        target: Option<&str>,
        page: Page<CheckId>,
    ) -> Result<Vec<CheckSummary>, StoreError> {
        let found = sqlx::query(
            "SELECT id, target, checked_at_us, verdict, simulated FROM checks
             WHERE workspace_id = ?1 AND (?2 IS NULL OR target = ?2) AND (?3 IS NULL OR id < ?3)
             ORDER BY id DESC LIMIT ?4",
        )
        .bind(workspace.to_string())
        .bind(target)
        .bind(page.after.map(|id| id.to_string()))
        .bind(page.rows_max.min(PAGE_ROWS_MAX))
        .fetch_all(self.readers())
        .await
        .map_err(failed())?;
        found.iter().map(summary).collect()
    }

    async fn reports(
        &self,
        workspace: WorkspaceId,
        ids: &[CheckId],
    ) -> Result<Vec<ReportV1>, StoreError> {
        bounded(ids.len())?;
        let array: serde_json::Value = ids.iter().map(ToString::to_string).collect();
        let found = sqlx::query(
            "SELECT id, report FROM checks
             WHERE workspace_id = ? AND id IN (SELECT value FROM json_each(?))",
        )
        .bind(workspace.to_string())
        .bind(array.to_string())
        .fetch_all(self.readers())
        .await
        .map_err(failed())?;
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        for row in &found {
            texts.insert(rows::column(CHECKS, row, "id")?, rows::column(CHECKS, row, "report")?);
        }
        ids.iter()
            .map(|id| {
                let id = id.to_string();
                let Some(text) = texts.get(&id) else {
                    return Err(StoreError::NotFound { what: "report", id });
                };
                serde_json::from_str(text).map_err(|error| damaged(&error))
            })
            .collect()
    }

    async fn prune(&self, workspace: WorkspaceId, retention: Retention) -> Result<u64, StoreError> {
        let mut transaction = self.write().await?;
        let dropped = sqlx::query(
            "DELETE FROM checks WHERE workspace_id = ?1 AND id IN (
                 SELECT id FROM (
                     SELECT id, checked_at_us, row_number() OVER (
                         PARTITION BY target ORDER BY checked_at_us DESC, id DESC) AS place
                     FROM checks WHERE workspace_id = ?1)
                 WHERE checked_at_us < ?2 OR place > ?3)",
        )
        .bind(workspace.to_string())
        .bind(retention.not_before.as_microsecond())
        .bind(retention.per_target_max)
        .execute(&mut *transaction)
        .await
        .map_err(failed())?;
        transaction.commit().await.map_err(failed())?;
        Ok(dropped.rows_affected())
    }
}

fn failed() -> impl Fn(sqlx::Error) -> StoreError {
    StoreError::database("handle the reports")
}

fn damaged(problem: &dyn std::fmt::Display) -> StoreError {
    StoreError::Row { table: CHECKS, problem: problem.to_string() }
}

fn bounded(rows: usize) -> Result<(), StoreError> {
    if rows > BATCH_ROWS_MAX {
        let limit = format!("{BATCH_ROWS_MAX} rows");
        return Err(StoreError::TooLarge { what: "a batch of reports", limit });
    }
    Ok(())
}

/// The word of a verdict as it stands in the report.
fn verdict_word(verdict: VerdictV1) -> Result<String, StoreError> {
    match serde_json::to_value(verdict) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        Ok(other) => Err(damaged(&other)),
        Err(error) => Err(damaged(&error)),
    }
}

fn summary(row: &SqliteRow) -> Result<CheckSummary, StoreError> {
    let id: String = rows::column(CHECKS, row, "id")?;
    let verdict: String = rows::column(CHECKS, row, "verdict")?;
    Ok(CheckSummary {
        id: CheckId::parse(&id).map_err(|error| damaged(&error))?,
        target: rows::column(CHECKS, row, "target")?,
        checked_at: rows::time(CHECKS, rows::column(CHECKS, row, "checked_at_us")?)?,
        verdict: serde_json::from_value(verdict.into()).map_err(|error| damaged(&error))?,
        simulated: rows::column(CHECKS, row, "simulated")?,
    })
}
