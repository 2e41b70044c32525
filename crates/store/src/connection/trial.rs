//! One test or verification of a connection: what was tried, of which revision, and what came of it.

use jiff::Timestamp;

use crate::id::{ConnectionId, TrialId};

/// With a message or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrialKind {
    /// A real message was to be sent. Only a test decides the state of a connection.
    Test,
    /// Settings and credentials were tried without a message.
    Verify,
}

impl TrialKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Test, Self::Verify];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Verify => "verify",
        }
    }

    /// The kind of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrialOutcome {
    /// The service took the message, or said that it would. The only one that passes.
    Accepted,
    /// It did not come to an answer about the message.
    Failed,
    /// The service refused it.
    Rejected,
    /// The connection was lost when the message may have been taken.
    Unknown,
}

impl TrialOutcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Accepted, Self::Failed, Self::Rejected, Self::Unknown];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
        }
    }

    /// The outcome of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }
}

/// A trial to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTrial {
    /// Its identifier.
    pub id: TrialId,
    /// The connection.
    pub connection: ConnectionId,
    /// The revision of the settings that were tried.
    pub revision: u64,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What came of it.
    pub outcome: TrialOutcome,
    /// Steps, transcript and findings as JSON, without secrets; the caller knows their shape.
    pub detail: String,
}

/// A recorded trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// Its identifier.
    pub id: TrialId,
    /// The revision of the settings that were tried; older than the connection's when it was changed since.
    pub revision: u64,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What came of it.
    pub outcome: TrialOutcome,
    /// The JSON that was recorded.
    pub detail: String,
}
