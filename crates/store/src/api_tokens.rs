//! Tokens by which programs come in: a name, what they may do, an end. The token itself is kept as a hash.
//!
//! The trait is [`ApiTokens`]. Keep: a token that ended is not found by its hash, and one that was removed takes
//! the answers that were kept for it along.

mod sqlite;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::error::StoreError;
use crate::id::{ApiTokenId, WorkspaceId};
use crate::token::TokenHash;

/// A token as it is stored, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// The identifier.
    pub id: ApiTokenId,
    /// The workspace, which it never leaves.
    pub workspace: WorkspaceId,
    /// What people call it.
    pub name: String,
    /// The words for what it may do.
    pub scopes: Vec<String>,
    /// Who made it: a name, or the command line.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Until when; without end for none.
    pub expires_at: Option<Timestamp>,
    /// When it was last shown, to the minute or so.
    pub last_used_at: Option<Timestamp>,
}

/// A token that holds, with the name of its workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldToken {
    /// The token.
    pub token: ApiToken,
    /// What people call its workspace.
    pub workspace_name: String,
}

/// The tokens of all workspaces.
#[async_trait]
pub trait ApiTokens: Send + Sync {
    /// Stores a new token.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] for a name that another token of the workspace has.
    async fn add_api_token(&self, token: &ApiToken, hash: TokenHash) -> Result<(), StoreError>;

    /// The tokens of a workspace, by name; those that ended are among them.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn api_tokens(&self, workspace: WorkspaceId) -> Result<Vec<ApiToken>, StoreError>;

    /// The token of a hash; none when there is none, or it ended.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn api_token(
        &self,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<HeldToken>, StoreError>;

    /// Notes that a token was used.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn note_api_token_use(
        &self,
        workspace: WorkspaceId,
        token: ApiTokenId,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Removes a token.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such token in the workspace.
    async fn remove_api_token(
        &self,
        workspace: WorkspaceId,
        token: ApiTokenId,
    ) -> Result<(), StoreError>;
}
