//! Starts a lab and tells a client how to reach it: resolver, routes from published addresses to loopback
//! sockets, root certificate, trust anchor, time. All of it is plain values ([`LabParts`]).
//! The way in: [`Lab::start`]. Everything ends when the [`Lab`] is dropped; only a session folder, where one
//! is asked for, holds files, and it is removed with its value.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;

use crate::authority::{Authority, AuthorityError};
use crate::delivery_service::{KeptRequest, Ledger};
use crate::dns::{DnsError, DnsWorld, RunningDns};
use crate::mailbox::StoredMessage;
use crate::recorder::{Recorder, Recording};
use crate::scenario::Scenario;
use crate::tls::TlsSideError;
use crate::world_builder::{Bound, WorldBuilder, fill_addresses};

/// How a lab is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabOptions {
    /// The time of the lab in seconds since 1970: certificates and signatures are made relative to it.
    pub now: i64,
    /// Where servers listen.
    pub listen: Listen,
}

impl LabOptions {
    /// A lab at this time on 127.0.0.1.
    pub const fn at(now: i64) -> Self {
        Self { now, listen: Listen::OneAddress }
    }
}

/// Where servers listen; ports are random either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// All on 127.0.0.1.
    OneAddress,
    /// Each published address on a loopback address of its own, for programs that count connections per
    /// address. Needs a system that answers on all of 127.0.0.0/8.
    DistinctAddresses,
}

/// Where a published address and port lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Route {
    /// To this loopback socket; a refused port leads to a socket that does not listen.
    Socket(SocketAddr),
    /// Connection attempts get no answer: the client reports a time-out after its limit.
    Unanswered,
    /// The network reports that there is no way (EHOSTUNREACH).
    Unreachable,
}

/// Everything a client's simulated world needs, as plain values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabParts {
    /// The recursive resolver, UDP and TCP.
    pub resolver: SocketAddr,
    /// (published address, logical port) and where it leads. Nothing listens on what is not listed.
    pub routes: Vec<((IpAddr, u16), Route)>,
    /// The trusted root as PEM.
    pub roots_pem: String,
    /// The DNSSEC trust anchor as DNSKEY presentation text.
    pub trust_anchor: String,
    /// The time of the lab in seconds since 1970.
    pub now: i64,
}

/// Why a lab could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The machine refused a socket.
    #[error("cannot open a loopback socket: {0}")]
    Socket(#[source] std::io::Error),
    /// The authority could not be made.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// A server's TLS side could not be made.
    #[error("host {host}: {source}")]
    Tls {
        /// The host.
        host: String,
        /// What is wrong.
        source: TlsSideError,
    },
    /// The zones could not be made.
    #[error("dns: {0}")]
    Dns(#[from] DnsError),
    /// More of something than the lab has room for.
    #[error("too many {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
    },
    /// A host shares the addresses of one that comes later.
    #[error(
        "host {host}: a host whose addresses are shared must stand before the one that shares them"
    )]
    Order {
        /// The host whose addresses are wanted.
        host: String,
    },
    /// A record outside every zone.
    #[error("no zone for the record {record:?}")]
    NoZone {
        /// The record.
        record: String,
    },
    /// Two scenarios want the same delivery service.
    #[error("{host} is there already: a scenario with this service needs a lab of its own")]
    SameService {
        /// The name of the service's interface.
        host: String,
    },
    /// The session folder cannot be used.
    #[error("session folder {path}: {source}")]
    Session {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// A running lab.
#[derive(Debug)]
pub struct Lab {
    parts: LabParts,
    recorder: Recorder,
    ledger: Ledger,
    dns: RunningDns,
    hosts: BTreeMap<String, Vec<IpAddr>>,
    keys: BTreeMap<(IpAddr, u16), String>,
    private_root_pem: String,
    /// Held so that the port stays bound and nothing else can listen on it.
    _refusing: TcpSocket,
    /// Held so that the servers end with the lab.
    _tasks: JoinSet<()>,
}

impl Lab {
    /// Starts all scenarios side by side. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Where a scenario contradicts itself or the machine refuses a socket.
    pub async fn start(scenarios: &[Scenario], options: LabOptions) -> Result<Self, LabError> {
        let authority = Authority::new(options.now)?;
        let recorder = Recorder::default();
        let mut builder = WorldBuilder::new(&authority, recorder.clone(), options)?;
        builder.authority_hosts().await?;
        for scenario in scenarios {
            builder.add(scenario).await?;
        }
        let dns = DnsWorld::start(builder.dns.clone()).await?;
        let mut tasks = JoinSet::new();
        for bound in builder.bound.drain(..) {
            match bound {
                Bound::Mail(server, listener) => tasks.spawn(server.serve(listener)),
                Bound::Service(server, listener) => tasks.spawn(server.serve(listener)),
                Bound::Web(server, listener) => tasks.spawn(server.serve(listener)),
            };
        }
        let mut routes: Vec<_> = std::mem::take(&mut builder.routes).into_iter().collect();
        let servers = dns.routes().into_iter();
        routes.extend(servers.map(|(published, socket)| (published, Route::Socket(socket))));
        let parts = LabParts {
            resolver: dns.resolver_addr(),
            routes,
            roots_pem: authority.root_pem(),
            trust_anchor: dns.trust_anchor_text(),
            now: options.now,
        };
        let ledger = builder.ledger.clone();
        let keys = std::mem::take(&mut builder.keys);
        let (hosts, refusing) = builder.into_hosts();
        let private_root_pem = authority.private_root_pem();
        Ok(Self {
            parts,
            recorder,
            ledger,
            dns,
            hosts,
            keys,
            private_root_pem,
            _refusing: refusing,
            _tasks: tasks,
        })
    }

    /// What a client needs to reach the lab.
    pub fn world(&self) -> LabParts {
        self.parts.clone()
    }

    /// Every connection to a mail or web server so far.
    pub fn recordings(&self) -> Vec<Recording> {
        self.recorder.recordings()
    }

    /// Every request to a delivery service so far, with what became of it.
    pub fn service_requests(&self) -> Vec<KeptRequest> {
        self.ledger.requests()
    }

    /// The recorder itself: counters, and forgetting.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// The messages that submission servers have accepted.
    pub fn messages(&self) -> Vec<StoredMessage> {
        self.recorder.mailbox().messages()
    }

    /// A root that no client of the lab trusts unless it is told to, as PEM; issuer `private` is below it.
    pub fn private_root_pem(&self) -> &str {
        &self.private_root_pem
    }

    /// SHA-256 of the public key that the mail server behind a host's first address and a logical port shows,
    /// in hexadecimal.
    pub fn public_key(&self, host: &str, port: u16) -> Option<&str> {
        let published = self.addresses(host).first()?;
        self.keys.get(&(*published, port)).map(String::as_str)
    }

    /// The name servers, for their question log and for changes of data.
    pub fn dns(&self) -> &RunningDns {
        &self.dns
    }

    /// The published addresses of a host (absolute name without final dot).
    pub fn addresses(&self, host: &str) -> &[IpAddr] {
        self.hosts.get(host).map_or(&[], Vec::as_slice)
    }

    /// The host that a scenario's attempt is set to, with `{v4:NAME}` and `{v6:NAME}` filled.
    pub fn attempt_host(&self, scenario: &Scenario) -> Option<String> {
        let mut host = scenario.submission.as_ref()?.host().to_owned();
        fill_addresses(&mut host, scenario, &self.hosts);
        Some(host)
    }

    /// The loopback socket behind a host's first address and a logical port.
    pub fn socket(&self, host: &str, port: u16) -> Option<SocketAddr> {
        let published = self.addresses(host).first()?;
        let (_, route) = self.parts.routes.iter().find(|(key, _)| *key == (*published, port))?;
        match route {
            Route::Socket(address) => Some(*address),
            Route::Unanswered | Route::Unreachable => None,
        }
    }

    /// Writes a session folder for other programs; it is removed when the value is dropped.
    ///
    /// # Errors
    /// Where the folder cannot be made or written.
    pub fn session(&self) -> Result<SessionFolder, LabError> {
        let folder = tempfile::Builder::new()
            .prefix("waxseal-lab-")
            .tempdir()
            .map_err(|source| LabError::Session { path: std::env::temp_dir(), source })?;
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).map_err(|source| LabError::Session { path, source })
        };
        let mail = folder.path().join("mail");
        std::fs::create_dir(&mail)
            .map_err(|source| LabError::Session { path: mail.clone(), source })?;
        self.recorder.mailbox().write_to(&mail);
        let routes: String = self.parts.routes.iter().map(route_line).collect();
        write("parts.json", &serde_json::to_string_pretty(&self.parts).unwrap_or_default())?;
        let hosts: String = self.hosts.iter().map(host_line).collect();
        write("hosts.txt", &hosts)?;
        write("ca.pem", &self.parts.roots_pem)?;
        write("private-ca.pem", &self.private_root_pem)?;
        write("trust-anchor.txt", &self.parts.trust_anchor)?;
        write("routes.txt", &routes)?;
        write("resolver.txt", &format!("{}\n", self.parts.resolver))?;
        self.ledger.write_to(folder.path());
        Ok(SessionFolder { folder })
    }
}

/// A name and its published addresses.
fn host_line((name, addresses): (&String, &Vec<IpAddr>)) -> String {
    let addresses: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
    format!("{name} {}\n", addresses.join(" "))
}

fn route_line(((address, port), route): &((IpAddr, u16), Route)) -> String {
    let target = match route {
        Route::Socket(socket) => socket.to_string(),
        Route::Unanswered => "unanswered".into(),
        Route::Unreachable => "unreachable".into(),
    };
    format!("{address} {port} {target}\n")
}

/// The files of a running lab: `parts.json`, `hosts.txt`, `ca.pem`, `private-ca.pem`, `trust-anchor.txt`,
/// `routes.txt`, `resolver.txt`; from the first request to a delivery service on `requests.jsonl`; and accepted
/// messages in `mail`.
#[derive(Debug)]
pub struct SessionFolder {
    folder: tempfile::TempDir,
}

impl SessionFolder {
    /// Where the folder is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl LabParts {
    /// Reads the parts of a lab that another process keeps running.
    ///
    /// # Errors
    /// Where the folder is not a session folder, for example because its lab has ended.
    pub fn read(folder: &Path) -> Result<Self, LabError> {
        let path = folder.join("parts.json");
        let read = || {
            let text = std::fs::read_to_string(&path)?;
            serde_json::from_str(&text).map_err(std::io::Error::other)
        };
        read().map_err(|source| LabError::Session { path: path.clone(), source })
    }
}

#[cfg(test)]
mod tests;
