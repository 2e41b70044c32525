//! `cargo xtask tidy`: what the house rules say and the compiler does not check.
//!
//! Each check is one function from the source tree to a list of problems, `file:line: what is wrong`.
//! The way in is [`checks`]. A rule that costs more than it gives is removed here and named in
//! CONTRIBUTING.md, not silenced in place.

mod catalogue;
mod documents;
mod edges;
mod functions;
mod ratchet;
mod sizes;
mod source;
mod standards;
pub(crate) mod vendored;
mod words;

use anyhow::Result;

use crate::arguments::Arguments;
use crate::metadata::Metadata;
use crate::pipeline::Count;
use crate::workspace::{self, SourceFile};

/// Everything that the checks look at, read once.
struct Tree {
    metadata: Metadata,
    rust: Vec<SourceFile>,
    text: Vec<SourceFile>,
}

impl Tree {
    fn read() -> Result<Self> {
        let rust = workspace::files(&[".rs"])?;
        let text = workspace::files(&[
            ".md", ".toml", ".rs", ".txt", ".json", ".run", ".yml", ".html", ".snap", "run",
        ])?;
        Ok(Self { metadata: Metadata::read()?, rust, text })
    }
}

type Check = fn(&Tree) -> Result<Vec<String>>;

const CHECKS: &[(&str, Check)] = &[
    ("crate edges", |tree| Ok(edges::check(tree))),
    ("module docs", |tree| Ok(source::module_docs(tree))),
    ("module names", |tree| Ok(source::module_names(tree))),
    ("attributes", |tree| Ok(source::attributes(tree))),
    ("danger", |tree| Ok(source::danger(tree))),
    ("limits in limits.rs", |tree| Ok(source::limits(tree))),
    ("formats at the edges", |tree| Ok(source::formats(tree))),
    ("sizes", sizes::check),
    ("catalogue", catalogue::check),
    ("paths in documents", |tree| Ok(documents::paths(tree))),
    ("third-party notices", |tree| Ok(documents::third_party(tree))),
    ("standards", standards::check),
    ("vendored files", vendored::check),
    ("words", |tree| Ok(words::check(tree))),
];

/// Runs every check and prints what it found.
///
/// # Errors
/// When the source tree cannot be read.
pub(crate) fn run(arguments: &[String]) -> Result<bool> {
    Arguments::new(arguments).finish()?;
    Ok(count()?.failed == 0)
}

/// Runs every check and counts them.
///
/// # Errors
/// When the source tree cannot be read.
pub(crate) fn count() -> Result<Count> {
    let tree = Tree::read()?;
    let mut count = Count::default();
    for (name, check) in CHECKS {
        let problems = check(&tree).unwrap_or_else(|error| vec![format!("{error:#}")]);
        for problem in &problems {
            println!("{problem}");
        }
        println!("tidy: {name}: {}", verdict(problems.len()));
        if problems.is_empty() {
            count.passed += 1;
        } else {
            count.failed += 1;
        }
    }
    Ok(count)
}

fn verdict(problems: usize) -> String {
    match problems {
        0 => String::from("ok"),
        1 => String::from("1 problem"),
        more => format!("{more} problems"),
    }
}
