//! People of a workspace: names, roles, hashes of passwords; their sessions; links that let somebody in once;
//! and the log of who changed what. No secret is readable here.
//!
//! The trait is [`People`]. Keep: a session or link that ended is not found, a link is taken by one only, and a
//! new password ends every session of its person.

mod sqlite;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::error::StoreError;
use crate::id::{UserId, WorkspaceId};
use crate::token::TokenHash;

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Look.
    Viewer,
    /// Look, test and send.
    Sender,
    /// Everything, people included.
    Owner,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Sender, Self::Owner];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Sender => "sender",
            Self::Viewer => "viewer",
        }
    }

    /// The role of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The identifier.
    pub id: UserId,
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The name to sign in with; no other person of the installation has it.
    pub name: String,
    /// What the person may do.
    pub role: Role,
    /// Since when.
    pub created_at: Timestamp,
}

/// A password as it is stored: the text form of its hash. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PasswordHash(..)")
    }
}

/// A session to be stored.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// What the browser shows.
    pub token: TokenHash,
    /// Whose.
    pub user: UserId,
    /// What forms of this session carry.
    pub form_token: String,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
}

/// A session that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose.
    pub user: User,
    /// What forms of this session carry.
    pub form_token: String,
    /// Until when.
    pub expires_at: Timestamp,
}

/// A link that lets somebody in once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryLink {
    /// The role of the new person.
    pub role: Role,
    /// The person who gets a new password; a new person without.
    pub user: Option<UserId>,
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Until when.
    pub expires_at: Timestamp,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who: a name, or the command line.
    pub who: String,
    /// What was done, as a word.
    pub what: String,
    /// To what.
    pub subject: String,
}

/// The people of all workspaces.
#[async_trait]
pub trait People: Send + Sync {
    /// Stores a new person.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] for a name that somebody has.
    async fn add_user(&self, user: &User, password: &PasswordHash) -> Result<(), StoreError>;

    /// The people of a workspace, by name.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn users(&self, workspace: WorkspaceId) -> Result<Vec<User>, StoreError>;

    /// The person of that name with the hash of the password.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn user_named(&self, name: &str) -> Result<Option<(User, PasswordHash)>, StoreError>;

    /// Replaces a password and ends every session of the person.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such person.
    async fn set_password(
        &self,
        workspace: WorkspaceId,
        user: UserId,
        password: &PasswordHash,
    ) -> Result<(), StoreError>;

    /// Begins a session.
    ///
    /// # Errors
    /// A person who is not there.
    async fn begin_session(
        &self,
        workspace: WorkspaceId,
        session: &NewSession,
    ) -> Result<(), StoreError>;

    /// The session of a token; none when it ended.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn session(
        &self,
        token: TokenHash,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError>;

    /// Ends one session.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn end_session(&self, token: TokenHash) -> Result<(), StoreError>;

    /// Ends every session of a person and says how many that were.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn end_sessions(&self, workspace: WorkspaceId, user: UserId) -> Result<u64, StoreError>;

    /// Stores a link.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn add_entry(
        &self,
        token: TokenHash,
        link: &EntryLink,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// The link of a token; none when it ended or was taken.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn entry(
        &self,
        token: TokenHash,
        now: Timestamp,
    ) -> Result<Option<EntryLink>, StoreError>;

    /// Takes a link: of several who try, one gets it.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn take_entry(
        &self,
        token: TokenHash,
        now: Timestamp,
    ) -> Result<Option<EntryLink>, StoreError>;

    /// Ends the links for new people of a role that were made to hold so long or less, and says how many that
    /// were. Those that hold longer, and those for a new password, stay.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn end_entries(
        &self,
        workspace: WorkspaceId,
        role: Role,
        holding_at_most: SignedDuration,
    ) -> Result<u64, StoreError>;

    /// Adds a line to the log.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn note(&self, workspace: WorkspaceId, entry: &AuditEntry) -> Result<(), StoreError>;

    /// The newest lines of the log.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn notes(
        &self,
        workspace: WorkspaceId,
        rows_max: u32,
    ) -> Result<Vec<AuditEntry>, StoreError>;

    /// Drops sessions and links that ended.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn drop_ended_entries(&self, now: Timestamp) -> Result<u64, StoreError>;
}
