//! `waxseal doctor`: what this machine can see. What is unknown is said to be unknown, with what would tell.

use super::error::CliError;
use super::exit::Exit;
use super::world::{Simulation, WorldSource};
use super::{block_on, output, text};
use crate::config::{self, NetworkFlags};
use clap::Args;
use jiff::Unit;
use serde::Serialize;
use std::path::Path;
use waxseal_app::doctor::{Doctor as Looked, PortState, ResolverState, doctor};
use waxseal_check::question::Connect;

/// `waxseal doctor`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    waxseal doctor\n  \
    waxseal doctor --control mail.example.com:25 --json\n\n\
    Exit status: 0 everything works, 1 a problem was found, 3 port 25 or the resolver could not be determined.")]
pub(crate) struct Doctor {
    /// Print one JSON object and nothing else
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    network: NetworkFlags,
    #[command(flatten)]
    simulation: Simulation,
}

#[derive(Serialize)]
struct Report {
    /// passes-dnssec, strips-dnssec or silent.
    resolver: &'static str,
    /// open, blocked or unknown.
    port_25: &'static str,
    controls: Vec<Control>,
    address: Option<String>,
    ptr: Option<String>,
    ptr_confirmed: Option<bool>,
    ehlo_name: Option<String>,
    clock: String,
    simulated: bool,
}

#[derive(Serialize)]
struct Control {
    host: String,
    /// connected, refused, reset, no-answer, unreachable or not-contacted.
    outcome: &'static str,
}

pub(super) fn run(
    command: &Doctor,
    config: Option<&Path>,
    source: &WorldSource,
) -> Result<Exit, CliError> {
    let settings = config::load(config, &command.network)?;
    let controls = config::control_hosts(&settings)?;
    let world = source.open(&settings, &command.simulation)?;
    let looked = block_on(async { Ok(doctor(&world, &controls).await) })?;
    let report = report(&looked, world.is_simulated());
    if command.json {
        output::json(&report)?;
    } else {
        output::data(&text::fields(&lines(&report, controls.len())))?;
    }
    Ok(exit(&looked))
}

/// A closed port or a resolver without DNSSEC is a problem; what is silent or unknown is undetermined.
const fn exit(looked: &Looked) -> Exit {
    match (looked.resolver, looked.port_25) {
        (ResolverState::StripsDnssec, _) | (_, PortState::Blocked) => Exit::Problem,
        (ResolverState::Silent, _) | (_, PortState::Unknown) => Exit::Undetermined,
        (ResolverState::PassesDnssec, PortState::Open) => Exit::Good,
    }
}

fn report(looked: &Looked, simulated: bool) -> Report {
    let vantage = looked.vantage.as_ref();
    Report {
        resolver: match looked.resolver {
            ResolverState::PassesDnssec => "passes-dnssec",
            ResolverState::Silent => "silent",
            ResolverState::StripsDnssec => "strips-dnssec",
        },
        port_25: match looked.port_25 {
            PortState::Blocked => "blocked",
            PortState::Open => "open",
            PortState::Unknown => "unknown",
        },
        controls: looked
            .controls
            .iter()
            .map(|(host, connect)| Control { host: host.clone(), outcome: outcome(connect) })
            .collect(),
        address: vantage.and_then(|v| v.address.seen()).map(ToString::to_string),
        ptr: vantage.and_then(|v| v.ptr.seen()).map(ToString::to_string),
        ptr_confirmed: vantage.and_then(|v| v.forward_confirmed.seen()).copied(),
        ehlo_name: vantage.map(|v| v.ehlo_name.clone()),
        clock: looked.now.round(Unit::Second).unwrap_or(looked.now).to_string(),
        simulated,
    }
}

const fn outcome(connect: &Connect) -> &'static str {
    match connect {
        Connect::Connected => "connected",
        Connect::GuardRefused => "not-contacted",
        Connect::Refused => "refused",
        Connect::Reset => "reset",
        Connect::TimedOut => "no-answer",
        Connect::Unreachable { .. } => "unreachable",
    }
}

fn lines(report: &Report, configured: usize) -> Vec<(&'static str, String)> {
    let resolver = match report.resolver {
        "passes-dnssec" => "answers, and DNSSEC validates through it",
        "strips-dnssec" => "answers, but DNSSEC cannot be validated through it",
        _ => "does not answer; name another with --resolver IP:PORT",
    };
    let port = match report.port_25 {
        "open" => "open: a control host answered",
        "blocked" => "blocked: every control host was silent",
        _ if report.controls.is_empty() && configured > 0 => {
            "unknown: no control host that is configured has an address"
        }
        _ if report.controls.is_empty() => {
            "unknown: no control host is configured (--control HOST:25, or control_hosts in waxseal.toml)"
        }
        _ if report.controls.iter().all(|control| !control.host.ends_with(":25")) => {
            "unknown: no control host is on port 25"
        }
        _ => "unknown: the control hosts prove neither",
    };
    let mut lines = vec![("resolver", resolver.to_owned()), ("port 25", port.to_owned())];
    for control in &report.controls {
        lines.push(("control host", format!("{} {}", control.host, control.outcome)));
    }
    let confirmed = match report.ptr_confirmed {
        Some(true) => " (leads back to the address)",
        Some(false) => " (does not lead back to the address)",
        None => "",
    };
    lines.extend([
        ("own address", report.address.clone().unwrap_or_else(|| "unknown".to_owned())),
        ("PTR name", format!("{}{confirmed}", report.ptr.as_deref().unwrap_or("none"))),
        ("EHLO name", report.ehlo_name.clone().unwrap_or_else(|| "unknown".to_owned())),
        ("clock", report.clock.clone()),
    ]);
    lines
}
