//! The only place that opens TCP connections (RFC 9293 §3.5). It looks up the route, asks the guard about
//! the address, connects to exactly that address, and maps what the kernel said. It retries nothing. The
//! way in is [`Dialer::dial`]; a change must keep the guard between routing and connecting.

use crate::guard::Guard;
use crate::limits::Limits;
use crate::routes::{Destination, Routes};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use tokio::net::{TcpStream, UdpSocket};
use waxseal_check::question::Connect;

/// Who is to be reached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    /// The host name, if one is known; only connect rules look at it.
    pub(crate) host: Option<&'a str>,
    /// The address the host was found at.
    pub(crate) address: IpAddr,
    /// The (logical) port.
    pub(crate) port: u16,
}

/// A relay that the administrator's configuration lists: it may stand at a private address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    /// The host as connections name it: a name in A-labels, or an address.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// Routes, guard and limits of a world.
#[derive(Debug)]
pub(crate) struct Dialer {
    pub(crate) routes: Routes,
    pub(crate) guard: Guard,
    pub(crate) limits: Limits,
}

impl Dialer {
    /// The socket address a target leads to, if the guard lets it through. No packet is sent.
    pub(crate) fn admit(&self, target: &Target<'_>) -> Result<SocketAddr, Connect> {
        self.admit_by(target, self.guard).map(|(socket, _)| socket)
    }

    /// The socket address, and the address that was judged.
    fn admit_by(&self, target: &Target<'_>, guard: Guard) -> Result<(SocketAddr, IpAddr), Connect> {
        let destination = self.routes.find(target.host, target.address, target.port);
        let judged = match destination {
            Destination::Direct(socket) => socket.ip(),
            Destination::NoListener
            | Destination::Published(_)
            | Destination::Unanswered
            | Destination::Unreachable => target.address,
        };
        if !guard.admits(judged) {
            return Err(Connect::GuardRefused);
        }
        match destination {
            Destination::Direct(socket) | Destination::Published(socket) => Ok((socket, judged)),
            Destination::NoListener => Err(Connect::Refused),
            Destination::Unanswered => Err(Connect::TimedOut),
            Destination::Unreachable => Err(Connect::Unreachable { local_family_missing: false }),
        }
    }

    /// Connects within the limit, without delay for small writes (RFC 9293 §3.7.4).
    pub(crate) async fn dial(&self, target: &Target<'_>) -> Result<TcpStream, Connect> {
        self.connect(self.admit(target)?).await
    }

    /// As [`Self::dial`], for mail of our own: a relay that the administrator has listed by host and port
    /// may also stand at a private address. Says besides which address was judged: the one that a rule leads
    /// to, not the one that a name was found at.
    pub(crate) async fn dial_relay(
        &self,
        target: &Target<'_>,
        relays: &[Relay],
    ) -> Result<(TcpStream, IpAddr), Connect> {
        let is_listed = relays
            .iter()
            .any(|relay| target.host == Some(relay.host.as_str()) && target.port == relay.port);
        let guard = match (is_listed, self.guard) {
            (true, Guard::PublicOnly) => Guard::PrivateToo,
            (_, guard @ (Guard::PrivateToo | Guard::PublicOnly | Guard::Simulated)) => guard,
        };
        let (socket, judged) = self.admit_by(target, guard)?;
        Ok((self.connect(socket).await?, judged))
    }

    async fn connect(&self, socket: SocketAddr) -> Result<TcpStream, Connect> {
        match tokio::time::timeout(self.limits.connect, TcpStream::connect(socket)).await {
            Err(_) => Err(Connect::TimedOut),
            Ok(Err(error)) => Err(connect_failure(&error, socket.ip()).await),
            Ok(Ok(stream)) => {
                // A socket that cannot do it still works, only slower.
                let _ = stream.set_nodelay(true);
                Ok(stream)
            }
        }
    }
}

/// What an error of `connect` says about the peer. An error of our own (no socket to be had) says nothing
/// about it and counts as a missing local family.
async fn connect_failure(error: &io::Error, address: IpAddr) -> Connect {
    let kind = error.kind();
    if kind == ErrorKind::ConnectionRefused {
        return Connect::Refused;
    }
    if kind == ErrorKind::ConnectionReset {
        return Connect::Reset;
    }
    if kind == ErrorKind::TimedOut {
        return Connect::TimedOut;
    }
    let reported_by_network = matches!(
        kind,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable | ErrorKind::PermissionDenied
    );
    let local_family_missing = !reported_by_network || source_towards(address).await.is_none();
    Connect::Unreachable { local_family_missing }
}

/// The source address the kernel would choose towards `address`. Connecting a UDP socket sends nothing.
pub(crate) async fn source_towards(address: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = match address {
        IpAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).await.ok()?;
    socket.connect(SocketAddr::new(address, 9)).await.ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|source| !source.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::{OpenRoutes, Route};
    use std::collections::BTreeMap;
    use tokio::net::TcpListener;

    fn open(guard: Guard) -> Dialer {
        let routes = Routes::Open(OpenRoutes::default());
        Dialer { routes, guard, limits: Limits::default() }
    }

    fn target(address: &str, port: u16) -> Target<'static> {
        Target { host: None, address: address.parse().unwrap(), port }
    }

    #[tokio::test]
    async fn the_guard_stands_before_the_first_packet() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let refused = open(Guard::PublicOnly).dial(&target("127.0.0.1", port)).await;
        assert_eq!(refused.unwrap_err(), Connect::GuardRefused);
        let mapped = open(Guard::PublicOnly).dial(&target("::ffff:127.0.0.1", port)).await;
        assert_eq!(mapped.unwrap_err(), Connect::GuardRefused);
        let stream = open(Guard::PrivateToo).dial(&target("127.0.0.1", port)).await.unwrap();
        assert!(stream.nodelay().unwrap());
        assert_eq!(stream.peer_addr().unwrap(), listener.local_addr().unwrap());
    }

    #[tokio::test]
    async fn a_connect_rule_is_judged_by_where_it_leads() {
        let rules = || vec!["mx.example.com=127.0.0.1:9".parse().unwrap()];
        let asked = Target { host: Some("mx.example.com"), ..target("8.8.8.8", 25) };
        let mut dialer = open(Guard::PublicOnly);
        dialer.routes = Routes::Open(OpenRoutes::new(rules()));
        assert_eq!(dialer.admit(&asked), Err(Connect::GuardRefused));
        dialer.guard = Guard::PrivateToo;
        assert_eq!(dialer.admit(&asked), Ok("127.0.0.1:9".parse().unwrap()));
        let away = vec!["127.0.0.1=192.0.2.9:25".parse().unwrap()];
        dialer.routes = Routes::Open(OpenRoutes::new(away));
        let (_, judged) = dialer.admit_by(&target("127.0.0.1", 25), dialer.guard).unwrap();
        assert_eq!(judged, "192.0.2.9".parse::<IpAddr>().unwrap(), "no loopback any more");
    }

    #[tokio::test]
    async fn a_simulated_world_dials_only_its_own_sockets() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = listener.local_addr().unwrap();
        let published: IpAddr = "198.18.0.10".parse().unwrap();
        let private: IpAddr = "10.0.0.1".parse().unwrap();
        let dialer = Dialer {
            routes: Routes::Published(BTreeMap::from([
                ((published, 25), Route::Socket(socket)),
                ((published, 465), Route::Unanswered),
                ((published, 587), Route::Unreachable),
                ((private, 25), Route::Socket(socket)),
            ])),
            guard: Guard::Simulated,
            limits: Limits::default(),
        };
        assert!(dialer.dial(&target("198.18.0.10", 25)).await.is_ok());
        for (address, port, expected) in [
            ("198.18.0.10", 465, Connect::TimedOut),
            ("198.18.0.10", 587, Connect::Unreachable { local_family_missing: false }),
            ("198.18.0.10", 443, Connect::Refused),
            ("198.18.0.11", 25, Connect::Unreachable { local_family_missing: false }),
            ("10.0.0.1", 25, Connect::GuardRefused),
            ("127.0.0.1", socket.port(), Connect::GuardRefused),
        ] {
            let end = dialer.dial(&target(address, port)).await.map(|_| ());
            assert_eq!(end, Err(expected), "{address}:{port}");
        }
    }

    #[tokio::test]
    async fn a_closed_port_refuses() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let end = open(Guard::PrivateToo).dial(&target("127.0.0.1", port)).await;
        assert_eq!(end.unwrap_err(), Connect::Refused);
    }
}
