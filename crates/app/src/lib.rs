//! One function per thing a person or an agent wants done. It joins the deciders ([`waxseal_check`]) with
//! the executor ([`waxseal_net`]) and holds neither rules nor sockets.

pub mod audit;
pub mod check_desk;
pub mod check_domain;
pub mod connections;
pub mod doctor;
pub mod jobs;
pub mod limits;
pub mod near;
pub mod once;
pub mod probe_host;
pub mod secret_link;
pub mod service;
mod steps;
pub mod store;
pub mod submission;
pub mod test_send;
pub mod tokens;
pub mod users;
pub mod world;

pub use check_domain::{CheckRequest, Checked, ControlHost, Progress, check_domain};
