//! The list of files and functions over a size limit, `xtask/ratchet.txt`. It may only shrink: an entry
//! states the present size exactly, so growth and slack both fail.
//!
//! One entry a line: `file PATH LINES`, `function PATH NAME LINES` or `table PATH`; `#` starts a comment.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// The file with the list, from the root.
pub(super) const FILE: &str = "xtask/ratchet.txt";

/// What the list holds, with what was not needed yet.
#[derive(Debug, Default)]
pub(super) struct Ratchet {
    sizes: BTreeMap<String, usize>,
    tables: BTreeSet<String>,
    used: BTreeSet<String>,
}

impl Ratchet {
    /// Reads the committed list.
    ///
    /// # Errors
    /// When the file is missing or a line is not understood.
    pub(super) fn read() -> Result<Self> {
        Self::parse(&workspace::read(FILE)?)
    }

    fn parse(text: &str) -> Result<Self> {
        let mut ratchet = Self::default();
        for (number, line) in text.lines().enumerate() {
            let words: Vec<&str> =
                line.split('#').next().unwrap_or_default().split_whitespace().collect();
            let place = || format!("{FILE}:{}", number + 1);
            match words.as_slice() {
                [] => {}
                ["table", path] => {
                    ratchet.tables.insert((*path).to_string());
                }
                ["file", path, lines] => {
                    ratchet.sizes.insert((*path).to_string(), lines.parse().with_context(place)?);
                }
                ["function", path, name, lines] => {
                    let key = format!("{path} {name}");
                    ratchet.sizes.insert(key, lines.parse().with_context(place)?);
                }
                _ => bail!("{}: not an entry: '{line}'", place()),
            }
        }
        Ok(ratchet)
    }

    /// Whether this file is a table, which may be longer.
    pub(super) fn is_table(&self, path: &str) -> bool {
        self.tables.contains(path)
    }

    /// Judges a size over its limit: `None` when the list holds exactly this size.
    pub(super) fn over(&mut self, key: &str, size: usize, limit: usize) -> Option<String> {
        self.used.insert(key.to_string());
        match self.sizes.get(key) {
            None => Some(format!("{size} lines, over the limit of {limit}")),
            Some(listed) if size > *listed => {
                Some(format!("grew from {listed} to {size} lines (limit {limit})"))
            }
            Some(listed) if size < *listed => {
                Some(format!("shrank from {listed} to {size} lines: lower its entry in {FILE}"))
            }
            Some(_) => None,
        }
    }

    /// Entries that nothing needed.
    pub(super) fn unused(&self) -> impl Iterator<Item = String> {
        let unused = self.sizes.keys().filter(|key| !self.used.contains(*key));
        unused.map(|key| format!("{FILE}: '{key}' is within the limit now: remove its entry"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_allows_exactly_its_size() {
        let mut list =
            Ratchet::parse("# why\nfile a.rs 700\nfunction b.rs run 90\ntable c.rs\n").unwrap();
        assert_eq!(list.over("a.rs", 700, 600), None);
        assert!(list.over("a.rs", 701, 600).unwrap().contains("grew"));
        assert!(list.over("a.rs", 650, 600).unwrap().contains("shrank"));
        assert!(list.over("other.rs", 601, 600).unwrap().contains("over the limit"));
        assert!(list.is_table("c.rs"));
        assert_eq!(list.unused().count(), 1);
        assert!(Ratchet::parse("file a.rs many").is_err());
    }
}
