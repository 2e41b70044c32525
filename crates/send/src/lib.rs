//! What to send and what became of it: composed messages, one attempt as a value, outcomes.
//!
//! This crate is pure: it opens no socket and no file, reads no clock, no environment and no random
//! number; the time and the seed of a message are arguments. Start at [`compose`] for messages,
//! [`attempt`] for what `net` carries out, [`outcome`] for what its result means for each recipient.
#![warn(clippy::indexing_slicing)]

pub mod attempt;
pub mod compose;
pub mod header;
pub mod limits;
pub mod outcome;
mod quoted_printable;
