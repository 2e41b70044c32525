//! Every rule, in the order of the stages. A rule is one pure function from facts to findings, with the codes
//! and cases it may return; no two rules return the same code, so that each finding has one place.

use crate::facts::Facts;
use crate::finding::{Finding, When};
use crate::rules;
use waxseal_proto::finding::Code;

/// One rule.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its name, for tests and for reading.
    pub name: &'static str,
    /// Every code it may return, with the cases.
    pub codes: &'static [(Code, &'static [When])],
    /// The judgement.
    pub judge: fn(&Facts) -> Vec<Finding>,
}

/// Every rule.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    rules::ALL.iter().flat_map(|area| area.iter())
}

/// The findings of all rules, in order.
pub fn judge(facts: &Facts) -> Vec<Finding> {
    rules().flat_map(|rule| (rule.judge)(facts)).collect()
}
