//! Links to stored reports for people who know the address: each with a secret for reading and another for
//! deleting, and an end. A report goes with its last link.
//!
//! The trait is [`ResultLinks`]. Keep: a link that ended is not found, whether or not it was dropped yet.

mod sqlite;

use async_trait::async_trait;
use jiff::Timestamp;
use waxseal_check::report::wire::ReportV1;

use crate::error::StoreError;
use crate::id::{CheckId, WorkspaceId};
use crate::token::TokenHash;

/// A link to be stored.
#[derive(Clone, Copy, Debug)]
pub struct NewLink {
    /// Opens the report.
    pub token: TokenHash,
    /// Deletes the link.
    pub owner: TokenHash,
    /// The report.
    pub check: CheckId,
    /// When it begins.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A report behind a link.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkedReport {
    /// The report.
    pub report: ReportV1,
    /// Its identifier.
    pub check: CheckId,
    /// When the link ends.
    pub expires_at: Timestamp,
    /// Whether the second secret fits, so that the link may be deleted.
    pub is_owner: bool,
}

/// The links of all workspaces.
#[async_trait]
pub trait ResultLinks: Send + Sync {
    /// Stores a link to a report of this workspace.
    ///
    /// # Errors
    /// A report that is not there.
    async fn link(&self, workspace: WorkspaceId, link: &NewLink) -> Result<(), StoreError>;

    /// The report behind a link.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a link that never was, was deleted or ended.
    async fn linked(
        &self,
        token: TokenHash,
        owner: Option<TokenHash>,
        now: Timestamp,
    ) -> Result<LinkedReport, StoreError>;

    /// Deletes a link, and its report when no other link leads there. `false` when there is no such link
    /// or the second secret does not fit.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn unlink(&self, token: TokenHash, owner: TokenHash) -> Result<bool, StoreError>;

    /// Drops links that ended, with their reports, and says how many links that were.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn drop_ended(&self, now: Timestamp) -> Result<u64, StoreError>;
}
