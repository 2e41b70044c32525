//! Joins findings with their words: the one place where a finding's file meets what was seen.
//! No other place fills the placeholders of a text or chooses its case.

use super::wire::FindingV1;
use crate::facts::Facts;
use crate::finding::Finding;
use waxseal_guides::{Case, FindingText, Severity, placeholder};

/// A finding with its text and the case that applies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judged<'a> {
    pub(crate) finding: &'a Finding,
    pub(crate) text: &'static FindingText,
    pub(crate) case: &'static Case,
}

/// Looks up the words. A finding whose file or case is missing is left out; the tests hold that every
/// code and case a rule declares has both.
pub(crate) fn judged(findings: &[Finding]) -> Vec<Judged<'_>> {
    findings
        .iter()
        .filter_map(|finding| {
            let text = waxseal_guides::finding(finding.code.as_str())?;
            let case = text.case(finding.when.0)?;
            Some(Judged { finding, text, case })
        })
        .collect()
}

/// The published form of findings: the gravest first, in the order of the stages within one severity;
/// notes on optional policies come last (mission S15).
pub(crate) fn published(facts: &Facts, mut judged: Vec<Judged<'_>>) -> Vec<FindingV1> {
    judged.sort_by_key(|judged| match judged.case.severity {
        Severity::Fail => 0,
        Severity::Warn => 1,
        Severity::Info => 2,
    });
    let domain = facts.scope.target.to_string();
    judged.into_iter().map(|judged| publish(&domain, judged)).collect()
}

/// The published form of one finding.
pub(crate) fn publish(domain: &str, judged: Judged<'_>) -> FindingV1 {
    let Judged { finding, text, case } = judged;
    let fill = |words: &str| placeholder::fill(words, &finding.subject, domain);
    FindingV1 {
        code: finding.code.to_string(),
        severity: case.severity.as_str().to_owned(),
        owner: case.owner.as_str().to_owned(),
        also: case.also.map(|owner| owner.as_str().to_owned()),
        subject: finding.subject.clone(),
        title: text.title.clone(),
        meaning: fill(&text.meaning),
        evidence: finding
            .evidence
            .iter()
            .map(|evidence| format!("{}: {}", evidence.label, evidence.value))
            .collect(),
        fix: text.fix.iter().map(|step| fill(step)).collect(),
        never: text.never.iter().map(|line| fill(line)).collect(),
        guide: text.guide.clone(),
        page: format!("/guides/findings/{}", finding.code),
        sources: text.sources.clone(),
        not_tested: case.not_tested,
    }
}
