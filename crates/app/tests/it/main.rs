//! Use cases against the lab, with real sockets on loopback.

mod lab_world;
mod scenarios;
