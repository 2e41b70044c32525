//! A network without a way out, where a test may stand behind every address and port: the test runs itself
//! again in a namespace where all addresses lead to this machine. Where the system allows no namespace, the
//! test runs on the machine's own loopback, with the ports it may open there, and contacts nothing public.

use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::process::Command;
use std::sync::{Arc, Mutex};

/// Says that a test runs in the namespace.
const MARK: &str = "TEST_IN_OWN_NETWORK";

/// Every address is local, and nothing is beyond.
const SET_UP: &str = "ip link set lo up && ip route add local default dev lo && \
     ip -6 route add local default dev lo";

/// Where a test runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    /// In a namespace of its own.
    Own,
    /// On the machine's network.
    Shared,
}

/// Runs a test in a network of its own where that can be had; `body` is its body.
pub(crate) fn in_own_network(test: &str, body: impl FnOnce(Network)) {
    if std::env::var_os(MARK).is_some() {
        return body(Network::Own);
    }
    let inside = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--net", "sh", "-c", script, "sh"]);
        command
    };
    if !inside(SET_UP).output().is_ok_and(|tried| tried.status.success()) {
        eprintln!("no network namespace here: only loopback is watched");
        return body(Network::Shared);
    }
    let mut again = inside(&format!("{SET_UP} && exec \"$@\""));
    again.arg(std::env::current_exe().unwrap()).args(["--exact", test, "--nocapture"]);
    let said = again.env(MARK, "1").output().unwrap();
    let out = String::from_utf8_lossy(&said.stdout);
    assert!(said.status.success() && out.contains("1 passed"), "{out}\n{said:?}");
}

/// Listeners that note who was contacted.
#[derive(Clone, Default)]
pub(crate) struct Contacts(Arc<Mutex<Vec<SocketAddr>>>);

impl Contacts {
    /// Listens on these ports: on all addresses of an own network, on those of loopback in a shared one. TCP
    /// connections are greeted like by a mail server; of UDP only port 53 of loopback is watched.
    pub(crate) fn watch(network: Network, ports: &[u16]) -> Self {
        let contacts = Self::default();
        // The unspecified IPv6 address takes both families.
        let addresses: &[&str] = match network {
            Network::Own => &["::"],
            Network::Shared => &["127.0.0.1", "::1"],
        };
        for address in addresses {
            let address: IpAddr = address.parse().unwrap();
            for port in ports {
                contacts.listen(SocketAddr::new(address, *port));
            }
        }
        for address in ["127.0.0.1:53", "[::1]:53"] {
            contacts.receive(address.parse().unwrap());
        }
        contacts
    }

    /// Every contact so far, by the address and port that was contacted.
    pub(crate) fn met(&self) -> Vec<SocketAddr> {
        self.0.lock().unwrap().clone()
    }

    fn listen(&self, at: SocketAddr) {
        let Ok(listener) = TcpListener::bind(at) else {
            return eprintln!("{at} is not watched");
        };
        let met = self.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                met.note(stream.local_addr().unwrap());
                std::thread::spawn(move || speak(&stream));
            }
        });
    }

    fn receive(&self, at: SocketAddr) {
        let Ok(socket) = UdpSocket::bind(at) else { return eprintln!("{at}/udp is not watched") };
        let met = self.clone();
        std::thread::spawn(move || {
            while socket.recv_from(&mut [0; 1500]).is_ok() {
                met.note(at);
            }
        });
    }

    fn note(&self, mut contact: SocketAddr) {
        contact.set_ip(contact.ip().to_canonical());
        self.0.lock().unwrap().push(contact);
    }
}

/// A mail server that offers nothing.
fn speak(mut stream: &std::net::TcpStream) {
    use std::io::{BufRead as _, BufReader, Write as _};
    if stream.write_all(b"220 mx.example ESMTP\r\n").is_err() {
        return;
    }
    for line in BufReader::new(stream).lines() {
        let reply = match line.as_deref() {
            Ok(line) if line.starts_with("EHLO") => "250 mx.example\r\n",
            Ok(line) if line.starts_with("QUIT") => "221 bye\r\n",
            Ok(_) => "502 no\r\n",
            Err(_) => return,
        };
        if stream.write_all(reply.as_bytes()).is_err() {
            return;
        }
    }
}
