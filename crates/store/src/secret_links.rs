//! Short-lived links by which a person enters the secret of one connection. Only the hash of a link is kept.
//!
//! The trait is [`SecretLinks`]. Keep: a link that ended is not found, and of several who take one, one gets it.

mod sqlite;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::error::StoreError;
use crate::id::{ConnectionId, WorkspaceId};
use crate::token::TokenHash;

/// A link to the secret of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretLink {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The connection.
    pub connection: ConnectionId,
    /// Who asked for it: a person or a token.
    pub created_by: String,
    /// Until when.
    pub expires_at: Timestamp,
}

/// The links of all workspaces.
#[async_trait]
pub trait SecretLinks: Send + Sync {
    /// Stores a link.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the workspace has no such connection.
    async fn add_secret_link(
        &self,
        token: TokenHash,
        link: &SecretLink,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// The link of a token; none when it ended or was taken.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn secret_link(
        &self,
        token: TokenHash,
        now: Timestamp,
    ) -> Result<Option<SecretLink>, StoreError>;

    /// Takes a link.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn take_secret_link(
        &self,
        token: TokenHash,
        now: Timestamp,
    ) -> Result<Option<SecretLink>, StoreError>;

    /// Drops links that ended and says how many those were.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn drop_ended_secret_links(&self, now: Timestamp) -> Result<u64, StoreError>;
}
