//! Postfix from the unpacked tree: by itself `master` with one `smtpd` on a loopback port, and nothing that
//! could deliver mail; with a [`Setup`] whatever that asks for. RFC 3207 as the most used mail server
//! speaks it.
//!
//! Postfix insists on a mail owner and a set-group-id group of their own; accounts that every Debian has
//! and nobody uses stand in.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use anyhow::{Context, Result};

use super::pki::Certificate;
use super::server::{Server, free_port};
use super::tree::Tree;
use crate::command::Command;

const OWNER: &str = "news";
const GROUP: &str = "uucp";
const QUEUES: &[&str] = &[
    "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop",
    "pid", "private", "public", "saved", "trace",
];

/// The services that every instance needs.
const SERVICES: &str = "\
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
";

/// What one instance is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup<'a> {
    /// Its name.
    pub(crate) host: &'a str,
    /// Its certificate; without one it offers no STARTTLS.
    pub(crate) certificate: Option<&'a Certificate>,
    /// Further lines of `main.cf`, which win over the ones before.
    pub(crate) settings: &'a str,
    /// The lines of `master.cf` beside the services that every instance needs.
    pub(crate) services: &'a str,
}

/// Starts Postfix in `folder` under the name `host`; without a certificate it offers no STARTTLS.
///
/// # Errors
/// When a file cannot be made or Postfix does not start.
pub(crate) fn start(
    tree: &Tree,
    folder: &Path,
    host: &str,
    certificate: Option<&Certificate>,
) -> Result<Server> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let services = format!("{address} inet n - n - - smtpd\n");
    let settings = "smtpd_relay_restrictions = reject\n";
    start_with(tree, folder, address, &Setup { host, certificate, settings, services: &services })
}

/// Starts Postfix in `folder` and waits until it accepts at `address`.
///
/// # Errors
/// When a file cannot be made or Postfix does not start.
pub(crate) fn start_with(
    tree: &Tree,
    folder: &Path,
    address: SocketAddr,
    setup: &Setup<'_>,
) -> Result<Server> {
    let config = folder.join("etc");
    std::fs::create_dir_all(&config)?;
    make_folders(folder)?;
    std::fs::write(config.join("main.cf"), main_cf(tree, folder, setup)?)?;
    std::fs::write(config.join("master.cf"), format!("{}{SERVICES}", setup.services))?;
    let master = tree
        .command("usr/lib/postfix/sbin/master")?
        .env("MAIL_CONFIG", &config)
        .env("MAIL_LOGTAG", "postfix")
        .args(["-d".as_ref(), "-c".as_ref(), config.as_os_str()]);
    Server::start(master, address, folder)
}

fn main_cf(tree: &Tree, folder: &Path, setup: &Setup<'_>) -> Result<String> {
    let Setup { host, certificate, settings, .. } = *setup;
    let (folder, show) = (folder.display(), |path: &str| tree.path(path).display().to_string());
    let tls = match certificate {
        None => String::from("smtpd_tls_security_level = none\n"),
        Some(Certificate { chain, key }) => format!(
            "smtpd_tls_security_level = may\nsmtpd_tls_chain_files = {}, {}\n",
            key.display(),
            chain.display()
        ),
    };
    Ok(format!(
        "compatibility_level = 3.6\n\
         queue_directory = {folder}/spool\ndata_directory = {folder}/data\n\
         command_directory = {}\ndaemon_directory = {}\nshlib_directory = {}\n\
         meta_directory = {folder}/etc\n\
         mail_owner = {OWNER}\nsetgid_group = {GROUP}\ndefault_privs = nobody\n\
         myhostname = {host}\nmydestination =\nmynetworks =\n\
         inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nalias_maps =\nlocal_recipient_maps =\n\
         smtpd_peername_lookup = no\n\
         maillog_file = {folder}/log\nmaillog_file_prefixes = {folder}\n\
         import_environment = LD_LIBRARY_PATH={} MAIL_CONFIG MAIL_LOGTAG TZ LANG=C\n{tls}{settings}",
        show("usr/sbin"),
        show("usr/lib/postfix/sbin"),
        show("usr/lib/postfix"),
        tree.library_path()?,
    ))
}

fn make_folders(folder: &Path) -> Result<()> {
    let owner = Some(id("passwd", OWNER)?);
    let group = Some(id("group", GROUP)?);
    let spool = folder.join("spool");
    for name in QUEUES {
        let path = spool.join(name);
        std::fs::create_dir_all(&path)?;
        match *name {
            "pid" => {}
            "maildrop" | "public" => {
                chown(&path, owner, group)?;
                let mode = if *name == "public" { 0o710 } else { 0o730 };
                std::fs::set_permissions(&path, PermissionsExt::from_mode(mode))?;
            }
            _ => {
                chown(&path, owner, None)?;
                std::fs::set_permissions(&path, PermissionsExt::from_mode(0o700))?;
            }
        }
    }
    let data = folder.join("data");
    std::fs::create_dir_all(&data)?;
    chown(&data, owner, None).context("giving Postfix its folder (needs root)")?;
    std::fs::set_permissions(&data, PermissionsExt::from_mode(0o700))?;
    Ok(())
}

fn id(database: &str, name: &str) -> Result<u32> {
    let found =
        Command::new("getent").args([database, name]).output()?.success("looking up an account")?;
    let number = found.stdout.split(':').nth(2).context("an account without a number")?;
    Ok(number.trim().parse()?)
}
