//! What the documents name exists: paths in ARCHITECTURE.md and the recipes, the third-party notices.
//!
//! A path is a word in back-ticks with a `/` or the ending of a document; a bare `name.rs` is read in its
//! context and not looked for. `<…>` in a path stands for
//! any name and is cut off there.

use std::path::Path;

use super::Tree;
use crate::{third_party, workspace};

const ARCHITECTURE: &str = "ARCHITECTURE.md";
const ARCHITECTURE_LINES_MAX: usize = 300;
const ENDINGS: &[&str] = &["lock", "md", "toml", "txt"];

/// Every path named in a checked document that does not exist.
pub(super) fn paths(tree: &Tree) -> Vec<String> {
    let root = workspace::root();
    let mut problems = Vec::new();
    for file in &tree.text {
        let checked = file.path == ARCHITECTURE
            || file.path == "CONTRIBUTING.md"
            || file.path == "README.md"
            || file.path.starts_with("docs/recipes/");
        if !checked {
            continue;
        }
        for (number, line) in file.text.lines().enumerate() {
            for path in named_paths(line) {
                if !root.join(&path).exists() {
                    problems.push(format!("{}:{}: '{path}' does not exist", file.path, number + 1));
                }
            }
        }
        let lines = file.text.lines().count();
        if file.path == ARCHITECTURE && lines > ARCHITECTURE_LINES_MAX {
            problems
                .push(format!("{ARCHITECTURE}:1: {lines} lines, over {ARCHITECTURE_LINES_MAX}"));
        }
    }
    if !root.join(ARCHITECTURE).exists() {
        problems.push(format!("{ARCHITECTURE}: missing"));
    }
    problems
}

fn named_paths(line: &str) -> Vec<String> {
    let quoted = line.split('`').skip(1).step_by(2);
    quoted.filter_map(named_path).collect()
}

fn named_path(text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/<>".contains(c);
    if text.is_empty()
        || !text.chars().all(plain)
        || text.starts_with('/')
        || text.starts_with("target/")
    {
        return None;
    }
    let known_ending = Path::new(text)
        .extension()
        .and_then(|ending| ending.to_str())
        .is_some_and(|ending| ENDINGS.contains(&ending));
    if !text.contains('/') && !known_ending {
        return None;
    }
    let fixed = text.split('<').next().unwrap_or_default();
    let fixed = if fixed.len() < text.len() {
        fixed.rsplit_once('/').map_or("", |(folder, _)| folder)
    } else {
        fixed
    };
    let starts = ["crates/", "docs/", "fuzz/", "xtask/", ".ci/", ".cargo/"];
    let rooted = starts.iter().any(|start| fixed.starts_with(start)) || !fixed.contains('/');
    (rooted && !fixed.is_empty()).then(|| fixed.to_string())
}

/// THIRD-PARTY.md is what the package graph gives.
pub(super) fn third_party(tree: &Tree) -> Vec<String> {
    let expected = third_party::text(&tree.metadata);
    let present = workspace::read(third_party::FILE).unwrap_or_default();
    if present == expected {
        return Vec::new();
    }
    vec![format!("{}:1: out of date: run `cargo xtask third-party`", third_party::FILE)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_from_other_code() {
        let line = "`crates/proto/src/<mechanism>/x.rs`, `Cargo.toml`, `cargo xtask test`, `text/html`, `127.0.0.1`";
        assert_eq!(named_paths(line), ["crates/proto/src", "Cargo.toml"]);
    }
}
