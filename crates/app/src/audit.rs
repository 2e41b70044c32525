//! Who changed what: one line in the log of a workspace for every change that a person or program makes there.
//!
//! The way in is [`note`]. Keep: no line holds a secret.

use crate::connections::{SecretChange, Wanted};
use crate::store::{Data, Store, StoreError};
use jiff::Timestamp;
use waxseal_store::id::WorkspaceId;
use waxseal_store::people::{AuditEntry, People as _};

/// The word for an edit of a connection: the weightiest of what it changes.
pub const fn word_of(wanted: &Wanted) -> &'static str {
    match (&wanted.exception, &wanted.secret) {
        (Some(_), _) => "connection.exception",
        (None, SecretChange::Set(_)) => "connection.secret-set",
        (None, SecretChange::Remove) => "connection.secret-removed",
        (None, SecretChange::Keep) => "connection.changed",
    }
}

/// Adds a line: `who` is a name, `what` a word such as `connection.added`, `subject` what it was done to.
///
/// # Errors
/// Whatever the store says.
pub async fn note(
    data: &Data,
    who: &str,
    what: &str,
    subject: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    note_in((data.store(), data.workspace()), who, what, subject, now).await
}

/// Adds a line to the log of a workspace.
pub(crate) async fn note_in(
    (store, workspace): (&Store, WorkspaceId),
    who: &str,
    what: &str,
    subject: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    let entry =
        AuditEntry { at, who: who.to_owned(), what: what.to_owned(), subject: subject.to_owned() };
    store.note(workspace, &entry).await
}
