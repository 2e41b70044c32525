//! Rules of the TLS handshake (RFC 9846 §6.2, RFC 9325, RFC 8996), as far as a first session and its few
//! follow-ups show it. One handshake failure gets one code: the most specific that the evidence bears.

use super::greeting::{sessions, waited};
use super::starttls::small_hello_works;
use super::tcp::at;
use super::{tls_failure, tls_session};
use crate::facts::{AddressFacts, Facts, HostFacts, Path};
use crate::finding::{ANY, BOTH, Finding, PATH_A, PATH_B, When};
use crate::registry::Rule;
use waxseal_proto::finding::Code;
use waxseal_proto::smtp::seen::{SessionEnd, SessionSeen, Stage};
use waxseal_proto::tls::mode::Mode;
use waxseal_proto::tls::seen::{HandshakeEnd, HandshakeFailure};

const CASE: &[When] = &[ANY];

/// TLS 1.3 is missing, and the settings of the app ask for no less.
pub(crate) const TLS13_REQUIRED: When = When("a-required");
/// The cases of an anonymous suite that was taken from a usual offer, by path.
const NEGOTIATED_A: When = When("negotiated-a");
pub(crate) const NEGOTIATED_B: When = When("negotiated-b");

/// The rules of this area.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "tls-handshake-failed",
        codes: &[
            (Code::TlsVersionTooOld, BOTH),
            (Code::TlsNoSharedCipher, BOTH),
            (Code::TlsInsufficientSecurity, CASE),
            (Code::TlsSmallDh, BOTH),
            (Code::TlsNoSharedGroup, BOTH),
            (Code::TlsNoSharedSigalg, BOTH),
            (Code::TlsSniUnrecognized, BOTH),
            (Code::TlsHandshakeTimeout, BOTH),
            (Code::TlsLargeHelloDropped, BOTH),
            (Code::TlsResetMid, BOTH),
            (Code::TlsClosedMid, BOTH),
            (Code::TlsRecordOverflow, BOTH),
            (Code::TlsProtocolError, BOTH),
            (Code::TlsIntegrityError, BOTH),
            (Code::TlsInternalError, BOTH),
            (Code::TlsAccessDenied, BOTH),
            (Code::TlsClientCertRequired, BOTH),
            (Code::TlsClientCertRejected, BOTH),
            (Code::TlsAlpnRejected, BOTH),
            (Code::TlsInappropriateFallback, CASE),
            (Code::TlsAnonymous, &[NEGOTIATED_A, NEGOTIATED_B]),
        ],
        judge: handshake_failed,
    },
    Rule {
        name: "tls13-missing",
        codes: &[(Code::Tls13Missing, &[PATH_A, TLS13_REQUIRED, PATH_B])],
        judge: tls_session::tls13_missing,
    },
    Rule { name: "tls-no-pq", codes: &[(Code::TlsNoPq, BOTH)], judge: tls_session::no_pq },
    Rule {
        name: "tls12-extensions",
        codes: &[
            (Code::TlsCompression, BOTH),
            (Code::TlsRenegotiationInsecure, BOTH),
            (Code::TlsNoEms, BOTH),
        ],
        judge: tls_session::tls12_extensions,
    },
    Rule {
        name: "tls-sni-default-cert",
        codes: &[(Code::TlsSniDefaultCert, BOTH)],
        judge: tls_session::sni_default_cert,
    },
    Rule {
        name: "tls-truncated-close",
        codes: &[(Code::TlsTruncatedClose, BOTH)],
        judge: tls_session::truncated_close,
    },
    Rule {
        name: "tls-policy-after-handshake",
        codes: &[(Code::TlsPolicyAfterHandshake, BOTH)],
        judge: tls_session::policy_after_handshake,
    },
];

fn handshake_failed(facts: &Facts) -> Vec<Finding> {
    sessions(facts)
        .filter_map(|(host, address, session)| {
            cut_at_starttls(facts, host, address, session)
                .or_else(|| broken_inside(facts, host, address, session))
                .or_else(|| failed_at(facts, host, address, session))
        })
        .collect()
}

/// A connection that ends while the reply to STARTTLS is awaited is cut on the way to TLS.
fn cut_at_starttls(
    facts: &Facts,
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
        | SessionEnd::TimedOut { .. }
        | SessionEnd::TlsBroken => return None,
    };
    Some(
        Finding::new(code, facts.path.case(), at(host, address))
            .with("ended", "after STARTTLS was sent, before its reply"),
    )
}

/// Inside TLS came what is none, before anything was asked that has findings of its own.
fn broken_inside(
    facts: &Facts,
    host: &HostFacts,
    address: &AddressFacts,
    session: &SessionSeen,
) -> Option<Finding> {
    let broken = session.end == SessionEnd::TlsBroken && session.stage != Stage::Quit;
    broken.then(|| {
        Finding::new(Code::TlsProtocolError, facts.path.case(), at(host, address))
            .with("inside TLS", "what came is no TLS of this session")
    })
}

fn failed_at(
    facts: &Facts,
    host: &HostFacts,
    address: &AddressFacts,
    session: &SessionSeen,
) -> Option<Finding> {
    let handshake = session.handshake.seen()?;
    let HandshakeEnd::Failed(failure) = &handshake.end else { return None };
    let subject = at(host, address);
    if small_hello_works(address) {
        return Some(
            Finding::new(Code::TlsLargeHelloDropped, facts.path.case(), subject)
                .with("usual hello", tls_failure::in_words(failure))
                .with("hello without the hybrid share", "works"),
        );
    }
    let (code, evidence) = match facts.path.mode() {
        // A port that greets in clear text: `greet-plain-port-with-tls`.
        Mode::Tls if address.answers_in.seen() == Some(&Mode::Starttls) => return None,
        // There was no STARTTLS to hang.
        Mode::Tls if *failure == (HandshakeFailure::TimedOut { received: 0 }) => {
            (Code::TlsHandshakeTimeout, Vec::new())
        }
        Mode::None | Mode::Starttls | Mode::Tls => {
            tls_failure::code_of(facts.path, failure, handshake, address)?
        }
    };
    let when = if code == Code::TlsAnonymous {
        match facts.path {
            Path::ToInbox => NEGOTIATED_B,
            Path::ToService(_) => NEGOTIATED_A,
        }
    } else if matches!(code, Code::TlsInsufficientSecurity | Code::TlsInappropriateFallback) {
        ANY
    } else {
        facts.path.case()
    };
    let mut finding =
        Finding::new(code, when, subject).with("handshake", tls_failure::in_words(failure));
    if code == Code::TlsHandshakeTimeout {
        finding = finding.with("waited", waited(address, Stage::Handshake));
    }
    Some(evidence.into_iter().fold(finding, |f, (label, value)| f.with(label, value)))
}
