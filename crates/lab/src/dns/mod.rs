//! The lab's DNS: authoritative servers and a recursive-looking resolver on loopback, with signed
//! zones and faults on demand (RFC 1034, RFC 4035, RFC 7766, RFC 8914).
//!
//! Not a name server for anything else: no transfers, no recursion into the real DNS, no IXFR, no
//! NSEC3. The way in is [`DnsWorld::start`]. Invariant: without a fault in the description, every
//! answer validates from the world's own trust anchor as far as its zones are signed.

mod answer;
mod build;
mod config;
mod draft;
mod error;
mod fault;
pub mod limits;
mod log;
mod record;
mod serve;
mod signing;
#[cfg(test)]
mod tests;
mod zone;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use hickory_proto::rr::Name;

pub use config::{
    AnswerFault, DnsConfig, DnssecFault, DnssecFaultConfig, FaultConfig, FaultScope,
    GenerateConfig, PtrConfig, ResolverConfig, ResolverMode, ServerConfig, TcpMode, Transport,
    VariantConfig, ZoneConfig,
};
pub use error::DnsError;
pub use log::LoggedQuery;

use build::World;
use fault::Role;
use serve::{Served, Shared, serve};
use signing::KeyRing;

/// The port name servers are published on.
const DNS_PORT: u16 = 53;

/// Starts DNS worlds.
#[derive(Debug, Clone, Copy)]
pub struct DnsWorld;

impl DnsWorld {
    /// Builds the zones, makes fresh keys, opens loopback sockets and answers until the returned
    /// value is dropped. Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// A mistake in the description, or a socket that the machine refuses.
    pub async fn start(config: DnsConfig) -> Result<RunningDns, DnsError> {
        let mut keys = KeyRing::default();
        let world = World::build(&config, clock_value(&config), &mut keys)?;
        let hosts: Vec<(Name, TcpMode)> =
            world.servers.iter().map(|(host, server)| (host.clone(), server.tcp)).collect();
        let resolver_tcp = world.resolver.tcp;
        let shared =
            Arc::new(Shared { world: RwLock::new(Arc::new(world)), log: log::QueryLog::default() });
        let resolver =
            serve(&shared, Role::Resolver, resolver_tcp).await.map_err(DnsError::Socket)?;
        let mut servers = BTreeMap::new();
        for (host, tcp) in hosts {
            let role = Role::Server(host.clone());
            let served = serve(&shared, role, tcp).await.map_err(DnsError::Socket)?;
            servers.insert(host, served);
        }
        Ok(RunningDns { shared, resolver, servers, keys: Mutex::new(keys) })
    }
}

/// A DNS world that answers; dropping it closes every socket.
pub struct RunningDns {
    shared: Arc<Shared>,
    resolver: Served,
    servers: BTreeMap<Name, Served>,
    keys: Mutex<KeyRing>,
}

impl std::fmt::Debug for RunningDns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunningDns")
            .field("resolver", &self.resolver.address)
            .finish_non_exhaustive()
    }
}

impl RunningDns {
    /// The resolver's loopback address, for UDP and TCP.
    pub fn resolver_addr(&self) -> SocketAddr {
        self.resolver.address
    }

    /// Every name server's published (address, 53) with the loopback address it is routed to.
    pub fn routes(&self) -> Vec<((IpAddr, u16), SocketAddr)> {
        let world = self.shared.world();
        let mut routes = Vec::new();
        for (host, served) in &self.servers {
            let published = world.servers.get(host).map(|server| server.addresses.as_slice());
            for address in published.unwrap_or_default() {
                routes.push(((*address, DNS_PORT), served.address));
            }
        }
        routes
    }

    /// The loopback address of one name server, for tests that ask it directly.
    pub fn server_addr(&self, host: &str) -> Option<SocketAddr> {
        let name = record::absolute_name("server", host).ok()?;
        self.servers.get(&name).map(|served| served.address)
    }

    /// The root key as DNSKEY presentation text, `. 3600 IN DNSKEY 257 3 13 …`: the whole trust
    /// anchor file of a client.
    pub fn trust_anchor_text(&self) -> String {
        self.shared.world().anchor_text.clone()
    }

    /// The root key's raw public octets (RFC 6605 §4: X and Y, 64 octets; algorithm 13).
    pub fn trust_anchor_public_key(&self) -> Vec<u8> {
        self.shared.world().anchor_octets.clone()
    }

    /// Every question so far in the order of arrival, the oldest dropped after 100,000.
    pub fn queries(&self) -> Vec<LoggedQuery> {
        self.shared.log.entries()
    }

    /// Forgets the questions so far.
    pub fn clear_queries(&self) {
        self.shared.log.clear();
    }

    /// Replaces all zones and faults while the sockets, the published addresses and the keys stay:
    /// a change of DNS data in the middle of a scenario.
    ///
    /// # Errors
    ///
    /// A mistake in the description, or a set of name servers that differs from the running one.
    /// The old world keeps answering then.
    pub fn replace(&self, config: &DnsConfig) -> Result<(), DnsError> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let world = World::build(config, clock_value(config), &mut keys)?;
        if !world.servers.keys().eq(self.servers.keys()) {
            return Err(DnsError::Config {
                what: "name servers".to_owned(),
                reason: "a running world cannot gain or lose name servers".to_owned(),
            });
        }
        *self.shared.world.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(world);
        Ok(())
    }
}

/// The description's clock value, or the real time.
#[expect(
    clippy::disallowed_methods,
    reason = "signature times follow the real clock unless the scenario says otherwise"
)]
fn clock_value(config: &DnsConfig) -> i64 {
    let real = || {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    };
    config.now.unwrap_or_else(real)
}
