//! Why the store could not do what was asked: the caller's request, the files, or the database.
//!
//! Texts name the thing and hold no secret; the cause is reachable by `source()`.

use std::path::PathBuf;

use crate::id::{ConnectionId, NoRandomness};
use crate::keys::{KeyId, KeysError};
use crate::sealed::SealError;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file is no database of this program.
    #[error("{} is not a Waxseal database", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// A newer program wrote the database.
    #[error("{} has schema {found}, this program knows up to {known}; use the newer program", path.display())]
    NewerSchema {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest one of this program.
        known: i64,
    },
    /// A file that must belong to one person alone can be reached by others.
    #[error("{} can be reached by other users (mode {mode:o}); run chmod {wanted:o} on it", path.display())]
    Permissions {
        /// The file or folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// What they must be.
        wanted: u32,
    },
    /// Something is there already and would be overwritten.
    #[error("{} exists already and is not overwritten", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file could not be read or written.
    #[error("cannot {doing} {}", path.display())]
    File {
        /// The verb.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another process holds the lock.
    #[error("{} is in use by another process", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// A damaged database file.
    #[error("the database {} is damaged: {problem}", path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// The first thing that its own check names.
        problem: String,
    },
    /// SQLite could not do it.
    #[error("the database could not {doing}")]
    Database {
        /// The verb.
        doing: &'static str,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// A stored row does not hold what this program writes.
    #[error("a stored row of {table} is damaged: {problem}")]
    Row {
        /// The table.
        table: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// A value that is larger than its limit.
    #[error("{what} has more than {limit}")]
    TooLarge {
        /// What.
        what: &'static str,
        /// The limit with its unit.
        limit: String,
    },
    /// There is no such row in the workspace.
    #[error("there is no {what} '{id}'")]
    NotFound {
        /// What kind of row.
        what: &'static str,
        /// What was asked for.
        id: String,
    },
    /// The name is taken.
    #[error("there is already a {what} called '{name}'")]
    NameTaken {
        /// What kind of row.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Somebody changed the connection since it was read.
    #[error("connection {id} was changed meanwhile; read it again")]
    ChangedMeanwhile {
        /// The connection.
        id: ConnectionId,
    },
    /// The connection is used by something and cannot be deleted.
    #[error("connection {id} is in use by {holder}")]
    InUse {
        /// The connection.
        id: ConnectionId,
        /// Who uses it, one of them.
        holder: String,
    },
    /// A connection without encryption holds no credentials.
    #[error("connection {id} has mode none, which never signs in; it cannot hold a secret")]
    SecretNotAllowed {
        /// The connection.
        id: ConnectionId,
    },
    /// A key that this database does not know, or no longer.
    #[error("key {id} is not a master key of this database; read the master keys again")]
    KeyNotKnown {
        /// The key.
        id: KeyId,
    },
    /// Secrets need a key that is not there.
    #[error("{} sealed with key {id}, which is not among the master keys", count(*secrets, "secret was", "secrets were"))]
    KeyMissing {
        /// The key.
        id: KeyId,
        /// How many need it.
        secrets: i64,
    },
    /// A key that still opens something cannot be retired.
    #[error("key {id} still opens {}; rotate first", count(*secrets, "secret", "secrets"))]
    KeyInUse {
        /// The key.
        id: KeyId,
        /// How many need it.
        secrets: i64,
    },
    /// Sealing or opening failed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The master keys could not be read or made.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The system gave no random numbers.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// A test stopped the work at a chosen point.
    #[error("stopped before it was finished")]
    Stopped,
}

/// What kind of trouble SQLite is in, where it is one that a person can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseTrouble {
    /// Another process kept the lock for longer than [`crate::limits::BUSY_WAIT_MAX`].
    Busy,
    /// The file is damaged.
    Damaged,
    /// The disk has no room left.
    Full,
    /// The file cannot be written.
    ReadOnly,
}

impl StoreError {
    /// What the result code of SQLite (its lowest octet) says; `None` for every other error.
    pub fn trouble(&self) -> Option<DatabaseTrouble> {
        let Self::Database { source, .. } = self else {
            return None;
        };
        let code: u32 = source.as_database_error()?.code()?.parse().ok()?;
        match code & 0xff {
            5 | 6 => Some(DatabaseTrouble::Busy),
            8 => Some(DatabaseTrouble::ReadOnly),
            11 | 26 => Some(DatabaseTrouble::Damaged),
            13 => Some(DatabaseTrouble::Full),
            _ => None,
        }
    }

    /// For `map_err` on a statement.
    pub(crate) const fn database(doing: &'static str) -> impl Fn(sqlx::Error) -> Self {
        move |source| Self::Database { doing, source }
    }

    /// For `map_err` on a file operation.
    pub(crate) fn file(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { doing, path, source }
    }
}

/// A number with the right word beside it.
fn count(number: i64, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}
