//! https with the operator's own certificate files, which are read again on SIGHUP.

use crate::program::{finish, program};
use crate::site::Running;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

/// A self-signed certificate for `localhost`, written to two files.
fn write(folder: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("chain.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    made.cert.der().clone()
}

/// A connection that trusts these certificates and no other.
fn connect(site: &Running, trusted: &[&CertificateDer<'static>]) -> Connection {
    let mut roots = RootCertStore::empty();
    for certificate in trusted {
        roots.add((*certificate).clone()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    Connection(StreamOwned::new(client, TcpStream::connect(&site.address).unwrap()))
}

struct Connection(StreamOwned<ClientConnection, TcpStream>);

impl Connection {
    /// `GET /healthz`, after which the connection stands.
    fn asks(&mut self) -> String {
        self.0.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut text = Vec::new();
        while !text.ends_with(b"ok\n") {
            let mut octet = [0];
            self.0.read_exact(&mut octet).unwrap();
            text.extend(octet);
        }
        String::from_utf8(text).unwrap()
    }

    /// The certificate that the server showed.
    fn shown(&mut self) -> CertificateDer<'static> {
        self.asks();
        self.0.conn.peer_certificates().unwrap()[0].clone()
    }
}

#[test]
fn certificate_files_are_read_again_and_no_connection_ends() {
    let folder = tempfile::tempdir().unwrap();
    let first = write(folder.path());
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let files = ["--tls-cert", &path("chain.pem"), "--tls-key", &path("key.pem")];
    let mut site = Running::start(&[&["serve"], &files[..]].concat());
    site.first_link();
    let mut before = connect(&site, &[&first]);
    assert!(before.asks().contains("strict-transport-security: max-age="));
    let second = write(folder.path());
    let shown = |site: &Running| connect(site, &[&first, &second]).shown();
    assert!(shown(&site) == first, "nothing changes by itself");
    site.signal("HUP");
    assert!((0..1_000).any(|_| shown(&site) == second), "the new one is shown");
    assert!(before.asks().ends_with("ok\n"), "the old connection stands");

    std::fs::write(path("key.pem"), "no key").unwrap();
    site.signal("HUP");
    let fault = site.note();
    assert!(fault.contains("read the certificate files again"), "{fault}");
    assert!(fault.contains("key.pem: no private key in PEM form"), "{fault}");
    assert!(shown(&site) == second, "what cannot be used changes nothing");
    assert_eq!(site.stop(), 0);
}

#[test]
fn files_that_do_not_belong_together_are_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let chain = std::fs::read(path("chain.pem")).unwrap();
    write(folder.path());
    std::fs::write(path("chain.pem"), chain).unwrap();
    for (certificate, key) in
        [("chain.pem", "key.pem"), ("key.pem", "key.pem"), ("chain.pem", "none.pem")]
    {
        let data = path("data");
        let mut command = program();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data", &data]);
        command.args(["--tls-cert", &path(certificate), "--tls-key", &path(key)]);
        let said = finish(&mut command, b"");
        assert_eq!((said.status, said.stdout.as_str()), (2, ""), "{said:?}");
        assert_eq!(said.is_calm().stderr.lines().count(), 1, "{said:?}");
    }
}
