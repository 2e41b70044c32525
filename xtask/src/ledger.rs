//! `cargo xtask rfc`: the standards that the code names, from `docs/rfc.toml`, with how often.
//!
//! One grammar everywhere: `RFC NNNN`. The way in is [`Ledger::read`] and [`mentions`]; tidy uses both
//! to hold that every number named in a crate has an entry.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use toml::Table;

use crate::arguments::Arguments;
use crate::workspace::{self, SourceFile};

/// The file with the entries.
pub(crate) const FILE: &str = "docs/rfc.toml";

/// One standard as the ledger lists it.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its title.
    pub(crate) title: String,
    /// Its place in the standards process.
    pub(crate) status: String,
    /// What Waxseal does with it.
    pub(crate) support: String,
}

/// All entries by RFC number.
#[derive(Debug)]
pub(crate) struct Ledger(pub(crate) BTreeMap<u32, Entry>);

impl Ledger {
    /// Reads `docs/rfc.toml`: one table per number with `title`, `status` and `support`.
    ///
    /// # Errors
    /// When the file or an entry is not of this form.
    pub(crate) fn read() -> Result<Self> {
        let table: Table = workspace::read(FILE)?.parse().context(FILE)?;
        let mut entries = BTreeMap::new();
        for (number, value) in &table {
            let text = |key: &str| {
                let found = value.get(key).and_then(toml::Value::as_str).map(String::from);
                found.with_context(|| format!("{FILE}: RFC {number} has no '{key}'"))
            };
            let read =
                Entry { title: text("title")?, status: text("status")?, support: text("support")? };
            entries.insert(number.parse().with_context(|| format!("{FILE}: '{number}'"))?, read);
        }
        Ok(Self(entries))
    }
}

/// How often `RFC NNNN` is named in one text, by number.
pub(crate) fn mentions(text: &str) -> BTreeMap<u32, usize> {
    let mut found = BTreeMap::new();
    for rest in text.split("RFC ").skip(1) {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        if let Ok(number) = digits.parse() {
            *found.entry(number).or_default() += 1;
        }
    }
    found
}

/// Prints the ledger with counts of mentions in code and in tests.
///
/// # Errors
/// When the ledger or a source file cannot be read.
pub(crate) fn run(arguments: &[String]) -> Result<bool> {
    Arguments::new(arguments).finish()?;
    let ledger = Ledger::read()?;
    let mut counts: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
    for file in workspace::files(&[".rs"])? {
        if !file.path.starts_with("crates/") {
            continue;
        }
        let (code, tests) = parts(&file);
        for (number, times) in mentions(&code) {
            counts.entry(number).or_default().0 += times;
        }
        for (number, times) in mentions(&tests) {
            counts.entry(number).or_default().1 += times;
        }
    }
    println!("{:>6} {:>5} {:>5}  {:28} title: support", "RFC", "code", "tests", "status");
    for (number, entry) in &ledger.0 {
        let (code, tests) = counts.get(number).copied().unwrap_or_default();
        println!(
            "{number:>6} {code:>5} {tests:>5}  {:28} {}: {}",
            entry.status, entry.title, entry.support
        );
    }
    Ok(true)
}

fn parts(file: &SourceFile) -> (String, String) {
    if file.is_test() {
        return (String::new(), file.text.clone());
    }
    let split = file.inline_tests_start();
    let join = |lines: Vec<&str>| lines.join("\n");
    let code = join(file.text.lines().take(split).collect());
    (code, join(file.text.lines().skip(split).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mentions_are_counted_by_number() {
        let found = mentions("RFC 8461 §4.1 and RFC 8461, RFC 5321; RFC none");
        assert_eq!(found, BTreeMap::from([(5321, 1), (8461, 2)]));
    }
}
