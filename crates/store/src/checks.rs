//! The reports of checks: stored as they were published, listed, and dropped by age and number.
//!
//! A report is stored as the JSON of [`ReportV1`], so that an old one is shown as it was and is not judged
//! anew. Keep: the columns beside it are copies for listing and decide nothing.

mod sqlite;

use async_trait::async_trait;
use jiff::Timestamp;
use waxseal_check::report::wire::{ReportV1, VerdictV1};

use crate::connections::Page;
use crate::error::StoreError;
use crate::id::{CheckId, WorkspaceId};

/// A report to be stored.
#[derive(Clone, Debug, PartialEq)]
pub struct NewCheck {
    /// Its identifier, made with the time of the check.
    pub id: CheckId,
    /// The report.
    pub report: ReportV1,
}

/// One line of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckSummary {
    /// Its identifier.
    pub id: CheckId,
    /// What was checked.
    pub target: String,
    /// When.
    pub checked_at: Timestamp,
    /// The verdict of the report.
    pub verdict: VerdictV1,
    /// Whether a part of the world was simulated.
    pub simulated: bool,
}

/// Which reports are kept; one that breaks either bound is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Those of checks before this time are dropped.
    pub not_before: Timestamp,
    /// How many of each target are kept, the newest ones.
    pub per_target_max: u32,
}

/// The stored reports of all workspaces.
#[async_trait]
pub trait Checks: Send + Sync {
    /// Stores reports.
    ///
    /// # Errors
    /// A report that is too large or whose time cannot be read.
    async fn save(&self, workspace: WorkspaceId, checks: &[NewCheck]) -> Result<(), StoreError>;

    /// A page of the reports, the newest first, of one target or of all. The next page begins after the
    /// last identifier.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn summaries(
        &self,
        workspace: WorkspaceId,
        target: Option<&str>,
        page: Page<CheckId>,
    ) -> Result<Vec<CheckSummary>, StoreError>;

    /// These reports, in this order.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the first that is not there.
    async fn reports(
        &self,
        workspace: WorkspaceId,
        ids: &[CheckId],
    ) -> Result<Vec<ReportV1>, StoreError>;

    /// Drops what is not to be kept and says how many that were.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn prune(&self, workspace: WorkspaceId, retention: Retention) -> Result<u64, StoreError>;
}
