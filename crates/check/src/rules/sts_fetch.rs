//! Rules of the policy fetch (RFC 8461 §3.3), and what a session shows of the check of §4.2.
//! A redirect is reported and never followed.

use super::starttls::small_hello_works;
use super::sts::announced;
use crate::facts::{AddressFacts, Facts, StsFacts};
use crate::finding::{ANY, Finding};
use crate::question::{Connect, FetchEnd, HttpResponse};
use waxseal_proto::dns::{Failure, Outcome};
use waxseal_proto::finding::Code;
use waxseal_proto::mta_sts::content_type_acceptable;
use waxseal_proto::smtp::outcome::ProbeOutcome;
use waxseal_proto::tls::seen::{HandshakeEnd, HandshakeFailure};

/// What stood in the way of the policy that the record promises.
pub(crate) fn fetch(facts: &Facts) -> Vec<Finding> {
    let Some(sts) = facts.sts.seen().filter(|sts| announced(sts)) else { return Vec::new() };
    let subject = sts
        .host_lookups
        .first()
        .map_or_else(|| facts.scope.target.to_string(), |answer| answer.name.to_string());
    let new = |code| Finding::new(code, ANY, &subject);
    if let Some(finding) = unresolvable(sts, &subject) {
        return vec![finding];
    }
    let Some(end) = sts.fetch.seen() else { return Vec::new() };
    match end {
        FetchEnd::NotConnected(connect) => {
            vec![new(Code::StsHostUnreachable).with("port 443", connect_words(connect))]
        }
        FetchEnd::TlsRefused(handshake) => {
            let faults = sts.fetch_chain.seen().map_or(&[][..], |chain| &chain.faults);
            let completed = matches!(handshake.end, HandshakeEnd::Completed(_));
            if faults.is_empty() && !completed {
                let words = match &handshake.end {
                    HandshakeEnd::Failed(HandshakeFailure::NotTls(_)) => "does not speak TLS",
                    HandshakeEnd::Failed(_) | HandshakeEnd::Completed(_) => "TLS handshake failed",
                };
                return vec![new(Code::StsHostUnreachable).with("port 443", words)];
            }
            vec![
                faults
                    .iter()
                    .fold(new(Code::StsHostCertInvalid), |f, fault| f.with("certificate", fault)),
            ]
        }
        FetchEnd::TlsEstablished => Vec::new(),
        FetchEnd::HttpMalformed(text) => {
            vec![new(Code::StsHttpStatus).with("no HTTP response", text)]
        }
        FetchEnd::TooLarge => vec![new(Code::StsOversize).with("body", "over 64 KiB")],
        FetchEnd::TooSlow => vec![new(Code::StsOversize).with("transfer", "not complete in time")],
        FetchEnd::Response(response) => responded(response, &subject),
    }
}

fn unresolvable(sts: &StsFacts, subject: &str) -> Option<Finding> {
    if sts.fetch.seen().is_some() || sts.host_lookups.len() < 2 {
        return None;
    }
    let finding = Finding::new(Code::StsHostUnresolvable, ANY, subject);
    let absent = sts
        .host_lookups
        .iter()
        .all(|answer| matches!(answer.outcome, Outcome::NoData | Outcome::NoName));
    if absent {
        return Some(finding.with("A and AAAA", "no records"));
    }
    let failure = sts.host_lookups.iter().find_map(|answer| match &answer.outcome {
        Outcome::Failed(failure) => Some(failure),
        Outcome::Found(_) | Outcome::NoData | Outcome::NoName => None,
    })?;
    Some(finding.with("look-up", failure_words(failure)))
}

fn connect_words(connect: &Connect) -> &'static str {
    match connect {
        Connect::Connected => "connected",
        Connect::GuardRefused => "the address is not public",
        Connect::Refused => "connection refused",
        Connect::Reset => "connection reset",
        Connect::TimedOut => "no answer",
        Connect::Unreachable { .. } => "unreachable",
    }
}

fn responded(response: &HttpResponse, subject: &str) -> Vec<Finding> {
    let new = |code| Finding::new(code, ANY, subject);
    match response.status {
        301 | 302 | 303 | 307 | 308 => {
            let to = response.location.clone().unwrap_or_else(|| "nowhere".to_owned());
            vec![
                new(Code::StsRedirect)
                    .with("status", response.status)
                    .with("Location, not followed", to),
            ]
        }
        200 if looks_like_page(response) => {
            vec![new(Code::StsHttpStatus).with("status", 200).with("body", "a web page, no policy")]
        }
        200 => {
            let kind = response.content_type.as_deref();
            if kind.is_some_and(content_type_acceptable) {
                return Vec::new();
            }
            vec![new(Code::StsContentType).with("Content-Type", kind.unwrap_or("none"))]
        }
        status => vec![new(Code::StsHttpStatus).with("status", status)],
    }
}

/// Whether status 200 came with a web page (a bot check, a parking page).
pub(crate) fn is_web_page(facts: &Facts) -> bool {
    let response = facts.sts.seen().and_then(|sts| sts.fetch.seen());
    matches!(response, Some(FetchEnd::Response(response)) if looks_like_page(response))
}

fn looks_like_page(response: &HttpResponse) -> bool {
    let start: Vec<u8> = response
        .body
        .iter()
        .copied()
        .skip_while(u8::is_ascii_whitespace)
        .take(14)
        .map(|octet| octet.to_ascii_lowercase())
        .collect();
    start.starts_with(b"<!doctype html") || start.starts_with(b"<html")
}

/// Why a session does not pass the check of RFC 8461 §4.2; `None` when it does or was not had.
pub(crate) fn session_fault(address: &AddressFacts) -> Option<String> {
    let outcome = address.session()?.outcome();
    if outcome == ProbeOutcome::StarttlsOk || small_hello_works(address) {
        return address.chain.seen()?.faults.first().map(ToString::to_string);
    }
    let words = [
        (ProbeOutcome::StarttlsNotOffered, "no STARTTLS"),
        (ProbeOutcome::StarttlsRefused, "STARTTLS is refused"),
        (ProbeOutcome::ResponseInjection, "the reply to STARTTLS is followed by clear text"),
        (ProbeOutcome::TlsHandshakeFailed, "the TLS handshake fails"),
    ];
    words.into_iter().find(|(word, _)| *word == outcome).map(|(_, words)| words.to_owned())
}

/// A failed look-up in words.
pub(crate) fn failure_words(failure: &Failure) -> String {
    match failure {
        Failure::Bogus(_) => "DNSSEC validation failed".to_owned(),
        Failure::Malformed => "unreadable answer".to_owned(),
        Failure::Network => "network error".to_owned(),
        Failure::NotAuthoritative => "not authoritative".to_owned(),
        Failure::NotImplemented => "not implemented".to_owned(),
        Failure::OtherCode(code) => format!("RCODE {code}"),
        Failure::Refused => "refused".to_owned(),
        Failure::ServFail => "SERVFAIL".to_owned(),
        Failure::TimedOut => "timed out".to_owned(),
        Failure::Truncated => "truncated, and TCP failed".to_owned(),
    }
}
