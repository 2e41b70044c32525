//! Who takes part: this program's own probes, and the peers that people have at hand. Each is a command that
//! probes every host of a receiver once and exits with 0 only when all of them were verified.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::targets::{self, Target};

/// Peers run so many processes at once: more gained nothing on two processors.
const PEER_PROCESSES: &str = "4";
/// Own contenders hold so many sessions at once, fewer than the product's limit of 64 connections.
const SESSIONS_AT_ONCE: &str = "50";

/// One contender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contender {
    /// The bare loop, handshake only.
    Floor,
    /// The bare loop with the dialogue the product holds.
    FloorWhole,
    /// The product, one session, DNS from a file.
    OneSession,
    /// The product, all follow-ups, DNS from a file.
    Full,
    /// The product, one session, DNS asked and validated.
    OneSessionDns,
    /// The product, no session: what its DNS costs.
    DnsOnly,
    /// `openssl s_client`, one process for each host.
    OpenSsl,
    /// Postfix' `posttls-finger`, one process for each host.
    Finger,
}

impl Contender {
    /// All of them, in the order of the table.
    pub(crate) const ALL: [Self; 8] = [
        Self::OneSession,
        Self::Full,
        Self::OneSessionDns,
        Self::DnsOnly,
        Self::Floor,
        Self::FloorWhole,
        Self::OpenSsl,
        Self::Finger,
    ];

    /// Its words in the table.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Floor => "floor: bare rustls loop",
            Self::FloorWhole => "floor with EHLO and QUIT answered inside TLS",
            Self::OneSession => "waxseal, one session (DNS from a file)",
            Self::Full => "waxseal, full depth (DNS from a file)",
            Self::OneSessionDns => "waxseal, one session, DNS asked and validated",
            Self::DnsOnly => "waxseal, DNS only, asked and validated",
            Self::OpenSsl => "`openssl s_client -starttls smtp`",
            Self::Finger => "`posttls-finger`",
        }
    }

    /// Whether it needs the lab's DNS, which only knows the cheap servers.
    pub(crate) const fn needs_lab_dns(self) -> bool {
        matches!(self, Self::OneSessionDns | Self::DnsOnly)
    }
}

/// The programs of others.
#[derive(Debug)]
pub(crate) struct Tools {
    peers: Option<PathBuf>,
    config: PathBuf,
}

impl Tools {
    /// Looks for the unpacked packages in `peers` and writes what Postfix' programs want to read.
    ///
    /// # Errors
    /// When the settings cannot be written.
    pub(crate) fn new(peers: Option<&str>, folder: &Path) -> Result<Self> {
        let config = folder.join("postfix-client");
        std::fs::create_dir_all(&config)?;
        let peers =
            peers.map(PathBuf::from).filter(|root| root.join("usr/sbin/posttls-finger").exists());
        if let Some(root) = &peers {
            let text = format!(
                "compatibility_level = 3.6\nmail_owner = news\nsetgid_group = uucp\n\
                 shlib_directory = {}\nmyhostname = bench.test\n",
                root.join("usr/lib/postfix").display()
            );
            std::fs::write(config.join("main.cf"), text)?;
        }
        Ok(Self { peers, config })
    }

    /// The unpacked packages.
    pub(crate) fn peers(&self) -> Option<&Path> {
        self.peers.as_deref()
    }

    /// Whether a contender can take part.
    pub(crate) fn has(&self, contender: Contender) -> bool {
        contender != Contender::Finger || self.peers.is_some()
    }

    /// The version of Postfix, if it is there.
    pub(crate) fn postfix_version(&self) -> Option<String> {
        let root = self.peers.as_ref()?;
        let output = Command::new(root.join("usr/sbin/postconf"))
            .args(["-d", "-h", "mail_version"])
            .env("MAIL_CONFIG", &self.config)
            .env("LD_LIBRARY_PATH", library_path(root))
            .output()
            .ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// The command of a contender against the receiver described in `folder`.
    ///
    /// # Errors
    /// When its list of hosts cannot be written.
    pub(crate) fn command(&self, contender: Contender, folder: &Path) -> Result<Command> {
        let own = |words: &[&str]| -> Result<Command> {
            let mut command = Command::new(std::env::current_exe()?);
            command.args(words).args(["--at-once", SESSIONS_AT_ONCE]);
            command.arg("--folder").arg(folder);
            Ok(command)
        };
        match contender {
            Contender::Floor => own(&["floor", "--dialogue", "least"]),
            Contender::FloorWhole => own(&["floor", "--dialogue", "whole"]),
            Contender::OneSession => own(&["waxseal", "--scope", "one-session", "--dns", "file"]),
            Contender::Full => own(&["waxseal", "--scope", "full", "--dns", "file"]),
            Contender::OneSessionDns => own(&["waxseal", "--scope", "one-session", "--dns", "lab"]),
            Contender::DnsOnly => own(&["waxseal", "--scope", "dns", "--dns", "lab"]),
            Contender::OpenSsl => openssl(folder),
            Contender::Finger => self.finger(folder),
        }
    }

    fn finger(&self, folder: &Path) -> Result<Command> {
        let root = self.peers.as_ref().context("posttls-finger is not there")?;
        let list = list(folder, "finger.txt", |target| {
            format!("[{}]:{} {}", target.socket.ip(), target.socket.port(), target.host)
        })?;
        let mut command = each_line(&list);
        command.arg(root.join("usr/sbin/posttls-finger"));
        command.args(["-c", "-l", "secure", "-F"]).arg(folder.join("ca.pem"));
        command.env("LD_LIBRARY_PATH", library_path(root)).env("MAIL_CONFIG", &self.config);
        Ok(command)
    }
}

fn openssl(folder: &Path) -> Result<Command> {
    let list = list(folder, "openssl.txt", |Target { host, socket, .. }| {
        format!("-connect {socket} -servername {host} -verify_hostname {host}")
    })?;
    let mut command = each_line(&list);
    command.args(["openssl", "s_client", "-starttls", "smtp", "-name", "bench.test", "-brief"]);
    command.args(["-verify_return_error", "-CAfile"]).arg(folder.join("ca.pem"));
    Ok(command)
}

/// A command that is run once for each line of a list, some of them at once.
fn each_line(list: &Path) -> Command {
    let mut command = Command::new("xargs");
    command.arg("-a").arg(list).args(["-L1", "-P", PEER_PROCESSES]);
    command
}

fn list(folder: &Path, name: &str, line: impl Fn(&Target) -> String) -> Result<PathBuf> {
    let path = folder.join(name);
    let lines: Vec<String> = targets::read(folder)?.iter().map(|each| line(each) + "\n").collect();
    std::fs::write(&path, lines.concat())?;
    Ok(path)
}

/// Where the unpacked packages have their libraries.
pub(crate) fn library_path(root: &Path) -> String {
    let mut folders = vec![root.join("usr/lib/postfix")];
    if let Ok(entries) = std::fs::read_dir(root.join("usr/lib")) {
        let paths = entries.flatten().map(|entry| entry.path());
        folders.extend(paths.filter(|path| path.to_string_lossy().ends_with("-linux-gnu")));
    }
    let folders: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    folders.join(":")
}
