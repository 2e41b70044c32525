//! Exim as a submission server (RFC 6409): the `plaintext` driver for PLAIN and LOGIN and `cram_md5`, offered
//! inside TLS only, one port with STARTTLS and one with TLS from the first octet, delivery into a maildir.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::{Context, Result};

use super::super::exim;
use super::super::pki::Certificate;
use super::super::server::free_port;
use super::super::tree::Tree;
use super::{HOST, PASSWORD, Peer, USER};

/// Starts Exim in `folder`.
///
/// # Errors
/// When a file cannot be made or Exim does not start.
pub(super) fn start(tree: &Tree, folder: &Path, certificate: &Certificate) -> Result<Peer> {
    let address = || free_port().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let (starttls, tls) = (address()?, address()?);
    let mail = folder.join("mail");
    std::fs::create_dir_all(&mail)?;
    std::os::unix::fs::chown(&mail, Some(exim::NOBODY), Some(exim::NOBODY))
        .context("giving the mailbox away (needs root)")?;
    let program = tree.path("usr/sbin/exim4");
    let own = format!(
        "exim_path = {}\ntls_on_connect_ports = {}\n\
         keep_environment = LD_LIBRARY_PATH : LD_PRELOAD : NSS_WRAPPER_PASSWD : NSS_WRAPPER_GROUP\n\
         acl_smtp_rcpt = submit\n\
         begin acl\nsubmit:\n  accept authenticated = *\n  deny message = relay not permitted\n\
         begin routers\ninbox:\n  driver = accept\n  transport = maildir\n\
         begin transports\nmaildir:\n  driver = appendfile\n  maildir_format\n  directory = {}\n\
         \x20 user = nobody\n  group = nogroup\n\
         begin authenticators\n{}",
        program.display(),
        tls.port(),
        mail.display(),
        authenticators(),
    );
    let ports = format!("{} : {}", starttls.port(), tls.port());
    let setup =
        exim::Setup { host: HOST, ports: &ports, certificate: Some(certificate), own: &own };
    let server = exim::start_with(tree, folder, starttls, &setup)?;
    Ok(Peer { starttls, tls, mailbox: mail.join("new"), _processes: vec![server.process] })
}

fn authenticators() -> String {
    let inside = "server_advertise_condition = ${if def:tls_in_cipher}";
    format!(
        "plain:\n  driver = plaintext\n  public_name = PLAIN\n  {inside}\n  server_prompts = :\n\
         \x20 server_condition = ${{if and{{{{eq{{$auth2}}{{{USER}}}}}{{eq{{$auth3}}{{{PASSWORD}}}}}}}}}\n\
         \x20 server_set_id = $auth2\n\
         login:\n  driver = plaintext\n  public_name = LOGIN\n  {inside}\n\
         \x20 server_prompts = Username:: : Password::\n\
         \x20 server_condition = ${{if and{{{{eq{{$auth1}}{{{USER}}}}}{{eq{{$auth2}}{{{PASSWORD}}}}}}}}}\n\
         \x20 server_set_id = $auth1\n\
         cram:\n  driver = cram_md5\n  public_name = CRAM-MD5\n  {inside}\n\
         \x20 server_secret = ${{if eq{{$auth1}}{{{USER}}}{{{PASSWORD}}}fail}}\n\
         \x20 server_set_id = $auth1\n"
    )
}
