//! The store as its callers use it: files, both traits over SQLite, rotation, what stands in the files.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its world fails")]

mod conformance;
mod opening;
mod rotation;
mod secrecy;
mod sqlite;
