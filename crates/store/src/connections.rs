//! The connections of a workspace: the trait that every database implements, in batches.
//!
//! A batch is written as a whole or not at all. Secrets go in sealed and never come out here: the only way
//! back is [`crate::sealed`]. Keep: any change of settings or secret makes a connection
//! untested, and a test counts only for the revision that it tried.

mod sqlite;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use waxseal_proto::secret::Secret;
use zeroize::Zeroizing;

use crate::connection::{
    Connection, ConnectionChange, Holder, NewConnection, NewTrial, OneLine, Trial, TrialKind, Use,
};
use crate::error::StoreError;
use crate::id::{ConnectionId, TrialId, WorkspaceId};
use crate::keys::MasterKeys;
use crate::sealed::{Envelope, Place, SealError};

/// A part of a listing, in the order of the identifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page<Id> {
    /// The last one of the page before; `None` for the first page.
    pub after: Option<Id>,
    /// How many rows at most; more than [`crate::limits::PAGE_ROWS_MAX`] are never given.
    pub rows_max: u32,
}

impl<Id> Page<Id> {
    /// The first page.
    pub const fn first(rows_max: u32) -> Self {
        Self { after: None, rows_max }
    }
}

/// A secret that was sealed for one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSecret {
    connection: ConnectionId,
    envelope: Envelope,
}

impl SealedSecret {
    /// Seals a secret for a connection with the current master key.
    ///
    /// # Errors
    /// A secret of no or too many octets.
    pub fn seal(
        keys: &MasterKeys,
        connection: ConnectionId,
        secret: &Secret<Zeroizing<String>>,
    ) -> Result<Self, SealError> {
        let envelope = keys.seal(&secret_place(connection), secret)?;
        Ok(Self { connection, envelope })
    }

    /// The connection it was sealed for.
    pub const fn connection(&self) -> ConnectionId {
        self.connection
    }

    /// The envelope.
    pub const fn envelope(&self) -> &Envelope {
        &self.envelope
    }
}

/// Whether a recorded test decides the state of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is of the present revision and the newest: it decides.
    Decides,
    /// The connection was changed, or tested again, since it began: it is kept and decides nothing.
    Outdated,
}

/// A test or verification that is about to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialStart {
    /// With a message or without.
    pub kind: TrialKind,
    /// What is written now: what became of it, when nothing more is heard of it. Its time is now, and its
    /// revision the one that is to be tried.
    pub if_lost: NewTrial,
    /// What the caller names this test by; the same name never sends twice.
    pub key: Option<OneLine>,
}

/// How many tests, and how many verifications, a connection may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrialPace {
    /// So many of one kind begin within the window.
    pub trials_max: u32,
    /// The window.
    pub window: SignedDuration,
    /// A trial that is open after this time is lost: its process ended.
    pub lasts_at_most: SignedDuration,
}

/// Whether a trial may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrialGate {
    /// It may, and it is written.
    Begun,
    /// The connection has another revision than the one to be tried.
    Changed,
    /// The connection is disabled.
    Disabled,
    /// A test of this key has a record. It is told at any pace, and of a disabled connection too.
    Recorded(Trial),
    /// Too many were begun.
    TooMany {
        /// When the next may begin.
        free_at: Timestamp,
    },
    /// A test of this key is being carried out.
    UnderWay,
}

/// What the lines of a test's message say where it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedNote {
    /// The test.
    pub trial: TrialId,
    /// JSON of at most [`crate::limits::RECEIVED_NOTE_OCTETS_MAX`] octets; the caller knows its shape.
    pub json: String,
}

/// Where the secret of a connection is stored.
pub const fn secret_place(connection: ConnectionId) -> Place {
    Place { table: "connection_secrets", row: connection.uuid(), column: "envelope" }
}

/// The connections of all workspaces.
#[async_trait]
pub trait Connections: Send + Sync {
    /// A page of the connections, each with its newest test and verification.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn list(
        &self,
        workspace: WorkspaceId,
        page: Page<ConnectionId>,
    ) -> Result<Vec<Connection>, StoreError>;

    /// These connections, in this order.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for the first that is not there.
    async fn get(
        &self,
        workspace: WorkspaceId,
        ids: &[ConnectionId],
    ) -> Result<Vec<Connection>, StoreError>;

    /// The connection of that name.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn find(&self, workspace: WorkspaceId, name: &OneLine) -> Result<Connection, StoreError>;

    /// Adds connections with their secrets, enabled and untested.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], or as [`Self::set_secret`].
    async fn insert(
        &self,
        workspace: WorkspaceId,
        connections: &[NewConnection],
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Gives connections a new name, new settings or another secret, all at once. A new name alone leaves the
    /// state as it is; everything else makes it untested.
    ///
    /// # Errors
    /// [`StoreError::ChangedMeanwhile`], [`StoreError::NameTaken`], [`StoreError::SecretNotAllowed`] when
    /// mode none would come to stand beside a secret, [`StoreError::NotFound`] for a secret that was sealed
    /// for another connection, [`StoreError::KeyNotKnown`] for a retired key.
    async fn update(
        &self,
        workspace: WorkspaceId,
        changes: &[ConnectionChange],
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Stores or replaces secrets and makes their connections untested.
    ///
    /// # Errors
    /// [`StoreError::SecretNotAllowed`] for mode none, [`StoreError::KeyNotKnown`] for a retired key.
    async fn set_secret(
        &self,
        workspace: WorkspaceId,
        secrets: &[SealedSecret],
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Removes secrets and makes their connections untested. One without a secret stays as it is.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn remove_secret(
        &self,
        workspace: WorkspaceId,
        ids: &[ConnectionId],
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Asks whether a test or verification may begin, and writes it before anything leaves. Nobody sees it until
    /// it is recorded or settled.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn begin_trial(
        &self,
        workspace: WorkspaceId,
        start: &TrialStart,
        pace: TrialPace,
    ) -> Result<TrialGate, StoreError>;

    /// The record of the test of that key, when there is one.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn test_of_key(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        key: &OneLine,
    ) -> Result<Option<Trial>, StoreError>;

    /// Takes back a trial that came to no attempt: its key and its place in the pace are free again.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn withdraw_trial(
        &self,
        workspace: WorkspaceId,
        trial: TrialId,
    ) -> Result<(), StoreError>;

    /// Ends the trials that began before then and are still open, whose processes ended: what was written when
    /// they began is their record, and a lost test decides like every other one.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn settle_trials(
        &self,
        workspace: WorkspaceId,
        begun_before: Timestamp,
    ) -> Result<(), StoreError>;

    /// Records tests. Accepted makes a connection passing and everything else makes it failing, when the
    /// test decides.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or a detail that is too large.
    async fn record_test(
        &self,
        workspace: WorkspaceId,
        trials: &[NewTrial],
    ) -> Result<Vec<Recorded>, StoreError>;

    /// Notes beside tests what the lines of their messages say where these arrived, in place of what was noted
    /// before; as JSON, it becomes the field `received` of the detail. No state changes: what another server
    /// writes proves nothing about the connection.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for what is no test of this connection, or a note that is too large.
    async fn note_received(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        received: &[ReceivedNote],
    ) -> Result<(), StoreError>;

    /// Records verifications. They never change a state: only a message proves that messages pass.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or a detail that is too large.
    async fn record_verify(
        &self,
        workspace: WorkspaceId,
        trials: &[NewTrial],
    ) -> Result<(), StoreError>;

    /// The trials of one kind that are over, the newest first.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn trials(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        kind: TrialKind,
    ) -> Result<Vec<Trial>, StoreError>;

    /// The trial of that identifier that is over, with its connection and its kind.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn trial(
        &self,
        workspace: WorkspaceId,
        id: TrialId,
    ) -> Result<(ConnectionId, TrialKind, Trial), StoreError>;

    /// Enables or disables connections; their state stays as it is.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn set_enabled(
        &self,
        workspace: WorkspaceId,
        ids: &[ConnectionId],
        to: Use,
    ) -> Result<(), StoreError>;

    /// Notes that something uses these connections; they cannot be deleted until it is released.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn hold(
        &self,
        workspace: WorkspaceId,
        ids: &[ConnectionId],
        holder: &Holder,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Notes that something no longer uses these connections.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn release(
        &self,
        workspace: WorkspaceId,
        ids: &[ConnectionId],
        holder: &Holder,
    ) -> Result<(), StoreError>;

    /// What uses a connection, sorted.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn holders(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<Vec<Holder>, StoreError>;

    /// Deletes connections with their secrets and trials.
    ///
    /// # Errors
    /// [`StoreError::InUse`] or [`StoreError::NotFound`].
    async fn delete(&self, workspace: WorkspaceId, ids: &[ConnectionId]) -> Result<(), StoreError>;
}
