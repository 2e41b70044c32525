//! The world a use case looks at, made from plain values: the real one, optionally with single parts replaced
//! by simulation options, or a wholly simulated one whose parts a lab describes. The faces see this type and
//! never the crate that does the looking.

use jiff::Timestamp;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use waxseal_check::question::{Answer, Question};
use waxseal_check::survey::AddressRule;
use waxseal_net::clock::Clock;
use waxseal_net::{ConnectRule, NetError, Simulation, Targets, ZoneFile};
use waxseal_proto::name::DomainName;
use waxseal_proto::x509::Roots;

pub use waxseal_net::clock::Stopwatch;
pub use waxseal_net::{Limits as Waits, Relay, Route};

/// What could not be set up. A peer's fault is never one of these.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct WorldError(#[from] NetError);

/// How the real world is looked at.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The resolver to ask; the system's if absent.
    pub resolver: Option<SocketAddr>,
    /// The name given in EHLO; found out if absent.
    pub ehlo_name: Option<DomainName>,
    /// The longest single wait (connect, greeting, reply, handshake).
    pub timeout: Option<Duration>,
    /// Relays at private addresses that mail may go to: from the administrator's configuration file, and
    /// from nothing that a user of the program can fill in.
    pub relays: Vec<Relay>,
    /// Parts of the world that are replaced.
    pub options: SimulationOptions,
}

/// The simulation options; each one that is set marks the report as simulated.
#[derive(Clone, Debug, Default)]
pub struct SimulationOptions {
    /// PEM certificates that replace the built-in Mozilla roots.
    pub roots_pem: Option<Vec<u8>>,
    /// The text of a zone file; DNS is answered from it only.
    pub zone_file: Option<String>,
    /// Rules `HOST[:PORT]=IP:PORT`.
    pub connect: Vec<String>,
    /// The clock of certificates and signatures.
    pub now: Option<Timestamp>,
    /// DNSKEY records of a test world's root.
    pub trust_anchor: Option<String>,
    /// Which addresses may be contacted.
    pub private_targets: PrivateTargets,
}

/// Whether private and loopback addresses may be contacted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PrivateTargets {
    /// They may.
    Allowed,
    /// They are refused after resolution.
    #[default]
    Refused,
}

/// A simulated world, as plain values.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The resolver of the simulated world.
    pub resolver: SocketAddr,
    /// DNSKEY records of its root zone.
    pub trust_anchor: String,
    /// Published address and logical port to what stands there.
    pub routes: Vec<((IpAddr, u16), Route)>,
    /// PEM certificates of its authority.
    pub roots_pem: String,
    /// Its clock; the system's if absent.
    pub now: Option<Timestamp>,
    /// Its limits, usually short ones.
    pub waits: Waits,
}

/// The world of a use case.
#[derive(Debug)]
pub struct World {
    net: waxseal_net::World,
    roots: Arc<Roots>,
    address_rule: AddressRule,
}

/// The real world, with single parts replaced where an option says so.
///
/// # Errors
///
/// [`WorldError`] when the resolver, the roots, the trust anchor, the zone file or a connect rule cannot
/// be used.
pub fn real(settings: Settings) -> Result<World, WorldError> {
    let Settings { resolver, ehlo_name, timeout, relays, options } = settings;
    let address_rule = match options.private_targets {
        PrivateTargets::Allowed => AddressRule::AllowPrivate,
        PrivateTargets::Refused => AddressRule::Standard,
    };
    let simulation = Simulation {
        roots_pem: options.roots_pem,
        zone_file: options.zone_file.as_deref().map(ZoneFile::parse).transpose()?,
        connect: options
            .connect
            .iter()
            .map(|rule| rule.parse::<ConnectRule>())
            .collect::<Result<_, _>>()?,
        now: options.now,
        trust_anchor: options.trust_anchor,
        targets: match options.private_targets {
            PrivateTargets::Allowed => Targets::PrivateToo,
            PrivateTargets::Refused => Targets::PublicOnly,
        },
    };
    let limits = timeout.map_or_else(Waits::default, |longest| Waits::default().capped(longest));
    let net = waxseal_net::World::real(waxseal_net::Settings {
        resolver,
        ehlo_name,
        limits,
        relays,
        simulation,
    })?;
    Ok(World::around(net, address_rule))
}

/// A world made of simulated parts and nothing else.
///
/// # Errors
///
/// [`WorldError`] when the roots or the trust anchor cannot be used.
pub fn simulated(parts: Parts) -> Result<World, WorldError> {
    let net = waxseal_net::World::simulated(waxseal_net::Parts {
        resolver: parts.resolver,
        trust_anchor: parts.trust_anchor,
        routes: parts.routes.into_iter().collect(),
        roots_pem: parts.roots_pem.into_bytes(),
        clock: parts.now.map_or(Clock::System, Clock::Fixed),
        limits: parts.waits,
        own_address: None,
        ehlo_name: None,
    })?;
    Ok(World::around(net, AddressRule::LabRanges))
}

impl World {
    fn around(net: waxseal_net::World, address_rule: AddressRule) -> Self {
        let roots = net.roots();
        Self { net, roots, address_rule }
    }

    /// The executor itself, for the use cases.
    pub(crate) const fn net(&self) -> &waxseal_net::World {
        &self.net
    }

    /// Carries one question out.
    pub async fn answer(&self, question: &Question) -> Answer {
        self.net.answer(question).await
    }

    /// The current time of this world.
    pub fn now(&self) -> Timestamp {
        self.net.now()
    }

    /// Starts measuring real time.
    pub fn stopwatch(&self) -> Stopwatch {
        Stopwatch::start()
    }

    /// Whether any part of it is simulated.
    pub const fn is_simulated(&self) -> bool {
        self.net.is_simulated()
    }

    /// The trust anchors chains are judged by.
    pub const fn roots(&self) -> &Arc<Roots> {
        &self.roots
    }

    /// Which addresses count as public.
    pub const fn address_rule(&self) -> AddressRule {
        self.address_rule
    }
}
