//! The catalogue is complete: every finding code has its words, its judgement and its scenario.
//!
//! Codes come from `crates/proto/src/finding.rs`, words from `crates/guides/findings/en`, judgements
//! from the rules and the diagnosis, scenarios from the `must` lists of the scenario files; a code without
//! a scenario stands with its reason in `crates/lab/uncovered.txt` (no file: no such code).

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};

use super::Tree;
use crate::workspace;

const CODES: &str = "crates/proto/src/finding.rs";
const WORDS: &str = "crates/guides/findings/en/";
const RULES: &[&str] = &["crates/check/src/rules/", "crates/check/src/diagnose/"];
const SCENARIOS: &str = "crates/lab/scenarios/";
const UNCOVERED: &str = "crates/lab/uncovered.txt";

/// Compares the four places with each other.
pub(super) fn check(tree: &Tree) -> Result<Vec<String>> {
    let codes = codes(&workspace::read(CODES)?);
    ensure!(!codes.is_empty(), "{CODES}: no codes of the form `Variant = \"code\",` found");
    let mut problems = words(&codes)?;
    problems.extend(rules(tree, &codes));
    problems.extend(scenarios(&codes)?);
    Ok(problems)
}

/// The codes by their text, with the variant's name.
fn codes(text: &str) -> BTreeMap<String, String> {
    let entry = |line: &str| {
        let (variant, rest) = line.trim().split_once(" = \"")?;
        let code = rest.strip_suffix("\",")?;
        variant.chars().all(char::is_alphanumeric).then(|| (code.to_string(), variant.to_string()))
    };
    text.lines().filter_map(entry).collect()
}

fn words(codes: &BTreeMap<String, String>) -> Result<Vec<String>> {
    let paths = workspace::paths()?;
    let files: BTreeSet<&str> =
        paths.iter().filter_map(|path| path.strip_prefix(WORDS)?.strip_suffix(".md")).collect();
    let missing = codes.keys().filter(|code| !files.contains(code.as_str()));
    let missing = missing.map(|code| format!("{WORDS}{code}.md: missing, the code is in {CODES}"));
    let orphans = files.iter().filter(|file| !codes.contains_key(**file));
    let orphans = orphans.map(|file| format!("{WORDS}{file}.md: no such code in {CODES}"));
    Ok(missing.chain(orphans).collect())
}

fn rules(tree: &Tree, codes: &BTreeMap<String, String>) -> Vec<String> {
    let judged: String = tree
        .rust
        .iter()
        .filter(|file| RULES.iter().any(|folder| file.path.starts_with(folder)) && !file.is_test())
        .flat_map(|file| file.code_lines().map(|(_, line)| format!("{line}\n")))
        .collect();
    let used: BTreeSet<&str> = judged
        .split("Code::")
        .skip(1)
        .filter_map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next())
        .collect();
    let unused = codes.iter().filter(|(_, variant)| !used.contains(variant.as_str()));
    unused
        .map(|(code, variant)| {
            format!("{}: no rule returns Code::{variant} ('{code}')", RULES.join(", "))
        })
        .collect()
}

fn scenarios(codes: &BTreeMap<String, String>) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let mut covered = BTreeSet::new();
    for file in workspace::files(&[".toml"])? {
        if !file.path.starts_with(SCENARIOS) {
            continue;
        }
        let table: toml::Table = file.text.parse().with_context(|| file.path.clone())?;
        let mut named = Vec::new();
        must(&toml::Value::Table(table), &mut named);
        for code in named {
            if !codes.contains_key(&code) {
                problems.push(format!("{}: expects the unknown code '{code}'", file.path));
            }
            covered.insert(code);
        }
    }
    let excused = excused(&workspace::read(UNCOVERED).unwrap_or_default());
    for code in codes.keys() {
        let excuse = excused.get(code).map(String::as_str);
        let problem = match (covered.contains(code), excuse) {
            (false, None) => Some(format!("{SCENARIOS}: no scenario for '{code}' and no reason")),
            (false, Some("")) => Some(format!("{UNCOVERED}: '{code}' has no reason")),
            (true, Some(_)) => {
                Some(format!("{UNCOVERED}: '{code}' has a scenario, remove it here"))
            }
            (false, Some(_)) | (true, None) => None,
        };
        problems.extend(problem);
    }
    let unknown = excused.keys().filter(|code| !codes.contains_key(*code));
    problems.extend(unknown.map(|code| format!("{UNCOVERED}: no such code '{code}'")));
    Ok(problems)
}

/// Every code in a list called `must`: a plain text, or a table with the key `code`; and every `first` code.
fn must(value: &toml::Value, found: &mut Vec<String>) {
    let toml::Value::Table(table) = value else {
        if let toml::Value::Array(items) = value {
            for item in items {
                must(item, found);
            }
        }
        return;
    };
    for (key, value) in table {
        if let Some(code) = value.as_str().filter(|_| key == "first") {
            found.push(code.to_owned());
        }
        match value.as_array() {
            Some(items) if key == "must" => found.extend(items.iter().filter_map(|item| {
                item.as_str().or_else(|| item.get("code")?.as_str()).map(first_word)
            })),
            _ => must(value, found),
        }
    }
}

fn first_word(text: &str) -> String {
    text.split_whitespace().next().unwrap_or_default().to_string()
}

/// `code  reason` a line; `#` starts a comment line.
fn excused(text: &str) -> BTreeMap<String, String> {
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (code, reason) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            (code.trim_end_matches(':').to_string(), reason.trim().to_string())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_expectations_are_read() {
        let found = codes("codes! {\n    CertExpired = \"cert-expired\",\n    let x = \"y\",\n}\n");
        assert_eq!(found.get("cert-expired").map(String::as_str), Some("CertExpired"));
        let table: toml::Table =
            "[expect]\nmust = [\"cert-expired\", { code = \"sts-none\" }]\nmust_not = [\"tcp-refused\"]"
                .parse()
                .unwrap();
        let mut named = Vec::new();
        must(&toml::Value::Table(table), &mut named);
        assert_eq!(named, ["cert-expired", "sts-none"]);
        let reasons = excused("# why\ntls-no-ems  needs a second session\ntls-no-pq\n");
        assert_eq!(reasons.get("tls-no-pq").map(String::as_str), Some(""));
        assert_eq!(reasons.len(), 2);
    }
}
