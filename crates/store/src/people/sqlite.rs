//! The people in SQLite.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use sqlx::sqlite::SqliteRow;

use super::{AuditEntry, EntryLink, NewSession, PasswordHash, People, Role, Session, User};
use crate::database::Store;
use crate::error::StoreError;
use crate::id::{UserId, WorkspaceId};
use crate::limits::PAGE_ROWS_MAX;
use crate::rows;
use crate::token::TokenHash;

const USERS: &str = "users";
const LINKS: &str = "entry_links";
const LOG: &str = "audit_log";

#[async_trait]
impl People for Store {
    async fn add_user(&self, user: &User, password: &PasswordHash) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        let stored = sqlx::query(
            "INSERT INTO users (workspace_id, id, name, role, password_hash, created_at_us)
             VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING",
        )
        .bind(user.workspace.to_string())
        .bind(user.id.to_string())
        .bind(user.name.as_str())
        .bind(user.role.as_str())
        .bind(password.0.as_str())
        .bind(user.created_at.as_microsecond())
        .execute(&mut *transaction)
        .await
        .map_err(failed())?;
        if stored.rows_affected() == 0 {
            return Err(StoreError::NameTaken { what: "user", name: user.name.clone() });
        }
        transaction.commit().await.map_err(failed())
    }

    async fn users(&self, workspace: WorkspaceId) -> Result<Vec<User>, StoreError> {
        let found = sqlx::query(
            "SELECT id AS user_id, workspace_id, name, role, created_at_us FROM users
             WHERE workspace_id = ? ORDER BY name LIMIT ?",
        )
        .bind(workspace.to_string())
        .bind(PAGE_ROWS_MAX)
        .fetch_all(self.readers())
        .await
        .map_err(failed())?;
        found.iter().map(user).collect()
    }

    async fn user_named(&self, name: &str) -> Result<Option<(User, PasswordHash)>, StoreError> {
        let found = sqlx::query(
            "SELECT id AS user_id, workspace_id, name, role, created_at_us, password_hash
             FROM users WHERE name = ?",
        )
        .bind(name)
        .fetch_optional(self.readers())
        .await
        .map_err(failed())?;
        let Some(row) = found else { return Ok(None) };
        let hash: String = rows::column(USERS, &row, "password_hash")?;
        Ok(Some((user(&row)?, PasswordHash(hash))))
    }

    async fn set_password(
        &self,
        workspace: WorkspaceId,
        user: UserId,
        password: &PasswordHash,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        let changed =
            sqlx::query("UPDATE users SET password_hash = ? WHERE workspace_id = ? AND id = ?")
                .bind(password.0.as_str())
                .bind(workspace.to_string())
                .bind(user.to_string())
                .execute(&mut *transaction)
                .await
                .map_err(failed())?;
        if changed.rows_affected() == 0 {
            return Err(StoreError::NotFound { what: "user", id: user.to_string() });
        }
        // Nobody who had a session or a link to a new password keeps it.
        for statement in [
            "DELETE FROM user_sessions WHERE workspace_id = ? AND user_id = ?",
            "DELETE FROM entry_links WHERE workspace_id = ? AND user_id = ?",
        ] {
            sqlx::query(statement)
                .bind(workspace.to_string())
                .bind(user.to_string())
                .execute(&mut *transaction)
                .await
                .map_err(failed())?;
        }
        transaction.commit().await.map_err(failed())
    }

    async fn begin_session(
        &self,
        workspace: WorkspaceId,
        session: &NewSession,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query(
            "INSERT INTO user_sessions
                 (token_hash, workspace_id, user_id, form_token, created_at_us, expires_at_us)
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(session.token.hex())
        .bind(workspace.to_string())
        .bind(session.user.to_string())
        .bind(session.form_token.as_str())
        .bind(session.created_at.as_microsecond())
        .bind(session.expires_at.as_microsecond())
        .execute(&mut *transaction)
        .await
        .map_err(failed())?;
        transaction.commit().await.map_err(failed())
    }

    async fn session(
        &self,
        token: TokenHash,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        let found = sqlx::query(
            "SELECT users.id AS user_id, users.workspace_id, users.name, users.role,
                    users.created_at_us, user_sessions.form_token, user_sessions.expires_at_us
             FROM user_sessions JOIN users
                 ON users.workspace_id = user_sessions.workspace_id
                 AND users.id = user_sessions.user_id
             WHERE user_sessions.token_hash = ? AND user_sessions.expires_at_us > ?",
        )
        .bind(token.hex())
        .bind(now.as_microsecond())
        .fetch_optional(self.readers())
        .await
        .map_err(failed())?;
        let Some(row) = found else { return Ok(None) };
        Ok(Some(Session {
            user: user(&row)?,
            form_token: rows::column(USERS, &row, "form_token")?,
            expires_at: rows::time(USERS, rows::column(USERS, &row, "expires_at_us")?)?,
        }))
    }

    async fn end_session(&self, token: TokenHash) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query("DELETE FROM user_sessions WHERE token_hash = ?")
            .bind(token.hex())
            .execute(&mut *transaction)
            .await
            .map_err(failed())?;
        transaction.commit().await.map_err(failed())
    }

    async fn end_sessions(&self, workspace: WorkspaceId, user: UserId) -> Result<u64, StoreError> {
        let mut transaction = self.write().await?;
        let ended = sqlx::query("DELETE FROM user_sessions WHERE workspace_id = ? AND user_id = ?")
            .bind(workspace.to_string())
            .bind(user.to_string())
            .execute(&mut *transaction)
            .await
            .map_err(failed())?;
        transaction.commit().await.map_err(failed())?;
        Ok(ended.rows_affected())
    }

    async fn add_entry(
        &self,
        token: TokenHash,
        link: &EntryLink,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query(
            "INSERT INTO entry_links
                 (token_hash, workspace_id, role, user_id, created_at_us, expires_at_us)
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(token.hex())
        .bind(link.workspace.to_string())
        .bind(link.role.as_str())
        .bind(link.user.map(|user| user.to_string()))
        .bind(now.as_microsecond())
        .bind(link.expires_at.as_microsecond())
        .execute(&mut *transaction)
        .await
        .map_err(failed())?;
        transaction.commit().await.map_err(failed())
    }

    async fn entry(
        &self,
        token: TokenHash,
        now: Timestamp,
    ) -> Result<Option<EntryLink>, StoreError> {
        let found = sqlx::query(
            "SELECT workspace_id, role, user_id, expires_at_us FROM entry_links
             WHERE token_hash = ? AND expires_at_us > ?",
        )
        .bind(token.hex())
        .bind(now.as_microsecond())
        .fetch_optional(self.readers())
        .await
        .map_err(failed())?;
        found.as_ref().map(link).transpose()
    }

    async fn take_entry(
        &self,
        token: TokenHash,
        now: Timestamp,
    ) -> Result<Option<EntryLink>, StoreError> {
        let mut transaction = self.write().await?;
        let found = sqlx::query(
            "DELETE FROM entry_links WHERE token_hash = ? AND expires_at_us > ?
             RETURNING workspace_id, role, user_id, expires_at_us",
        )
        .bind(token.hex())
        .bind(now.as_microsecond())
        .fetch_optional(&mut *transaction)
        .await
        .map_err(failed())?;
        transaction.commit().await.map_err(failed())?;
        found.as_ref().map(link).transpose()
    }

    async fn end_entries(
        &self,
        workspace: WorkspaceId,
        role: Role,
        holding_at_most: SignedDuration,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.write().await?;
        let longest = i64::try_from(holding_at_most.as_micros()).unwrap_or(i64::MAX);
        let ended = sqlx::query(
            "DELETE FROM entry_links
             WHERE workspace_id = ? AND role = ? AND user_id IS NULL
                 AND expires_at_us - created_at_us <= ?",
        )
        .bind(workspace.to_string())
        .bind(role.as_str())
        .bind(longest)
        .execute(&mut *transaction)
        .await
        .map_err(failed())?;
        transaction.commit().await.map_err(failed())?;
        Ok(ended.rows_affected())
    }

    async fn note(&self, workspace: WorkspaceId, entry: &AuditEntry) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query(
            "INSERT INTO audit_log (workspace_id, at_us, who, what, subject) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(workspace.to_string())
        .bind(entry.at.as_microsecond())
        .bind(entry.who.as_str())
        .bind(entry.what.as_str())
        .bind(entry.subject.as_str())
        .execute(&mut *transaction)
        .await
        .map_err(failed())?;
        transaction.commit().await.map_err(failed())
    }

    async fn notes(
        &self,
        workspace: WorkspaceId,
        rows_max: u32,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let found = sqlx::query(
            "SELECT at_us, who, what, subject FROM audit_log
             WHERE workspace_id = ? ORDER BY number DESC LIMIT ?",
        )
        .bind(workspace.to_string())
        .bind(rows_max.min(PAGE_ROWS_MAX))
        .fetch_all(self.readers())
        .await
        .map_err(failed())?;
        let entry = |row: &SqliteRow| {
            Ok(AuditEntry {
                at: rows::time(LOG, rows::column(LOG, row, "at_us")?)?,
                who: rows::column(LOG, row, "who")?,
                what: rows::column(LOG, row, "what")?,
                subject: rows::column(LOG, row, "subject")?,
            })
        };
        found.iter().map(entry).collect()
    }

    async fn drop_ended_entries(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut transaction = self.write().await?;
        let mut dropped = 0;
        for statement in [
            "DELETE FROM user_sessions WHERE expires_at_us <= ?",
            "DELETE FROM entry_links WHERE expires_at_us <= ?",
        ] {
            let done = sqlx::query(statement)
                .bind(now.as_microsecond())
                .execute(&mut *transaction)
                .await
                .map_err(failed())?;
            dropped += done.rows_affected();
        }
        transaction.commit().await.map_err(failed())?;
        Ok(dropped)
    }
}

fn failed() -> impl Fn(sqlx::Error) -> StoreError {
    StoreError::database("handle people and sessions")
}

fn damaged(table: &'static str, problem: &dyn std::fmt::Display) -> StoreError {
    StoreError::Row { table, problem: problem.to_string() }
}

fn role(table: &'static str, row: &SqliteRow) -> Result<Role, StoreError> {
    let word: String = rows::column(table, row, "role")?;
    Role::parse(&word).ok_or_else(|| damaged(table, &format!("role {word:?}")))
}

fn workspace(table: &'static str, row: &SqliteRow) -> Result<WorkspaceId, StoreError> {
    let id: String = rows::column(table, row, "workspace_id")?;
    WorkspaceId::parse(&id).map_err(|error| damaged(table, &error))
}

fn user(row: &SqliteRow) -> Result<User, StoreError> {
    let id: String = rows::column(USERS, row, "user_id")?;
    Ok(User {
        id: UserId::parse(&id).map_err(|error| damaged(USERS, &error))?,
        workspace: workspace(USERS, row)?,
        name: rows::column(USERS, row, "name")?,
        role: role(USERS, row)?,
        created_at: rows::time(USERS, rows::column(USERS, row, "created_at_us")?)?,
    })
}

fn link(row: &SqliteRow) -> Result<EntryLink, StoreError> {
    let user: Option<String> = rows::column(LINKS, row, "user_id")?;
    let user = user.as_deref().map(UserId::parse).transpose();
    Ok(EntryLink {
        role: role(LINKS, row)?,
        user: user.map_err(|error| damaged(LINKS, &error))?,
        workspace: workspace(LINKS, row)?,
        expires_at: rows::time(LINKS, rows::column(LINKS, row, "expires_at_us")?)?,
    })
}
