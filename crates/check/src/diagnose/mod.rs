//! Why a connection from an app to its delivery service did not do what it should (path A; RFC 6409,
//! RFC 8314 §3): one attempt in, findings out, the cause first and what is worth saying after it. The ways
//! in are [`settings`] before the first connection, [`diagnose`] after an attempt, and [`other_pairs`] for
//! what one further look would tell. Greeting, EHLO, STARTTLS, TLS and certificate are judged by the same
//! rules as those of a mail host. Keep: no judgement here asks for a weaker connection.

mod connection;
mod pairs;
mod refusal;
mod replies;
pub mod service;
mod settings;
mod sign_in;
#[cfg(test)]
mod tests;
mod transfer;
mod transport;

use crate::finding::{ANY, BOTH, Finding, PATH_A, When};
use crate::question::{Connect, Peer};
use crate::rules::tls::TLS13_REQUIRED;
use jiff::Timestamp;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use waxseal_proto::dns::DnsAnswer;
use waxseal_proto::finding::Code;
use waxseal_proto::smtp::reply::Reply;
use waxseal_proto::smtp::seen::Stage;
use waxseal_proto::smtp::submission::{Step, Stop, SubmissionSeen};
use waxseal_proto::tls::mode::Mode;
use waxseal_proto::tls::requirement::Unmet;
use waxseal_proto::x509::Roots;
use waxseal_services::presets::{self, Preset};

pub use pairs::{other_pairs, suggestions};
pub use settings::{Chosen, ClearText, Settings, settings};

/// One attempt over a connection, as it was carried out.
#[derive(Clone, Debug)]
pub struct SmtpTried {
    /// The host as stored: what the certificate must name.
    pub host: Peer,
    /// The port as stored.
    pub port: u16,
    /// The security mode as stored.
    pub mode: Mode,
    /// What the resolver said, one answer for each address family asked; empty for an address.
    pub answers: Vec<DnsAnswer>,
    /// Each address that was tried and how connecting went, in order; the session is with the last one.
    pub connects: Vec<(IpAddr, Connect)>,
    /// The session; `None` when no address could be connected to.
    pub session: Option<SubmissionSeen>,
    /// How long each step took that was entered, in order.
    pub timings: Vec<(Step, Duration)>,
    /// Looks at other pairs of port and mode of the same host, without a credential.
    pub other_pairs: Vec<PairTried>,
    /// When the attempt was made; certificates are judged at this time.
    pub at: Timestamp,
    /// The roots that the server had to be vouched for by.
    pub roots: Arc<Roots>,
    /// The SHA-256 of the one key the server may have, where the settings name one; the roots do not count
    /// then.
    pub pinned_key: Option<[u8; 32]>,
}

/// A look at another pair of port and mode of the same host: no credential, no message.
#[derive(Clone, Debug)]
pub struct PairTried {
    /// The port.
    pub port: u16,
    /// The mode.
    pub mode: Mode,
    /// Each address that was tried and how connecting went, in order.
    pub connects: Vec<(IpAddr, Connect)>,
    /// The session; `None` when no address could be connected to.
    pub session: Option<SubmissionSeen>,
}

const CASE: &[When] = &[ANY];

/// The codes that are judged here and by no rule, with their cases.
pub const CODES: &[(Code, &[When])] = &[
    (Code::InputHostNotFqdn, CASE),
    (Code::InputModePortConflict, CASE),
    (Code::InputModeNone, &[settings::UNRECORDED, settings::RECORDED]),
    (Code::DnsNullMxOnSender, CASE),
    (Code::DnsHostUnresolvable, CASE),
    (Code::StarttlsOptionalInSettings, CASE),
    (Code::AuthAfterTlsOnly, CASE),
    (Code::AuthAdvertisedInClear, CASE),
    (Code::AuthNotAdvertised, CASE),
    (Code::AuthMechanismMismatch, CASE),
    (Code::AuthBadCredentials, CASE),
    (Code::AuthAppPasswordNeeded, CASE),
    (Code::AuthWebLoginNeeded, CASE),
    (Code::Auth530StarttlsFirst, CASE),
    (Code::Auth530AuthRequired, CASE),
    (Code::Auth538EncryptionRequired, CASE),
    (Code::AuthOauthNeeded, CASE),
    (Code::AuthOauthTokenInvalid, CASE),
    (Code::AuthAccountDisabled, CASE),
    (Code::AuthTemporary, CASE),
    (Code::AuthExchangeBroken, CASE),
    (Code::AuthNetworkNotAllowed, CASE),
    (Code::SendFromNotAuthorised, CASE),
    (Code::SendRelayDenied, CASE),
    (Code::SendRecipientUnknown, CASE),
    (Code::SendMailboxFull, CASE),
    (Code::SendQuotaExceeded, CASE),
    (Code::SendRateLimited, CASE),
    (Code::SendGreylisted, CASE),
    (Code::SendTooLarge, CASE),
    (Code::SendLineTooLong, CASE),
    (Code::SendBareNewline, CASE),
    (Code::SendContentBlocked, CASE),
    (Code::SendPolicyRejected, CASE),
    (Code::SendAuthRejected, CASE),
    (Code::SendTlsRequired, CASE),
    (Code::SendRequiretlsUnsupported, BOTH),
    (Code::SendTemporary, BOTH),
    (Code::SendPermanent, BOTH),
    (Code::SendClassConflict, BOTH),
    (Code::SendSequenceError, CASE),
    (Code::SendUtf8Unsupported, BOTH),
    (Code::SendFormatInvalid, CASE),
    (Code::SendAmbiguousEnd, CASE),
];

/// What is wrong with an attempt. The first finding is the cause, where the attempt failed; then comes what
/// follows from it or is worth saying besides. An attempt that did what it should may have findings too.
pub fn diagnose(tried: &SmtpTried) -> Vec<Finding> {
    let facts = connection::facts(tried);
    let mut findings = Vec::new();
    let end = tried.session.as_ref();
    if let Some(session) = end {
        findings.extend(sign_in::findings(tried, session));
        findings.extend(transfer::findings(tried, session));
    } else {
        findings.extend(connection::unresolvable(tried));
    }
    findings.extend(connection::findings(&facts));
    connection::name_the_owner(tried, &facts, &mut findings);
    if end.is_some_and(|end| end.stop == Some(Stop::Unmet(Unmet::VersionTooOld))) {
        for finding in findings.iter_mut().filter(|f| f.code == Code::Tls13Missing) {
            finding.when = TLS13_REQUIRED;
        }
    }
    findings.sort_by_key(|finding| (!explains_end(finding.code, end), severity(finding)));
    let (before, after): (Vec<Finding>, Vec<Finding>) = settings::of_tried(tried)
        .into_iter()
        .partition(|finding| finding.code == Code::InputHostNotFqdn && is_before_smtp(tried));
    findings.splice(0..0, before);
    findings.extend(after);
    pairs::suggest(tried, &mut findings);
    findings
}

/// Whether the attempt failed before anything was said inside TLS, so that a wrong host explains it.
fn is_before_smtp(tried: &SmtpTried) -> bool {
    tried.session.as_ref().is_none_or(|seen| seen.session.stage <= Stage::Handshake)
}

/// Whether a finding with this code is about the stage in which the session ended.
fn explains_end(code: Code, end: Option<&SubmissionSeen>) -> bool {
    let Some(end) = end else { return true };
    if matches!(code, Code::AuthAdvertisedInClear | Code::AuthAfterTlsOnly) {
        return false;
    }
    let word = code.as_str();
    let areas: &[&str] = match end.session.stage {
        Stage::Connect => &["dns-", "tcp-"],
        Stage::Greeting => &["greet-", "tcp-wrong-port", "tcp-reset-early", "tls-", "cert-"],
        Stage::Ehlo => &["ehlo-", "greet-", "starttls-", "tls-"],
        Stage::StartTls | Stage::Handshake => {
            &["starttls-", "tls", "cert-", "greet-plain", "greet-not", "tcp-wrong-port"]
        }
        Stage::EhloAfterTls => &["ehlo-", "tls-", "greet-early-close"],
        Stage::Quit => &["auth-", "dns-null-mx-on-sender"],
    };
    word.starts_with("send-") || areas.iter().any(|area| word.starts_with(area))
}

/// The case of a code that is judged here, on this path.
fn case_of(code: Code) -> When {
    let cases = CODES.iter().find(|(known, _)| *known == code).map_or(CASE, |(_, cases)| cases);
    if cases.contains(&PATH_A) { PATH_A } else { ANY }
}

/// A reply on one line, as evidence: foreign text.
fn quoted(reply: &Reply) -> String {
    crate::rules::greeting::reply_text(reply)
}

/// How bad it is: 0 for the worst.
fn severity(finding: &Finding) -> u8 {
    let case = waxseal_guides::finding(finding.code.as_str())
        .and_then(|text| text.case(finding.when.0))
        .map(|case| case.severity);
    match case {
        Some(waxseal_guides::Severity::Fail) => 0,
        Some(waxseal_guides::Severity::Warn) => 1,
        Some(waxseal_guides::Severity::Info) | None => 2,
    }
}

impl SmtpTried {
    /// The host as findings show it.
    fn host_text(&self) -> String {
        match &self.host {
            Peer::Address(address) => address.to_string(),
            Peer::Host(name) => name.to_string(),
        }
    }

    /// What is known of the host's service.
    fn preset(&self) -> Option<&'static Preset> {
        let Peer::Host(host) = &self.host else { return None };
        presets::for_host(host.as_str()).next()
    }

    /// `host [address]` of the session, or the host alone.
    fn subject(&self) -> String {
        let host = self.host_text();
        match self.connects.last() {
            Some((address, Connect::Connected)) if host != address.to_string() => {
                format!("{host} [{address}]")
            }
            Some(_) | None => host,
        }
    }
}
