//! A second opinion on every peer, from tools that nobody here wrote either: what `openssl s_client` and
//! `drill` see must be what the case claims, or the case itself is wrong.
//!
//! Without it, a server that never offered STARTTLS because it was set up badly would look like a pass.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;

use super::tree::Tree;
use crate::command::Command;

/// What `openssl s_client` is to say about a mail server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MailFact {
    /// The certificate verifies.
    Good,
    /// It does not, because it has expired.
    Expired,
    /// STARTTLS is not offered.
    NoStarttls,
}

/// Whether `openssl s_client` sees the same; else what it said.
///
/// # Errors
/// When openssl cannot be started.
pub(crate) fn mail(server: SocketAddr, root: &Path, fact: MailFact) -> Result<Option<String>> {
    let seen = Command::new("openssl")
        .args(["s_client", "-starttls", "smtp", "-brief", "-connect", &server.to_string()])
        .args(["-CAfile".as_ref(), root.as_os_str()])
        .output()?;
    let said = format!("{}{}", seen.stdout, seen.stderr);
    let expected = match fact {
        MailFact::Good => "Verification: OK",
        MailFact::Expired => "certificate has expired",
        MailFact::NoStarttls => "STARTTLS",
    };
    let offered = said.contains("CONNECTION ESTABLISHED");
    let agrees = said.contains(expected) && offered == (fact != MailFact::NoStarttls);
    Ok((!agrees).then(|| format!("openssl does not see {fact:?}:\n{said}")))
}

/// Whether `drill` can follow the signatures from the trust anchor to the MX record of `domain`.
///
/// # Errors
/// When drill cannot be started.
pub(crate) fn signatures_hold(
    tree: &Tree,
    server: SocketAddr,
    anchor: &Path,
    domain: &str,
) -> Result<bool> {
    let port = server.port().to_string();
    let at = format!("@{}", server.ip());
    let seen = tree
        .command("usr/bin/drill")?
        .args(["-S", "-k"])
        .args([anchor])
        .args(["-p", &port, &at, "MX", domain])
        .output()?;
    Ok(seen.status.success() && seen.stdout.contains("Chase successful"))
}
