//! The source tree as xtask sees it: the root folder, the files under version control, their lines.
//!
//! Files come from `git ls-files` (tracked and new, without ignored ones), so `target/` never counts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::command::Command;

/// The root folder of the workspace: the parent of xtask's own.
///
/// # Panics
/// Never: xtask's manifest lies one folder below the root.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("xtask lies in a folder of the workspace").to_path_buf()
}

/// One text file: its path from the root with `/`, and its text.
#[derive(Debug, Clone)]
pub(crate) struct SourceFile {
    /// Path from the root of the workspace.
    pub(crate) path: String,
    /// The whole text.
    pub(crate) text: String,
}

impl SourceFile {
    /// The lines before the inline tests, each with its number from 1.
    pub(crate) fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = self.inline_tests_start();
        self.text.lines().enumerate().map(|(at, line)| (at + 1, line)).take(end)
    }

    /// How many lines stand before `#[cfg(test)] mod … {` at the start of a line.
    pub(crate) fn inline_tests_start(&self) -> usize {
        let lines: Vec<&str> = self.text.lines().collect();
        lines
            .windows(2)
            .position(|pair| matches!(pair, ["#[cfg(test)]", next] if next.starts_with("mod ") && next.ends_with('{')))
            .unwrap_or(lines.len())
    }

    /// Whether the whole file is a test: `tests.rs`, or a file in a `tests` folder.
    pub(crate) fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }

    /// Whether the file is Rust.
    pub(crate) fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|extension| extension == "rs")
    }
}

/// The paths of all files that are tracked or new, from the root, sorted.
///
/// # Errors
/// When git does not answer.
pub(crate) fn paths() -> Result<BTreeSet<String>> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .output()?
        .success("listing the files")?;
    let root = root();
    Ok(listed.stdout.lines().filter(|path| root.join(path).is_file()).map(String::from).collect())
}

/// Every file with one of the `endings` that is text.
///
/// # Errors
/// When git does not answer or a file cannot be read.
pub(crate) fn files(endings: &[&str]) -> Result<Vec<SourceFile>> {
    let mut found = Vec::new();
    for path in paths()? {
        if endings.iter().any(|ending| path.ends_with(ending)) {
            let bytes =
                std::fs::read(root().join(&path)).with_context(|| format!("reading {path}"))?;
            if let Ok(text) = String::from_utf8(bytes) {
                found.push(SourceFile { path, text });
            }
        }
    }
    Ok(found)
}

/// The text of one file, by its path from the root.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn read(path: &str) -> Result<String> {
    std::fs::read_to_string(root().join(path)).with_context(|| format!("reading {path}"))
}
