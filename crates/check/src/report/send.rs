//! What a message that was sent proves and what not, its exit status, and the published form of what an
//! attempt showed. The shape is [`wire::SendV1`]; the ways in are [`statements`] and [`exit_status`]. Keep: an
//! accepted message never counts as a delivered one, nor the first hop as the whole path.

pub mod wire;

use super::wire::FindingV1;
use waxseal_proto::finding::Code;
use waxseal_proto::tls::seen::{HandshakeEnd, HandshakeSeen, TlsVersion};
use waxseal_proto::x509::CertificateSeen;
use waxseal_services::second_path::{self, Control, InboxPolicy, Strongest};
use waxseal_services::service::ServiceId;
use wire::{DiagnosisV1, OutcomeV1, SendV1};

use crate::rules::tls_failure::in_words;
use jiff::Timestamp;

/// What is known of an attempt when it is over.
#[derive(Clone, Copy, Debug)]
pub struct Attempted<'a> {
    /// The host.
    pub host: &'a str,
    /// The port.
    pub port: u16,
    /// The version of a session whose certificate verified.
    pub verified: Option<TlsVersion>,
    /// Whether what was sent travels encrypted.
    pub encrypted: bool,
    /// Whether somebody was signed in.
    pub signed_in: bool,
    /// What became of it.
    pub outcome: OutcomeV1,
}

/// Sentences for people, the same in every face.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statements {
    /// What the result proves.
    pub proves: Vec<String>,
    /// What it does not prove.
    pub does_not_prove: Vec<String>,
    /// What to look at next.
    pub next: Vec<String>,
}

/// What an attempt proves, what it does not, and what comes next.
pub fn statements(attempted: &Attempted<'_>) -> Statements {
    let Attempted { host, port, .. } = attempted;
    let mut said = Statements::default();
    if let Some(version) = attempted.verified {
        said.proves.push(format!(
            "the way to {host} port {port} was encrypted with {version}, and the certificate was verified, at this \
             moment, from this network"
        ));
    }
    if attempted.signed_in {
        said.proves.push(format!("{host} accepts this user name with this password or token"));
    }
    let accepted = attempted.outcome == OutcomeV1::Accepted;
    if accepted {
        said.proves.push(format!("{host} took the message and is answerable for it from here on"));
        said.next = NEXT.iter().map(|line| (*line).to_owned()).collect();
    }
    if !attempted.encrypted {
        let line =
            "that anybody was kept from reading or changing the message: nothing was encrypted";
        said.does_not_prove.push(line.to_owned());
    }
    if accepted {
        said.does_not_prove.extend(DOES_NOT_PROVE.iter().map(|line| (*line).to_owned()));
    } else {
        let line = "that a message can be sent over this connection";
        said.does_not_prove.push(line.to_owned());
    }
    said
}

/// Adds what is said of a built-in service: its key, and the path from there to the inbox.
pub fn say_of_service(said: &mut Statements, service: ServiceId, told: &ServiceTold<'_>) {
    let ServiceTold { host, outcome, inbox_tls } = told;
    if matches!(outcome, OutcomeV1::Accepted | OutcomeV1::Ready) {
        said.proves.push(format!("{host} accepts this key"));
    }
    let insists = match inbox_tls {
        Some(InboxPolicy::Opportunistic) | None => None,
        Some(InboxPolicy::Required) => Some("TLS towards inboxes, with any certificate"),
        Some(InboxPolicy::RequiredVerified) => {
            Some("TLS with a verified certificate towards inboxes")
        }
    };
    if let Some(insists) = insists {
        said.proves.push(format!("the account is set to insist on {insists}"));
        return;
    }
    let path = second_path::of(service);
    let at_most = match path.strongest {
        Strongest::Nothing => {
            let line = "that the way from the service to the inbox is encrypted: the service documents no setting for \
                        it and no way to look";
            said.does_not_prove.push(line.to_owned());
            return;
        }
        Strongest::Tls => "TLS towards inboxes",
        Strongest::VerifiedTls => "TLS with a verified certificate towards inboxes",
    };
    said.next.push(format!(
        "the service can be made to insist on {at_most}, {}, by {}: {}",
        place(path.control),
        path.setting,
        path.documentation
    ));
}

/// What is known of an attempt over a service's own interface.
#[derive(Clone, Copy, Debug)]
pub struct ServiceTold<'a> {
    /// The host.
    pub host: &'a str,
    /// What became of it.
    pub outcome: OutcomeV1,
    /// What the account says that it insists on towards inboxes.
    pub inbox_tls: Option<InboxPolicy>,
}

const fn place(control: Control) -> &'static str {
    match control {
        Control::Account => "for the whole account",
        Control::ConfigurationSet => "in a configuration set",
        Control::Domain => "for the sending domain",
        Control::Message => "for each message of this connection",
        Control::NotVisible => "nowhere",
    }
}

/// What an accepted message never means.
const DOES_NOT_PROVE: &[&str] = &[
    "that the message is delivered, or reaches the inbox: look for it there",
    "that the hops after this one are encrypted: the Received lines of the message as it arrived show them",
    "that a sender may use the From domain: SPF, DKIM and DMARC decide that",
    "that a later session, or another address of the same host, behaves alike",
];

/// What comes after an accepted message.
const NEXT: &[&str] = &[
    "save the message as it arrived, and read its path and its results: waxseal headers FILE",
    "SPF: the From domain's record must list the service that sends",
    "DKIM: the service must sign with a key of the From domain",
    "DMARC and alignment: SPF or DKIM must pass for the From domain itself",
];

/// The cause in short: the first finding, where there was no success.
pub fn diagnosis(outcome: OutcomeV1, findings: &[FindingV1]) -> Option<DiagnosisV1> {
    let first = match outcome {
        OutcomeV1::Accepted | OutcomeV1::Ready => findings.iter().find(|f| f.severity == "fail"),
        OutcomeV1::AuthFailed | OutcomeV1::Failed | OutcomeV1::Rejected | OutcomeV1::Unknown => {
            // A note explains no failure, but a first attempt that is turned away on purpose is one, and so is
            // a recipient that a service will not write to.
            let suppressed = Code::ApiRecipientSuppressed.as_str();
            let explains = |f: &&FindingV1| {
                f.severity != "info" || f.code.starts_with("send-") || f.code == suppressed
            };
            findings.iter().find(explains)
        }
    }?;
    let title = first.title.trim_end_matches('.');
    Some(DiagnosisV1 {
        code: first.code.clone(),
        text: format!("{title}. {}", first.meaning),
        fix: first.fix.clone(),
        owner: first.owner.clone(),
    })
}

/// 0: taken for every recipient. 1: refused, or a problem was found. 2: what was asked for cannot be. 3: it
/// was not determined: not now, no answer, or lost on the way.
pub fn exit_status(sent: &SendV1) -> u8 {
    let mut fails = sent.findings.iter().filter(|f| f.severity == "fail" && !f.not_tested);
    let refused = |word: &str| sent.recipients.iter().any(|recipient| recipient.outcome == word);
    if fails.clone().any(|finding| finding.code.starts_with("input-")) {
        return 2;
    }
    match sent.outcome {
        OutcomeV1::Accepted if refused("rejected") => 1,
        OutcomeV1::Accepted if refused("deferred") => 3,
        OutcomeV1::Accepted | OutcomeV1::Ready => 0,
        OutcomeV1::Rejected => 1,
        OutcomeV1::AuthFailed | OutcomeV1::Failed if fails.next().is_some() => 1,
        // A sign-in that failed for good has a finding; without one it was for now.
        OutcomeV1::AuthFailed | OutcomeV1::Failed | OutcomeV1::Unknown => 3,
    }
}

/// A handshake in one line: version, suite and group, or how it broke off.
pub fn handshake_line(handshake: &HandshakeSeen) -> String {
    match &handshake.end {
        HandshakeEnd::Completed(session) => {
            let group =
                session.group.map_or_else(String::new, |group| format!(", {}", group.name()));
            format!("{}, {}{group}", session.version, session.suite.name())
        }
        HandshakeEnd::Failed(failure) => in_words(failure),
    }
}

/// A chain in one line: names, issuer, length, days left. All of it is foreign text.
pub fn chain_line(certificates: &[CertificateSeen], now: Timestamp) -> String {
    let Some(leaf) = certificates.first() else { return "none that can be read".to_owned() };
    let addresses = leaf.ip_addresses.iter().map(ToString::to_string);
    let names: Vec<String> = leaf.dns_names.iter().cloned().chain(addresses).collect();
    let names = if names.is_empty() { leaf.subject.clone() } else { names.join(" ") };
    let days = leaf.not_after.duration_since(now).as_hours().div_euclid(24);
    let left =
        if days < 0 { format!("expired {} days ago", -days) } else { format!("{days} days left") };
    format!("for {names}; issued by {}; chain of {}; {left}", leaf.issuer, certificates.len())
}
