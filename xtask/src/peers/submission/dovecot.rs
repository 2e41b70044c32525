//! Dovecot from the unpacked tree, as the sign-in service of Postfix only: no mail protocol, one account in a
//! file, and the mechanisms SCRAM-SHA-256 (RFC 7677), PLAIN, LOGIN and CRAM-MD5.
//!
//! Wrong passwords are not punished with a growing delay, because a case tries them on purpose. Dovecot's programs look for their configuration reader at a path fixed when they were built; started by
//! that reader they find the configuration in their environment instead.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::super::server::Process;
use super::super::tree::Tree;
use super::{PASSWORD, USER};

/// The account that Dovecot's processes run under: every Debian has it and nobody uses it.
const OWNER: &str = "nobody";
/// Its group.
const GROUP: &str = "nogroup";

/// Starts Dovecot in `folder`; returns it with the socket for Postfix.
///
/// # Errors
/// When a file cannot be written or Dovecot does not start.
pub(super) fn start(tree: &Tree, folder: &Path) -> Result<(Process, PathBuf)> {
    std::fs::create_dir_all(folder.join("run"))?;
    let config = folder.join("dovecot.conf");
    let socket = folder.join("auth-client");
    std::fs::write(&config, configuration(tree, folder)?)?;
    std::fs::write(folder.join("users"), format!("{USER}:{{PLAIN}}{PASSWORD}::::::\n"))?;
    let daemon = tree
        .command("usr/bin/doveconf")?
        .args(["-c".as_ref(), config.as_os_str(), "-e".as_ref()])
        .args([tree.path("usr/sbin/dovecot").as_os_str(), "-F".as_ref(), "-c".as_ref()])
        .args([config.as_os_str()]);
    let process = Process::start(daemon, folder, || socket.exists())?;
    Ok((process, socket))
}

fn configuration(tree: &Tree, folder: &Path) -> Result<String> {
    let programs = tree.path("usr/lib/dovecot").display().to_string();
    let libraries = tree.library_path()?;
    let folder = folder.display();
    Ok(format!(
        "base_dir = {folder}/run\nstate_dir = {folder}/run\nlibexec_dir = {programs}\n\
         default_login_user = {OWNER}\ndefault_internal_user = {OWNER}\n\
         default_internal_group = {GROUP}\n\
         import_environment = TZ LD_LIBRARY_PATH={libraries}\n\
         log_path = {folder}/log\nprotocols =\nssl = no\ndisable_plaintext_auth = no\n\
         auth_mechanisms = scram-sha-256 plain login cram-md5\nauth_failure_delay = 0\n\
         passdb {{\n  driver = passwd-file\n  args = scheme=PLAIN username_format=%u {folder}/users\n}}\n\
         service auth {{\n  chroot =\n  user = {OWNER}\n  unix_listener {folder}/auth-client {{\n    mode = 0666\n  }}\n}}\n\
         service anvil {{\n  unix_listener anvil-auth-penalty {{\n    mode = 0\n  }}\n}}\n\
         service stats {{\n  chroot =\n}}\n"
    ))
}
