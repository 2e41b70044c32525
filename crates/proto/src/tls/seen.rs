//! What one handshake showed (RFC 9846 §6.2 for alerts). The chain is kept as presented, also when the
//! handshake failed afterwards; nothing here judges it (see [`crate::x509`]).

use super::hello::NamedGroup;
use crate::observation::Observation;

/// A protocol version by its number on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TlsVersion {
    /// 0x0300.
    Ssl3,
    /// 0x0301.
    Tls10,
    /// 0x0302.
    Tls11,
    /// 0x0303.
    Tls12,
    /// 0x0304.
    Tls13,
}

/// An alert description by its number (RFC 9846 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alert(pub u8);

/// A cipher suite by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CipherSuite(pub u16);

/// What the client put on offer in this session. Diagnosis only: a session with a reduced offer is
/// never used for mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Offer {
    /// TLS 1.3 and 1.2, X25519MLKEM768 first with an X25519 share beside it, SNI set.
    Standard,
    /// As standard, without the hybrid share (a ClientHello that fits one packet).
    SmallHello,
    /// As standard, without SNI.
    WithoutSni,
}

/// What a handshake showed, however it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandshakeSeen {
    /// The certificates as presented, DER, leaf first as far as the server cared.
    pub chain: Observation<Vec<Vec<u8>>>,
    /// A CertificateRequest was seen.
    pub certificate_requested: bool,
    /// How it ended.
    pub end: HandshakeEnd,
}

/// How a handshake ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandshakeEnd {
    /// Both sides finished.
    Completed(TlsSession),
    /// It broke off.
    Failed(HandshakeFailure),
}

/// The parameters of a finished handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSession {
    /// Negotiated version.
    pub version: TlsVersion,
    /// Negotiated suite.
    pub suite: CipherSuite,
    /// Negotiated group; `None` in the (never offered) key exchanges that have none.
    pub group: Option<NamedGroup>,
    /// The DER of the stapled OCSP response; empty if none was stapled.
    pub ocsp_staple: Vec<u8>,
}

/// Why a handshake broke off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandshakeFailure {
    /// The server sent this alert.
    AlertReceived(Alert),
    /// The server closed without an alert (EOF before Finished).
    Closed,
    /// The server's messages broke the protocol; the text is the TLS library's own word.
    Malformed(String),
    /// The server answered with octets that are no TLS record; the first of them (at most 64).
    NotTls(Vec<u8>),
    /// The server chose something outside of what was offered, or offers nothing acceptable; the text
    /// is the TLS library's own word.
    Incompatible(String),
    /// Finished, CertificateVerify or a record did not verify; the text is the TLS library's own word.
    IntegrityFailed(String),
    /// A record was longer than 2^14 + 256 octets.
    RecordOverflow,
    /// TCP RST.
    Reset,
    /// The limit for the handshake was reached; how many octets of the server had come by then.
    TimedOut {
        /// Octets received after the ClientHello.
        received: usize,
    },
}

impl TlsVersion {
    /// From the number on the wire.
    pub const fn from_wire(number: u16) -> Option<Self> {
        match number {
            0x0300 => Some(Self::Ssl3),
            0x0301 => Some(Self::Tls10),
            0x0302 => Some(Self::Tls11),
            0x0303 => Some(Self::Tls12),
            0x0304 => Some(Self::Tls13),
            _ => None,
        }
    }

    /// The number on the wire.
    pub const fn to_wire(self) -> u16 {
        match self {
            Self::Ssl3 => 0x0300,
            Self::Tls10 => 0x0301,
            Self::Tls11 => 0x0302,
            Self::Tls12 => 0x0303,
            Self::Tls13 => 0x0304,
        }
    }

    /// As reports show it: `ssl3`, `1.0` to `1.3`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ssl3 => "ssl3",
            Self::Tls10 => "1.0",
            Self::Tls11 => "1.1",
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        }
    }
}

impl std::fmt::Display for TlsVersion {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ssl3 => formatter.write_str("SSL 3.0"),
            Self::Tls10 | Self::Tls11 | Self::Tls12 | Self::Tls13 => {
                write!(formatter, "TLS {}", self.as_str())
            }
        }
    }
}

/// Names of alerts (IANA "TLS Alerts").
const ALERT_NAMES: [(u8, &str); 36] = [
    (0, "close_notify"),
    (10, "unexpected_message"),
    (20, "bad_record_mac"),
    (21, "decryption_failed"),
    (22, "record_overflow"),
    (30, "decompression_failure"),
    (40, "handshake_failure"),
    (41, "no_certificate"),
    (42, "bad_certificate"),
    (43, "unsupported_certificate"),
    (44, "certificate_revoked"),
    (45, "certificate_expired"),
    (46, "certificate_unknown"),
    (47, "illegal_parameter"),
    (48, "unknown_ca"),
    (49, "access_denied"),
    (50, "decode_error"),
    (51, "decrypt_error"),
    (60, "export_restriction"),
    (70, "protocol_version"),
    (71, "insufficient_security"),
    (80, "internal_error"),
    (86, "inappropriate_fallback"),
    (90, "user_canceled"),
    (100, "no_renegotiation"),
    (109, "missing_extension"),
    (110, "unsupported_extension"),
    (111, "certificate_unobtainable"),
    (112, "unrecognized_name"),
    (113, "bad_certificate_status_response"),
    (114, "bad_certificate_hash_value"),
    (115, "unknown_psk_identity"),
    (116, "certificate_required"),
    (117, "general_error"),
    (120, "no_application_protocol"),
    (121, "ech_required"),
];

impl Alert {
    /// Its registered name; `alert N` where it has none here.
    pub fn name(self) -> String {
        ALERT_NAMES
            .iter()
            .find(|(number, _)| *number == self.0)
            .map_or_else(|| format!("alert {}", self.0), |(_, name)| (*name).to_owned())
    }
}

impl CipherSuite {
    /// Its registered name (IANA "TLS Cipher Suites"); the number in hexadecimal where it has none here.
    pub fn name(self) -> String {
        self.registered_name().map_or_else(|| format!("0x{:04x}", self.0), str::to_owned)
    }

    /// Its registered name, where there is one.
    pub fn registered_name(self) -> Option<&'static str> {
        tls_parser::TlsCipherSuite::from_id(self.0).map(|suite| suite.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_registered_ones() {
        let suites = [
            (0x0005, "TLS_RSA_WITH_RC4_128_SHA"),
            (0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA"),
            (0x0034, "TLS_DH_anon_WITH_AES_128_CBC_SHA"),
            (0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"),
            (0x1301, "TLS_AES_128_GCM_SHA256"),
            (0x1303, "TLS_CHACHA20_POLY1305_SHA256"),
            (0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
            (0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
            (0xfefe, "0xfefe"),
        ];
        for (number, name) in suites {
            assert_eq!(CipherSuite(number).name(), name);
        }
        assert_eq!(Alert(40).name(), "handshake_failure");
        assert_eq!(Alert(99).name(), "alert 99");
        assert_eq!(NamedGroup(0x11ec).name(), "X25519MLKEM768");
        assert_eq!(NamedGroup(0x6399).name(), "0x6399");
        assert_eq!(TlsVersion::Tls13.to_string(), "TLS 1.3");
    }
}
