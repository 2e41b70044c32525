//! Remembers: SQLite, migrations, sealed secrets, connections to delivery services, check reports.
//!
//! This crate touches files and the system's random numbers; the time is an argument. [`keys`] and
//! [`sealed`] keep secrets: they are written and replaced, and opened for sending only. Every row belongs
//! to a workspace.

pub mod id;
pub mod keys;
pub mod limits;
pub mod sealed;
