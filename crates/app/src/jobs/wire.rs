//! A job as the pages, the HTTP interface and the tools for agents show it: one set of field names.

use super::run::End;
use super::{Fault, JobError, TrialKind};
use crate::connections::wire::{AccountView, time};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use waxseal_check::report::send::wire::{SendV1, StepV1};
use waxseal_store::connection::Trial;
use waxseal_store::id::{ConnectionId, TrialId};

/// A test send or a verification.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct JobView {
    /// Its identifier: that of its record.
    pub id: String,
    /// test or verify.
    pub kind: &'static str,
    /// The identifier of the connection.
    pub connection: String,
    /// When it began.
    pub began_at: String,
    /// running, ended or failed; failed is this program's own failure or refusal, never the other side's.
    pub state: &'static str,
    /// Nothing was sent now: this is the outcome of an earlier test of the same key.
    pub repeated: bool,
    /// The steps so far.
    pub steps: Vec<StepV1>,
    /// What came of it; null while it runs, and when a service has no such question.
    pub result: Option<SendV1>,
    /// What the account of a service says about itself.
    pub account: Option<AccountView>,
    /// Why it failed.
    pub problem: Option<JobProblem>,
}

/// Why a job failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct JobProblem {
    /// In words.
    pub text: String,
    /// What to do next.
    pub hint: Option<String>,
    /// What kind of failure it is.
    #[serde(skip)]
    pub fault: Fault,
}

impl JobView {
    /// A job that runs.
    pub(super) fn running(
        (id, connection, kind): (TrialId, ConnectionId, TrialKind),
        began: Timestamp,
        steps: Vec<StepV1>,
    ) -> Self {
        Self {
            id: id.to_string(),
            kind: kind.as_str(),
            connection: connection.to_string(),
            began_at: time(began),
            state: "running",
            repeated: false,
            steps,
            result: None,
            account: None,
            problem: None,
        }
    }

    /// The same job once it is over.
    pub(super) fn ended(self, end: &End) -> Self {
        match end {
            End::Tested(tested) => Self {
                repeated: tested.repeated,
                began_at: if tested.repeated {
                    tested.sent.began_at.clone()
                } else {
                    self.began_at.clone()
                },
                ..self.with_result(Some(tested.sent.clone()))
            },
            End::Verified(seen) => {
                Self { account: seen.account.clone(), ..self.with_result(seen.result.clone()) }
            }
            End::Refused(error) => {
                Self { state: "failed", problem: Some(JobProblem::of(error)), ..self }
            }
        }
    }

    /// A job whose record is all that is left of it.
    pub(super) fn stored(connection: ConnectionId, kind: TrialKind, trial: &Trial) -> Self {
        let result = serde_json::from_str(&trial.detail).ok();
        Self::running((trial.id, connection, kind), trial.started_at, Vec::new())
            .with_result(result)
    }

    fn with_result(self, result: Option<SendV1>) -> Self {
        let steps = result.as_ref().map_or(self.steps, |result| result.steps.clone());
        Self { state: "ended", steps, result, ..self }
    }
}

impl JobProblem {
    fn of(error: &JobError) -> Self {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        Self { text, hint: error.hint(), fault: error.fault() }
    }
}
