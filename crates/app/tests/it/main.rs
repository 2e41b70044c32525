//! Use cases against the lab, with real sockets on loopback.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its world fails")]

mod connection_changes;
mod jobs;
mod lab_world;
mod less_seen;
mod other_pairs;
mod scenarios;
mod service_scenarios;
mod services;
mod side_by_side;
mod submission_wire;
mod submissions;
mod test_send;
mod wire;
