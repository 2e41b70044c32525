//! Every standard named in a crate has an entry in `docs/rfc.toml`, so that title, status and our
//! support of it are written down once.

use anyhow::Result;

use super::Tree;
use crate::ledger::{self, Ledger};

/// The first mention of each number without an entry.
pub(super) fn check(tree: &Tree) -> Result<Vec<String>> {
    let known = Ledger::read()?.0;
    let mut reported = std::collections::BTreeSet::new();
    let mut problems = Vec::new();
    for file in &tree.text {
        if !file.path.starts_with("crates/") || file.path.contains("/vectors/") {
            continue;
        }
        for (number, line) in file.text.lines().enumerate() {
            for rfc in ledger::mentions(line).into_keys() {
                if !known.contains_key(&rfc) && reported.insert(rfc) {
                    let place = format!("{}:{}", file.path, number + 1);
                    problems.push(format!("{place}: RFC {rfc} has no entry in {}", ledger::FILE));
                }
            }
        }
    }
    Ok(problems)
}
