//! The bodies of the fuzz targets, by mechanism. Each takes any bytes and panics only when something
//! that must hold for all inputs does not.
#![expect(clippy::missing_panics_doc, reason = "a target reports what it found by panicking")]

pub mod messages;
pub mod names;
pub mod policies;
pub mod services;
pub mod session;
pub mod smtp;
pub mod submission;
pub mod tls;
pub mod world;
pub mod x509;
