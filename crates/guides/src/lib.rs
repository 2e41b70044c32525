//! The guide pages and the catalogue of findings, both written as Markdown with TOML front matter.
//!
//! The words live in `pages/en` and `findings/en`; this crate only reads and renders them. It takes no
//! decision about a domain: which finding applies is judged elsewhere. The ways in are [`pages`],
//! [`page`], [`findings`] and [`finding`]; [`markdown`], [`library`] and [`terminal`] render
//! them, [`search`](mod@search) finds them.
//! Invariant: a file that cannot be read is left out and listed by [`problems`], never a panic, and the
//! tests hold that list empty.

pub mod catalogue;
mod files;
mod front_matter;
pub mod library;
pub mod markdown;
pub mod page;
pub mod placeholder;
pub mod search;
pub mod terminal;

#[cfg(test)]
mod tests;

pub use catalogue::{Case, FindingText, Owner, Severity, finding, findings, findings_of};
pub use front_matter::{FileError, Problem};
pub use page::{Page, Section, page, pages};

/// Every embedded file that could not be read, with the reason. Empty in a build that passed its tests.
pub fn problems() -> Vec<&'static FileError> {
    page::problems().iter().chain(catalogue::problems()).collect()
}
