//! Which code a failed handshake gets (rules §5, table of alerts). Look-alikes are told apart by the
//! hand-made hellos: an alert 40 alone does not say which list had nothing in common.

use super::tls_offer::{is_offered_group, is_offered_suite};
use crate::facts::{AddressFacts, Path};
use waxseal_proto::finding::Code;
use waxseal_proto::tls::hello::{HelloAnswer, HelloPlan, ServerHelloSeen};
use waxseal_proto::tls::seen::{Alert, HandshakeFailure, HandshakeSeen, TlsVersion};
use waxseal_proto::tls::suites::{KeyExchange, key_exchange};
use waxseal_proto::x509::Fault;

/// Further evidence: label and value.
type Evidence = Vec<(&'static str, String)>;

/// Diffie-Hellman groups under this size are too small (RFC 9325 §4.5).
const DH_BITS_MIN: u32 = 2048;

/// A failure in words.
pub(crate) fn in_words(failure: &HandshakeFailure) -> String {
    match failure {
        HandshakeFailure::AlertReceived(alert) => {
            format!("the server sent alert {} {}", alert.0, alert.name())
        }
        HandshakeFailure::Closed => "closed without an alert".to_owned(),
        HandshakeFailure::Malformed(text) => format!("malformed: {text}"),
        HandshakeFailure::NotTls(octets) => {
            format!("answered with {:?}, which is not TLS", String::from_utf8_lossy(octets))
        }
        HandshakeFailure::Incompatible(text) => format!("nothing in common: {text}"),
        HandshakeFailure::IntegrityFailed(text) => format!("did not verify: {text}"),
        HandshakeFailure::RecordOverflow => "a record was larger than TLS allows".to_owned(),
        HandshakeFailure::Reset => "the connection was reset".to_owned(),
        HandshakeFailure::TimedOut { received: 0 } => "no answer to the ClientHello".to_owned(),
        HandshakeFailure::TimedOut { received } => {
            format!("stopped after {received} octets of the server's flight")
        }
    }
}

/// The TLS library's word for a ServerHello of TLS 1.1 or older.
const OLD_VERSION_CHOSEN: &str = "ServerDoesNotSupportTls12Or13";

/// The code of a failure, or `None` where another rule owns it (`starttls-hang`,
/// `starttls-injected-reply`, the `cert-*` codes).
pub(crate) fn code_of(
    path: Path,
    failure: &HandshakeFailure,
    handshake: &HandshakeSeen,
    address: &AddressFacts,
) -> Option<(Code, Evidence)> {
    let plain = |code| Some((code, Vec::new()));
    match failure {
        HandshakeFailure::AlertReceived(alert) => Some(code_of_alert(*alert, handshake, address)),
        HandshakeFailure::Closed => match old_version(address) {
            Some(found) => Some(found),
            None => plain(Code::TlsClosedMid),
        },
        HandshakeFailure::Incompatible(_) | HandshakeFailure::Malformed(_)
            if chain_explains(path, address) =>
        {
            None
        }
        HandshakeFailure::Incompatible(text) => nothing_in_common(address).or_else(|| {
            let old = text.contains(OLD_VERSION_CHOSEN);
            plain(if old { Code::TlsVersionTooOld } else { Code::TlsNoSharedCipher })
        }),
        HandshakeFailure::Malformed(_) => plain(Code::TlsProtocolError),
        HandshakeFailure::IntegrityFailed(_) if chain_explains(path, address) => None,
        HandshakeFailure::IntegrityFailed(_) => plain(Code::TlsIntegrityError),
        HandshakeFailure::RecordOverflow => plain(Code::TlsRecordOverflow),
        HandshakeFailure::Reset => plain(Code::TlsResetMid),
        HandshakeFailure::NotTls(_) | HandshakeFailure::TimedOut { received: 0 } => None,
        HandshakeFailure::TimedOut { .. } => plain(Code::TlsHandshakeTimeout),
    }
}

/// A weak key, a weak signature or an unreadable certificate stops the handshake in our own library, and
/// towards a service every other fault does too; the certificate's finding is the cause, and a cause is
/// reported once.
fn chain_explains(path: Path, address: &AddressFacts) -> bool {
    address.chain.seen().is_some_and(|chain| {
        chain.faults.iter().any(|fault| {
            path != Path::ToInbox
                || matches!(
                    fault,
                    Fault::WeakKey { .. } | Fault::WeakSignature { .. } | Fault::Unparsable { .. }
                )
        })
    })
}

fn code_of_alert(
    alert: Alert,
    handshake: &HandshakeSeen,
    address: &AddressFacts,
) -> (Code, Evidence) {
    let plain = |code| (code, Vec::new());
    match alert.0 {
        20 | 51 => plain(Code::TlsIntegrityError),
        22 => plain(Code::TlsRecordOverflow),
        40 | 42 if handshake.certificate_requested => plain(Code::TlsClientCertRequired),
        43..=46 | 48 if handshake.certificate_requested => plain(Code::TlsClientCertRejected),
        40 | 43 | 47 => {
            let fallback =
                if alert.0 == 40 { Code::TlsNoSharedCipher } else { Code::TlsProtocolError };
            nothing_in_common(address).unwrap_or_else(|| plain(fallback))
        }
        49 => plain(Code::TlsAccessDenied),
        70 => old_version(address).unwrap_or_else(|| plain(Code::TlsVersionTooOld)),
        71 => plain(Code::TlsInsufficientSecurity),
        80 | 117 => old_version(address).unwrap_or_else(|| plain(Code::TlsInternalError)),
        86 => plain(Code::TlsInappropriateFallback),
        90 => plain(Code::TlsClosedMid),
        112 => plain(Code::TlsSniUnrecognized),
        116 => plain(Code::TlsClientCertRequired),
        120 => plain(Code::TlsAlpnRejected),
        _ => plain(Code::TlsProtocolError),
    }
}

fn server_hello(address: &AddressFacts, plan: HelloPlan) -> Option<&ServerHelloSeen> {
    match address.hello(plan) {
        Some(HelloAnswer::ServerHello(hello)) => Some(hello),
        Some(
            HelloAnswer::Alert(_)
            | HelloAnswer::Closed
            | HelloAnswer::NotReached { .. }
            | HelloAnswer::NotTls(_)
            | HelloAnswer::Reset
            | HelloAnswer::TimedOut,
        )
        | None => None,
    }
}

/// RFC 8996: proved by a second hello that offers the old versions.
fn old_version(address: &AddressFacts) -> Option<(Code, Evidence)> {
    let hello = server_hello(address, HelloPlan::OldVersions)?;
    let version = hello.version.filter(|version| *version < TlsVersion::Tls12)?;
    Some((
        Code::TlsVersionTooOld,
        vec![("a hello that offers old versions gets", format!("TLS {}", version.as_str()))],
    ))
}

/// Which of version, suites, groups and signatures had nothing in common.
fn nothing_in_common(address: &AddressFacts) -> Option<(Code, Evidence)> {
    if let Some(found) = old_version(address) {
        return Some(found);
    }
    if let Some(hello) = server_hello(address, HelloPlan::AnySuite) {
        if let Some(bits) = hello.dh_bits.filter(|bits| *bits < DH_BITS_MIN) {
            return Some((
                Code::TlsSmallDh,
                vec![("Diffie-Hellman group", format!("{bits} bits"))],
            ));
        }
        if key_exchange(hello.suite) == KeyExchange::Anonymous {
            return Some((Code::TlsAnonymous, vec![("suite", hello.suite.name())]));
        }
        if !is_offered_suite(hello.suite) {
            return Some((
                Code::TlsNoSharedCipher,
                vec![("a hello with every suite gets", hello.suite.name())],
            ));
        }
    }
    let other_group = server_hello(address, HelloPlan::AnyGroup)
        .and_then(|hello| hello.group)
        .filter(|group| !is_offered_group(*group));
    if let Some(group) = other_group {
        return Some((
            Code::TlsNoSharedGroup,
            vec![("a hello with every group gets", group.name())],
        ));
    }
    server_hello(address, HelloPlan::AnySignature).map(|hello| {
        let scheme = hello.signature_scheme.map_or_else(
            || "another algorithm".to_owned(),
            |scheme| format!("scheme 0x{scheme:04x}"),
        );
        (Code::TlsNoSharedSigalg, vec![("a hello with every signature gets", scheme)])
    })
}
