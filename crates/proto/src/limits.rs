//! Named limits of the parsers and sessions of this crate.
