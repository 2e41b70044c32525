//! What to ask about a domain, what was seen, and what it means: survey, facts, rules, report.
//!
//! This crate is pure. [`survey::Survey`] poses questions and folds answers into
//! [`facts::Facts`]; [`registry`] lists the rules, which read facts and return findings;
//! [`diagnose`] judges one attempt of an app to hand mail to its
//! delivery service; [`report`] joins both with the words of the guides. Nothing here prints or fetches.
#![warn(clippy::indexing_slicing)]

pub mod call;
pub mod diagnose;
pub mod facts;
pub mod finding;
pub mod limits;
pub mod question;
pub mod registry;
pub mod report;
mod rules;
pub mod survey;
