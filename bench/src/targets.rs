//! The hosts of a receiver as its folder names them, one line each: `DOMAIN HOST ADDRESS PORT`. Written by
//! the receiver, read by every contender of this program; peers get lists in their own form.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use anyhow::{Context, Result, bail};

/// File of the list in the folder of a receiver.
const FILE: &str = "targets.txt";

/// One domain with its only MX host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The domain that is checked.
    pub(crate) domain: String,
    /// Its MX host.
    pub(crate) host: String,
    /// Where the host answers.
    pub(crate) socket: SocketAddr,
}

/// Writes the list.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn write(folder: &Path, targets: &[Target]) -> Result<()> {
    let lines: Vec<String> = targets
        .iter()
        .map(|Target { domain, host, socket }| {
            format!("{domain} {host} {} {}\n", socket.ip(), socket.port())
        })
        .collect();
    std::fs::write(folder.join(FILE), lines.concat()).context("writing the list of targets")
}

/// Reads the list.
///
/// # Errors
/// When it is missing or a line is not of its form.
pub(crate) fn read(folder: &Path) -> Result<Vec<Target>> {
    let text = std::fs::read_to_string(folder.join(FILE)).context("reading the list of targets")?;
    text.lines().map(target).collect()
}

fn target(line: &str) -> Result<Target> {
    let mut words = line.split(' ');
    let (Some(domain), Some(host), Some(address), Some(port)) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        bail!("no target: {line:?}");
    };
    let socket = SocketAddr::new(address.parse::<IpAddr>()?, port.parse()?);
    Ok(Target { domain: domain.to_owned(), host: host.to_owned(), socket })
}
