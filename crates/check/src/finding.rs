//! A finding as data: a code, the case that applies, a subject and what was seen. No sentence is built here;
//! the words come from the guides when a report is made ([`crate::report`]).

use waxseal_proto::finding::Code;

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The code.
    pub code: Code,
    /// Which case of the finding's file applies.
    pub when: When,
    /// The domain, host, or host with address, that it is about.
    pub subject: String,
    /// What was seen, most telling first.
    pub evidence: Vec<Evidence>,
}

/// The case of a finding: path, policy, or what else changes its severity or owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct When(pub &'static str);

/// The same for every path.
pub const ANY: When = When("any");
/// Path A: from the app to its delivery service.
pub const PATH_A: When = When("a");
/// Path A over the interface of a built-in service, whose host nobody chose.
pub const PATH_API: When = When("api");
/// Path B: towards the receiving MX.
pub const PATH_B: When = When("b");
/// A judgement that both paths share.
pub(crate) const BOTH: &[When] = &[PATH_A, PATH_B];

/// One thing that was seen, with what it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    /// What it is, for example `reply` or `notAfter`.
    pub label: &'static str,
    /// The value as seen; foreign text, escaped where it is shown.
    pub value: String,
}

impl Finding {
    /// A finding without evidence yet.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers pass names, addresses and references alike"
    )]
    pub fn new(code: Code, when: When, subject: impl ToString) -> Self {
        Self { code, when, subject: subject.to_string(), evidence: Vec::new() }
    }

    /// Adds one thing that was seen.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers pass names, addresses and references alike"
    )]
    pub fn with(mut self, label: &'static str, value: impl ToString) -> Self {
        self.evidence.push(Evidence { label, value: value.to_string() });
        self
    }
}
