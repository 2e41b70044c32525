//! A received message as it lies in the mailbox (RFC 5322 §2.2, §3.6): its header block, the `Received`
//! lines that trace its path (RFC 5321 §4.4) and what the receiver says about its sender (RFC 8601).
//! Nothing is verified here: every line is a claim of the server that wrote it. Start at
//! [`header::HeaderBlock::parse`], then [`path::MailPath::of`] and [`auth_results::of_block`]. A change
//! must keep what was not said apart from what was denied.

pub mod alignment;
pub mod auth_results;
pub mod date;
pub mod header;
pub mod path;
pub mod received;
