//! A connection to a delivery service: what is kept about it and what may be.
//!
//! [`Connection`] is what was stored, [`NewConnection`] and [`ConnectionChange`] are what a caller wants.
//! A secret is never part of one: it says only whether one is stored. Keep: every value here was made by a
//! constructor that checks it, and mode none has no place for credentials.

mod api;
mod smtp;
mod text;
mod trial;

use jiff::Timestamp;
use waxseal_proto::name::Mailbox;

pub use api::{ServiceConnection, ServiceName};
pub use smtp::{
    ClearTextException, ClearTextExceptionGrant, CustomSmtp, EncryptedMode, IpPreference,
    Mechanism, MinimumTls, PinnedKey, RelayHost, SignIn, Transport, Trust, TrustPem,
};
pub use text::{FieldError, HttpsUrl, OneLine};
pub use trial::{NewTrial, Trial, TrialKind, TrialOutcome};

use crate::connections::SealedSecret;
use crate::id::{ConnectionId, WorkspaceId};

/// A stored connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its identifier.
    pub id: ConnectionId,
    /// The workspace it belongs to.
    pub workspace: WorkspaceId,
    /// What people call it; unique in the workspace.
    pub name: OneLine,
    /// How it sends.
    pub settings: Settings,
    /// Whether it may be used.
    pub enabled: bool,
    /// Whether a secret is stored.
    pub secret: SecretState,
    /// What its tests say.
    pub state: ConnectionState,
    /// Counts the changes of settings and secret, from 1. A test belongs to one revision.
    pub revision: u64,
    /// The newest test, also when it was of an earlier revision.
    pub last_test: Option<Trial>,
    /// The newest verification without a message.
    pub last_verify: Option<Trial>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When settings or secret last changed.
    pub changed_at: Timestamp,
}

impl Connection {
    /// Whether everything it sends is encrypted. Only mode none is not.
    pub const fn encrypts(&self) -> bool {
        match &self.settings.kind {
            ConnectionKind::Api(_) => true,
            ConnectionKind::Smtp(smtp) => matches!(smtp.transport, Transport::Encrypted { .. }),
        }
    }
}

/// What decides how a connection sends; any change makes it untested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The service and how it is reached.
    pub kind: ConnectionKind,
    /// The name beside the From address.
    pub from_name: Option<OneLine>,
    /// The From address.
    pub from_address: Mailbox,
}

/// A built-in service or any SMTP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionKind {
    /// A built-in delivery service by its HTTPS API.
    Api(ServiceConnection),
    /// A server of the person's choice.
    Smtp(CustomSmtp),
}

impl ConnectionKind {
    /// The stable word.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Api(_) => "api",
            Self::Smtp(_) => "smtp",
        }
    }

    /// Whether a secret may be stored; mode none never signs in and so never holds one.
    pub const fn may_hold_secret(&self) -> bool {
        match self {
            Self::Api(_) => true,
            Self::Smtp(smtp) => matches!(smtp.transport, Transport::Encrypted { .. }),
        }
    }
}

/// Whether a connection holds a secret. The secret itself is never shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretState {
    /// None was given.
    Missing,
    /// One is stored.
    Stored {
        /// Since when.
        changed_at: Timestamp,
    },
}

/// What the tests of a connection say about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConnectionState {
    /// The newest test of these settings did not pass.
    Failing,
    /// The newest test of these settings passed.
    Passing,
    /// Never tested since it was last changed.
    Untested,
}

impl ConnectionState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Failing, Self::Passing, Self::Untested];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failing => "failing",
            Self::Passing => "passing",
            Self::Untested => "untested",
        }
    }

    /// The state of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// A connection to be made. It begins enabled and untested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewConnection {
    /// Its identifier, so that a secret can be sealed for it before it exists.
    pub id: ConnectionId,
    /// What people call it.
    pub name: OneLine,
    /// How it sends.
    pub settings: Settings,
    /// Its secret, sealed for its identifier.
    pub secret: Option<SealedSecret>,
}

/// What becomes of the secret of a connection when its settings are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretWrite {
    /// It stays as it is.
    Keep,
    /// It is removed, if there is one.
    Remove,
    /// It is stored in place of what was there.
    Set(SealedSecret),
}

/// New name, settings and secret for a connection, all of them or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionChange {
    /// Which one.
    pub id: ConnectionId,
    /// The revision that the caller saw; the change is refused when there is a newer one.
    pub seen_revision: u64,
    /// The name, changed or not.
    pub name: OneLine,
    /// All settings, changed or not.
    pub settings: Settings,
    /// What becomes of the secret, in the same write: nobody meets new settings with the old secret.
    pub secret: SecretWrite,
}

/// Whether a connection may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It is shown and kept, and nothing is sent over it.
    Disabled,
    /// It may be used once its test passed.
    Enabled,
}

/// Something that uses a connection and protects it from being deleted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder {
    /// What it is, one word such as `broadcast`.
    pub kind: OneLine,
    /// Which one.
    pub id: OneLine,
}
