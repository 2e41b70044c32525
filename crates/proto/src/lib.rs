//! What the standards of mail transport say: bytes to values and back, session states, policy
//! arithmetic.
//!
//! This crate is pure: it opens no socket and no file, reads no clock, no environment and no random
//! number. Whatever it needs from the world is an argument. Start at [`smtp::session`] for the SMTP
//! client, [`x509`] for certificate chains, [`mta_sts`] and [`tls_rpt`] for the policies.
#![warn(clippy::indexing_slicing)]

pub mod deviation;
pub mod dns;
pub mod finding;
pub mod limits;
pub mod message;
pub mod mta_sts;
pub mod name;
pub mod observation;
pub mod secret;
pub mod smtp;
pub mod tls;
pub mod tls_rpt;
pub mod x509;
