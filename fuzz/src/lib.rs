//! Fuzz targets: one for every parser of foreign bytes, and a seeded mutator that runs them on stable
//! Rust.
//!
//! A target takes any bytes and asserts what must hold for all of them: no panic, bounded work, and the
//! same answer for the same meaning. [`TARGETS`] lists them; [`corpus`] has the inputs they start from;
//! [`mutate`] changes them. A failure is an input that was found, to be kept as a named vector.

pub mod corpus;
mod list;
pub mod mutate;
pub mod targets;

pub use list::TARGETS;

/// One target: a name, what it feeds, and the inputs to start from.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name on the command line.
    pub name: &'static str,
    /// What it is about, in a few words.
    pub about: &'static str,
    /// Runs one input; panics when something does not hold.
    pub run: fn(&[u8]),
    /// The inputs that mutation starts from.
    pub seeds: fn() -> Vec<Vec<u8>>,
}
