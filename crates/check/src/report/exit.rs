//! The exit status of a check, from its report alone, so that every run of the same report ends alike.
//! The way in is [`exit_status`]; "could not be tested" never ends as good.

use super::wire::{ReportV1, VerdictV1};

/// From which severity on a finding is a problem.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailOn {
    /// `fail` findings.
    #[default]
    Fail,
    /// `warn` findings too.
    Warn,
}

/// 0: done and good. 1: done, and a problem was found. 2: the input was unusable. 3: could not be
/// determined. Several at once: 2 before 1 before 3 before 0.
pub fn exit_status(report: &ReportV1, fail_on: FailOn) -> u8 {
    let decided = report.findings.iter().filter(|finding| !finding.not_tested);
    let is_problem = |severity: &str| match fail_on {
        FailOn::Fail => severity == "fail",
        FailOn::Warn => severity == "fail" || severity == "warn",
    };
    if decided.clone().any(|f| f.severity == "fail" && f.code.starts_with("input-")) {
        2
    } else if decided.clone().any(|finding| is_problem(&finding.severity)) {
        1
    } else if report.verdict == VerdictV1::Incomplete {
        3
    } else {
        0
    }
}
