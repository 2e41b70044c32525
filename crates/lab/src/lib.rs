//! A small mail internet on loopback: DNS, faulty mail servers, policy hosts, delivery services, a throw-away
//! CA, described by scenario files.
//!
//! Depends on none of the other crates, so that a client is never tested by its own code. Answers on
//! 127.0.0.1 only, never contacts anything else and keeps nothing. The way in: [`control::Lab`] with the
//! scenarios of [`catalogue`].

pub mod authority;
pub mod catalogue;
pub mod control;
pub mod delivery_service;
pub mod dns;
pub mod expectation;
pub mod mailbox;
pub mod policy_host;
pub mod recorder;
pub mod scenario;
pub mod smtp_server;
pub mod tls;
mod world_builder;
