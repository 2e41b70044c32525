//! Where a connection really goes. A real world goes to the address itself, unless a `--connect` rule
//! names the host; a simulated one knows only the sockets of its lab. Nothing is judged here: the guard
//! judges (see [`crate::dial`]). A change must keep a simulated world unable to leave its table.

use crate::error::NetError;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};

/// What stands behind one published address and logical port of a simulated world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// A socket of the lab.
    Socket(SocketAddr),
    /// Packets vanish: a connection attempt ends as timed out, at once.
    Unanswered,
    /// The network reports no way there.
    Unreachable,
}

/// One `--connect HOST[:PORT]=IP:PORT` rule: traffic for a host goes to this socket instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectRule {
    host: String,
    port: Option<u16>,
    to: SocketAddr,
}

impl std::str::FromStr for ConnectRule {
    type Err = NetError;

    fn from_str(rule: &str) -> Result<Self, NetError> {
        let wrong = |problem| NetError::ConnectRule { rule: rule.to_owned(), problem };
        let (from, to) = rule.split_once('=').ok_or_else(|| wrong("no equals sign"))?;
        let to = to.parse().map_err(|_| wrong("the part after = is no IP:PORT"))?;
        let (host, port) = match from.rsplit_once(':') {
            _ if from.parse::<IpAddr>().is_ok() => (from, None),
            Some((host, port)) => {
                let port = port.parse().map_err(|_| wrong("the port before = is no number"))?;
                (host.trim_start_matches('[').trim_end_matches(']'), Some(port))
            }
            None => (from, None),
        };
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        if host.is_empty() {
            return Err(wrong("no host before ="));
        }
        Ok(Self { host, port, to })
    }
}

/// Where to, before the guard has judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// To the address itself; the guard judges it.
    Direct(SocketAddr),
    /// Nothing is known of this published port: refused.
    NoListener,
    /// To a socket of the lab; the guard judges the published address.
    Published(SocketAddr),
    /// Packets vanish.
    Unanswered,
    /// No way there.
    Unreachable,
}

/// The routing table of a world.
#[derive(Debug)]
pub(crate) enum Routes {
    /// Everything goes where it is addressed, but for these rules.
    Open(OpenRoutes),
    /// Only these exist.
    Published(BTreeMap<(IpAddr, u16), Route>),
}

/// The rules of an open world and the addresses its names were seen to have.
#[derive(Debug, Default)]
pub(crate) struct OpenRoutes {
    rules: Vec<ConnectRule>,
    learned: Mutex<BTreeMap<IpAddr, String>>,
}

impl OpenRoutes {
    pub(crate) fn new(rules: Vec<ConnectRule>) -> Self {
        Self { rules, learned: Mutex::default() }
    }

    /// A rule names a host, but a question to a name server carries only an address: remember which
    /// address a named host was found at.
    pub(crate) fn learn(&self, host: &str, address: IpAddr) {
        if self.rules.iter().any(|rule| rule.host == host) {
            let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
            learned.insert(address, host.to_owned());
        }
    }

    fn find(&self, host: Option<&str>, address: IpAddr, port: u16) -> Option<SocketAddr> {
        if self.rules.is_empty() {
            return None;
        }
        let literal = address.to_string();
        let learned =
            self.learned.lock().unwrap_or_else(PoisonError::into_inner).get(&address).cloned();
        let names = [host, Some(literal.as_str()), learned.as_deref().filter(|_| host.is_none())];
        // A rule with a port is more exact than one without, wherever it stands.
        [Some(port), None].into_iter().find_map(|wanted| {
            let rule = self.rules.iter().find(|rule| {
                rule.port == wanted && names.iter().flatten().any(|name| *name == rule.host)
            });
            rule.map(|rule| rule.to)
        })
    }
}

impl Routes {
    /// Where a connection for `host` at `address` and `port` goes.
    pub(crate) fn find(&self, host: Option<&str>, address: IpAddr, port: u16) -> Destination {
        match self {
            Self::Open(open) => Destination::Direct(
                open.find(host, address, port).unwrap_or_else(|| SocketAddr::new(address, port)),
            ),
            Self::Published(table) => match table.get(&(address, port)) {
                Some(Route::Socket(socket)) => Destination::Published(*socket),
                Some(Route::Unanswered) => Destination::Unanswered,
                None if table.keys().any(|(known, _)| *known == address) => Destination::NoListener,
                Some(Route::Unreachable) | None => Destination::Unreachable,
            },
        }
    }

    /// See [`OpenRoutes::learn`].
    pub(crate) fn learn(&self, host: &str, address: IpAddr) {
        match self {
            Self::Open(open) => open.learn(host, address),
            Self::Published(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(rules: &[&str]) -> Routes {
        Routes::Open(OpenRoutes::new(rules.iter().map(|rule| rule.parse().unwrap()).collect()))
    }

    #[test]
    fn connect_rules_match_host_and_port_and_the_exact_one_wins() {
        let routes = open(&[
            "mx.example.com=127.0.0.1:1000",
            "MX.example.com.:25=127.0.0.1:2525",
            "198.51.100.7=127.0.0.1:3000",
            "[2001:db8::7]:53=127.0.0.1:5353",
        ]);
        let address: IpAddr = "203.0.113.5".parse().unwrap();
        for (host, address, port, expected) in [
            (Some("mx.example.com"), "203.0.113.5", 25, "127.0.0.1:2525"),
            (Some("mx.example.com"), "203.0.113.5", 465, "127.0.0.1:1000"),
            (Some("other.example.com"), "203.0.113.5", 25, "203.0.113.5:25"),
            (None, "198.51.100.7", 25, "127.0.0.1:3000"),
            (None, "2001:db8::7", 53, "127.0.0.1:5353"),
            (None, "203.0.113.5", 25, "203.0.113.5:25"),
        ] {
            let found = routes.find(host, address.parse().unwrap(), port);
            assert_eq!(found, Destination::Direct(expected.parse().unwrap()), "{host:?} {port}");
        }
        routes.learn("mx.example.com", address);
        let learned = routes.find(None, address, 25);
        assert_eq!(learned, Destination::Direct("127.0.0.1:2525".parse().unwrap()));
    }

    #[test]
    fn a_wrong_rule_is_named_with_its_problem() {
        for (rule, problem) in [
            ("mx.example.com", "no equals sign"),
            ("mx.example.com=127.0.0.1", "the part after = is no IP:PORT"),
            ("mx.example.com:smtp=127.0.0.1:25", "the port before = is no number"),
            ("=127.0.0.1:25", "no host before ="),
        ] {
            let error = rule.parse::<ConnectRule>().unwrap_err().to_string();
            assert_eq!(error, format!("connect rule {rule:?}: {problem}"));
        }
    }

    #[test]
    fn a_simulated_world_knows_only_its_table() {
        let published: IpAddr = "198.18.0.10".parse().unwrap();
        let socket: SocketAddr = "127.0.0.1:40025".parse().unwrap();
        let routes = Routes::Published(BTreeMap::from([
            ((published, 25), Route::Socket(socket)),
            ((published, 465), Route::Unanswered),
        ]));
        assert_eq!(routes.find(None, published, 25), Destination::Published(socket));
        assert_eq!(routes.find(None, published, 465), Destination::Unanswered);
        assert_eq!(routes.find(None, published, 587), Destination::NoListener);
        let elsewhere = "198.18.0.11".parse().unwrap();
        assert_eq!(routes.find(None, elsewhere, 25), Destination::Unreachable);
    }
}
