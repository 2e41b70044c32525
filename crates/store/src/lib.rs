//! Remembers: SQLite, migrations, sealed secrets, connections to delivery services, check reports and the links to them.
//!
//! This crate touches files and the system's random numbers; the time is an argument. The way in is
//! [`Store::open`]. [`keys`] and [`sealed`] keep secrets: they are written and replaced, and opened for
//! sending only. Every row belongs to a workspace.

pub mod api_tokens;
pub mod backup;
pub mod checks;
pub mod connection;
pub mod connections;
mod database;
mod error;
pub mod id;
pub mod kept_answers;
mod key_file;
pub mod keys;
pub mod limits;
pub mod people;
mod private_file;
pub mod results;
pub mod rotate;
mod rows;
mod schema;
pub mod sealed;
pub mod secret_links;
pub mod secrets;
pub mod token;

pub use database::{DEFAULT_WORKSPACE, Store};
pub use error::{DatabaseTrouble, StoreError};
pub use key_file::KeyFile;
