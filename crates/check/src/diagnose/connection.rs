//! From TCP to the certificate: an attempt becomes facts of one host, and the rules of a mail host judge
//! them in the case of path A. The ways in are [`facts`] and [`findings`]. Keep: nothing that a rule judges
//! is judged here a second time.

use super::{PairTried, SmtpTried};
use crate::facts::{AddressFacts, Facts, HostFacts, Path};
use crate::finding::{ANY, Evidence, Finding};
use crate::limits::Limits;
use crate::question::{Connect, ControlQuestion, Peer, ProbeSeen};
use crate::rules;
use crate::rules::dns::type_word;
use crate::survey::Scope;
use std::net::IpAddr;
use std::time::Duration;
use waxseal_proto::dns::{DnsAnswer, MxExchange, Outcome};
use waxseal_proto::finding::Code;
use waxseal_proto::name::Target;
use waxseal_proto::observation::{Observation, Reason};
use waxseal_proto::smtp::seen::{SessionSeen, Stage};
use waxseal_proto::smtp::submission::{Step, SubmissionSeen};
use waxseal_proto::tls::mode::Mode;
use waxseal_proto::x509::{
    CertificateSeen, ChainQuery, ChainVerdict, Fault, ReferenceId, inspect, judge,
};
use waxseal_services::presets::{self, HostPattern};

/// The facts of an attempt, as rules read them.
pub(super) fn facts(tried: &SmtpTried) -> Facts {
    let (target, exchange) = match &tried.host {
        Peer::Address(address) => (Target::Address(*address), MxExchange::AddressLiteral(*address)),
        Peer::Host(name) => (Target::Domain(name.clone()), MxExchange::Host(name.clone())),
    };
    let scope = Scope { port: tried.port, ..Scope::full(target) };
    let addresses =
        tried.connects.iter().map(|(address, connect)| address_facts(tried, *address, connect));
    let host = HostFacts {
        preference: 0,
        exchange,
        peer: Observation::Observed(tried.host.clone()),
        lookups: tried.answers.clone(),
        addresses: addresses.collect(),
        addresses_left_out: Vec::new(),
    };
    Facts {
        path: Path::ToService(tried.mode),
        greeting_slow: Limits::default().greeting_slow,
        hosts: vec![host],
        controls: controls(tried),
        ..Facts::nothing_seen(scope, tried.at)
    }
}

/// Other ports of the host that were looked at, as controls: they tell a closed port from a dead host.
fn controls(tried: &SmtpTried) -> Vec<(ControlQuestion, Connect)> {
    let of_pair = |pair: &PairTried| {
        let port = pair.port;
        pair.connects
            .iter()
            .map(move |(address, connect)| {
                (ControlQuestion { address: *address, port }, connect.clone())
            })
            .collect::<Vec<_>>()
    };
    tried.other_pairs.iter().flat_map(of_pair).collect()
}

/// What the shared rules say.
pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let areas = [
        rules::input::RULES,
        rules::tcp::RULES,
        rules::greeting::RULES,
        rules::ehlo::RULES,
        rules::starttls::RULES,
        rules::tls::RULES,
        rules::cert::RULES,
    ];
    areas.into_iter().flatten().flat_map(|rule| (rule.judge)(facts)).collect()
}

/// No address at all: the name leads nowhere.
pub(super) fn unresolvable(tried: &SmtpTried) -> Option<Finding> {
    if tried.answers.is_empty() || !tried.connects.is_empty() {
        return None;
    }
    Some(no_address(&tried.host_text(), &tried.answers))
}

/// A host for which these answers came, and no address among them.
pub(super) fn no_address(host: &str, answers: &[DnsAnswer]) -> Finding {
    let finding = Finding::new(Code::DnsHostUnresolvable, ANY, host);
    answers.iter().fold(finding, |finding, answer| {
        finding.with(
            "look-up",
            format!("{} {}", type_word(answer.record_type), outcome(&answer.outcome)),
        )
    })
}

const fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Found(_) => "has an answer of another kind",
        Outcome::NoData => "has no record",
        Outcome::NoName => "says that the name does not exist",
        Outcome::Failed(_) => "failed",
    }
}

fn address_facts(tried: &SmtpTried, address: IpAddr, connect: &Connect) -> AddressFacts {
    let session = tried.session.as_ref().filter(|_| *connect == Connect::Connected);
    let missing = || Observation::NotObserved(Reason::EarlierStageFailed);
    let chain = session.and_then(|session| chain(tried, &session.session));
    AddressFacts {
        address,
        probe: Observation::Observed(ProbeSeen {
            connect: connect.clone(),
            session: session
                .map_or_else(missing, |session| Observation::Observed(session.session.clone())),
            timings: session.map_or_else(Vec::new, |_| timings(tried)),
            judged: None,
        }),
        chain: chain.map_or(Observation::NotObserved(Reason::NotAsked), Observation::Observed),
        other_offers: Vec::new(),
        hellos: Vec::new(),
        answers_in: answers_in(tried),
    }
}

/// The judgement of the presented chain by the roots, or by the one key that the settings name.
fn chain(tried: &SmtpTried, session: &SessionSeen) -> Option<ChainVerdict> {
    let chain = session.handshake.seen()?.chain.seen()?;
    if let Some(key) = &tried.pinned_key {
        return Some(by_key(chain, key));
    }
    let reference = match &tried.host {
        Peer::Address(address) => ReferenceId::Ip(*address),
        Peer::Host(host) => ReferenceId::Dns(host.clone()),
    };
    Some(judge(&ChainQuery {
        chain,
        roots: &tried.roots,
        reference: Some(&reference),
        now: tried.at,
        crls: &[],
        max_depth: None,
        extra_intermediates: &[],
    }))
}

/// A pinned key takes the place of roots, names and dates.
fn by_key(chain: &[Vec<u8>], key: &[u8; 32]) -> ChainVerdict {
    let certificates: Vec<CertificateSeen> =
        chain.iter().filter_map(|der| inspect(der).ok()).collect();
    let shown = certificates.first().map(|leaf| leaf.spki_sha256.clone()).unwrap_or_default();
    let pinned = key.iter().fold(String::new(), |text, octet| format!("{text}{octet:02x}"));
    let valid = shown == pinned;
    ChainVerdict {
        valid,
        faults: (!valid).then_some(Fault::KeyNotPinned { presented: shown }).into_iter().collect(),
        warnings: Vec::new(),
        path: Vec::new(),
        name_match: None,
        certificates,
    }
}

/// Says to which service the name in a certificate belongs that was presented for another one.
pub(super) fn name_the_owner(tried: &SmtpTried, facts: &Facts, findings: &mut [Finding]) {
    let Some(finding) = findings.iter_mut().find(|f| f.code == Code::CertNameMismatch) else {
        return;
    };
    let leaf = facts
        .hosts
        .iter()
        .flat_map(|host| &host.addresses)
        .find_map(|address| address.chain.seen()?.certificates.first());
    let names = leaf.map_or(&[][..], |leaf| leaf.dns_names.as_slice());
    let owner = names.iter().find_map(|name| presets::for_presented_name(name).next());
    let Some(preset) = owner else { return };
    let hosts: Vec<String> = preset.hosts.iter().map(HostPattern::template).collect();
    let mut add = |label, value| finding.evidence.push(Evidence { label, value });
    add("the name belongs to", format!("{}, host {}", preset.title, hosts.join(" or ")));
    if tried.preset().is_none_or(|known| known.name != preset.name) {
        add("documentation of the service", preset.documentation.to_owned());
    }
}

/// The mode in which a look at the same port was answered.
fn answers_in(tried: &SmtpTried) -> Observation<Mode> {
    let answered = tried
        .other_pairs
        .iter()
        .filter(|pair| pair.port == tried.port && pair.mode != tried.mode)
        .find(|pair| pair.session.as_ref().is_some_and(answers))
        .map(|pair| pair.mode);
    answered.map_or(Observation::NotObserved(Reason::NotAsked), Observation::Observed)
}

/// Whether the server answered in the mode of this session: a reply in clear, or TLS at once.
pub(super) fn answers(seen: &SubmissionSeen) -> bool {
    use waxseal_proto::tls::seen::{HandshakeEnd, HandshakeFailure};
    match seen.mode {
        Mode::None | Mode::Starttls => seen.session.greeting.seen().is_some(),
        Mode::Tls => seen.session.handshake.seen().is_some_and(|handshake| match &handshake.end {
            HandshakeEnd::Completed(_) => true,
            HandshakeEnd::Failed(failure) => match failure {
                HandshakeFailure::AlertReceived(_)
                | HandshakeFailure::Incompatible(_)
                | HandshakeFailure::IntegrityFailed(_)
                | HandshakeFailure::Malformed(_)
                | HandshakeFailure::RecordOverflow => true,
                HandshakeFailure::TimedOut { received } => *received > 0,
                HandshakeFailure::Closed
                | HandshakeFailure::NotTls(_)
                | HandshakeFailure::Reset => false,
            },
        }),
    }
}

fn timings(tried: &SmtpTried) -> Vec<(Stage, Duration)> {
    tried
        .timings
        .iter()
        .filter_map(|(step, took)| {
            let stage = match step {
                Step::Connect => Stage::Connect,
                Step::Greeting => Stage::Greeting,
                Step::Ehlo => Stage::Ehlo,
                Step::StartTls => Stage::StartTls,
                Step::Handshake => Stage::Handshake,
                Step::EhloAfterTls => Stage::EhloAfterTls,
                Step::SignIn | Step::Mail | Step::Rcpt | Step::Data | Step::Body | Step::Quit => {
                    return None;
                }
            };
            Some((stage, *took))
        })
        .collect()
}
