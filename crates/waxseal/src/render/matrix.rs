//! The matrix of mail hosts by stage: one row per address, one cell per stage, each with a word, a time and
//! where the session stopped. Which stage an outcome belongs to follows from its word alone.

use waxseal_check::report::wire::{AddressV1, HostV1, ReportV1};
use waxseal_proto::smtp::outcome::ProbeOutcome;

/// The stages, in order, as columns.
pub(super) const STAGES: [&str; 8] =
    ["connect", "greeting", "ehlo", "starttls", "tls", "certificate", "ehlo again", "mta-sts"];

/// The keys of the timings of the stages that have one.
const TIMINGS: [&str; 8] =
    ["connect", "greeting", "ehlo", "starttls", "handshake", "", "ehlo_after_tls", ""];

const STARTTLS: usize = 3;
const TLS: usize = 4;
const CERTIFICATE: usize = 5;
const MTA_STS: usize = 7;

/// One mail host.
pub(super) struct Row {
    pub(super) host: String,
    pub(super) preference: u16,
    pub(super) lines: Vec<Line>,
}

/// One address.
pub(super) struct Line {
    pub(super) address: String,
    pub(super) cells: [Cell; 8],
    /// Why the session stopped, or what is wrong with the certificate.
    pub(super) reasons: Vec<String>,
    /// A session was begun here, or should have been.
    pub(super) tested: bool,
    /// What was negotiated, in words.
    pub(super) tls: Option<String>,
}

/// One stage.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cell {
    pub(super) state: State,
    pub(super) word: String,
}

/// How a stage went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// In order.
    Good,
    /// Not entered, or not part of the check.
    NotReached,
    /// The session stopped here, or this is wrong.
    Problem,
}

impl Cell {
    fn not_reached() -> Self {
        Self { state: State::NotReached, word: "-".to_owned() }
    }
}

/// The rows of a report.
pub(super) fn rows(report: &ReportV1) -> Vec<Row> {
    report
        .mx
        .iter()
        .map(|host| Row {
            host: host.host.clone(),
            preference: host.preference,
            lines: host.addresses.iter().map(|address| line(host, address)).collect(),
        })
        .collect()
}

fn line(host: &HostV1, address: &AddressV1) -> Line {
    let entered =
        |stage: usize| TIMINGS.get(stage).and_then(|key| address.timings_ms.get(*key)).copied();
    let last = (0..STAGES.len()).rev().find(|stage| entered(*stage).is_some()).unwrap_or(0);
    let stopped = stopped(&address.outcome, last);
    let tested = address.outcome != ProbeOutcome::NotTested.as_str();
    let mut cells: [Cell; 8] = std::array::from_fn(|stage| match (&stopped, entered(stage)) {
        (Some((at, word)), took) if *at == stage => {
            let state = if tested { State::Problem } else { State::NotReached };
            Cell { state, word: with_time(word, took) }
        }
        (_, Some(took)) => Cell { state: State::Good, word: with_time("ok", Some(took)) },
        (_, None) => Cell::not_reached(),
    });
    let mut reasons = Vec::new();
    if stopped.is_some() {
        let why = address.tls.as_ref().and_then(|tls| tls.error.as_deref());
        let why = why.or(address.reply.as_deref()).unwrap_or_default();
        reasons.push(format!("{}: {why}", address.outcome).trim_end_matches([':', ' ']).to_owned());
    }
    if let (Some(cell), Some(certificate)) = (cells.get_mut(CERTIFICATE), &address.certificate) {
        *cell = if certificate.valid {
            Cell { state: State::Good, word: "ok".to_owned() }
        } else {
            let word = certificate.error.clone().unwrap_or_else(|| "not valid".to_owned());
            reasons.push(format!(
                "certificate: {} ({})",
                certificate.errors.join(", "),
                certificate.detail.as_deref().unwrap_or("no detail")
            ));
            Cell { state: State::Problem, word }
        };
    }
    if let (Some(cell), Some(listed)) = (cells.get_mut(MTA_STS), host.mta_sts_match) {
        *cell = if listed {
            Cell { state: State::Good, word: "listed".to_owned() }
        } else {
            Cell { state: State::Problem, word: "not listed".to_owned() }
        };
    }
    Line { address: address.address.clone(), cells, reasons, tested, tls: tls_words(address) }
}

fn with_time(word: &str, took_ms: Option<f64>) -> String {
    match took_ms {
        None => word.to_owned(),
        Some(ms) if ms < 10.0 => format!("{word} {ms:.1} ms"),
        Some(ms) => format!("{word} {ms:.0} ms"),
    }
}

fn tls_words(address: &AddressV1) -> Option<String> {
    let tls = address.tls.as_ref()?;
    let version = tls.version.as_ref()?;
    let mut words = vec![format!("TLS {version}")];
    words.extend(tls.cipher.clone());
    words.extend(tls.group.clone());
    if let Some(leaf) = address.certificate.as_ref().and_then(|chain| chain.certificates.first()) {
        words.push(format!("certificate until {}", leaf.not_after));
    }
    Some(words.join(", "))
}

/// At which stage the session stopped and with which word; `None` when it reached its end. `last` is the
/// last stage that was entered.
fn stopped(outcome: &str, last: usize) -> Option<(usize, &'static str)> {
    let Some(outcome) = ProbeOutcome::parse(outcome) else {
        return Some((last, "stopped"));
    };
    match outcome {
        ProbeOutcome::StarttlsOk => None,
        ProbeOutcome::StarttlsNotOffered => Some((STARTTLS, "not offered")),
        ProbeOutcome::StarttlsRefused => Some((STARTTLS, "refused")),
        ProbeOutcome::ResponseInjection => Some((STARTTLS, "injected")),
        ProbeOutcome::StarttlsTimeout => Some((STARTTLS, "no answer")),
        ProbeOutcome::TlsHandshakeFailed => Some((TLS, "failed")),
        ProbeOutcome::GreetingRejected => Some((1, "rejected")),
        ProbeOutcome::GreetingMalformed => Some((1, "malformed")),
        ProbeOutcome::GreetingTimeout => Some((1, "no answer")),
        ProbeOutcome::NotSmtp => Some((1, "not smtp")),
        ProbeOutcome::EhloFailed => Some((2, "refused")),
        ProbeOutcome::EhloTimeout => Some((2, "no answer")),
        ProbeOutcome::Throttled => Some((last, "throttled")),
        ProbeOutcome::Greylisted => Some((last, "greylisted")),
        ProbeOutcome::ReputationBlocked => Some((last, "blocked")),
        ProbeOutcome::ClosedEarly => Some((last, "closed")),
        ProbeOutcome::ReplyOverCap => Some((last, "too long")),
        ProbeOutcome::ConnectRefused => Some((0, "refused")),
        ProbeOutcome::ConnectTimeout => Some((0, "no answer")),
        ProbeOutcome::ConnectUnreachable => Some((0, "no way")),
        ProbeOutcome::ConnectReset => Some((0, "reset")),
        ProbeOutcome::Port25BlockedHere => Some((0, "closed here")),
        ProbeOutcome::GuardRefused => Some((0, "not public")),
        ProbeOutcome::NotTested => Some((last, "not tested")),
    }
}
