//! Delivery services and mailbox providers: what is known of them, and typed parts of a message.
//!
//! Nothing here opens a connection or reads a clock. The ways in are [`presets`] for host, port and mode of
//! a known service, [`address`] and [`header`] for the parts of a message that come from people.
//! Invariant: no value of this crate that goes into a header can hold a line end.

pub mod address;
pub mod header;
pub mod limits;
pub mod presets;
pub mod service;
