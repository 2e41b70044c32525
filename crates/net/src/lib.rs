//! Asks the world and decides nothing: DNS, TCP, TLS, SMTP, HTTPS, the clock.
//!
//! Everything goes through a [`World`]: the real one, or a simulated one whose sockets belong to a lab.
//! [`World::answer`] carries out a [`Question`](waxseal_check::question::Question) and always answers; an
//! error of this crate means that Waxseal could not do its own job. No reply code, policy word or retry
//! rule lives here.

pub mod clock;
pub mod guard;
pub mod limits;

mod budget;
mod dial;
mod dns;
mod error;
mod executor;
mod hello_driver;
mod https;
mod policy_fetch;
mod routes;
mod service_driver;
mod service_exchange;
mod smtp_driver;
mod submission_driver;
mod tap;
#[cfg(test)]
mod tests;
mod tls;
mod vantage;
mod world;

pub use dial::Relay;
pub use dns::ZoneFile;
pub use error::NetError;
pub use limits::Limits;
pub use routes::{ConnectRule, Route};
pub use service_driver::ServiceLine;
pub use submission_driver::{Submission, Told};
pub use world::{Parts, Settings, Simulation, Targets, World};
