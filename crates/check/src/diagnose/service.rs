//! What an attempt over a delivery service's HTTPS interface showed, and what it means (RFC 9110 §15,
//! RFC 9325 §3.2). The way to the service is judged like every other first path; this file adds what the
//! service itself said. The way in is [`diagnose_service`]. A change must keep the cause first, and must
//! never call an acceptance a delivery.

use std::sync::Arc;

use jiff::Timestamp;
use waxseal_proto::finding::Code;
use waxseal_proto::name::DomainName;
use waxseal_proto::tls::seen::{HandshakeEnd, HandshakeFailure, HandshakeSeen};
use waxseal_proto::x509::{ChainVerdict, Fault, Roots};
use waxseal_services::account::{AccountState, DomainState, Permission, Sending, Stage, Verified};
use waxseal_services::fault::{FaultClass, FaultKind, ServiceFault};
use waxseal_services::outcome::{Fate, ServiceMessageId, ServiceOutcome};
use waxseal_services::presets;
use waxseal_services::service::ServiceId;

use super::transport;
use crate::call::{Breakage, CallEnd, CallSeen, CallStep};
use crate::finding::{ANY, Finding, When};

const CASE: &[When] = &[ANY];

/// Every code that an attempt over HTTPS gives rise to and no rule returns, with its cases.
pub const CODES: &[(Code, &[When])] = &[
    (Code::ApiKeyInvalid, CASE),
    (Code::ApiKeyScope, CASE),
    (Code::ApiSenderUnverified, CASE),
    (Code::ApiSandbox, CASE),
    (Code::ApiRateLimited, CASE),
    (Code::ApiQuotaExceeded, CASE),
    (Code::ApiRegionMismatch, CASE),
    (Code::ApiTlsInterception, CASE),
    (Code::ApiTrustStoreOld, CASE),
    (Code::ApiProxyAuth, CASE),
    (Code::ApiPayloadInvalid, CASE),
    (Code::ApiRecipientSuppressed, CASE),
    (Code::ApiServiceError, CASE),
    (Code::ApiAcceptedOnly, CASE),
    (Code::ApiSmtpInstead, CASE),
];

/// The cases, beside those of their rules, of what is judged by the rules of every connection.
pub const SHARED: &[(Code, &[When])] = transport::CASES;

/// What the answer of a call meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// There was none to read.
    Nothing,
    /// The answer to a message.
    Sent(ServiceOutcome),
    /// The answer to a question about the key or the account.
    Verified(Verified),
}

/// A handshake with another public host, without a key and without a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherHost {
    /// The host.
    pub host: DomainName,
    /// What came of it.
    pub end: OtherEnd,
}

/// What came of a look at another host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OtherEnd {
    /// It did not come to a handshake.
    NotReached,
    /// The handshake showed this and was refused.
    Refused(HandshakeSeen),
    /// It verified.
    Verified,
}

/// One attempt over a service's interface, and what is known besides.
#[derive(Clone, Debug)]
pub struct ServiceTried {
    /// The service.
    pub service: ServiceId,
    /// The call that decided.
    pub call: CallSeen,
    /// What its answer meant.
    pub heard: Heard,
    /// What the account says about itself, as far as it was asked.
    pub account: AccountState,
    /// A look at another public host, where the certificate of this one had an unknown issuer.
    pub other_host: Option<OtherHost>,
    /// The time certificates are judged at.
    pub at: Timestamp,
    /// The roots they are judged by.
    pub roots: Arc<Roots>,
}

/// What came of a message, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CameTo {
    /// The service took it.
    Accepted,
    /// It did not come to an answer about the message; it was certainly not taken.
    Failed,
    /// The service refused it.
    Rejected,
    /// It may have been taken or not.
    Unknown,
}

impl ServiceTried {
    /// The judgement of the chain that the service presented; `None` when none was seen.
    pub fn chain(&self) -> Option<ChainVerdict> {
        let handshake = self.call.handshake.seen()?;
        judged_chain(handshake, &self.call.host, &self.roots, self.at)
    }

    /// The id of a message that the service took, if it gave one; `None` when none was taken.
    pub fn accepted(&self) -> Option<Option<&ServiceMessageId>> {
        let Heard::Sent(outcome) = &self.heard else { return None };
        outcome.accepted().next().map(|(_, id)| id)
    }

    /// What came of the one message of a test. Without an answer about a message nothing was accepted.
    pub fn came_to(&self) -> CameTo {
        let Heard::Sent(outcome) = &self.heard else {
            return if self.call.end.leaves_open() { CameTo::Unknown } else { CameTo::Failed };
        };
        match outcome.recipients.first().map(|recipient| &recipient.fate) {
            Some(Fate::Accepted { .. }) => CameTo::Accepted,
            Some(Fate::Rejected(_)) => CameTo::Rejected,
            Some(Fate::NotTaken) => match outcome.fault.as_ref().map(|fault| fault.kind) {
                Some(FaultKind::Sandbox | FaultKind::SenderUnverified) => CameTo::Rejected,
                Some(_) | None => CameTo::Failed,
            },
            Some(Fate::Unknown) | None => CameTo::Unknown,
        }
    }
}

/// The judgement of a chain that was presented for a host; `None` when none was seen.
pub fn judged_chain(
    handshake: &HandshakeSeen,
    host: &DomainName,
    roots: &Roots,
    at: Timestamp,
) -> Option<ChainVerdict> {
    transport::chain(handshake, host, roots, at)
}

/// What an attempt means: the cause first, then what is worth saying.
pub fn diagnose_service(tried: &ServiceTried) -> Vec<Finding> {
    let mut findings = match &tried.call.end {
        CallEnd::Unresolved | CallEnd::NotConnected => {
            transport::not_connected(&tried.call, tried.at)
        }
        CallEnd::NotAsked => Vec::new(),
        CallEnd::TlsRefused => not_vouched_for(tried),
        CallEnd::Answered(_) => heard(tried),
        CallEnd::Broken(..)
        | CallEnd::Redirected { .. }
        | CallEnd::TimedOut(_)
        | CallEnd::Unwritable => vec![without_an_answer(tried)],
    };
    for finding in account(tried) {
        if !findings.iter().any(|found| found.code == finding.code) {
            findings.push(finding);
        }
    }
    findings
}

/// The note on an SMTP host of a service that has a built-in connection.
pub fn smtp_instead(host: &str) -> Option<Finding> {
    let service = presets::service_of_host(host)?;
    Some(Finding::new(Code::ApiSmtpInstead, ANY, host).with("built-in service", service.as_str()))
}

fn finding(tried: &ServiceTried, code: Code) -> Finding {
    Finding::new(code, ANY, &tried.call.host)
}

fn heard(tried: &ServiceTried) -> Vec<Finding> {
    match &tried.heard {
        Heard::Nothing => Vec::new(),
        Heard::Sent(outcome) => sent(tried, outcome),
        Heard::Verified(Verified::KeyAccepted | Verified::MaySend | Verified::OnlyTestSend(_)) => {
            Vec::new()
        }
        Heard::Verified(Verified::Refused(fault)) => vec![of_fault(tried, fault)],
    }
}

fn sent(tried: &ServiceTried, outcome: &ServiceOutcome) -> Vec<Finding> {
    let faults = outcome.fault.iter().chain(outcome.rejected().map(|(_, fault)| fault));
    let mut findings: Vec<Finding> = faults.map(|fault| of_fault(tried, fault)).collect();
    findings.dedup();
    for (_, id) in outcome.accepted() {
        let taken = finding(tried, Code::ApiAcceptedOnly);
        findings.push(match id {
            Some(id) => taken.with("id at the service", id.as_str()),
            None => taken.with("id at the service", "none was given"),
        });
    }
    let open = outcome.recipients.iter().any(|recipient| recipient.fate == Fate::Unknown);
    if open && findings.is_empty() {
        findings.push(
            finding(tried, Code::ApiServiceError)
                .with("answer", "does not say whether the message was taken"),
        );
    }
    findings
}

/// The code of a fault.
pub(crate) const fn code_of(kind: FaultKind) -> Code {
    match kind {
        FaultKind::ClockWrong | FaultKind::KeyInvalid => Code::ApiKeyInvalid,
        FaultKind::CallerAddressRefused | FaultKind::KeyScope => Code::ApiKeyScope,
        FaultKind::SenderUnverified => Code::ApiSenderUnverified,
        FaultKind::Sandbox => Code::ApiSandbox,
        FaultKind::RateLimited => Code::ApiRateLimited,
        FaultKind::AccountSuspended | FaultKind::QuotaExceeded => Code::ApiQuotaExceeded,
        FaultKind::RegionMismatch => Code::ApiRegionMismatch,
        FaultKind::ProxyAuth => Code::ApiProxyAuth,
        FaultKind::RecipientSuppressed => Code::ApiRecipientSuppressed,
        FaultKind::IdempotencyConflict
        | FaultKind::PayloadInvalid
        | FaultKind::PayloadTooLarge
        | FaultKind::SettingUnknown => Code::ApiPayloadInvalid,
        FaultKind::IdempotencyRunning | FaultKind::ServiceError | FaultKind::UnexpectedAnswer => {
            Code::ApiServiceError
        }
    }
}

fn of_fault(tried: &ServiceTried, fault: &ServiceFault) -> Finding {
    let mut found = finding(tried, code_of(fault.kind)).with("HTTP status", fault.status);
    for (label, said) in [
        ("code of the service", &fault.code),
        ("field", &fault.field),
        ("the service says", &fault.text),
    ] {
        if let Some(said) = said {
            found = found.with(label, said.as_str());
        }
    }
    let meant = match fault.kind {
        FaultKind::AccountSuspended => Some("the account was stopped or never released"),
        FaultKind::CallerAddressRefused => Some("the address from which we call is not allowed"),
        FaultKind::ClockWrong => Some("the service finds our clock wrong"),
        FaultKind::IdempotencyConflict => Some("the repetition key belongs to another message"),
        FaultKind::IdempotencyRunning => Some("an equal request is still being handled"),
        FaultKind::PayloadTooLarge => Some("the message is too large"),
        FaultKind::SettingUnknown => Some("a setting names something that is not there"),
        FaultKind::UnexpectedAnswer => Some("the answer is none that the service documents"),
        FaultKind::KeyInvalid
        | FaultKind::KeyScope
        | FaultKind::PayloadInvalid
        | FaultKind::ProxyAuth
        | FaultKind::QuotaExceeded
        | FaultKind::RateLimited
        | FaultKind::RecipientSuppressed
        | FaultKind::RegionMismatch
        | FaultKind::Sandbox
        | FaultKind::SenderUnverified
        | FaultKind::ServiceError => None,
    };
    if let Some(meant) = meant {
        found = found.with("meaning", meant);
    }
    match fault.class {
        FaultClass::Retry { after: Some(wait) } => {
            found.with("asks to wait, in seconds", wait.as_secs())
        }
        FaultClass::Pause
        | FaultClass::Permanent
        | FaultClass::Retry { after: None }
        | FaultClass::Unknown => found,
    }
}

/// Connected and verified, but no answer that could be read.
fn without_an_answer(tried: &ServiceTried) -> Finding {
    let service_error = || finding(tried, Code::ApiServiceError);
    let during = |found: Finding, step: CallStep| {
        let open = match step {
            CallStep::Answer => "may have been taken",
            CallStep::Connect | CallStep::Handshake | CallStep::Request | CallStep::Resolve => {
                "was not handed over whole"
            }
        };
        found.with("request", open)
    };
    match &tried.call.end {
        CallEnd::Broken(step, breakage) => {
            let word = match breakage {
                Breakage::Closed => "the service closed the connection".to_owned(),
                Breakage::HeaderTooLarge => "a header larger than any service sends".to_owned(),
                Breakage::Malformed(word) => format!("no HTTP: {word}"),
            };
            during(service_error().with("answer", word), *step)
        }
        CallEnd::TimedOut(step) => during(service_error().with("answer", "none in time"), *step),
        CallEnd::Redirected { status, location } => {
            let found = service_error().with("HTTP status", status);
            let location = location.as_deref().unwrap_or("nowhere");
            found.with("redirect that was not followed", location)
        }
        CallEnd::Unwritable => finding(tried, Code::ApiPayloadInvalid)
            .with("request", "holds something that cannot be written as HTTP"),
        CallEnd::Answered(_)
        | CallEnd::NotAsked
        | CallEnd::NotConnected
        | CallEnd::TlsRefused
        | CallEnd::Unresolved => service_error(),
    }
}

/// The handshake did not end in a verified session.
fn not_vouched_for(tried: &ServiceTried) -> Vec<Finding> {
    let Some(handshake) = tried.call.handshake.seen() else { return Vec::new() };
    if let HandshakeEnd::Failed(HandshakeFailure::NotTls(octets)) = &handshake.end {
        // Only something that expects clear HTTP answers a ClientHello so.
        if octets.starts_with(b"HTTP/") {
            let said =
                String::from_utf8_lossy(octets).lines().next().unwrap_or_default().to_owned();
            return vec![finding(tried, Code::ApiProxyAuth).with("answer in clear text", said)];
        }
    }
    let chain = transport::chain(handshake, &tried.call.host, &tried.roots, tried.at);
    if let Some(issuer) = chain.as_ref().and_then(unknown_issuer) {
        return vec![foreign_issuer(tried, issuer)];
    }
    transport::handshake_failed(&tried.call, chain.as_ref(), tried.at)
}

/// The issuer of a chain that is for the right name but ends nowhere we know.
fn unknown_issuer(chain: &ChainVerdict) -> Option<String> {
    if chain.name_match != Some(true) {
        return None;
    }
    chain.faults.iter().find_map(|fault| match fault {
        Fault::PrivateCa { issuer, .. } | Fault::UnknownIssuer { issuer } => Some(issuer.clone()),
        Fault::SelfSigned => chain.certificates.first().map(|leaf| leaf.issuer.clone()),
        Fault::BadSignature { .. }
        | Fault::ChainTooLong { .. }
        | Fault::CommonNameOnly { .. }
        | Fault::ConstraintViolated { .. }
        | Fault::CrlUnusable { .. }
        | Fault::DepthExceeded { .. }
        | Fault::Distrusted
        | Fault::Expired { .. }
        | Fault::IntermediateExpired { .. }
        | Fault::IntermediateNotYetValid { .. }
        | Fault::IpOnly { .. }
        | Fault::KeyNotPinned { .. }
        | Fault::MissingIntermediate { .. }
        | Fault::NameMismatch { .. }
        | Fault::NotYetValid { .. }
        | Fault::Other { .. }
        | Fault::Revoked
        | Fault::TooComplex
        | Fault::Unparsable { .. }
        | Fault::UnsupportedAlgorithm { .. }
        | Fault::WeakKey { .. }
        | Fault::WeakSignature { .. }
        | Fault::WildcardDepth { .. }
        | Fault::WildcardMalformed { .. }
        | Fault::WrongPurpose { .. } => None,
    })
}

/// One issuer behind two unrelated hosts re-signs what passes; two unknown issuers say that we are the one
/// who does not know them.
fn foreign_issuer(tried: &ServiceTried, issuer: String) -> Finding {
    let other = tried.other_host.as_ref().and_then(|other| match &other.end {
        OtherEnd::NotReached => None,
        OtherEnd::Refused(handshake) => {
            let chain = transport::chain(handshake, &other.host, &tried.roots, tried.at)?;
            Some((other.host.as_str(), Some(unknown_issuer(&chain)?)))
        }
        OtherEnd::Verified => Some((other.host.as_str(), None)),
    });
    let code = match &other {
        Some((_, Some(others))) if *others != issuer => Code::ApiTrustStoreOld,
        Some(_) | None => Code::ApiTlsInterception,
    };
    let mut found = finding(tried, code).with("issuer", issuer);
    if let Some((host, others)) = other {
        let word = others.unwrap_or_else(|| "a public authority".to_owned());
        found = found.with("issuer of another host", format!("{host}: {word}"));
    }
    found
}

/// What the account says about itself.
fn account(tried: &ServiceTried) -> Vec<Finding> {
    const LABEL: &str = "the account says";
    let state = &tried.account;
    let mut findings = Vec::new();
    let mut add = |code, word: &str| findings.push(finding(tried, code).with(LABEL, word));
    if state.sending.seen() == Some(&Sending::Stopped) {
        add(Code::ApiQuotaExceeded, "sending was stopped");
    }
    if state.permission.seen() == Some(&Permission::MayNotSend) {
        add(Code::ApiKeyScope, "this key may not send");
    }
    if state.domain.seen() == Some(&DomainState::Unverified) {
        add(Code::ApiSenderUnverified, "the sending domain or stream is not ready");
    }
    if state.stage.seen() == Some(&Stage::Sandbox) {
        add(Code::ApiSandbox, "it is in test mode");
    }
    let left = state.quota.seen().and_then(|quota| quota.left.seen());
    if left == Some(&0) {
        add(Code::ApiQuotaExceeded, "nothing is left of the allowance");
    }
    findings
}

#[cfg(test)]
mod tests;
