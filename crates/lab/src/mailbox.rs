//! Messages that submission servers of the lab have accepted, kept for tests and for people: in memory, and
//! in the session folder where there is one. Nothing is ever passed on. The way in: [`Mailbox`]; its memory is
//! bounded, and the oldest messages go first.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Messages kept.
const MESSAGES_MAX: usize = 1_000;

/// A message that a server has accepted.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct StoredMessage {
    /// The server's name.
    pub host: String,
    /// The address the lab publishes for the server.
    pub published: IpAddr,
    /// The logical port.
    pub port: u16,
    /// Whether the session was inside TLS.
    pub inside_tls: bool,
    /// Who had signed in.
    pub user: Option<String>,
    /// The reverse path, without angle brackets; empty for the null one.
    pub from: String,
    /// The parameters of MAIL.
    pub parameters: Vec<String>,
    /// The accepted recipients, without angle brackets.
    pub recipients: Vec<String>,
    /// The message as sent, dots unstuffed, without the final dot.
    #[serde(skip)]
    pub data: Vec<u8>,
}

impl StoredMessage {
    /// The message as text; octets that are not UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.data).into_owned()
    }
}

#[derive(Debug, Default)]
struct Shelf {
    messages: Vec<StoredMessage>,
    taken: usize,
    folder: Option<PathBuf>,
}

/// The accepted messages of a lab; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Mailbox {
    shelf: Arc<Mutex<Shelf>>,
}

impl Mailbox {
    /// All messages kept, in the order they were accepted.
    pub fn messages(&self) -> Vec<StoredMessage> {
        self.with(|shelf| shelf.messages.clone())
    }

    /// From now on every message is also written to this folder: `NUMBER.eml`, and its envelope as
    /// `NUMBER.json`.
    pub(crate) fn write_to(&self, folder: &Path) {
        self.with(|shelf| shelf.folder = Some(folder.to_owned()));
    }

    /// Keeps a message; gives its number, from 1.
    pub(crate) fn store(&self, message: StoredMessage) -> usize {
        self.with(|shelf| {
            shelf.taken += 1;
            if let Some(folder) = &shelf.folder {
                let envelope = serde_json::to_string_pretty(&message).unwrap_or_default();
                // A folder that is gone ends the session, not the server.
                let _ = std::fs::write(folder.join(format!("{:04}.json", shelf.taken)), envelope);
                let _ =
                    std::fs::write(folder.join(format!("{:04}.eml", shelf.taken)), &message.data);
            }
            if shelf.messages.len() >= MESSAGES_MAX {
                shelf.messages.remove(0);
            }
            shelf.messages.push(message);
            shelf.taken
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Shelf) -> T) -> T {
        work(&mut self.shelf.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
