//! Rules of the TLS handshake (RFC 9846 §6.2, RFC 9325, RFC 8996), as far as a first session and its few
//! follow-ups show it. One handshake failure gets one code: the most specific that the evidence bears.

use super::greeting::{sessions, waited};
use super::starttls::small_hello_works;
use super::tcp::at;
use super::{tls_failure, tls_session};
use crate::facts::{AddressFacts, Facts, HostFacts};
use crate::finding::{ANY, Finding, PATH_B, When};
use crate::registry::Rule;
use waxseal_proto::finding::Code;
use waxseal_proto::smtp::seen::{SessionEnd, SessionSeen, Stage};
use waxseal_proto::tls::seen::HandshakeEnd;

const B: &[When] = &[PATH_B];
const CASE: &[When] = &[ANY];

/// The case of an anonymous suite that was taken from a usual offer.
pub(crate) const NEGOTIATED_B: When = When("negotiated-b");

/// The rules of this area.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "tls-handshake-failed",
        codes: &[
            (Code::TlsVersionTooOld, B),
            (Code::TlsNoSharedCipher, B),
            (Code::TlsInsufficientSecurity, CASE),
            (Code::TlsSmallDh, B),
            (Code::TlsNoSharedGroup, B),
            (Code::TlsNoSharedSigalg, B),
            (Code::TlsSniUnrecognized, B),
            (Code::TlsHandshakeTimeout, B),
            (Code::TlsLargeHelloDropped, B),
            (Code::TlsResetMid, B),
            (Code::TlsClosedMid, B),
            (Code::TlsRecordOverflow, B),
            (Code::TlsProtocolError, B),
            (Code::TlsIntegrityError, B),
            (Code::TlsInternalError, B),
            (Code::TlsAccessDenied, B),
            (Code::TlsClientCertRequired, B),
            (Code::TlsAlpnRejected, B),
            (Code::TlsInappropriateFallback, CASE),
            (Code::TlsAnonymous, &[NEGOTIATED_B]),
        ],
        judge: handshake_failed,
    },
    Rule {
        name: "tls13-missing",
        codes: &[(Code::Tls13Missing, B)],
        judge: tls_session::tls13_missing,
    },
    Rule { name: "tls-no-pq", codes: &[(Code::TlsNoPq, B)], judge: tls_session::no_pq },
    Rule {
        name: "tls12-extensions",
        codes: &[
            (Code::TlsCompression, B),
            (Code::TlsRenegotiationInsecure, B),
            (Code::TlsNoEms, B),
        ],
        judge: tls_session::tls12_extensions,
    },
    Rule {
        name: "tls-sni-default-cert",
        codes: &[(Code::TlsSniDefaultCert, B)],
        judge: tls_session::sni_default_cert,
    },
    Rule {
        name: "tls-truncated-close",
        codes: &[(Code::TlsTruncatedClose, B)],
        judge: tls_session::truncated_close,
    },
    Rule {
        name: "tls-policy-after-handshake",
        codes: &[(Code::TlsPolicyAfterHandshake, B)],
        judge: tls_session::policy_after_handshake,
    },
];

fn handshake_failed(facts: &Facts) -> Vec<Finding> {
    sessions(facts)
        .filter_map(|(host, address, session)| {
            cut_at_starttls(host, address, session).or_else(|| failed_at(host, address, session))
        })
        .collect()
}

/// A connection that ends while the reply to STARTTLS is awaited is cut on the way to TLS.
fn cut_at_starttls(
    host: &HostFacts,
    address: &AddressFacts,
    session: &SessionSeen,
) -> Option<Finding> {
    if session.stage != Stage::StartTls || session.starttls.seen().is_some() {
        return None;
    }
    let code = match session.end {
        SessionEnd::Closed => Code::TlsClosedMid,
        SessionEnd::Reset => Code::TlsResetMid,
        SessionEnd::CapReached
        | SessionEnd::Complete
        | SessionEnd::Stopped
        | SessionEnd::TimedOut { .. } => return None,
    };
    Some(
        Finding::new(code, PATH_B, at(host, address))
            .with("ended", "after STARTTLS was sent, before its reply"),
    )
}

fn failed_at(host: &HostFacts, address: &AddressFacts, session: &SessionSeen) -> Option<Finding> {
    let handshake = session.handshake.seen()?;
    let HandshakeEnd::Failed(failure) = &handshake.end else { return None };
    let subject = at(host, address);
    if small_hello_works(address) {
        return Some(
            Finding::new(Code::TlsLargeHelloDropped, PATH_B, subject)
                .with("usual hello", tls_failure::in_words(failure))
                .with("hello without the hybrid share", "works"),
        );
    }
    let (code, evidence) = tls_failure::code_of(failure, handshake, address)?;
    let when = if code == Code::TlsAnonymous {
        NEGOTIATED_B
    } else if matches!(code, Code::TlsInsufficientSecurity | Code::TlsInappropriateFallback) {
        ANY
    } else {
        PATH_B
    };
    let mut finding =
        Finding::new(code, when, subject).with("handshake", tls_failure::in_words(failure));
    if code == Code::TlsHandshakeTimeout {
        finding = finding.with("waited", waited(address, Stage::Handshake));
    }
    Some(evidence.into_iter().fold(finding, |f, (label, value)| f.with(label, value)))
}
