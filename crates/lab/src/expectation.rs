//! Compares a report with what a scenario expects. The report is read as JSON, because the lab shares no code
//! with the client under test. The way in: [`mismatches`].

use crate::scenario::{Kind, Scenario};
use serde_json::Value;

/// Every way in which a report differs from what the scenario expects; empty when it holds.
pub fn mismatches(scenario: &Scenario, report: &Value, exit: u8) -> Vec<String> {
    let findings: Vec<&Value> =
        report["findings"].as_array().map_or_else(Vec::new, |list| list.iter().collect());
    let has = |code: &str| findings.iter().any(|finding| finding["code"] == code);
    let mut wrong = Vec::new();
    for code in scenario.must.iter().filter(|code| !has(code)) {
        wrong.push(format!("{code} is missing"));
    }
    for code in scenario.must_not.iter().filter(|code| has(code)) {
        wrong.push(format!("{code} must not be found"));
    }
    if scenario.kind == Kind::Healthy {
        for finding in findings.iter().filter(|finding| finding["severity"] != "info") {
            wrong.push(format!(
                "a healthy set-up has {} ({})",
                finding["code"], finding["evidence"]
            ));
        }
    }
    for (code, owner) in &scenario.owner {
        let owners: Vec<&Value> = findings
            .iter()
            .filter(|finding| finding["code"] == code.as_str())
            .map(|finding| &finding["owner"])
            .collect();
        if owners.iter().any(|found| *found != owner.as_str()) {
            wrong.push(format!("{code} is owned by {owners:?}, expected {owner}"));
        }
    }
    if let Some(verdict) = scenario.verdict.as_ref().filter(|v| report["verdict"] != v.as_str()) {
        wrong.push(format!("verdict is {}, expected {verdict}", report["verdict"]));
    }
    if let Some(expected) = scenario.exit.filter(|expected| *expected != exit) {
        wrong.push(format!("exit is {exit}, expected {expected}"));
    }
    if let Some(expected) = &scenario.outcome {
        wrong.extend(other_outcomes(report, expected));
    }
    if findings.iter().any(|finding| has_placeholder(finding)) {
        wrong.push("a text still holds an unfilled placeholder".to_owned());
    }
    wrong
}

/// What is expected of an attempt to send.
#[derive(Clone, Copy, Debug)]
pub struct ExpectedAttempt<'a> {
    /// The family of its scenario.
    pub kind: Kind,
    /// The first code: the cause.
    pub first: Option<&'a str>,
    /// Its owner.
    pub owner: Option<&'a str>,
    /// Its severity.
    pub severity: Option<&'a str>,
    /// Further codes that must be found.
    pub must: &'a [String],
    /// Codes that must not be found.
    pub must_not: &'a [String],
    /// What becomes of the message.
    pub outcome: Option<&'a str>,
}

/// Every way in which an attempt's findings (a list of the published shape, the cause first) and outcome differ
/// from what is expected; empty when they do not.
pub fn attempt_mismatches(
    expected: &ExpectedAttempt<'_>,
    findings: &Value,
    outcome: &str,
) -> Vec<String> {
    let findings = findings.as_array().map(Vec::as_slice).unwrap_or_default();
    let has = |code: &str| findings.iter().any(|finding| finding["code"] == code);
    let mut wrong = Vec::new();
    let first = findings.first().unwrap_or(&Value::Null);
    let of_first =
        [("code", expected.first), ("owner", expected.owner), ("severity", expected.severity)];
    for (name, wanted) in of_first {
        if let Some(wanted) = wanted.filter(|wanted| first[name] != *wanted) {
            wrong.push(format!("the first {name} is {}, expected {wanted}", first[name]));
        }
    }
    for code in expected.must.iter().filter(|code| !has(code)) {
        wrong.push(format!("{code} is missing"));
    }
    for code in expected.must_not.iter().filter(|code| has(code)) {
        wrong.push(format!("{code} must not be found"));
    }
    if expected.kind == Kind::Healthy {
        for finding in findings.iter().filter(|finding| finding["severity"] != "info") {
            wrong.push(format!("a healthy set-up has {}", finding["code"]));
        }
    }
    if let Some(wanted) = expected.outcome.filter(|wanted| *wanted != outcome) {
        wrong.push(format!("the outcome is {outcome}, expected {wanted}"));
    }
    if findings.iter().any(has_placeholder) {
        wrong.push("a text still holds an unfilled placeholder".to_owned());
    }
    wrong
}

/// Every address whose outcome is not the expected one; no address at all is wrong too.
fn other_outcomes(report: &Value, expected: &str) -> Vec<String> {
    let hosts = report["mx"].as_array().into_iter().flatten();
    let addresses: Vec<&Value> =
        hosts.flat_map(|host| host["addresses"].as_array().into_iter().flatten()).collect();
    if addresses.is_empty() {
        return vec![format!("no address was looked at, expected the outcome {expected}")];
    }
    addresses
        .iter()
        .filter(|address| address["outcome"] != expected)
        .map(|address| {
            format!("{} is {}, expected {expected}", address["address"], address["outcome"])
        })
        .collect()
}

/// Whether `{subject}` or `{domain}` was left in a text meant for people.
fn has_placeholder(finding: &Value) -> bool {
    let left = |value: &Value| {
        value.as_str().is_some_and(|text| text.contains("{subject}") || text.contains("{domain}"))
    };
    let fix = finding["fix"].as_array();
    left(&finding["meaning"]) || fix.is_some_and(|steps| steps.iter().any(left))
}
