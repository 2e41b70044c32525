//! `tool tls probe HOST[:PORT]`: what one server negotiates, by one session over STARTTLS or by one hello to
//! a server that speaks TLS at once. Lists hold the one thing that was negotiated until suites are enumerated.

use super::super::error::CliError;
use super::super::exit::Exit;
use super::super::world::{Simulation, WorldSource};
use super::super::{block_on, text};
use super::Shown;
use crate::config::{self, NetworkFlags};
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use waxseal_app::probe_host::{ProbedHost, ProbedTls, probe_smtp_host, probe_tls_host};
use waxseal_check::report::wire::{AddressV1, FindingV1};
use waxseal_proto::name::TargetInput;
use waxseal_proto::observation::{Observation, Reason};
use waxseal_proto::tls::hello::{HelloAnswer, NamedGroup};
use waxseal_proto::x509::inspect;

/// The port of mail exchange (RFC 5321 §4.5.4.2).
const PORT_SMTP: u16 = 25;
/// The port of submission over TLS from the start (RFC 8314 §3.3).
const PORT_SUBMISSIONS: u16 = 465;

/// TLS tools.
#[derive(Subcommand, Debug)]
pub(crate) enum Tls {
    /// Show what a server negotiates, in one session
    #[command(after_help = "Examples:\n  \
        waxseal tool tls probe mx.example.com --starttls smtp\n  \
        waxseal tool tls probe smtp.example.com:587 --starttls smtp --json\n  \
        waxseal tool tls probe smtp.example.com:465\n\n\
        Exit status: 0 TLS came about and nothing fails, 1 a problem was found, 3 no session came about.")]
    Probe(Box<Probe>),
}

/// `tls probe`.
#[derive(Args, Debug)]
pub(crate) struct Probe {
    /// The server; the port is 25 with --starttls smtp, else 465
    #[arg(value_name = "HOST[:PORT]")]
    host: String,
    /// Begin in clear and switch to TLS; without it TLS is spoken at once
    #[arg(long, value_enum)]
    starttls: Option<Protocol>,
    #[command(flatten)]
    shown: Shown,
    #[command(flatten)]
    network: NetworkFlags,
    #[command(flatten)]
    simulation: Simulation,
}

/// A protocol with STARTTLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Protocol {
    /// SMTP (RFC 3207)
    Smtp,
}

#[derive(Debug, Default, Serialize)]
struct Probed {
    host: String,
    port: u16,
    simulated: bool,
    outcomes: Vec<Outcome>,
    versions: BTreeSet<String>,
    suites: BTreeMap<String, BTreeSet<String>>,
    groups: BTreeSet<String>,
    key_types: BTreeSet<String>,
    sessions_used: usize,
    findings: Vec<FindingV1>,
}

#[derive(Debug, Serialize)]
struct Outcome {
    address: String,
    outcome: String,
}

pub(super) fn run(
    tool: &Tls,
    config: Option<&Path>,
    source: &WorldSource,
) -> Result<Exit, CliError> {
    let Tls::Probe(probe) = tool;
    let settings = config::load(config, &probe.network)?;
    let input = TargetInput::parse(&probe.host)
        .map_err(|error| CliError::usage(format!("{}: {error}", probe.host)))?;
    let world = source.open(&settings, &probe.simulation)?;
    let mut probed = Probed {
        host: input.target.to_string(),
        simulated: world.is_simulated(),
        ..Probed::default()
    };
    block_on(async {
        if probe.starttls == Some(Protocol::Smtp) {
            probed.port = input.port.unwrap_or(PORT_SMTP);
            let seen = probe_smtp_host(&world, &input.target, probed.port).await;
            probed.fill_from_sessions(&seen);
        } else {
            probed.port = input.port.unwrap_or(PORT_SUBMISSIONS);
            let seen = probe_tls_host(&world, &input.target, probed.port).await;
            probed.fill_from_hello(&seen);
        }
        Ok(())
    })?;
    probe.shown.show(&probed, &probed.lines())?;
    Ok(probed.exit())
}

impl Probed {
    fn fill_from_sessions(&mut self, seen: &ProbedHost) {
        self.sessions_used = seen.sessions_used;
        self.findings.clone_from(&seen.report.findings);
        for address in seen.report.mx.iter().flat_map(|host| &host.addresses) {
            self.add(address);
        }
    }

    fn add(&mut self, address: &AddressV1) {
        self.outcomes
            .push(Outcome { address: address.address.clone(), outcome: address.outcome.clone() });
        if let Some(tls) = &address.tls {
            self.note(tls.version.clone(), tls.cipher.clone(), tls.group.clone());
        }
        let leaf = address.certificate.as_ref().and_then(|chain| chain.certificates.first());
        self.key_types.extend(leaf.map(|leaf| leaf.key.kind.clone()));
    }

    fn note(&mut self, version: Option<String>, suite: Option<String>, group: Option<String>) {
        if let Some((version, suite)) = version.clone().zip(suite) {
            self.suites.entry(version).or_default().insert(suite);
        }
        self.versions.extend(version);
        self.groups.extend(group);
    }

    fn fill_from_hello(&mut self, seen: &ProbedTls) {
        let Some(address) = seen.address else { return };
        let outcome = match &seen.answer {
            Observation::NotObserved(reason) => not_reached(*reason).to_owned(),
            Observation::Observed(answer) => {
                self.sessions_used = 1;
                self.hello(answer)
            }
        };
        self.outcomes.push(Outcome { address: address.to_string(), outcome });
    }

    fn hello(&mut self, answer: &HelloAnswer) -> String {
        match answer {
            HelloAnswer::Alert(alert) => format!("alert: {alert:?}"),
            HelloAnswer::Closed => "closed".to_owned(),
            HelloAnswer::NotReached { .. } | HelloAnswer::TimedOut => "no-answer".to_owned(),
            HelloAnswer::NotTls(_) => "not-tls".to_owned(),
            HelloAnswer::Reset => "reset".to_owned(),
            HelloAnswer::ServerHello(hello) => {
                let version = hello.version.map(|version| version.as_str().to_owned());
                self.note(version, Some(hello.suite.name()), hello.group.map(NamedGroup::name));
                let leaf = hello.chain.first().and_then(|der| inspect(der).ok());
                self.key_types.extend(leaf.map(|leaf| leaf.key.kind.as_str().to_owned()));
                "server-hello".to_owned()
            }
        }
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        for outcome in &self.outcomes {
            lines.push(("session", format!("{} {}", outcome.address, outcome.outcome)));
        }
        if self.outcomes.is_empty() {
            lines.push(("session", "no address".to_owned()));
        }
        let list = |items: &BTreeSet<String>| items.iter().cloned().collect::<Vec<_>>();
        lines.extend(text::list("versions", &list(&self.versions)));
        for (version, suites) in &self.suites {
            lines.push(("suites", format!("{version}: {}", list(suites).join(", "))));
        }
        lines.extend(text::list("groups", &list(&self.groups)));
        lines.extend(text::list("key types", &list(&self.key_types)));
        lines.push(("sessions used", self.sessions_used.to_string()));
        for finding in &self.findings {
            let severity =
                if finding.not_tested { "not tested" } else { finding.severity.as_str() };
            lines.push(("findings", format!("{severity} {}: {}", finding.code, finding.title)));
        }
        let grave = self.findings.iter().filter(|finding| finding.severity != "info");
        let codes: Vec<String> =
            grave.map(|finding| format!("waxseal guide {}", finding.code)).collect();
        if !codes.is_empty() {
            lines.extend(text::list("more", &codes));
        }
        lines
    }

    fn exit(&self) -> Exit {
        let mut fails = self.findings.iter().filter(|f| f.severity == "fail" && !f.not_tested);
        if fails.clone().any(|finding| finding.code.starts_with("input-")) {
            Exit::Usage
        } else if fails.next().is_some() {
            Exit::Problem
        } else if self.versions.is_empty() {
            Exit::Undetermined
        } else {
            Exit::Good
        }
    }
}

/// The word of the reports for a connection that did not come about.
const fn not_reached(reason: Reason) -> &'static str {
    match reason {
        Reason::GuardRefused => "guard-refused",
        // Refused, reset or unreachable: the answer does not say which.
        Reason::RefusedByPeer => "not-connected",
        Reason::TimedOut => "connect-timeout",
        Reason::PeerClosed => "connect-reset",
        Reason::BlockedHere
        | Reason::EarlierStageFailed
        | Reason::LimitReached
        | Reason::NotAsked
        | Reason::Unintelligible
        | Reason::Unverified => "not-tested",
    }
}
