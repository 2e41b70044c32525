//! Submission servers that nobody here wrote (RFC 6409, RFC 8314): Postfix with Dovecot's sign-in, Exim, and
//! npm's `smtp-server`, each with a STARTTLS port and a TLS port on loopback, one account and one mailbox.
//!
//! The way in is [`Session::run`]. Invariant: what a server took is read from its own mailbox, never from
//! what the client says.

mod cases;
mod dovecot;
mod exim;
mod node;
mod postfix;
mod witness;

pub(super) use cases::Session;
pub(super) use node::ready;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use super::pki::Certificate;
use super::server::Process;
use super::tree::Tree;
use crate::clock;

/// The name that the certificates are made for.
const HOST: &str = "smtp.peer.test";
/// The one account.
const USER: &str = "sender@peer.test";
/// Its password.
const PASSWORD: &str = "Regenschirm-47-Kolibri-Ofen";
/// The only address that is delivered.
const INBOX: &str = "reader@inbox.test";

/// How long a server may take to put a message into the mailbox: Postfix and Exim start processes for it.
const DELIVERY_LIMIT: Duration = Duration::from_secs(20);

/// A running submission server.
#[derive(Debug)]
struct Peer {
    /// Where it expects STARTTLS.
    starttls: SocketAddr,
    /// Where it expects TLS from the first octet.
    tls: SocketAddr,
    /// The folder where each message becomes one file.
    mailbox: PathBuf,
    /// What runs as long as this value is there.
    _processes: Vec<Process>,
}

/// How a server is started, in a folder, under a certificate.
type Start = fn(&Tree, &Path, &Certificate) -> Result<Peer>;

impl Peer {
    /// The message with this text in it, as soon as the server has put it into the mailbox.
    fn delivered(&self, text: &str) -> Option<String> {
        let mut found = None;
        clock::until(DELIVERY_LIMIT, || {
            found = self.messages().into_iter().find(|message| message.contains(text));
            found.is_some()
        });
        found
    }

    /// Everything in the mailbox.
    fn messages(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(&self.mailbox) else { return Vec::new() };
        let files = entries.flatten().filter_map(|entry| std::fs::read(entry.path()).ok());
        files.map(|octets| String::from_utf8_lossy(&octets).into_owned()).collect()
    }
}
