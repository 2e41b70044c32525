//! SMTP as a client speaks it (RFC 5321, RFC 3207, RFC 2034): replies, EHLO answers, commands, the session
//! as a state machine without I/O, and the transcript. `net` moves the bytes and decides nothing. The
//! way in is [`session`]; what a session showed is [`seen::SessionSeen`].

pub mod command;
pub mod ehlo;
mod mail_command;
pub mod message_data;
pub mod outcome;
mod plan;
mod prelude;
pub mod reply;
pub mod reply_class;
mod reply_reader;
pub mod sasl;
pub mod seen;
pub mod session;
pub mod submission;
pub mod transcript;

pub use mail_command::ReversePath;
pub use message_data::{MessageData, MessageError};
