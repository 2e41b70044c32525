//! A small mail internet on loopback: DNS, faulty mail servers, policy hosts, a throw-away CA.
//!
//! Depends on none of the other crates, so that a client is never tested by its own code. Answers
//! on 127.0.0.1 only and never contacts anything else.

pub mod dns;
