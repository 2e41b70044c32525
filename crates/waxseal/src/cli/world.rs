//! Which world a command looks at: the real one with the settings of flags, environment and file, with
//! single parts replaced by simulation options; or a lab. Nothing is looked at here.

use super::error::{CliError, chain};
use super::input;
use crate::config::Settings;
use crate::limits::{LAB_DNS_QUERY, LAB_DNS_TOTAL, LAB_FAREWELL, LAB_FETCH, LAB_SESSION, LAB_WAIT};
use clap::Args;
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::time::Duration;
use waxseal_app::world::{self, Parts, PrivateTargets, Route, SimulationOptions, Waits, World};
use waxseal_lab::control::{LabParts, Route as LabRoute};

/// Where commands look.
#[derive(Clone, Debug)]
pub(crate) enum WorldSource {
    /// A running lab, and the folder that keeps what is done in it.
    Lab {
        /// What a client needs to reach it.
        parts: Box<LabParts>,
        /// The folder for data.
        data: PathBuf,
    },
    /// The real network.
    Real,
}

/// Options that replace a part of the world; a report made with one says `simulated`.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Simulation (the report is marked as simulated)")]
pub(crate) struct Simulation {
    /// Trust these roots (PEM) instead of the built-in Mozilla roots
    #[arg(long, value_name = "FILE")]
    roots: Option<PathBuf>,
    /// Answer DNS from this file only
    #[arg(long, value_name = "FILE")]
    zone_file: Option<PathBuf>,
    /// Send that host's traffic there; may be repeated
    #[arg(long, value_name = "HOST[:PORT]=IP:PORT")]
    connect: Vec<String>,
    /// The clock for certificates and signatures (RFC 3339)
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
    /// DNSSEC root of a test world (DNSKEY records)
    #[arg(long, value_name = "FILE")]
    trust_anchor: Option<PathBuf>,
    /// Contact loopback and private addresses too
    #[arg(long)]
    allow_private: bool,
}

impl Simulation {
    const fn is_used(&self) -> bool {
        self.roots.is_some()
            || self.zone_file.is_some()
            || !self.connect.is_empty()
            || self.now.is_some()
            || self.trust_anchor.is_some()
            || self.allow_private
    }

    /// Whether the clock is replaced.
    pub(crate) const fn has_other_clock(&self) -> bool {
        self.now.is_some()
    }

    fn options(&self) -> Result<SimulationOptions, CliError> {
        Ok(SimulationOptions {
            roots_pem: self.roots.as_deref().map(input::read).transpose()?,
            zone_file: self.zone_file.as_deref().map(input::read_text).transpose()?,
            connect: self.connect.clone(),
            now: self.now,
            trust_anchor: self.trust_anchor.as_deref().map(input::read_text).transpose()?,
            private_targets: if self.allow_private {
                PrivateTargets::Allowed
            } else {
                PrivateTargets::Refused
            },
        })
    }
}

impl WorldSource {
    /// The world with these settings and options.
    pub(crate) fn open(
        &self,
        settings: &Settings,
        simulation: &Simulation,
    ) -> Result<World, CliError> {
        match self {
            Self::Lab { .. } if simulation.is_used() => {
                Err(CliError::usage("simulation options cannot be used inside a lab")
                    .hint("leave them out: the lab has its own DNS, roots and clock"))
            }
            Self::Lab { parts, .. } => lab_world(parts, None, lab_waits(settings.timeout.value)),
            Self::Real => world::real(world::Settings {
                resolver: settings.resolver.value,
                ehlo_name: settings.from_host.value.clone(),
                timeout: settings.timeout.value,
                relays: settings.relays.value.clone(),
                options: simulation.options()?,
            })
            .map_err(|error| CliError::usage(chain(&error))),
        }
    }

    /// Whether it is a lab.
    pub(crate) const fn is_lab(&self) -> bool {
        matches!(self, Self::Lab { .. })
    }

    /// The data folder of the lab; none in the real world.
    pub(crate) fn lab_data(&self) -> Option<&Path> {
        match self {
            Self::Lab { data, .. } => Some(data),
            Self::Real => None,
        }
    }
}

/// A lab's world at its own time, or at another one.
pub(crate) fn lab_world(
    parts: &LabParts,
    now: Option<i64>,
    waits: Waits,
) -> Result<World, CliError> {
    let routes = parts.routes.iter().map(|(key, route)| (*key, self::route(*route))).collect();
    let now = Timestamp::from_second(now.unwrap_or(parts.now))
        .map_err(|error| CliError::usage(format!("lab: time: {error}")))?;
    world::simulated(Parts {
        resolver: parts.resolver,
        trust_anchor: parts.trust_anchor.clone(),
        routes,
        roots_pem: parts.roots_pem.clone(),
        now: Some(now),
        waits,
    })
    .map_err(|error| CliError::usage(format!("lab: {}", chain(&error))))
}

const fn route(route: LabRoute) -> Route {
    match route {
        LabRoute::Socket(address) => Route::Socket(address),
        LabRoute::Unanswered => Route::Unanswered,
        LabRoute::Unreachable => Route::Unreachable,
    }
}

/// Waits that a lab on loopback never needs in full; `--timeout` shortens or lengthens single ones.
pub(crate) fn lab_waits(timeout: Option<Duration>) -> Waits {
    let wait = timeout.unwrap_or(LAB_WAIT);
    Waits {
        connect: wait,
        greeting: wait,
        reply: wait,
        farewell: LAB_FAREWELL,
        message_end: wait,
        handshake: wait,
        session_total: LAB_SESSION.max(wait),
        dns_query: LAB_DNS_QUERY,
        dns_total: LAB_DNS_TOTAL,
        fetch_total: LAB_FETCH,
        service_request: LAB_FETCH.max(wait),
        service_answer: wait,
        spacing: Duration::ZERO,
        ..Waits::default()
    }
}
