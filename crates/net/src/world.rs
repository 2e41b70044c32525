//! The world a run looks at: resolver, roots, routes, guard, clock, limits. The real one, with single parts
//! replaced by simulation options, or one made of plain values that describe a lab. The ways in are
//! [`World::real`] and [`World::simulated`]; a change must keep a simulated world on its own sockets and
//! its reports marked.

use crate::budget::Budget;
use crate::clock::Clock;
use crate::dial::{Dialer, Relay};
use crate::dns::{LiveResolver, Resolver, ServerChoice, ZoneFile, trust_anchors};
use crate::error::NetError;
use crate::guard::Guard;
use crate::limits::Limits;
use crate::routes::{ConnectRule, OpenRoutes, Route, Routes};
use crate::tls::Tls;
use crate::vantage::{self, Found};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::sync::OnceCell;
use waxseal_proto::dns::{DnsAnswer, QueryName, Record, RecordType};
use waxseal_proto::name::DomainName;
use waxseal_proto::x509::Roots;

/// How the real world is looked at.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The resolver to ask (`--resolver`); the system's if absent.
    pub resolver: Option<SocketAddr>,
    /// The name given in EHLO; found out if absent.
    pub ehlo_name: Option<DomainName>,
    /// Limits.
    pub limits: Limits,
    /// Relays at private addresses that mail of our own may go to; from the administrator's configuration
    /// and nowhere else.
    pub relays: Vec<Relay>,
    /// Parts that are replaced.
    pub simulation: Simulation,
}

/// The simulation options. Every one that is set marks the report as simulated.
#[derive(Clone, Debug, Default)]
pub struct Simulation {
    /// `--roots`: PEM certificates that replace the built-in Mozilla roots.
    pub roots_pem: Option<Vec<u8>>,
    /// `--zone-file`: DNS is answered from this file only.
    pub zone_file: Option<ZoneFile>,
    /// `--connect`: where the traffic of named hosts goes.
    pub connect: Vec<ConnectRule>,
    /// `--now`: the clock of certificates and mail signatures. DNSSEC signatures keep the system's clock.
    pub now: Option<Timestamp>,
    /// `--trust-anchor`: DNSKEY records of the root.
    pub trust_anchor: Option<String>,
    /// `--allow-private`: which addresses may be connected to.
    pub targets: Targets,
}

/// Which addresses may be connected to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Targets {
    /// Loopback and private networks too (`--allow-private`).
    PrivateToo,
    /// Public addresses only.
    #[default]
    PublicOnly,
}

impl Simulation {
    /// Whether any option is set.
    pub fn is_set(&self) -> bool {
        self.roots_pem.is_some()
            || self.zone_file.is_some()
            || !self.connect.is_empty()
            || self.now.is_some()
            || self.trust_anchor.is_some()
            || self.targets == Targets::PrivateToo
    }
}

/// A simulated world, as plain values.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The lab's recursive resolver.
    pub resolver: SocketAddr,
    /// DNSKEY records of the lab's root zone.
    pub trust_anchor: String,
    /// Published address and logical port to what stands there.
    pub routes: BTreeMap<(IpAddr, u16), Route>,
    /// PEM certificates of the lab's authority.
    pub roots_pem: Vec<u8>,
    /// The clock.
    pub clock: Clock,
    /// Limits, usually short ones.
    pub limits: Limits,
    /// The published address this machine plays, if any.
    pub own_address: Option<IpAddr>,
    /// The name given in EHLO; the forward-confirmed PTR name of `own_address` if absent.
    pub ehlo_name: Option<DomainName>,
}

/// Everything that is asked goes through here.
#[derive(Debug)]
pub struct World {
    resolver: Resolver,
    tls: Tls,
    dialer: Dialer,
    budget: Budget,
    clock: Clock,
    roots: Arc<Roots>,
    simulated: bool,
    own_address: Option<IpAddr>,
    ehlo_name: Option<DomainName>,
    relays: Vec<Relay>,
    vantage: OnceCell<Found>,
}

impl World {
    /// The real world.
    ///
    /// # Errors
    ///
    /// [`NetError`] when the resolver, roots or trust anchor cannot be used.
    pub fn real(settings: Settings) -> Result<Self, NetError> {
        let Settings { resolver, ehlo_name, limits, relays, simulation } = settings;
        let simulated = simulation.is_set();
        let Simulation { roots_pem, zone_file, connect, now, trust_anchor, targets } = simulation;
        let resolver = if let Some(zone) = zone_file {
            Resolver::Zone(zone)
        } else {
            let choice = resolver.map_or(ServerChoice::System, ServerChoice::Given);
            let anchors = trust_anchors(trust_anchor.as_deref())?;
            Resolver::Live(Box::new(LiveResolver::new(choice, anchors, &limits)?))
        };
        let roots = match roots_pem {
            Some(pem) => roots_from_pem(&pem)?,
            None => Roots::from_anchors(webpki_roots::TLS_SERVER_ROOTS),
        };
        let guard = match targets {
            Targets::PrivateToo => Guard::PrivateToo,
            Targets::PublicOnly => Guard::PublicOnly,
        };
        let clock = now.map_or(Clock::System, Clock::Fixed);
        let routes = Routes::Open(OpenRoutes::new(connect));
        let dialer = Dialer { routes, guard, limits };
        let mut world = Self::assemble(resolver, roots, clock, dialer)?;
        world.simulated = simulated;
        world.ehlo_name = ehlo_name;
        world.relays = relays;
        Ok(world)
    }

    /// A world made of lab sockets and nothing else.
    ///
    /// # Errors
    ///
    /// [`NetError`] when the roots or the trust anchor cannot be used.
    pub fn simulated(parts: Parts) -> Result<Self, NetError> {
        let anchors = trust_anchors(Some(&parts.trust_anchor))?;
        let choice = ServerChoice::Given(parts.resolver);
        let resolver = LiveResolver::new(choice, anchors, &parts.limits)?;
        let roots = roots_from_pem(&parts.roots_pem)?;
        let dialer = Dialer {
            routes: Routes::Published(parts.routes),
            guard: Guard::Simulated,
            limits: parts.limits,
        };
        let resolver = Resolver::Live(Box::new(resolver));
        let mut world = Self::assemble(resolver, roots, parts.clock, dialer)?;
        world.simulated = true;
        world.own_address = parts.own_address;
        world.ehlo_name = parts.ehlo_name;
        Ok(world)
    }

    fn assemble(
        resolver: Resolver,
        roots: Roots,
        clock: Clock,
        dialer: Dialer,
    ) -> Result<Self, NetError> {
        let roots = Arc::new(roots);
        Ok(Self {
            resolver,
            tls: Tls::new(Arc::clone(&roots), clock)?,
            budget: Budget::new(&dialer.limits),
            dialer,
            clock,
            roots,
            simulated: false,
            own_address: None,
            ehlo_name: None,
            relays: Vec::new(),
            vantage: OnceCell::new(),
        })
    }

    /// The current time of this world.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether any part of this world is simulated: reports say so.
    pub const fn is_simulated(&self) -> bool {
        self.simulated
    }

    /// The roots certificates are verified against.
    pub fn roots(&self) -> Arc<Roots> {
        Arc::clone(&self.roots)
    }

    /// The limits of this world.
    pub const fn limits(&self) -> &Limits {
        &self.dialer.limits
    }

    /// One question to the resolver.
    pub(crate) async fn resolve(&self, name: &QueryName, record_type: RecordType) -> DnsAnswer {
        let answer = self.resolver.resolve(name, record_type).await;
        for record in answer.records() {
            if let Record::Address(address) = record {
                self.dialer.routes.learn(name.as_str(), *address);
            }
        }
        answer
    }

    /// One question to one authoritative server.
    pub(crate) async fn ask_server(
        &self,
        server: IpAddr,
        asked: (&QueryName, RecordType),
    ) -> DnsAnswer {
        self.resolver.ask_server(&self.dialer, server, asked).await
    }

    /// What this machine looks like from outside; found out once.
    pub(crate) async fn vantage(&self) -> &Found {
        self.vantage.get_or_init(|| Box::pin(vantage::look(self))).await
    }

    pub(crate) const fn tls(&self) -> &Tls {
        &self.tls
    }

    pub(crate) const fn dialer(&self) -> &Dialer {
        &self.dialer
    }

    pub(crate) const fn budget(&self) -> &Budget {
        &self.budget
    }

    pub(crate) fn relays(&self) -> &[Relay] {
        &self.relays
    }

    pub(crate) const fn own_address(&self) -> Option<IpAddr> {
        self.own_address
    }

    pub(crate) const fn ehlo_name(&self) -> Option<&DomainName> {
        self.ehlo_name.as_ref()
    }

    /// Whether this world has published addresses of its own instead of the machine's.
    pub(crate) const fn is_published(&self) -> bool {
        matches!(self.dialer.routes, Routes::Published(_))
    }
}

fn roots_from_pem(pem: &[u8]) -> Result<Roots, NetError> {
    Roots::from_pem(pem).map_err(|error| NetError::Roots { problem: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offline(simulation: Simulation) -> Result<World, NetError> {
        let zone_file = simulation.zone_file.or_else(|| Some(ZoneFile::default()));
        let simulation = Simulation { zone_file, ..simulation };
        World::real(Settings { simulation, ..Settings::default() })
    }

    #[test]
    fn one_replaced_part_marks_the_world_as_simulated() {
        assert!(!Simulation::default().is_set());
        let now = Some("2026-01-01T00:00:00Z".parse().unwrap());
        for simulation in [
            Simulation { roots_pem: Some(Vec::new()), ..Simulation::default() },
            Simulation { zone_file: Some(ZoneFile::default()), ..Simulation::default() },
            Simulation { connect: vec!["a=127.0.0.1:1".parse().unwrap()], ..Simulation::default() },
            Simulation { now, ..Simulation::default() },
            Simulation { trust_anchor: Some(String::new()), ..Simulation::default() },
            Simulation { targets: Targets::PrivateToo, ..Simulation::default() },
        ] {
            assert!(simulation.is_set(), "{simulation:?}");
        }
        let world = offline(Simulation { now, ..Simulation::default() }).unwrap();
        assert!(world.is_simulated());
        assert_eq!(Some(world.now()), now);
        assert!(world.roots().len() > 100);
    }

    #[test]
    fn unusable_parts_are_named() {
        let roots =
            offline(Simulation { roots_pem: Some(b"no pem".to_vec()), ..Simulation::default() });
        let problem = roots.unwrap_err().to_string();
        assert!(problem.starts_with("roots: "), "{problem}");
        for text in ["", "example.com. 1 IN A 192.0.2.1", ". 1 IN DNSKEY what"] {
            let resolver = Some("127.0.0.1:53".parse().unwrap());
            let simulation =
                Simulation { trust_anchor: Some(text.to_owned()), ..Simulation::default() };
            let world =
                World::real(Settings { resolver, simulation, ..Settings::default() }).unwrap_err();
            assert!(world.to_string().starts_with("trust anchor: "), "{world}");
        }
    }
}
