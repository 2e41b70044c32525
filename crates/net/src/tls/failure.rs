//! Why a handshake broke off (RFC 9846 §6.2), told from the raw octets first and from the TLS library's
//! error second. It blames nobody. The way in is [`handshake_failure`]; a change must keep octets that are
//! no TLS recognised from the tap.

use crate::tap::TapRecord;
use rustls::{CertificateError, Error, InvalidMessage, PeerMisbehaved};
use std::io::{self, ErrorKind};
use waxseal_proto::tls::seen::{Alert, HandshakeFailure};

/// The alert inside an I/O error of a TLS stream, if that is what it carries.
pub(crate) fn alert_of(error: &io::Error) -> Option<Alert> {
    let Error::AlertReceived(description) = tls_error(error)? else { return None };
    Some(Alert(u8::from(*description)))
}

fn tls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

/// Whether the server sent a Certificate message without any certificate.
pub(super) fn is_empty_chain(failure: &HandshakeFailure) -> bool {
    let word = Error::NoCertificatesPresented.to_string();
    matches!(failure, HandshakeFailure::Incompatible(text) if *text == word)
}

/// How a handshake failed.
pub(super) fn handshake_failure(error: &io::Error, record: &TapRecord) -> HandshakeFailure {
    if let Some(octets) = record.not_tls() {
        return HandshakeFailure::NotTls(octets);
    }
    if let Some(error) = tls_error(error) {
        return library_failure(error);
    }
    if error.kind() == ErrorKind::ConnectionReset {
        HandshakeFailure::Reset
    } else if error.kind() == ErrorKind::TimedOut {
        HandshakeFailure::TimedOut { received: record.received }
    } else {
        // A write into a connection that the peer has closed ends as a broken pipe.
        HandshakeFailure::Closed
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library's list of errors is open")]
fn library_failure(error: &Error) -> HandshakeFailure {
    let word = error.to_string();
    match error {
        Error::AlertReceived(description) => {
            HandshakeFailure::AlertReceived(Alert(u8::from(*description)))
        }
        Error::PeerSentOversizedRecord | Error::InvalidMessage(InvalidMessage::MessageTooLarge) => {
            HandshakeFailure::RecordOverflow
        }
        // A signature by a kind of key that is not the certificate's: key and certificate do not belong
        // together.
        Error::DecryptError
        | Error::InvalidCertificate(
            CertificateError::BadSignature
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. },
        ) => HandshakeFailure::IntegrityFailed(word),
        Error::InvalidCertificate(CertificateError::BadEncoding) => {
            HandshakeFailure::Malformed(word)
        }
        // Nothing acceptable: no common version, suite or group, a signature by a key or algorithm too
        // weak to be checked, or (strict only) a certificate that does not verify.
        Error::PeerIncompatible(_)
        | Error::PeerMisbehaved(
            PeerMisbehaved::IllegalHelloRetryRequestWithUnofferedNamedGroup
            | PeerMisbehaved::SelectedUnofferedKxGroup
            | PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme
            | PeerMisbehaved::SignedKxWithWrongAlgorithm,
        )
        | Error::InvalidCertificate(_)
        | Error::NoApplicationProtocol
        | Error::NoCertificatesPresented => HandshakeFailure::Incompatible(word),
        _ => HandshakeFailure::Malformed(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::{AlertDescription, PeerIncompatible};

    fn inside(error: Error) -> io::Error {
        io::Error::new(ErrorKind::InvalidData, error)
    }

    #[test]
    fn every_end_of_a_handshake_has_its_own_name() {
        let record = |octets: &[u8]| TapRecord {
            received_first: octets.to_vec(),
            received: octets.len(),
            ..TapRecord::default()
        };
        let tls = record(&[22, 3, 3, 0, 1]);
        let plain = record(b"501 no");
        let alert = |number| HandshakeFailure::AlertReceived(Alert(number));
        let not_tls = HandshakeFailure::NotTls(b"501 no".to_vec());
        let malformed = Error::PeerMisbehaved(PeerMisbehaved::UnsolicitedEncryptedExtension);
        let incompatible = Error::PeerIncompatible(PeerIncompatible::NoKxGroupsInCommon);
        let too_large = Error::InvalidMessage(InvalidMessage::MessageTooLarge);
        let no_content = Error::InvalidMessage(InvalidMessage::InvalidContentType);
        let eof = || io::Error::from(ErrorKind::UnexpectedEof);
        for (error, record, expected) in [
            (inside(Error::AlertReceived(AlertDescription::HandshakeFailure)), &tls, alert(40)),
            (inside(Error::AlertReceived(AlertDescription::Unknown(117))), &tls, alert(117)),
            (inside(no_content), &plain, not_tls.clone()),
            (inside(too_large), &tls, HandshakeFailure::RecordOverflow),
            (inside(Error::PeerSentOversizedRecord), &tls, HandshakeFailure::RecordOverflow),
            (
                inside(Error::DecryptError),
                &tls,
                HandshakeFailure::IntegrityFailed(Error::DecryptError.to_string()),
            ),
            (
                inside(incompatible.clone()),
                &tls,
                HandshakeFailure::Incompatible(incompatible.to_string()),
            ),
            (inside(malformed.clone()), &tls, HandshakeFailure::Malformed(malformed.to_string())),
            (io::Error::from(ErrorKind::ConnectionReset), &tls, HandshakeFailure::Reset),
            (eof(), &tls, HandshakeFailure::Closed),
            (io::Error::from(ErrorKind::BrokenPipe), &tls, HandshakeFailure::Closed),
            (eof(), &plain, not_tls),
        ] {
            assert_eq!(handshake_failure(&error, record), expected);
        }
    }

    #[test]
    fn an_alert_is_found_inside_a_later_read_error() {
        let late = inside(Error::AlertReceived(AlertDescription::CertificateRequired));
        assert_eq!(alert_of(&late), Some(Alert(116)));
        assert_eq!(alert_of(&io::Error::from(ErrorKind::ConnectionReset)), None);
    }
}
