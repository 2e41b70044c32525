//! People who sign in: the one-time link of the first start, invitations, forgotten passwords; sessions; and the
//! log of what they changed. Passwords are hashed with argon2id (RFC 9106), a few at once.
//!
//! The ways in are [`Accounts`] and, for the people of one workspace, [`Team`]. Keep: an unknown name takes as long as a wrong password and is answered alike, and
//! no secret is in an error or in the log.

use crate::audit;
use crate::check_desk::Budget;
use crate::limits::{
    AUDIT_SHOWN_MAX, HASHES_AT_ONCE, INVITATION_HOLDS, NAME_CHARS_MAX, PASSWORD_CHARS_MAX,
    PASSWORD_CHARS_MIN, SESSION_HOLDS, SETUP_HOLDS, SIGN_INS_PER_CLIENT, SIGN_INS_PERIOD,
};
use crate::store::DataError;
use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use jiff::Timestamp;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use waxseal_store::id::{NoRandomness, UserId, WorkspaceId};
use waxseal_store::people::{NewSession, PasswordHash, People as _};
use waxseal_store::{Store, StoreError};

pub use waxseal_store::people::{AuditEntry, EntryLink, Role, Session, User};
pub use waxseal_store::token::{Token, TokenHash};

/// Why somebody does not come in.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Name and password do not belong together, or there is no such person; nobody is told which.
    #[error("name and password do not belong together")]
    Wrong,
    /// Too many tries.
    #[error("too many tries; wait {} seconds", again_in.as_secs() + 1)]
    TooMany {
        /// Until the next one.
        again_in: Duration,
    },
    /// The link was used, ended, or never was.
    #[error("this link was used already, or it ended")]
    Link,
    /// The name cannot be one.
    #[error("a name has 1 to {NAME_CHARS_MAX} letters, digits or . _ - @ +")]
    Name,
    /// Somebody has the name.
    #[error("somebody has this name already")]
    NameTaken,
    /// The password is too short or too long.
    #[error("a password has {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters")]
    Password,
    /// There is no such person.
    #[error("nobody has this name")]
    Nobody,
    /// This program could not do its own job.
    #[error("people and sessions could not be read or written")]
    Store(#[source] StoreError),
    /// What is kept could not be opened.
    #[error("what is kept of this workspace could not be opened")]
    Data(#[from] DataError),
    /// The system gave no random numbers.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The hash could not be made.
    #[error("the password could not be hashed")]
    Hash,
}

impl From<StoreError> for AccountError {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::NameTaken { .. }) {
            return Self::NameTaken;
        }
        Self::Store(error)
    }
}

/// The people of one installation.
#[derive(Clone, Debug)]
pub struct Accounts {
    store: Store,
    tries: Arc<Budget>,
    hashing: Arc<Semaphore>,
}

/// A session that just began: its secret is shown to the browser once.
#[derive(Debug)]
pub struct Entered {
    /// The secret.
    pub token: Token,
    /// Who came in.
    pub name: String,
}

impl Accounts {
    /// The people of a store.
    pub fn new(store: Store) -> Self {
        Self {
            store,
            tries: Arc::new(Budget::new(SIGN_INS_PER_CLIENT, SIGN_INS_PERIOD)),
            hashing: Arc::new(Semaphore::new(HASHES_AT_ONCE)),
        }
    }

    /// The people of one workspace.
    pub const fn team(&self, workspace: WorkspaceId) -> Team<'_> {
        Team { store: &self.store, workspace }
    }

    /// The link of a token, without taking it.
    ///
    /// # Errors
    /// [`AccountError::Link`], and the others.
    pub async fn entry(&self, token: TokenHash, now: Timestamp) -> Result<EntryLink, AccountError> {
        self.store.entry(token, now).await?.ok_or(AccountError::Link)
    }

    /// Comes in by a link: a new person with this name, or a new password for the person of the link.
    ///
    /// # Errors
    /// [`AccountError`]; a name that is taken or a bad password leaves the link as it is.
    pub async fn enter(
        &self,
        token: TokenHash,
        (name, password): (&str, &str),
        now: Timestamp,
    ) -> Result<Entered, AccountError> {
        let link = self.entry(token, now).await?;
        let name = name.trim();
        if link.user.is_none() {
            check_name(name)?;
            if self.store.user_named(name).await?.is_some() {
                return Err(AccountError::NameTaken);
            }
        }
        let hash = self.hash(password).await?;
        let link = self.store.take_entry(token, now).await?.ok_or(AccountError::Link)?;
        let user = if let Some(id) = link.user {
            self.store.set_password(link.workspace, id, &hash).await?;
            let users = self.store.users(link.workspace).await?;
            users.into_iter().find(|user| user.id == id).ok_or(AccountError::Link)?
        } else {
            let (name, role, workspace) = (name.to_owned(), link.role, link.workspace);
            let user = User { id: UserId::new(now)?, workspace, name, role, created_at: now };
            self.store.add_user(&user, &hash).await?;
            user
        };
        let team = self.team(user.workspace);
        if user.role == Role::Owner {
            team.end_first_links().await?;
        }
        let what = if link.user.is_some() { "user.new-password" } else { "user.added" };
        team.note(now, (&user.name, what, &user.name)).await?;
        self.begin(user, now).await
    }

    /// Signs in.
    ///
    /// # Errors
    /// [`AccountError::Wrong`] for a wrong password and for an unknown name alike.
    pub async fn sign_in(
        &self,
        (name, password): (&str, &str),
        client: IpAddr,
        now: Timestamp,
    ) -> Result<Entered, AccountError> {
        self.tries.take(client).map_err(|again_in| AccountError::TooMany { again_in })?;
        if password.chars().count() > PASSWORD_CHARS_MAX {
            return Err(AccountError::Wrong);
        }
        match self.store.user_named(name.trim()).await? {
            Some((user, hash)) if self.fits(password, hash.clone()).await? => {
                let team = self.team(user.workspace);
                team.note(now, (&user.name, "session.began", &user.name)).await?;
                self.begin(user, now).await
            }
            Some(_) => Err(AccountError::Wrong),
            None => {
                // As much work as for somebody who is there.
                self.hash(&"x".repeat(PASSWORD_CHARS_MIN)).await?;
                Err(AccountError::Wrong)
            }
        }
    }

    async fn begin(&self, user: User, now: Timestamp) -> Result<Entered, AccountError> {
        let token = Token::new()?;
        let session = NewSession {
            token: token.hash(),
            user: user.id,
            form_token: Token::new()?.expose().to_owned(),
            created_at: now,
            expires_at: now + SESSION_HOLDS,
        };
        self.store.begin_session(user.workspace, &session).await?;
        Ok(Entered { token, name: user.name })
    }

    /// The session of a token; none when it ended.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn session(
        &self,
        token: TokenHash,
        now: Timestamp,
    ) -> Result<Option<Session>, AccountError> {
        Ok(self.store.session(token, now).await?)
    }

    /// Ends one session.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn sign_out(&self, token: TokenHash) -> Result<(), AccountError> {
        Ok(self.store.end_session(token).await?)
    }

    /// Ends every session of a person.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn sign_out_everywhere(
        &self,
        user: &User,
        now: Timestamp,
    ) -> Result<u64, AccountError> {
        let ended = self.store.end_sessions(user.workspace, user.id).await?;
        let team = self.team(user.workspace);
        team.note(now, (&user.name, "session.all-ended", &user.name)).await?;
        Ok(ended)
    }

    /// Drops sessions and links that ended.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn tidy(&self, now: Timestamp) -> Result<u64, AccountError> {
        Ok(self.store.drop_ended_entries(now).await?)
    }

    async fn hash(&self, password: &str) -> Result<PasswordHash, AccountError> {
        let count = password.chars().count();
        if !(PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&count) {
            return Err(AccountError::Password);
        }
        let password = password.to_owned();
        self.aside(move || {
            let hash = Argon2::default().hash_password(password.as_bytes());
            hash.map(|hash| PasswordHash(hash.to_string())).map_err(|_| AccountError::Hash)
        })
        .await
    }

    async fn fits(&self, password: &str, hash: PasswordHash) -> Result<bool, AccountError> {
        let password = password.to_owned();
        self.aside(move || {
            let parsed = argon2::password_hash::phc::PasswordHash::new(&hash.0)
                .map_err(|_| AccountError::Hash)?;
            Ok(Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok())
        })
        .await
    }

    /// Hashes on a thread of its own, a few at once: each takes some 20 MiB.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, AccountError> + Send + 'static,
    ) -> Result<T, AccountError> {
        let _place = self.hashing.acquire().await.map_err(|_| AccountError::Hash)?;
        tokio::task::spawn_blocking(work).await.map_err(|_| AccountError::Hash)?
    }
}

/// The people of one workspace, for whoever may see them: always that of the person who asks.
#[derive(Clone, Copy, Debug)]
pub struct Team<'a> {
    store: &'a Store,
    workspace: WorkspaceId,
}

impl Team<'_> {
    /// A link by which the first owner comes in; none when there is an owner. It ends the ones before it.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn first_link(&self, now: Timestamp) -> Result<Option<Token>, AccountError> {
        self.end_first_links().await?;
        let users = self.store.users(self.workspace).await?;
        if users.iter().any(|user| user.role == Role::Owner) {
            return Ok(None);
        }
        let link = self.link(Role::Owner, None, now + SETUP_HOLDS);
        self.add_link(link, now).await.map(Some)
    }

    /// Invitations hold longer and are no first links.
    async fn end_first_links(&self) -> Result<(), AccountError> {
        self.store.end_entries(self.workspace, Role::Owner, SETUP_HOLDS).await?;
        Ok(())
    }

    /// A link by which a new person comes in.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn invite(
        &self,
        role: Role,
        who: &str,
        now: Timestamp,
    ) -> Result<Token, AccountError> {
        let token = self.add_link(self.link(role, None, now + INVITATION_HOLDS), now).await?;
        self.note(now, (who, "user.invited", role.as_str())).await?;
        Ok(token)
    }

    /// A link by which a person gets a new password. The old one works until then.
    ///
    /// # Errors
    /// [`AccountError::Nobody`], and the others.
    pub async fn reset(
        &self,
        name: &str,
        who: &str,
        now: Timestamp,
    ) -> Result<Token, AccountError> {
        let found = self.store.user_named(name).await?;
        let Some((user, _)) = found.filter(|(user, _)| user.workspace == self.workspace) else {
            return Err(AccountError::Nobody);
        };
        let token =
            self.add_link(self.link(user.role, Some(user.id), now + SETUP_HOLDS), now).await?;
        self.note(now, (who, "user.reset-link", name)).await?;
        Ok(token)
    }

    const fn link(&self, role: Role, user: Option<UserId>, expires_at: Timestamp) -> EntryLink {
        EntryLink { role, user, workspace: self.workspace, expires_at }
    }

    async fn add_link(&self, link: EntryLink, now: Timestamp) -> Result<Token, AccountError> {
        let token = Token::new()?;
        self.store.add_entry(token.hash(), &link, now).await?;
        Ok(token)
    }

    /// The people, by name.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn people(&self) -> Result<Vec<User>, AccountError> {
        Ok(self.store.users(self.workspace).await?)
    }

    /// The newest lines of the log.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn log(&self) -> Result<Vec<AuditEntry>, AccountError> {
        Ok(self.store.notes(self.workspace, AUDIT_SHOWN_MAX).await?)
    }

    async fn note(
        &self,
        at: Timestamp,
        (who, what, subject): (&str, &str, &str),
    ) -> Result<(), AccountError> {
        Ok(audit::note_in((self.store, self.workspace), who, what, subject, at).await?)
    }
}

fn check_name(name: &str) -> Result<(), AccountError> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | '+');
    let fits =
        !name.is_empty() && name.chars().count() <= NAME_CHARS_MAX && name.chars().all(plain);
    if fits { Ok(()) } else { Err(AccountError::Name) }
}

/// How long a session holds, in seconds, for the browser.
pub const SESSION_SECONDS: i64 = SESSION_HOLDS.as_secs();
