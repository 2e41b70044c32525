//! Postfix as a submission server (RFC 6409): STARTTLS demanded on one port, TLS from the first octet on the
//! other, sign-in by Dovecot and only inside TLS, delivery into a maildir.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::chown;
use std::path::Path;

use anyhow::{Context, Result};

use super::super::pki::Certificate;
use super::super::postfix;
use super::super::server::free_port;
use super::super::tree::Tree;
use super::{HOST, Peer, dovecot};

/// The account that owns the mailbox: nobody, whom every Debian has with this number.
const NOBODY: u32 = 65_534;

/// Starts Dovecot and Postfix in `folder`.
///
/// # Errors
/// When a file cannot be made or a server does not start.
pub(super) fn start(tree: &Tree, folder: &Path, certificate: &Certificate) -> Result<Peer> {
    let (sign_in, socket) = dovecot::start(tree, &folder.join("dovecot"))?;
    let address = || free_port().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let (starttls, tls) = (address()?, address()?);
    let mail = folder.join("mail");
    std::fs::create_dir_all(&mail)?;
    chown(&mail, Some(NOBODY), Some(NOBODY)).context("giving the mailbox away (needs root)")?;
    let settings = format!(
        "smtpd_tls_auth_only = yes\nsmtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\n\
         smtpd_sasl_path = {}\nsmtpd_sasl_security_options = noanonymous\n\
         smtpd_relay_restrictions = permit_sasl_authenticated, reject\n\
         virtual_mailbox_domains = inbox.test\nvirtual_mailbox_base = {}\n\
         virtual_mailbox_maps = static:mail/\nvirtual_minimum_uid = 1\n\
         virtual_uid_maps = static:{NOBODY}\nvirtual_gid_maps = static:{NOBODY}\n",
        socket.display(),
        folder.display(),
    );
    let services = format!(
        "{starttls} inet n - n - - smtpd -o smtpd_tls_security_level=encrypt\n\
         {tls} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes\n\
         cleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\n\
         virtual unix - n n - - virtual\nbounce unix - - n - 0 bounce\n\
         defer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\nerror unix - - n - - error\n"
    );
    let setup = postfix::Setup {
        host: HOST,
        certificate: Some(certificate),
        settings: &settings,
        services: &services,
    };
    let server = postfix::start_with(tree, folder, starttls, &setup)?;
    Ok(Peer { starttls, tls, mailbox: mail.join("new"), _processes: vec![server.process, sign_in] })
}
