//! Reports as JUnit XML: one suite per domain, one case per finding, one for the verdict itself. What could
//! not be tested is `skipped`, never passed. Everything foreign passes [`escape::html`].

use super::document::shown_verdict;
use crate::escape;
use std::fmt::Write as _;
use waxseal_check::report::FailOn;
use waxseal_check::report::wire::{FindingV1, ReportV1, VerdictV1};

/// How one case ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Failed,
    Passed,
    Skipped,
}

/// The suites of the reports.
pub(super) fn suites(reports: &[ReportV1], fail_on: FailOn) -> String {
    let mut out =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"waxseal\">\n".to_owned();
    for report in reports {
        suite(&mut out, report, fail_on);
    }
    out.push_str("</testsuites>\n");
    out
}

fn suite(out: &mut String, report: &ReportV1, fail_on: FailOn) {
    let ends: Vec<End> = report.findings.iter().map(|finding| end(finding, fail_on)).collect();
    let verdict = verdict_end(report.verdict);
    let count = |wanted: End| ends.iter().chain([&verdict]).filter(|end| **end == wanted).count();
    let _ = writeln!(
        out,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" timestamp=\"{}\" time=\"{}.{:03}\">",
        escape::html(&report.target),
        ends.len() + 1,
        count(End::Failed),
        count(End::Skipped),
        escape::html(&report.checked_at),
        report.took_ms / 1000,
        report.took_ms % 1000,
    );
    let message = format!("{}: {}", shown_verdict(report.verdict), report.transport.reason);
    case(out, &report.target, "transport", (verdict, &message, &[]));
    for (finding, end) in report.findings.iter().zip(ends) {
        let name = format!("{} {}", finding.code, finding.subject);
        case(out, &report.target, &name, (end, &finding.title, &finding.evidence));
    }
    out.push_str("  </testsuite>\n");
}

fn end(finding: &FindingV1, fail_on: FailOn) -> End {
    let is_problem = match fail_on {
        FailOn::Fail => finding.severity == "fail",
        FailOn::Warn => finding.severity == "fail" || finding.severity == "warn",
    };
    if finding.not_tested {
        End::Skipped
    } else if is_problem {
        End::Failed
    } else {
        End::Passed
    }
}

/// Findings carry the failures; the verdict says only whether there was something to judge.
const fn verdict_end(verdict: VerdictV1) -> End {
    match verdict {
        VerdictV1::Fail => End::Failed,
        VerdictV1::Incomplete | VerdictV1::NothingToTest | VerdictV1::NotChecked => End::Skipped,
        VerdictV1::Pass | VerdictV1::Warn => End::Passed,
    }
}

fn case(out: &mut String, class: &str, name: &str, (end, message, lines): (End, &str, &[String])) {
    let _ = write!(
        out,
        "    <testcase classname=\"{}\" name=\"{}\">",
        escape::html(class),
        escape::html(name)
    );
    let message = escape::html(message);
    let text: Vec<String> = lines.iter().map(|line| escape::html(line)).collect();
    let text = text.join("\n");
    let _ = match end {
        End::Failed => write!(out, "<failure message=\"{message}\">{text}</failure>"),
        End::Passed => write!(out, "<system-out>{message}</system-out>"),
        End::Skipped => write!(out, "<skipped message=\"{message}\"/>"),
    };
    out.push_str("</testcase>\n");
}
