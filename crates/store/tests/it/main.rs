//! The store as its callers use it: files, both traits over SQLite, rotation, what stands in the files.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its world fails")]

mod checks;
mod conformance;
mod opening;
mod people;
mod released;
mod results;
mod rotation;
mod rotation_kills;
mod secrecy;
mod side_by_side;
mod sqlite;
mod tokens;
mod trials;
