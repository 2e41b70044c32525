//! What pages and findings have in common: the TOML front matter between two `+++` lines, and the errors
//! of a bad file. It reads embedded text only and knows nothing of the keys inside. The way in is
//! [`split`]. Invariant: no input panics; every fault is a [`Problem`] that names the thing.

/// A guide or finding file that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct FileError {
    /// Name of the page, or code of the finding.
    pub file: &'static str,
    /// What is wrong with it.
    pub problem: Problem,
}

/// Why a file could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file does not open with a `+++` block.
    #[error("no front matter between two `+++` lines")]
    NoFrontMatter,
    /// The front matter is not the TOML that is expected.
    #[error("front matter: {0}")]
    FrontMatter(String),
    /// The sections of a finding are not the four expected ones, in their order.
    #[error("sections are {found}, expected {expected}")]
    Sections {
        /// The headings of the file, joined by commas.
        found: String,
        /// The headings a finding has.
        expected: &'static str,
    },
    /// A section holds nothing.
    #[error("section `{0}` is empty")]
    EmptySection(String),
    /// A line in a list section belongs to no list item.
    #[error("section `{section}`: not a list item: `{line}`")]
    NotAListItem {
        /// Heading of the section.
        section: &'static str,
        /// The line.
        line: String,
    },
    /// A finding gives more steps than a reader will follow.
    #[error("{0} fix steps, at most {limit} allowed", limit = crate::catalogue::FIX_STEPS_MAX)]
    TooManySteps(usize),
    /// A finding has no case, or two cases with the same `when`.
    #[error("cases: {0}")]
    Cases(String),
    /// A guide reference is not `page#section`.
    #[error("guide `{0}` is not page#section")]
    GuideReference(String),
    /// A heading of a page has no `{#anchor}`, or repeats one.
    #[error("heading `{0}` needs an anchor of its own")]
    Anchor(String),
}

/// Splits a file into its front matter and the Markdown after it.
pub(crate) fn split(text: &str) -> Result<(&str, &str), Problem> {
    let rest = text.strip_prefix("+++\n").ok_or(Problem::NoFrontMatter)?;
    rest.split_once("\n+++\n").ok_or(Problem::NoFrontMatter)
}
