//! The crate against small servers on loopback: whole questions in, whole answers out.

mod dns;
mod fetch;
mod fixtures;
mod hello;
mod service;
mod smtp;
mod submission;
