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

/// The DNS data of the targets as a zone file, for runs without DNS traffic.
///
/// # Errors
/// When it cannot be written as JSON.
pub(crate) fn zone_file(list: &[Target]) -> Result<String> {
    let record = |name: &str, kind: &str, data: String| serde_json::json!({ "name": name, "type": kind, "data": [data] });
    let mut records = vec![record("ns.test", "A", "127.0.0.1".into())];
    for Target { domain, host, socket } in list {
        let soa = "ns.test. root.test. 1 3600 900 604800 300".to_owned();
        let report = format!("v=TLSRPTv1; rua=mailto:tls-reports@{domain}");
        records.extend([
            record(domain, "NS", "ns.test.".into()),
            record(domain, "SOA", soa),
            record(domain, "MX", format!("10 {host}.")),
            record(host, "A", socket.ip().to_string()),
            record(&format!("_smtp._tls.{domain}"), "TXT", report),
        ]);
    }
    Ok(serde_json::to_string(&serde_json::json!({ "records": records }))?)
}
