//! Remembers what clients did: every octet they sent in clear, every command inside TLS, and how many
//! connections were open at once. Tests and `waxseal lab` read it; no server decides by it except the
//! connection count. The way in: [`Recorder`]; records are bounded.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::mailbox::Mailbox;

/// Octets of clear text kept per connection; a probe sends far fewer.
const CLEAR_LIMIT_BYTES: usize = 64 * 1024;
/// Commands kept per connection.
const COMMAND_LIMIT: usize = 1_000;

/// One connection as the server saw it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Recording {
    /// The address the lab publishes for the server.
    pub published: IpAddr,
    /// The logical port.
    pub port: u16,
    /// The server's name.
    pub host: String,
    /// Everything the client sent outside TLS; whole TLS records are left out, wherever they stand.
    pub clear: Vec<u8>,
    /// Command lines inside TLS, without CRLF.
    pub tls_commands: Vec<String>,
    /// The server name of the ClientHello.
    pub server_name: Option<String>,
    /// Octets of the ClientHello with record headers.
    pub hello_length: Option<usize>,
    /// Whether a TLS handshake completed.
    pub tls_completed: bool,
    /// Whether the chain of this session is good for the server's name under the lab's root.
    pub vouched: bool,
    /// The last error of the TLS library, as it says it.
    pub tls_error: Option<String>,
    /// Whether the connection is over.
    pub closed: bool,
}

impl Recording {
    /// The lines the client sent before TLS, without CRLF. Octets that are not UTF-8 are replaced.
    pub fn clear_lines(&self) -> Vec<String> {
        String::from_utf8_lossy(&self.clear).lines().map(String::from).collect()
    }
}

#[derive(Debug, Default)]
struct Book {
    recordings: Vec<Recording>,
    forgotten: usize,
    open: usize,
    most_open: usize,
    per_address: BTreeMap<IpAddr, Count>,
}

/// Connections to one address.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    open: usize,
    most: usize,
}

impl Book {
    fn entry(&mut self, index: usize) -> Option<&mut Recording> {
        self.recordings.get_mut(index.checked_sub(self.forgotten)?)
    }
}

/// The recorder of a lab; clones share the same book.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    book: Arc<Mutex<Book>>,
    mailbox: Mailbox,
    ended: Arc<Notify>,
}

impl Recorder {
    /// All connections so far, in the order they were accepted.
    pub fn recordings(&self) -> Vec<Recording> {
        self.with(|book| book.recordings.clone())
    }

    /// The largest number of mail connections that were open at the same time.
    pub fn most_open(&self) -> usize {
        self.with(|book| book.most_open)
    }

    /// The largest number of mail connections to one published address that were open at the same time.
    pub fn most_open_to(&self, published: IpAddr) -> usize {
        self.with(|book| book.per_address.get(&published).map_or(0, |count| count.most))
    }

    /// Waits until every connection that is recorded is over.
    pub async fn settled(&self) {
        loop {
            let ended = self.ended.notified();
            if self.with(|book| book.recordings.iter().all(|recording| recording.closed)) {
                return;
            }
            ended.await;
        }
    }

    /// Forgets everything recorded; open connections keep being recorded nowhere.
    pub fn clear(&self) {
        self.with(|book| {
            book.forgotten += book.recordings.len();
            book.recordings.clear();
            book.most_open = book.open;
            for count in book.per_address.values_mut() {
                count.most = count.open;
            }
        });
    }

    /// The messages that submission servers have accepted.
    pub fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    fn with<T>(&self, work: impl FnOnce(&mut Book) -> T) -> T {
        work(&mut self.book.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Opens the record of a new connection.
    pub(crate) fn open(&self, published: IpAddr, port: u16, host: &str) -> Entry {
        let mail = !matches!(port, 80 | 443);
        let index = self.with(|book| {
            book.open += usize::from(mail);
            book.most_open = book.most_open.max(book.open);
            if mail {
                let count = book.per_address.entry(published).or_default();
                count.open += 1;
                count.most = count.most.max(count.open);
            }
            book.recordings.push(Recording {
                published,
                port,
                host: host.to_owned(),
                clear: Vec::new(),
                tls_commands: Vec::new(),
                server_name: None,
                hello_length: None,
                tls_completed: false,
                vouched: false,
                tls_error: None,
                closed: false,
            });
            book.forgotten + book.recordings.len() - 1
        });
        let records = Mutex::new(Records::default());
        Entry { recorder: self.clone(), index, published: mail.then_some(published), records }
    }
}

/// The open record of one connection; dropping it marks the connection as over.
#[derive(Debug)]
pub(crate) struct Entry {
    recorder: Recorder,
    index: usize,
    /// The published address, for mail servers.
    published: Option<IpAddr>,
    /// Where in a TLS record the clear octets are.
    records: Mutex<Records>,
}

/// Tells TLS records from text: no command begins with the octet of a record type (RFC 8446 §5.1).
#[derive(Debug, Default)]
struct Records {
    header: Vec<u8>,
    body: usize,
    inside_line: bool,
}

impl Records {
    /// What of `octets` stands outside TLS records.
    fn outside(&mut self, octets: &[u8]) -> Vec<u8> {
        const HEADER_OCTETS: usize = 5;
        let mut out = Vec::new();
        for octet in octets {
            if self.body > 0 {
                self.body -= 1;
                continue;
            }
            if !self.inside_line && (!self.header.is_empty() || matches!(octet, 0x14..=0x17)) {
                self.header.push(*octet);
                if let &[_, version, _, high, low] = self.header.as_slice() {
                    if version == 3 {
                        self.body = usize::from(u16::from_be_bytes([high, low]));
                    } else {
                        out.extend_from_slice(&self.header);
                    }
                }
                if self.header.len() >= HEADER_OCTETS {
                    self.header.clear();
                }
                continue;
            }
            self.inside_line = *octet != b'\n';
            out.push(*octet);
        }
        out
    }
}

impl Entry {
    /// Changes the record.
    pub(crate) fn note(&self, change: impl FnOnce(&mut Recording)) {
        self.recorder.with(|book| {
            if let Some(recording) = book.entry(self.index) {
                change(recording);
            }
        });
    }

    /// Adds clear octets from the client.
    pub(crate) fn clear_octets(&self, octets: &[u8]) {
        let octets = self.records.lock().unwrap_or_else(PoisonError::into_inner).outside(octets);
        self.note(|recording| {
            let room = CLEAR_LIMIT_BYTES.saturating_sub(recording.clear.len());
            recording.clear.extend(octets.into_iter().take(room));
        });
    }

    /// Adds a command seen inside TLS.
    pub(crate) fn tls_command(&self, line: &str) {
        self.note(|recording| {
            if recording.tls_commands.len() < COMMAND_LIMIT {
                recording.tls_commands.push(line.to_owned());
            }
        });
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.recorder.with(|book| {
            if let Some(published) = self.published {
                book.open = book.open.saturating_sub(1);
                let count = book.per_address.entry(published).or_default();
                count.open = count.open.saturating_sub(1);
            }
            if let Some(recording) = book.entry(self.index) {
                recording.closed = true;
            }
        });
        self.recorder.ended.notify_waiters();
    }
}
