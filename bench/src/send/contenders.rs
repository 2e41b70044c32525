//! Who takes part in `send`: the product's own command and three tools, each one process for one message,
//! signed in with PLAIN (RFC 4616), with the server's chain verified.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::{HOST, Mode};
use crate::contenders::library_path;

/// The account.
pub(super) const USER: &str = "sender@bench.test";
/// Its password.
pub(super) const PASSWORD: &str = "bench-password-of-nobody";
const READER: &str = "reader@bench.test";

/// The message that every contender sends.
pub(super) const MESSAGE: &str = "From: sender@bench.test\r\nTo: reader@bench.test\r\n\
    Subject: a test\r\nMessage-ID: <1@bench.test>\r\nDate: Mon, 23 Nov 2026 12:00:00 +0000\r\n\r\n\
    One line of text.\r\n";

/// One contender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contender {
    Curl,
    OpenSsl,
    Swaks,
    Waxseal,
}

/// What a command needs to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job<'a> {
    /// The product's binary.
    pub(super) binary: &'a str,
    /// The unpacked packages.
    pub(super) peers: Option<&'a Path>,
    /// The session's folder.
    pub(super) folder: &'a Path,
    /// How the session is secured.
    pub(super) mode: Mode,
    /// Where to go.
    pub(super) address: SocketAddr,
}

impl Contender {
    pub(super) const ALL: [Self; 4] = [Self::Waxseal, Self::OpenSsl, Self::Curl, Self::Swaks];

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Curl => "`curl smtp://`",
            Self::OpenSsl => "`openssl s_client`, scripted",
            Self::Swaks => "`swaks`",
            Self::Waxseal => "`waxseal tool smtp send`",
        }
    }

    pub(super) fn is_there(self, job: &Job<'_>) -> bool {
        match self {
            Self::OpenSsl | Self::Waxseal => true,
            Self::Curl => Command::new("curl").arg("--version").output().is_ok(),
            Self::Swaks => job.peers.is_some_and(|root| root.join("usr/bin/swaks").exists()),
        }
    }

    /// The command for one message.
    pub(super) fn command(self, job: &Job<'_>) -> Result<Command> {
        match self {
            Self::Curl => Ok(curl(job)),
            Self::OpenSsl => openssl(job),
            Self::Swaks => swaks(job),
            Self::Waxseal => Ok(waxseal(job)),
        }
    }
}

fn waxseal(job: &Job<'_>) -> Command {
    let port = match job.mode {
        Mode::Starttls => "587",
        Mode::Tls => "465",
    };
    let mut command = Command::new(job.binary);
    command.args(["tool", "smtp", "send", "--json", "--allow-private", "--host", HOST]);
    command.args(["--port", port, "--security", job.mode.as_str(), "--username", USER]);
    command.arg("--password-file").arg(job.folder.join("password"));
    command.arg("--roots").arg(job.folder.join("ca.pem"));
    command.arg("--zone-file").arg(job.folder.join("zone.json"));
    command.arg("--connect").arg(format!("{HOST}:{port}={}", job.address));
    command.args(["--from", USER, "--to", READER]).arg(job.folder.join("message"));
    command
}

fn curl(job: &Job<'_>) -> Command {
    let (scheme, port) = match job.mode {
        Mode::Starttls => ("smtp", job.address.port()),
        Mode::Tls => ("smtps", job.address.port()),
    };
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--ssl-reqd", "--url"]);
    command.arg(format!("{scheme}://{HOST}:{port}/bench.test"));
    command.arg("--resolve").arg(format!("{HOST}:{port}:{}", job.address.ip()));
    command.args(["--login-options", "AUTH=PLAIN", "--sasl-ir", "--user"]);
    command.arg(format!("{USER}:{PASSWORD}")).args(["--mail-from", USER, "--mail-rcpt", READER]);
    command.arg("--cacert").arg(job.folder.join("ca.pem"));
    command.arg("--upload-file").arg(job.folder.join("message"));
    command
}

fn swaks(job: &Job<'_>) -> Result<Command> {
    let root = job.peers.context("swaks is not there")?;
    let mut command = Command::new("perl");
    command.arg(root.join("usr/bin/swaks")).env("LD_LIBRARY_PATH", library_path(root));
    command.args(["--silent", "3", "--helo", "bench.test", "--server"]);
    command.arg(job.address.ip().to_string()).arg("--port").arg(job.address.port().to_string());
    command.arg(match job.mode {
        Mode::Starttls => "--tls",
        Mode::Tls => "--tls-on-connect",
    });
    command.args(["--tls-verify", "--tls-ca-path"]).arg(job.folder.join("ca.pem"));
    command.args(["--auth", "PLAIN", "--auth-user", USER, "--auth-password", PASSWORD]);
    command.args(["--from", USER, "--to", READER, "--data"]);
    let mut data = std::ffi::OsString::from("@");
    data.push(job.folder.join("message"));
    command.arg(data);
    Ok(command)
}

/// This program plays the person who types into `openssl s_client`.
fn openssl(job: &Job<'_>) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["dialogue", "--address", &job.address.to_string()]);
    command.args(["--mode", job.mode.as_str(), "--folder"]).arg(job.folder);
    Ok(command)
}
