//! Rules of the connection attempt (RFC 5321 §4.5.4.1, RFC 9293). A connection that could not be had says
//! nothing about TLS: these findings are "not tested", never "no STARTTLS".

use crate::facts::{AddressFacts, Facts, HostFacts, Path};
use crate::finding::{ANY, BOTH, Finding};
use crate::question::{Connect, ControlQuestion, ProbeSeen};
use crate::registry::Rule;
use waxseal_proto::finding::Code;
use waxseal_proto::smtp::seen::{SessionEnd, Stage};
use waxseal_proto::tls::hello::HelloAnswer;

const ANY_CASE: &[crate::finding::When] = &[ANY];

/// The rules of this area.
pub(crate) const RULES: &[Rule] = &[
    Rule { name: "tcp-refused", codes: &[(Code::TcpRefused, BOTH)], judge: refused },
    Rule {
        name: "tcp-silent",
        codes: &[(Code::TcpTimeout, BOTH), (Code::TcpPort25Blocked, ANY_CASE)],
        judge: silent,
    },
    Rule { name: "tcp-reset-early", codes: &[(Code::TcpResetEarly, BOTH)], judge: reset_early },
    Rule { name: "tcp-unreachable", codes: &[(Code::TcpUnreachable, BOTH)], judge: unreachable },
    Rule { name: "tcp-ipv6-broken", codes: &[(Code::TcpIpv6Broken, BOTH)], judge: ipv6_broken },
    Rule {
        name: "tcp-connection-limited",
        codes: &[(Code::TcpConnectionLimited, ANY_CASE)],
        judge: connection_limited,
    },
    Rule { name: "tcp-mx-partial", codes: &[(Code::TcpMxPartial, ANY_CASE)], judge: mx_partial },
];

/// The port of mail exchange between servers (RFC 5321 §4.5.4.2), which providers like to close.
pub(crate) const PORT_SMTP: u16 = 25;

/// Every address that was to get a session, with its host.
pub(crate) fn addresses(facts: &Facts) -> impl Iterator<Item = (&HostFacts, &AddressFacts)> {
    facts.hosts.iter().flat_map(|host| host.addresses.iter().map(move |address| (host, address)))
}

/// `host [address]`, the subject of findings about one address.
pub(crate) fn at(host: &HostFacts, address: &AddressFacts) -> String {
    let name = host.name();
    if name == address.address.to_string() { name } else { format!("{name} [{}]", address.address) }
}

fn refused(facts: &Facts) -> Vec<Finding> {
    addresses(facts)
        .filter(|(_, address)| address.connect() == Some(&Connect::Refused))
        .map(|(host, address)| {
            Finding::new(Code::TcpRefused, facts.path.case(), at(host, address))
                .with("connection refused on port", facts.scope.port)
        })
        .collect()
}

/// Port 25 closed on our side is told from a silent target only by control hosts: when one of them is
/// silent too while none answers, nothing was learned about the target.
fn silent(facts: &Facts) -> Vec<Finding> {
    if facts.path != Path::ToInbox && other_port_answers(facts) {
        let finding = Finding::new(Code::TcpPort25Blocked, ANY, &facts.scope.target);
        return vec![
            facts
                .controls
                .iter()
                .filter(|(_, connect)| *connect == Connect::Connected)
                .fold(finding, |f, (control, _)| {
                    f.with("the same host answers on port", control.port)
                }),
        ];
    }
    if port_blocked_here(facts) {
        let mut finding = Finding::new(Code::TcpPort25Blocked, ANY, facts.scope.target.to_string());
        for (control, _) in port_25_controls(facts) {
            finding = finding.with("control host silent too", control.address);
        }
        return vec![finding];
    }
    addresses(facts)
        .filter(|(_, address)| address.connect() == Some(&Connect::TimedOut))
        .map(|(host, address)| {
            let mut finding = Finding::new(Code::TcpTimeout, facts.path.case(), at(host, address))
                .with("no answer on port", facts.scope.port);
            if facts.scope.port == PORT_SMTP && port_25_controls(facts).next().is_none() {
                finding =
                    finding.with("port 25 from here", "unknown, no control host is configured");
            }
            finding
        })
        .collect()
}

/// Port 25 of a service is silent and another port of it answers: networks of apps close this port.
fn other_port_answers(facts: &Facts) -> bool {
    facts.scope.port == PORT_SMTP
        && addresses(facts).any(|(_, address)| address.connect() == Some(&Connect::TimedOut))
        && addresses(facts).all(|(_, address)| address.connect() != Some(&Connect::Connected))
        && facts
            .controls
            .iter()
            .any(|(control, end)| control.port != PORT_SMTP && *end == Connect::Connected)
}

/// The control hosts on port 25; one on another port says nothing about it.
pub(crate) fn port_25_controls(facts: &Facts) -> impl Iterator<Item = &(ControlQuestion, Connect)> {
    facts.controls.iter().filter(|(control, _)| control.port == PORT_SMTP)
}

/// Whether control hosts prove that port 25 is closed on our side.
pub(crate) fn port_blocked_here(facts: &Facts) -> bool {
    let none_connected =
        addresses(facts).all(|(_, address)| address.connect() != Some(&Connect::Connected));
    let some_silent =
        addresses(facts).any(|(_, address)| address.connect() == Some(&Connect::TimedOut));
    facts.scope.port == PORT_SMTP
        && none_connected
        && some_silent
        && port_25_controls(facts).next().is_some()
        && port_25_controls(facts).all(|(_, connect)| *connect == Connect::TimedOut)
}

fn reset_early(facts: &Facts) -> Vec<Finding> {
    addresses(facts)
        .filter(|(_, address)| {
            let at_once = address.connect() == Some(&Connect::Reset);
            at_once
                || address.session().is_some_and(|session| {
                    session.stage == Stage::Greeting
                        && session.end == SessionEnd::Reset
                        && session.first_octets.is_empty()
                })
        })
        .map(|(host, address)| {
            Finding::new(Code::TcpResetEarly, facts.path.case(), at(host, address))
                .with("reset", "after the connection opened, before any greeting")
        })
        .collect()
}

/// An address family this machine does not have says nothing about the peer, unless the host has no
/// other address.
fn unreachable(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    for host in &facts.hosts {
        let reached = host.addresses.iter().any(|a| a.connect() == Some(&Connect::Connected));
        for address in &host.addresses {
            let Some(Connect::Unreachable { local_family_missing }) = address.connect() else {
                continue;
            };
            if *local_family_missing && reached {
                continue;
            }
            let reason = if *local_family_missing {
                "this machine has no network of that address family"
            } else {
                "the network reports no way to this address"
            };
            findings.push(
                Finding::new(Code::TcpUnreachable, facts.path.case(), at(host, address))
                    .with("cause", reason),
            );
        }
    }
    findings
}

/// IPv6 of a host fails while its IPv4 works, and IPv6 itself is proven to work from here.
fn ipv6_broken(facts: &Facts) -> Vec<Finding> {
    let ipv6_works_here = addresses(facts)
        .any(|(_, a)| a.address.is_ipv6() && a.connect() == Some(&Connect::Connected))
        || facts
            .controls
            .iter()
            .any(|(c, connect)| c.address.is_ipv6() && *connect == Connect::Connected);
    let mut findings = Vec::new();
    for host in &facts.hosts {
        let ipv4_works = host
            .addresses
            .iter()
            .any(|a| a.address.is_ipv4() && a.connect() == Some(&Connect::Connected));
        for address in host.addresses.iter().filter(|a| a.address.is_ipv6()) {
            let proven = match address.connect() {
                Some(Connect::Refused | Connect::Reset) => true,
                Some(Connect::TimedOut) => ipv6_works_here,
                Some(Connect::Unreachable { local_family_missing }) => {
                    !local_family_missing && ipv6_works_here
                }
                Some(Connect::Connected | Connect::GuardRefused) | None => false,
            };
            if ipv4_works && proven {
                findings.push(
                    Finding::new(Code::TcpIpv6Broken, facts.path.case(), at(host, address))
                        .with("IPv4 of this host", "connects"),
                );
            }
        }
    }
    findings
}

/// The first session worked, and a later one to the same address was turned away before SMTP could begin: our
/// own pace is the cause. One that ended later has a cause of its own.
fn connection_limited(facts: &Facts) -> Vec<Finding> {
    addresses(facts)
        .filter_map(|(host, address)| {
            address.session()?.ehlo.seen()?;
            let refused = address.other_offers.iter().find_map(|other| turned_away(&other.probe));
            let words = refused.or_else(|| {
                address.hellos.iter().find_map(|(_, answer)| match answer {
                    HelloAnswer::NotReached { stage: Stage::Greeting, end } => {
                        Some(away_at_greeting(end))
                    }
                    HelloAnswer::Alert(_)
                    | HelloAnswer::Closed
                    | HelloAnswer::NotReached { .. }
                    | HelloAnswer::NotTls(_)
                    | HelloAnswer::Reset
                    | HelloAnswer::ServerHello(_)
                    | HelloAnswer::TimedOut => None,
                })
            })?;
            Some(
                Finding::new(Code::TcpConnectionLimited, ANY, at(host, address))
                    .with("a later session", words),
            )
        })
        .collect()
}

/// How a session was turned away before SMTP could begin; `None` when it began.
fn turned_away(probe: &ProbeSeen) -> Option<&'static str> {
    match &probe.connect {
        Connect::Refused => return Some("was refused"),
        Connect::Reset => return Some("was reset"),
        Connect::TimedOut => return Some("got no answer"),
        Connect::Connected | Connect::GuardRefused | Connect::Unreachable { .. } => {}
    }
    let session = probe.session.seen()?;
    (session.stage == Stage::Greeting).then(|| away_at_greeting(&session.end))
}

const fn away_at_greeting(end: &SessionEnd) -> &'static str {
    match end {
        SessionEnd::Reset => "was reset",
        SessionEnd::Closed => "was closed at once",
        SessionEnd::TimedOut { .. } => "got no greeting",
        SessionEnd::CapReached
        | SessionEnd::Complete
        | SessionEnd::Stopped
        | SessionEnd::TlsBroken => "was turned away at the greeting",
    }
}

fn mx_partial(facts: &Facts) -> Vec<Finding> {
    if facts.path != Path::ToInbox {
        return Vec::new();
    }
    let connects = addresses(facts).any(|(_, a)| a.connect() == Some(&Connect::Connected));
    let failing: Vec<String> = addresses(facts)
        .filter(|(_, address)| match address.connect() {
            Some(Connect::Refused | Connect::Reset | Connect::TimedOut) => true,
            Some(Connect::Unreachable { local_family_missing }) => !local_family_missing,
            Some(Connect::Connected | Connect::GuardRefused) | None => false,
        })
        .map(|(host, address)| at(host, address))
        .collect();
    if !connects || failing.is_empty() {
        return Vec::new();
    }
    let finding = Finding::new(Code::TcpMxPartial, ANY, &facts.scope.target);
    vec![failing.into_iter().fold(finding, |finding, host| finding.with("does not connect", host))]
}
