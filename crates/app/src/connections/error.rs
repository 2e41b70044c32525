//! Why something could not be done with a connection: a field, the store, or what stands in the way.
//!
//! Texts name the thing and hold no value of a secret field; what to do next is [`ConnectionsError::hint`].

use jiff::Timestamp;
use waxseal_store::StoreError;
use waxseal_store::connection::{FieldError, TrialKind};

use super::form::NEEDS_EXCEPTION;
use crate::limits::TRIALS_MAX;
use crate::store::{DataError, is_of_the_machine, store_hint};
use crate::submission::SubmissionError;

/// A field that is missing or wrong, in the words of the command line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct FieldProblem {
    /// The field.
    pub field: String,
    /// What is wrong.
    pub problem: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl FieldProblem {
    /// For a field and a problem.
    pub(super) fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into(), hint: None }
    }

    /// With what to do next.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl FieldProblem {
    /// Whether mode none is wanted and nobody gave an exception for it.
    pub fn needs_exception(&self) -> bool {
        self.problem == NEEDS_EXCEPTION
    }
}

impl From<FieldError> for FieldProblem {
    fn from(error: FieldError) -> Self {
        Self::new(error.field, error.problem)
    }
}

/// What kind of failure it is, for an exit status or a status of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does not go together with what is stored.
    Conflict,
    /// What was asked for cannot be done as it stands.
    Input,
    /// Trouble of this machine; later it may work.
    Machine,
    /// There is no such thing.
    NotFound,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionsError {
    /// Somebody changed it since it was read.
    #[error("connection {name:?} was changed meanwhile; nothing was changed now")]
    ChangedMeanwhile {
        /// The connection.
        name: String,
    },
    /// The data could not be opened.
    #[error(transparent)]
    Data(#[from] DataError),
    /// It is disabled.
    #[error("connection {name:?} is disabled: nothing is sent and nobody signs in over it")]
    Disabled {
        /// The connection.
        name: String,
    },
    /// A field.
    #[error(transparent)]
    Field(#[from] FieldProblem),
    /// It is in use.
    #[error("connection {name:?} is in use by {holder} and is not removed")]
    InUse {
        /// The connection.
        name: String,
        /// What uses it, one of them.
        holder: String,
    },
    /// There is none.
    #[error("there is no connection {name:?}")]
    NotFound {
        /// What was asked for.
        name: String,
    },
    /// The stored secret was given for another host, service or trust.
    #[error("connection {name:?} has a secret that was given for its present host and trust")]
    SecretForElsewhere {
        /// The connection.
        name: String,
    },
    /// Mode none holds no secret.
    #[error("connection {name:?} has a stored secret, and mode none never signs in")]
    SecretInTheWay {
        /// The connection.
        name: String,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An attempt could not be made.
    #[error(transparent)]
    Submission(#[from] SubmissionError),
    /// Too many tests or verifications within a short time.
    #[error("connection {name:?} was {} {TRIALS_MAX} times within ten minutes", done(*kind))]
    TooMany {
        /// The connection.
        name: String,
        /// What was done too often.
        kind: TrialKind,
        /// When the next may begin.
        free_at: Timestamp,
    },
}

const fn done(kind: TrialKind) -> &'static str {
    match kind {
        TrialKind::Test => "tested",
        TrialKind::Verify => "verified",
    }
}

impl From<FieldError> for ConnectionsError {
    fn from(error: FieldError) -> Self {
        Self::Field(error.into())
    }
}

impl ConnectionsError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::ChangedMeanwhile { .. } => Some("look at it and try again".to_owned()),
            Self::Data(error) => error.hint(),
            Self::Disabled { name } => Some(format!("waxseal connection enable {name}")),
            Self::Field(problem) => problem.hint.clone(),
            Self::InUse { .. } => Some("end what uses it, or disable the connection".to_owned()),
            Self::NotFound { .. } => Some("waxseal connection list shows all".to_owned()),
            Self::SecretForElsewhere { .. } => Some(
                "give it again in the same command: --ask-secret, or --secret-file FILE; or --remove-secret"
                    .to_owned(),
            ),
            Self::SecretInTheWay { .. } => {
                Some("--remove-secret removes it in the same command".to_owned())
            }
            Self::Store(error) => store_hint(error),
            Self::Submission(_) => None,
            Self::TooMany { free_at, .. } => Some(format!("the next may begin at {free_at}")),
        }
    }

    /// Whether another connection has the name.
    pub const fn is_name_taken(&self) -> bool {
        matches!(self, Self::Store(StoreError::NameTaken { .. }))
    }

    /// What kind of failure it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Data(error) if error.is_of_the_machine() => Fault::Machine,
            Self::Store(StoreError::NameTaken { .. })
            | Self::ChangedMeanwhile { .. }
            | Self::Disabled { .. }
            | Self::InUse { .. }
            | Self::SecretForElsewhere { .. }
            | Self::SecretInTheWay { .. } => Fault::Conflict,
            Self::Store(error) if is_of_the_machine(error) => Fault::Machine,
            Self::Submission(SubmissionError::World(_)) | Self::TooMany { .. } => Fault::Machine,
            Self::NotFound { .. } => Fault::NotFound,
            Self::Data(_) | Self::Field(_) | Self::Store(_) | Self::Submission(_) => Fault::Input,
        }
    }
}
