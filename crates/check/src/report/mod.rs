//! The report: facts, findings and the words of the guides joined into [`wire::ReportV1`], the one shape that
//! every face shows. The ways in are [`report`], [`refused_input`] and [`published`].

mod certificate;
mod exit;
mod host;
mod policies;
mod policy_table;
pub mod send;
mod verdict;
pub mod wire;
mod words;

use crate::facts::Facts;
use crate::finding::{ANY, Finding};
use crate::question::Connect;
use crate::registry;
use crate::rules::tcp::{PORT_SMTP, addresses, port_25_controls, port_blocked_here};
use crate::survey::{Area, Depth, InputFinding, Scope};
use jiff::Timestamp;
use std::time::Duration;
use waxseal_proto::dns::{Authenticity, MxSet, Outcome};
use waxseal_proto::name::Target;
use waxseal_proto::observation::{Observation, Reason};
use wire::{
    AreaVerdictV1, FindingV1, NotCheckedV1, PortStateV1, ReportV1, SCHEMA, VantageV1, VerdictV1,
};

pub use certificate::{certificate, entry};
pub use exit::{FailOn, exit_status};
pub use host::{tls, transcript};

/// What is known of a run besides its facts.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// When the check began.
    pub checked_at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// Whether any part of the world was simulated.
    pub simulated: Simulated,
}

/// Whether any part of the world was simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Simulated {
    /// Everything was real.
    No,
    /// At least one part was not.
    Yes,
}

/// The report of a survey.
pub fn report(facts: &Facts, run: Run) -> ReportV1 {
    report_of(facts, run, &registry::judge(facts))
}

/// The report of a survey with these findings, for tests that leave a rule out.
pub fn report_of(facts: &Facts, run: Run, findings: &[Finding]) -> ReportV1 {
    let judged = words::judged(findings);
    let transport = verdict::transport(facts, &judged);
    let mut report = frame(&facts.scope.target.to_string(), run, transport);
    report.port = facts.scope.port;
    report.vantage = vantage(facts);
    report.proves = proves(facts);
    mx_status(facts).clone_into(&mut report.mx_status);
    report.mx = facts.hosts.iter().map(|host| host::host(facts, host)).collect();
    report.name_servers = policies::name_servers(facts);
    report.mta_sts = facts.sts.seen().map(policies::mta_sts);
    report.tls_rpt = facts.rpt.seen().map(policies::tls_rpt);
    report.dnssec =
        facts.mx.answer.seen().map(|answer| authenticity(answer.authenticity).to_owned());
    report.policy_table = policy_table::rows(facts);
    report.not_checked = not_checked(facts);
    report.findings = words::published(facts, judged);
    report
}

/// The report for an input that names nothing to check: one finding, nothing else.
pub fn refused_input(input: &str, note: &InputFinding, run: Run) -> ReportV1 {
    let finding = Finding::new(note.code, ANY, input).with("input", &note.detail);
    let findings = [finding];
    let reason = "the input names nothing to check".to_owned();
    let transport = AreaVerdictV1 { verdict: VerdictV1::Fail, reason };
    let mut report = frame(input, run, transport);
    let target = Target::Address(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
    let mut facts = Facts::nothing_seen(Scope::full(target), run.checked_at);
    facts.scope.areas.clear();
    report.findings = words::published(&facts, words::judged(&findings));
    report.not_checked =
        vec![NotCheckedV1 { what: "everything".to_owned(), why: "no valid input".to_owned() }];
    report
}

/// The published form of findings in their own order, for an attempt whose first finding is its cause.
/// `domain` is the host or domain that the attempt was about.
pub fn published(findings: &[Finding], domain: &str) -> Vec<FindingV1> {
    words::judged(findings).into_iter().map(|judged| words::publish(domain, judged)).collect()
}

fn frame(target: &str, run: Run, transport: AreaVerdictV1) -> ReportV1 {
    let not_checked = |what: &str| AreaVerdictV1 {
        verdict: VerdictV1::NotChecked,
        reason: format!("{what} not part of this check yet"),
    };
    ReportV1 {
        schema: SCHEMA.to_owned(),
        simulated: run.simulated == Simulated::Yes,
        target: target.to_owned(),
        port: PORT_SMTP,
        checked_at: run.checked_at.to_string(),
        took_ms: u64::try_from(run.took.as_millis()).unwrap_or(u64::MAX),
        vantage: VantageV1 {
            address: None,
            ptr: None,
            ehlo_name: None,
            port_25: PortStateV1::Unknown,
        },
        verdict: transport.verdict,
        proves: Vec::new(),
        does_not_prove: DOES_NOT_PROVE.iter().map(|line| (*line).to_owned()).collect(),
        transport,
        sender_trust: not_checked("SPF, DKIM, DMARC and alignment are"),
        reputation: not_checked("reverse DNS and blocklists are"),
        mx_status: "not-asked".to_owned(),
        mx: Vec::new(),
        name_servers: Vec::new(),
        mta_sts: None,
        tls_rpt: None,
        dnssec: None,
        spf: None,
        dkim: None,
        dmarc: None,
        ptr: None,
        policy_table: Vec::new(),
        not_checked: Vec::new(),
        findings: Vec::new(),
    }
}

/// What a pass never means (rules §21).
const DOES_NOT_PROVE: &[&str] = &[
    "that every later connection, or another address, behaves alike",
    "that the next hop or the mailbox is encrypted, or that the message is stored encrypted",
    "that a sender may use a From domain: SPF, DKIM and DMARC decide that",
    "that the mail is wanted or reaches the inbox",
    "that opportunistic senders would refuse an attacker",
];

/// What was shown, for the hosts and addresses that showed it.
fn proves(facts: &Facts) -> Vec<String> {
    let mut lines = Vec::new();
    for (host, address) in addresses(facts) {
        let Some(tls) = address.tls() else { continue };
        let verified = address.chain.seen().is_some_and(|chain| chain.valid);
        let words = if verified { "encrypted and verified" } else { "encrypted, not verified" };
        lines.push(format!(
            "{} [{}]: a session with TLS {} was {words} at this moment, from this network",
            host.name(),
            address.address,
            tls.version.as_str(),
        ));
    }
    if !lines.is_empty() {
        let secure = facts.mx.answer.seen().map(|answer| answer.authenticity);
        lines.push(match secure {
            Some(Authenticity::Secure) => "the MX records are signed and verified by DNSSEC",
            Some(Authenticity::Bogus | Authenticity::Indeterminate | Authenticity::Insecure)
            | None => "the MX records themselves are not proven genuine: they are not verified by DNSSEC",
        }
        .to_owned());
    }
    lines
}

fn vantage(facts: &Facts) -> VantageV1 {
    let seen = facts.vantage.seen();
    // Another port that answers says nothing about this one.
    let connected = facts.scope.port == PORT_SMTP
        && addresses(facts).any(|(_, a)| a.connect() == Some(&Connect::Connected));
    let control_connected =
        port_25_controls(facts).any(|(_, connect)| *connect == Connect::Connected);
    VantageV1 {
        address: seen.and_then(|v| v.address.seen()).map(ToString::to_string),
        ptr: seen.and_then(|v| v.ptr.seen()).map(ToString::to_string),
        ehlo_name: seen.map(|v| v.ehlo_name.clone()),
        port_25: if connected || control_connected {
            PortStateV1::Open
        } else if port_blocked_here(facts) {
            PortStateV1::Blocked
        } else {
            PortStateV1::Unknown
        },
    }
}

fn mx_status(facts: &Facts) -> &'static str {
    if matches!(facts.scope.target, Target::Address(_)) {
        return "literal";
    }
    match facts.mx.set.seen() {
        None => "not-asked",
        Some(MxSet::Hosts(_) | MxSet::NullMixed { .. }) => "found",
        Some(MxSet::Null(_)) => "null",
        Some(MxSet::NoName) => "no-domain",
        Some(MxSet::Failed(_)) => "failed",
        Some(MxSet::NoData) if facts.hosts.is_empty() => "none",
        Some(MxSet::NoData) => "implicit",
    }
}

/// The word for a DNSSEC status.
pub(crate) const fn authenticity(authenticity: Authenticity) -> &'static str {
    match authenticity {
        Authenticity::Bogus => "bogus",
        Authenticity::Indeterminate => "indeterminate",
        Authenticity::Insecure => "insecure",
        Authenticity::Secure => "secure",
    }
}

/// Why there is nobody to connect to. Only a proven absence is called one.
fn why_no_host(facts: &Facts) -> &'static str {
    let own = &facts.mx.own_addresses;
    let answered = !own.iter().any(|answer| matches!(answer.outcome, Outcome::Failed(_)));
    match facts.mx.set.seen() {
        Some(MxSet::NoData) if own.len() == 2 && answered => "there is no mail host to connect to",
        Some(MxSet::Hosts(_) | MxSet::NoName | MxSet::Null(_) | MxSet::NullMixed { .. }) => {
            "there is no mail host to connect to"
        }
        Some(MxSet::Failed(_) | MxSet::NoData) | None => "the mail hosts could not be looked up",
    }
}

/// Coverage: everything a reader might take for checked that was not.
fn not_checked(facts: &Facts) -> Vec<NotCheckedV1> {
    let mut list = Vec::new();
    let mut add = |what: &str, why: &str| {
        list.push(NotCheckedV1 { what: what.to_owned(), why: why.to_owned() });
    };
    for area in Area::ALL {
        if !facts.scope.has(area) {
            add(area.as_str(), "left out by the caller");
        }
    }
    if facts.scope.has(Area::Tls) && facts.hosts.is_empty() {
        add("starttls and certificates", why_no_host(facts));
    }
    for (host, address) in addresses(facts) {
        let at = format!("tls of {} [{}]", host.name(), address.address);
        match (&address.probe, address.session()) {
            (Observation::NotObserved(reason), _) if facts.scope.has(Area::Tls) => {
                add(&at, reason_words(*reason));
            }
            (Observation::Observed(probe), None) => add(&at, connect_words(facts, &probe.connect)),
            (Observation::Observed(_), Some(session)) if address.tls().is_none() => {
                add(&at, &format!("the session ended before: {}", session.outcome().as_str()));
            }
            (Observation::Observed(_) | Observation::NotObserved(_), _) => {}
        }
    }
    for (count, why) in [
        (facts.name_servers_unasked.over_limit, "more than one check asks"),
        (facts.name_servers_unasked.unreadable, "their names cannot be read as names of hosts"),
    ] {
        if count > 0 {
            add(&format!("{count} of the name servers"), why);
        }
    }
    for left_out in &facts.hosts_left_out {
        add(left_out, "more mail hosts than one check looks at");
    }
    for host in &facts.hosts {
        for left_out in &host.addresses_left_out {
            let at = format!("tls of {} [{left_out}]", host.name());
            add(&at, "more addresses than one check looks at");
        }
    }
    if facts.scope.depth == Depth::OneSession {
        add("what a second session would show", "one session per address was asked for");
    }
    if facts.cut_short {
        add("what was still open", "the time limit of the check was reached");
    }
    add("versions and suites accepted besides the negotiated ones", "not enumerated by this check");
    add("dane", "not part of this check yet");
    add("spf, dkim, dmarc and alignment", "not part of this check yet");
    add("reverse DNS and blocklists", "not part of this check yet");
    list
}

fn connect_words(facts: &Facts, connect: &Connect) -> &'static str {
    match connect {
        Connect::Connected => "the session did not begin",
        Connect::GuardRefused => "the address is not public, so it was not contacted",
        Connect::Refused => "the connection was refused",
        Connect::Reset => "the connection was reset at once",
        Connect::TimedOut if port_blocked_here(facts) => "port 25 is closed where the check runs",
        Connect::TimedOut if facts.scope.port == PORT_SMTP => {
            "no answer to the connection attempt; port 25 may be closed here"
        }
        Connect::TimedOut => "no answer to the connection attempt; the port may be closed here",
        Connect::Unreachable { local_family_missing: true } => {
            "this machine has no network of that address family"
        }
        Connect::Unreachable { local_family_missing: false } => "the network reports no way there",
    }
}

const fn reason_words(reason: Reason) -> &'static str {
    match reason {
        Reason::BlockedHere => "blocked where the check runs",
        Reason::EarlierStageFailed => "an earlier stage failed",
        Reason::GuardRefused => "the address is not public",
        Reason::LimitReached => "a limit was reached first",
        Reason::NotAsked => "not asked",
        Reason::PeerClosed => "the peer closed first",
        Reason::RefusedByPeer => "refused by the peer",
        Reason::TimedOut => "no answer in time",
        Reason::Unintelligible => "what came could not be read",
        Reason::Unverified => "seen over an unverified session only",
    }
}
