//! Every rule, in the order of the stages. A rule is one pure function from facts to findings, with the codes
//! and cases it may return; no two rules return the same code, so that each finding has one place. What only
//! an attempt to send shows is judged in [`crate::diagnose`], which names its codes.

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn every_code_is_judged_by_exactly_one_rule_or_by_diagnose() {
        let mut owners: BTreeMap<Code, Vec<&str>> = BTreeMap::new();
        for rule in rules() {
            for (code, _) in rule.codes {
                owners.entry(*code).or_default().push(rule.name);
            }
        }
        for (code, _) in diagnose::CODES.iter().chain(diagnose::service::CODES) {
            owners.entry(*code).or_default().push("diagnose");
        }
        for (code, rules) in &owners {
            assert_eq!(rules.len(), 1, "{code} is judged by {rules:?}");
        }
        let judged: BTreeSet<Code> = owners.into_keys().collect();
        let all: BTreeSet<Code> = Code::ALL.iter().copied().collect();
        assert_eq!(all.difference(&judged).collect::<Vec<_>>(), Vec::<&Code>::new());
    }

    #[test]
    fn every_case_a_rule_may_return_has_its_words() {
        let besides = [diagnose::CODES, diagnose::service::CODES, diagnose::service::SHARED];
        for codes in rules().map(|rule| rule.codes).chain(besides) {
            for (code, cases) in codes {
                let text = waxseal_guides::finding(code.as_str());
                let text = text.unwrap_or_else(|| panic!("{code} has no finding file"));
                for when in *cases {
                    assert!(text.case(when.0).is_some(), "{code} has no case {}", when.0);
                }
            }
        }
    }

    #[test]
    fn codes_and_finding_files_are_the_same_set() {
        let codes: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        let files: BTreeSet<&str> = waxseal_guides::findings().iter().map(|f| f.code).collect();
        assert_eq!(codes, files);
    }

    #[test]
    fn rule_names_are_unique() {
        let mut names: Vec<&str> = rules().map(|rule| rule.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
