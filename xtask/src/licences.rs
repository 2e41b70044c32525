//! Licences, banned crates and sources of everything we build from, as `deny.toml` lists them.
//!
//! The file has the form that cargo-deny reads, so both tools judge by one list; compiling cargo-deny
//! takes minutes, this takes none. Not here: security advisories, which need a database from outside.
//! The way in is [`problems`].

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use toml::Table;

use crate::arguments::Arguments;
use crate::metadata::{Metadata, Package};
use crate::workspace;

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Prints every problem.
///
/// # Errors
/// When `deny.toml` or the package graph cannot be read.
pub(crate) fn run(arguments: &[String]) -> Result<bool> {
    Arguments::new(arguments).finish()?;
    let metadata = Metadata::read()?;
    let problems = problems(&metadata)?;
    for problem in &problems {
        println!("{problem}");
    }
    println!("{} packages compiled, {} problems", metadata.compiled.len(), problems.len());
    Ok(problems.is_empty())
}

/// Every package that `deny.toml` does not let through, as one line each.
///
/// # Errors
/// When `deny.toml` cannot be read.
pub(crate) fn problems(metadata: &Metadata) -> Result<Vec<String>> {
    let rules: Table = workspace::read("deny.toml")?.parse().context("deny.toml")?;
    let allowed = names(&rules, "licenses", "allow");
    let banned = names(&rules, "bans", "deny");
    let mut found = Vec::new();
    for package in &metadata.compiled {
        let name = format!("{} {}", package.name, package.version);
        if banned.contains(&package.name) {
            found.push(format!("deny.toml: {name} is banned and in the graph"));
        }
        if package.source.as_deref().is_some_and(|source| source != REGISTRY) {
            found.push(format!("deny.toml: {name} does not come from crates.io"));
        }
        if let Some(problem) = licence_problem(package, &allowed) {
            found.push(format!("deny.toml: {name}: {problem}"));
        }
    }
    Ok(found)
}

fn names(rules: &Table, section: &str, key: &str) -> BTreeSet<String> {
    let listed =
        rules.get(section).and_then(|section| section.get(key)).and_then(toml::Value::as_array);
    listed.into_iter().flatten().filter_map(|entry| entry.as_str().map(String::from)).collect()
}

fn licence_problem(package: &Package, allowed: &BTreeSet<String>) -> Option<String> {
    match &package.licence {
        None => Some(String::from("declares no licence")),
        Some(expression) if satisfied(expression, allowed) => None,
        Some(expression) => Some(format!("licence '{expression}' is not allowed")),
    }
}

/// Whether an SPDX expression can be met with the allowed licences. `/` is the old way to write OR; a
/// WITH exception belongs to the name before it.
fn satisfied(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let met = any_of(&words, &mut at, allowed);
    met && at == words.len()
}

fn any_of(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut met = all_of(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        met |= all_of(words, at, allowed);
    }
    met
}

fn all_of(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let mut met = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        met &= one(words, at, allowed);
    }
    met
}

fn one(words: &[&str], at: &mut usize, allowed: &BTreeSet<String>) -> bool {
    let Some(word) = words.get(*at) else { return false };
    *at += 1;
    if *word == "(" {
        let met = any_of(words, at, allowed);
        *at += 1;
        return met;
    }
    if words.get(*at) == Some(&"WITH") {
        let exception = words.get(*at + 1).copied().unwrap_or_default();
        *at += 2;
        return allowed.contains(&format!("{word} WITH {exception}")) || allowed.contains(*word);
    }
    allowed.contains(*word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_judged_as_spdx_says() {
        let allowed: BTreeSet<String> = ["MIT", "ISC", "Apache-2.0"].map(String::from).into();
        let cases = [
            ("MIT", true),
            ("MIT OR GPL-3.0", true),
            ("GPL-3.0/MIT", true),
            ("MIT AND GPL-3.0", false),
            ("ISC AND (Apache-2.0 OR GPL-3.0)", true),
            ("(GPL-3.0 OR MIT) AND OpenSSL", false),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("", false),
            ("MIT MIT", false),
        ];
        for (expression, expected) in cases {
            assert_eq!(satisfied(expression, &allowed), expected, "{expression}");
        }
    }
}
