//! A token as the command line and the pages show it. Its text is no part of it.

use crate::connections::wire::time;
use jiff::Timestamp;
use serde::Serialize;
use waxseal_store::api_tokens::ApiToken;

/// A token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TokenView {
    /// Its identifier.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: String,
    /// When it ends; null when it does not by itself.
    pub expires_at: Option<String>,
    /// Whether it ended.
    pub expired: bool,
    /// When it was last used, to some minutes; null when it never was.
    pub last_used_at: Option<String>,
}

impl TokenView {
    /// Shows a stored token.
    pub fn of(token: &ApiToken, now: Timestamp) -> Self {
        Self {
            id: token.id.to_string(),
            name: token.name.clone(),
            scopes: token.scopes.clone(),
            created_by: token.created_by.clone(),
            created_at: time(token.created_at),
            expires_at: token.expires_at.map(time),
            expired: token.expires_at.is_some_and(|at| at <= now),
            last_used_at: token.last_used_at.map(time),
        }
    }
}
