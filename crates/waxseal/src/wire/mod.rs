//! Shapes that more than one face publishes, with serde. A change adds fields and never renames one.

pub(crate) mod catalogue;
pub(crate) mod connection;
pub(crate) mod mechanism;
pub(crate) mod preset;
