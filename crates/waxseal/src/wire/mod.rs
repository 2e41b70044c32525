//! Shapes that more than one face publishes, with serde. A change adds fields and never renames one.

pub(crate) mod catalogue;
pub(crate) mod preset;
