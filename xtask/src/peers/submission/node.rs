//! npm's `smtp-server`, which sits behind many web applications and test tools: one process for each port,
//! started from `server.js`, with PLAIN, LOGIN and CRAM-MD5 inside TLS only (RFC 4954).
//!
//! It is installed from npm into `target/peers/npm`, one pinned version; its own dependencies are pinned by it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::super::pki::Certificate;
use super::super::server::{Server, free_port};
use super::super::tree::Tree;
use super::{HOST, PASSWORD, Peer, USER};
use crate::command::Command;
use crate::tools::Missing;
use crate::workspace;

/// The one version the tests run against.
const VERSION: &str = "3.21.6";
/// The server's program.
const SCRIPT: &str = include_str!("server.js");

/// Looks for the package, and installs it when asked to.
///
/// # Errors
/// Names the package and the command that installs it, or says why npm failed.
pub(crate) fn ready(missing: Missing) -> Result<()> {
    if installed() == Some(VERSION.into()) {
        return Ok(());
    }
    if missing == Missing::Report {
        bail!(
            "npm's smtp-server {VERSION} is not installed in target/peers/npm; install it with:\n  \
             cargo xtask peers --install"
        );
    }
    std::fs::create_dir_all(folder())?;
    Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"])
        .args([folder().as_os_str(), format!("smtp-server@{VERSION}").as_ref()])
        .output()?
        .success("installing smtp-server")?;
    if installed().is_none() {
        bail!("npm ended well, but smtp-server is not in {}", folder().display());
    }
    Ok(())
}

fn folder() -> PathBuf {
    workspace::root().join("target/peers/npm")
}

fn installed() -> Option<String> {
    let file = folder().join("node_modules/smtp-server/package.json");
    let package = serde_json::from_slice::<serde_json::Value>(&std::fs::read(file).ok()?).ok()?;
    package["version"].as_str().map(str::to_owned)
}

/// Starts both ports in `folder`.
///
/// # Errors
/// When a file cannot be made or node does not start.
pub(super) fn start(_: &Tree, folder: &Path, certificate: &Certificate) -> Result<Peer> {
    let mailbox = folder.join("mail/new");
    std::fs::create_dir_all(&mailbox)?;
    let script = folder.join("server.js");
    std::fs::write(&script, SCRIPT)?;
    let start = |name: &str, secure: bool| -> Result<Server> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let own = folder.join(name);
        std::fs::create_dir_all(&own)?;
        let settings = serde_json::json!({
            "certificate": certificate.chain, "key": certificate.key, "mailbox": mailbox,
            "host": HOST, "port": address.port(), "secure": secure,
            "user": USER, "password": PASSWORD,
        });
        let file = own.join("settings.json");
        std::fs::write(&file, settings.to_string())?;
        let modules = self::folder().join("node_modules");
        let node = Command::new("node")
            .env("NODE_PATH", modules)
            .args([script.as_os_str(), file.as_os_str()]);
        Server::start(node, address, &own)
    };
    let (plain, sealed) = (start("starttls", false)?, start("tls", true)?);
    let (starttls, tls) = (plain.address, sealed.address);
    Ok(Peer { starttls, tls, mailbox, _processes: vec![plain.process, sealed.process] })
}
