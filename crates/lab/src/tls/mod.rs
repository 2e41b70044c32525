//! The TLS side of the lab's servers: a full TLS server with limits, or hand-made answers to chosen
//! ClientHellos (RFC 8446, RFC 5246). Mail servers and policy hosts share it.
//! The way in: [`TlsBehaviour`] as data, [`TlsSide`] built from it, [`Handshake`] for one connection.

mod behaviour;
mod handshake;
mod hello;
mod old;
mod raw;
mod side;
mod wire;

pub use behaviour::{Condition, Exchange, OldTls, Rule, ServerHello, TlsBehaviour, TlsStep};
pub(crate) use handshake::{Handshake, Outcome};
pub(crate) use raw::from_hex;
pub use side::TlsSideError;
pub(crate) use side::{Place, TlsSide};
pub(crate) use wire::{Farewell, Prefixed, Wire};
