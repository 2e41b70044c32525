//! A second opinion on every submission server (RFC 6409) from `curl`, which sends a message of its own or is
//! turned away: the server must be what the case claims before Waxseal is asked.

use std::path::Path;

use anyhow::Result;

use super::cases::{Attempt, Door};
use super::{INBOX, Peer, USER};
use crate::command::Command;

/// Seconds after which curl gives up; a server that waits for TLS says nothing for minutes.
const PATIENCE_S: &str = "20";

/// What curl is to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    /// The message is taken.
    Accepted,
    /// The password is refused.
    Denied,
    /// The certificate has expired.
    Expired,
    /// It is for another name.
    OtherName,
    /// What came is no TLS.
    NotTls,
}

impl Fact {
    /// curl's exit status, and words that must be in what it writes.
    const fn expected(self) -> (i32, &'static str) {
        match self {
            Self::Accepted => (0, ""),
            Self::Denied => (67, "Login denied"),
            Self::Expired => (60, "certificate has expired"),
            Self::OtherName => (60, "subjectAltName does not match"),
            Self::NotTls => (35, "wrong version number"),
        }
    }
}

/// Whether `curl` sees the same; else what it said.
///
/// # Errors
/// When curl cannot be started.
pub(super) fn agrees(
    peer: &Peer,
    attempt: &Attempt<'_>,
    fact: Fact,
    root: &Path,
) -> Result<Option<String>> {
    let address = match attempt.door {
        Door::Starttls => peer.starttls,
        Door::Tls => peer.tls,
    };
    let scheme = match attempt.mode {
        Door::Starttls => "smtp",
        Door::Tls => "smtps",
    };
    let port = address.port();
    let url = format!("{scheme}://{}:{port}/client.peer.test", attempt.host);
    let there = format!("{}:{port}:{}", attempt.host, address.ip());
    let login = format!("{USER}:{}", attempt.password);
    let mut curl = Command::new("curl")
        .args(["--silent", "--show-error", "--verbose", "--max-time", PATIENCE_S, "--ssl-reqd"])
        .args(["--url", &url, "--resolve", &there, "--user", &login])
        .args(["--mail-from", USER, "--mail-rcpt", INBOX])
        .args(["--cacert".as_ref(), root.as_os_str()])
        .args(["--upload-file".as_ref(), attempt.message.as_os_str()]);
    if let Some(mechanism) = attempt.mechanism {
        curl = curl.args(["--login-options", &format!("AUTH={mechanism}")]);
    }
    let done = curl.output()?;
    let (status, words) = fact.expected();
    let agrees = done.status.code() == Some(status) && done.stderr.contains(words);
    Ok((!agrees).then(|| format!("curl does not see {fact:?}: {}\n{}", done.status, done.stderr)))
}
