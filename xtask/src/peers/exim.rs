//! Exim from the unpacked tree: the daemon in the foreground on a loopback port, by itself without routers or
//! transports, so it accepts no mail; with a [`Setup`] whatever that asks for. RFC 3207 by way of GnuTLS
//! instead of OpenSSL.
//!
//! Debian's build looks up the account `Debian-exim` before it reads anything; a preloaded library
//! answers for it from two small files, so the machine's own accounts stay as they are.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::Result;

use super::pki::Certificate;
use super::server::{Server, free_port};
use super::tree::Tree;

const PASSWD: &str = "\
root:x:0:0::/root:/bin/sh
nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin
Debian-exim:x:65533:65533::/nonexistent:/usr/sbin/nologin
";
const GROUPS: &str = "root:x:0:\nnogroup:x:65534:\nDebian-exim:x:65533:\n";

/// The number of the account `nobody`.
pub(crate) const NOBODY: u32 = 65_534;

/// What one instance is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup<'a> {
    /// Its name.
    pub(crate) host: &'a str,
    /// Its ports, in Exim's form of a list.
    pub(crate) ports: &'a str,
    /// Its certificate; without one it offers no STARTTLS.
    pub(crate) certificate: Option<&'a Certificate>,
    /// Further options and all `begin` sections.
    pub(crate) own: &'a str,
}

/// Starts Exim in `folder` under the name `host`; without a certificate it offers no STARTTLS.
///
/// # Errors
/// When a file cannot be made or Exim does not start.
pub(crate) fn start(
    tree: &Tree,
    folder: &Path,
    host: &str,
    certificate: Option<&Certificate>,
) -> Result<Server> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let own = "keep_environment =\nbegin acl\nbegin routers\nbegin transports\n";
    let ports = address.port().to_string();
    start_with(tree, folder, address, &Setup { host, ports: &ports, certificate, own })
}

/// Starts Exim in `folder` and waits until it accepts at `address`.
///
/// # Errors
/// When a file cannot be made or Exim does not start.
pub(crate) fn start_with(
    tree: &Tree,
    folder: &Path,
    address: SocketAddr,
    setup: &Setup<'_>,
) -> Result<Server> {
    std::fs::create_dir_all(folder.join("spool"))?;
    let config = folder.join("conf");
    std::fs::write(&config, configuration(folder, setup))?;
    std::fs::write(folder.join("passwd"), PASSWD)?;
    std::fs::write(folder.join("group"), GROUPS)?;
    let daemon = tree
        .command("usr/sbin/exim4")?
        .env("LD_PRELOAD", tree.library("libnss_wrapper.so")?)
        .env("NSS_WRAPPER_PASSWD", folder.join("passwd"))
        .env("NSS_WRAPPER_GROUP", folder.join("group"))
        .args(["-bdf".as_ref(), "-C".as_ref(), config.as_os_str()]);
    Server::start(daemon, address, folder)
}

fn configuration(folder: &Path, setup: &Setup<'_>) -> String {
    let Setup { host, ports, certificate, own } = *setup;
    let folder = folder.display();
    let tls = match certificate {
        None => String::from("tls_advertise_hosts =\n"),
        Some(Certificate { chain, key }) => format!(
            "tls_advertise_hosts = *\ntls_certificate = {}\ntls_privatekey = {}\n",
            chain.display(),
            key.display()
        ),
    };
    format!(
        "primary_hostname = {host}\nexim_user = root\nexim_group = root\n\
         spool_directory = {folder}/spool\nlog_file_path = {folder}/log-%s\npid_file_path = {folder}/pid\n\
         daemon_smtp_ports = {ports}\nlocal_interfaces = 127.0.0.1\ndisable_ipv6 = true\n\
         host_lookup =\nrfc1413_query_timeout = 0s\n{tls}{own}"
    )
}
