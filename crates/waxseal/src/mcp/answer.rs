//! What a tool answers: a JSON object with the guide sections of its findings, or a refusal with a code, what
//! happened and what to do next.

use super::untrusted::visible;
use crate::limits::{MCP_CHECKS_AT_ONCE, MCP_GUIDE_SECTIONS_MAX};
use rmcp::model::CallToolResult;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write as _;
use waxseal_app::connections::{ConnectionsError, Fault};
use waxseal_app::jobs::JobError;
use waxseal_app::jobs::wire::JobProblem;
use waxseal_app::secret_link::SecretLinkError;
use waxseal_app::store::DataError;

/// Why a tool did nothing, as it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Refused {
    /// busy, cancelled, conflict, input, machine, not-found or scope.
    code: &'static str,
    /// What happened.
    message: String,
    /// What to do next.
    hint: Option<String>,
}

/// Why a tool did nothing. The fault of a server that was looked at is never one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal(Refused);

/// A section of a guide, with its subsections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct GuideSection {
    /// PAGE#SECTION.
    pub(super) guide: String,
    /// Its heading.
    pub(super) heading: String,
    /// Its text.
    pub(super) markdown: String,
}

impl Refusal {
    /// With a code that programs can rely on.
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self(Refused { code, message: message.into(), hint: None })
    }

    /// An argument that is wrong.
    pub(super) fn argument(name: &str, problem: impl std::fmt::Display) -> Self {
        Self::new("input", format!("{name}: {problem}"))
    }

    /// With what to do next.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// As much runs as may.
    pub(super) fn busy() -> Self {
        let message = format!("{MCP_CHECKS_AT_ONCE} checks run already");
        Self::new("busy", message).hint("wait for one of them to end")
    }

    /// Nobody waits for the answer any more.
    pub(super) fn cancelled() -> Self {
        Self::new("cancelled", "the call was cancelled")
    }

    /// A job that this program could not do.
    pub(super) fn of_job(problem: JobProblem) -> Self {
        let JobProblem { text, hint, fault } = problem;
        Self(Refused { code: word(fault), message: text, hint })
    }

    fn of_fault(fault: Fault, error: &dyn std::error::Error, hint: Option<String>) -> Self {
        Self(Refused { code: word(fault), message: chain(error), hint })
    }
}

const fn word(fault: Fault) -> &'static str {
    match fault {
        Fault::Conflict => "conflict",
        Fault::Input => "input",
        Fault::Machine => "machine",
        Fault::NotFound => "not-found",
    }
}

impl From<ConnectionsError> for Refusal {
    fn from(error: ConnectionsError) -> Self {
        Self::of_fault(error.fault(), &error, error.hint())
    }
}

impl From<DataError> for Refusal {
    fn from(error: DataError) -> Self {
        if let DataError::NothingThere { .. } = error {
            return Self::new("not-found", "no connection was ever added here")
                .hint("a person adds one with: waxseal connection add");
        }
        let fault = if error.is_of_the_machine() { Fault::Machine } else { Fault::Input };
        Self::of_fault(fault, &error, error.hint())
    }
}

impl From<JobError> for Refusal {
    fn from(error: JobError) -> Self {
        if matches!(error, JobError::Busy) {
            return Self(Refused { code: "busy", message: chain(&error), hint: error.hint() });
        }
        Self::of_fault(error.fault(), &error, error.hint())
    }
}

impl From<SecretLinkError> for Refusal {
    fn from(error: SecretLinkError) -> Self {
        Self::of_fault(error.fault(), &error, error.hint())
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    crate::cli::error::chain(error)
}

/// The result of a tool.
pub(super) fn result(answer: Result<Value, Refusal>) -> CallToolResult {
    match answer {
        Ok(mut value) => {
            visible(&mut value);
            CallToolResult::structured(value)
        }
        Err(Refusal(refused)) => {
            let mut value = serde_json::to_value(refused).unwrap_or_default();
            visible(&mut value);
            CallToolResult::structured_error(value)
        }
    }
}

/// The guide sections of findings, each once, in the order of the findings: those that fail come first.
pub(super) fn guide_sections<'a>(guides: impl Iterator<Item = &'a str>) -> Vec<GuideSection> {
    let mut named: Vec<&str> = Vec::new();
    for guide in guides {
        if !named.contains(&guide) {
            named.push(guide);
        }
    }
    named.iter().take(MCP_GUIDE_SECTIONS_MAX).filter_map(|guide| section(guide)).collect()
}

/// One section with its subsections; none if there is no such section.
pub(super) fn section(guide: &str) -> Option<GuideSection> {
    let (name, anchor) = guide.split_once('#')?;
    let page = waxseal_guides::page(name)?;
    let parts = page.section_with_parts(anchor);
    let heading = parts.first()?.heading.clone();
    let mut markdown = String::new();
    for part in &parts {
        let marks = "#".repeat(usize::from(part.level));
        let _ = write!(markdown, "{marks} {}\n\n{}\n\n", part.heading, part.body.trim());
    }
    let markdown = markdown.trim_end().to_owned();
    Some(GuideSection { guide: guide.to_owned(), heading, markdown })
}
