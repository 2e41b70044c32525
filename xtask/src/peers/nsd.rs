//! NSD from the unpacked tree, serving a small signed world: a root zone, `test.` below it, and a mail
//! domain. RFC 4035 as a widely used authoritative server answers it; signed by ldns, ECDSA P-256.
//!
//! The root key made here is the only trust anchor of that world.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::server::{Server, free_port};
use super::tree::Tree;

/// A running name server and the key it is trusted by.
#[derive(Debug)]
pub(crate) struct SignedWorld {
    /// The server.
    pub(crate) server: Server,
    /// The root's DNSKEY record, as a file.
    pub(crate) trust_anchor: PathBuf,
}

/// Whether the zone is served as it was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signatures {
    /// One octet of the signature over the MX record is changed after signing.
    Damaged,
    /// All are as the signer made them.
    Good,
}

/// Starts NSD in `folder` with `domain` (below `test.`) whose only mail host is `host` at 127.0.0.1.
///
/// # Errors
/// When signing fails or NSD does not start.
pub(crate) fn start(
    tree: &Tree,
    folder: &Path,
    names: (&str, &str),
    signatures: Signatures,
) -> Result<SignedWorld> {
    let (domain, host) = names;
    std::fs::create_dir_all(folder)?;
    let root_key = key(tree, folder, ".")?;
    let test_key = key(tree, folder, "test")?;
    let records = format!("{domain}. MX 10 {host}.\n{host}. A 127.0.0.1\n");
    sign(
        tree,
        folder,
        Zone { origin: "test.", file: "test.zone", key: &test_key, records: &records },
    )?;
    let delegation = std::fs::read_to_string(folder.join(format!("{test_key}.ds")))?;
    let records = format!("ns.test. A 127.0.0.1\ntest. NS ns.test.\n{delegation}");
    sign(tree, folder, Zone { origin: ".", file: "root.zone", key: &root_key, records: &records })?;
    if signatures == Signatures::Damaged {
        damage(&folder.join("test.zone.signed"))?;
    }
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    std::fs::write(folder.join("nsd.conf"), configuration(folder, address))?;
    let daemon = tree.command("usr/sbin/nsd")?.args(["-d", "-c", "nsd.conf"]).folder(folder);
    let server = Server::start(daemon, address, folder)?;
    Ok(SignedWorld { server, trust_anchor: folder.join(format!("{root_key}.key")) })
}

fn key(tree: &Tree, folder: &Path, zone: &str) -> Result<String> {
    let made = tree
        .command("usr/bin/ldns-keygen")?
        .args(["-a", "ECDSAP256SHA256", "-k", zone])
        .folder(folder)
        .output()?
        .success("making a zone key")?;
    Ok(made.stdout.trim().to_string())
}

#[derive(Clone, Copy)]
struct Zone<'a> {
    origin: &'a str,
    file: &'a str,
    key: &'a str,
    records: &'a str,
}

fn sign(tree: &Tree, folder: &Path, zone: Zone<'_>) -> Result<()> {
    let Zone { origin, file, key, records } = zone;
    let text = format!(
        "$TTL 300\n{origin} SOA ns.test. hostmaster.test. 1 3600 900 604800 300\n\
         {origin} NS ns.test.\n{}{records}",
        if origin == "." { "" } else { "ns.test. A 127.0.0.1\n" }
    );
    std::fs::write(folder.join(file), text)?;
    tree.command("usr/bin/ldns-signzone")?
        .args(["-o", origin, file, key])
        .folder(folder)
        .output()?
        .success("signing a zone")?;
    Ok(())
}

/// Changes the first octet of the signature over the MX record.
fn damage(file: &Path) -> Result<()> {
    let text = std::fs::read_to_string(file)?;
    let line = text
        .lines()
        .find(|line| line.contains("RRSIG\tMX ") || line.contains("RRSIG MX "))
        .context("a signature over the MX record")?;
    let (start, signature) =
        line.trim_end().rsplit_once(' ').context("a signature in the record")?;
    let first = if signature.starts_with('A') { "B" } else { "A" };
    let changed = format!("{start} {first}{}", signature.get(1..).unwrap_or_default());
    std::fs::write(file, text.replace(line, &changed))?;
    Ok(())
}

fn configuration(folder: &Path, address: SocketAddr) -> String {
    let (ip, port, folder) = (address.ip(), address.port(), folder.display());
    format!(
        "server:\n  ip-address: {ip}@{port}\n  username: \"\"\n  chroot: \"\"\n  zonesdir: \"{folder}\"\n  \
         zonelistfile: \"{folder}/zone.list\"\n  xfrdfile: \"{folder}/xfrd.state\"\n  xfrdir: \"{folder}\"\n  \
         database: \"\"\n  pidfile: \"{folder}/pid\"\n  logfile: \"{folder}/log\"\n  server-count: 1\n  \
         do-ip6: no\n\
         remote-control:\n  control-enable: no\n\
         zone:\n  name: \".\"\n  zonefile: \"root.zone.signed\"\n\
         zone:\n  name: \"test.\"\n  zonefile: \"test.zone.signed\"\n"
    )
}
