//! The record of questions: what was asked, where, over which transport, with which bits.
//! Tests read it to prove what a client did not ask.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::config::Transport;
use super::limits::LOG_ENTRIES_MAX;

/// One question as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedQuery {
    /// The name in lower case with the final dot.
    pub name: String,
    /// The record type, such as `MX`.
    pub record_type: String,
    /// The host name of the server with the final dot, or `resolver`.
    pub server: String,
    /// UDP or TCP.
    pub transport: Transport,
    /// The checking-disabled bit (RFC 4035 §3.2.2).
    pub checking_disabled: bool,
    /// The DNSSEC-OK bit (RFC 3225 §3).
    pub dnssec_ok: bool,
}

/// The bounded log shared by all sockets of a world.
#[derive(Debug, Default)]
pub(super) struct QueryLog {
    entries: Mutex<VecDeque<LoggedQuery>>,
}

impl QueryLog {
    pub(super) fn push(&self, entry: LoggedQuery) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= LOG_ENTRIES_MAX {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    pub(super) fn entries(&self) -> Vec<LoggedQuery> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().cloned().collect()
    }

    pub(super) fn clear(&self) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
