//! The hand-made ClientHello (RFC 9846 §4.1.2, RFC 5246 §7.4.1.2) and what is read from the answer: a way
//! to see versions, suites, groups and extensions that rustls does not speak, without any cryptography.
//! It carries no secret, finishes no handshake and is used for grading and diagnosis only. The ways in are
//! [`ClientHello`], which writes one, and [`ServerFlight`], which reads what comes back.

mod client;
mod server;

#[cfg(test)]
mod tests;

pub use client::{ClientHello, ClientRandom};
pub use server::ServerFlight;

use super::seen::{Alert, CipherSuite, TlsVersion};
use crate::smtp::seen::{SessionEnd, Stage};

/// A key exchange group by its number (RFC 9846 §4.3.7, RFC 10024).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamedGroup(pub u16);

/// Names of groups (IANA "TLS Supported Groups").
const GROUP_NAMES: [(u16, &str); 44] = [
    (1, "sect163k1"),
    (2, "sect163r1"),
    (3, "sect163r2"),
    (4, "sect193r1"),
    (5, "sect193r2"),
    (6, "sect233k1"),
    (7, "sect233r1"),
    (8, "sect239k1"),
    (9, "sect283k1"),
    (10, "sect283r1"),
    (11, "sect409k1"),
    (12, "sect409r1"),
    (13, "sect571k1"),
    (14, "sect571r1"),
    (15, "secp160k1"),
    (16, "secp160r1"),
    (17, "secp160r2"),
    (18, "secp192k1"),
    (19, "secp192r1"),
    (20, "secp224k1"),
    (21, "secp224r1"),
    (22, "secp256k1"),
    (23, "secp256r1"),
    (24, "secp384r1"),
    (25, "secp521r1"),
    (26, "brainpoolP256r1"),
    (27, "brainpoolP384r1"),
    (28, "brainpoolP512r1"),
    (29, "x25519"),
    (30, "x448"),
    (31, "brainpoolP256r1tls13"),
    (32, "brainpoolP384r1tls13"),
    (33, "brainpoolP512r1tls13"),
    (256, "ffdhe2048"),
    (257, "ffdhe3072"),
    (258, "ffdhe4096"),
    (259, "ffdhe6144"),
    (260, "ffdhe8192"),
    (512, "MLKEM512"),
    (513, "MLKEM768"),
    (514, "MLKEM1024"),
    (4587, "SecP256r1MLKEM768"),
    (4588, "X25519MLKEM768"),
    (4589, "SecP384r1MLKEM1024"),
];

impl NamedGroup {
    /// Its registered name; the number in hexadecimal where it has none here.
    pub fn name(self) -> String {
        GROUP_NAMES
            .iter()
            .find(|(number, _)| *number == self.0)
            .map_or_else(|| format!("0x{:04x}", self.0), |(_, name)| (*name).to_owned())
    }

    /// Whether this is a hybrid of ML-KEM and an elliptic curve (RFC 10024).
    pub const fn is_hybrid(self) -> bool {
        matches!(self.0, 4587..=4589)
    }
}

/// Which question a hand-made hello asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HelloPlan {
    /// TLS 1.2 with every suite and group there is: which suite would the server take?
    AnySuite,
    /// TLS 1.2 and 1.3 with our suites and every group there is: is the group the trouble?
    AnyGroup,
    /// TLS 1.2 with our suites and every signature algorithm there is, SHA-1 included.
    AnySignature,
    /// TLS 1.1 at most, every suite: is only an old version spoken?
    OldVersions,
    /// A usual TLS 1.2 hello that also offers compression, renegotiation_info and extended master
    /// secret: which of them does the ServerHello carry?
    Tls12Extensions,
    /// A usual hello as the first octets of a connection, no STARTTLS: does TLS start at once here?
    ImplicitTls,
}

/// What came back for a hand-made hello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HelloAnswer {
    /// An alert.
    Alert(Alert),
    /// EOF.
    Closed,
    /// Octets that are no TLS handshake; the first of them (at most 64).
    NotTls(Vec<u8>),
    /// TCP RST.
    Reset,
    /// A ServerHello, and what followed it in the clear.
    ServerHello(ServerHelloSeen),
    /// Nothing within the limit.
    TimedOut,
    /// The SMTP part before the hello did not get to STARTTLS this time.
    NotReached {
        /// The stage in which it ended.
        stage: Stage,
        /// Why it ended there.
        end: SessionEnd,
    },
}

/// What a ServerHello and the clear messages after it showed.
#[expect(clippy::struct_excessive_bools, reason = "independent facts of one message")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerHelloSeen {
    /// The chosen version (from supported_versions where present).
    pub version: Option<TlsVersion>,
    /// The version number as sent, also when it is unknown.
    pub version_wire: u16,
    /// The chosen suite.
    pub suite: CipherSuite,
    /// The group of a key_share, HelloRetryRequest or ServerKeyExchange.
    pub group: Option<NamedGroup>,
    /// Whether this was a HelloRetryRequest.
    pub retry_request: bool,
    /// A compression method other than null was chosen.
    pub compression: bool,
    /// renegotiation_info was there (RFC 5746).
    pub secure_renegotiation: bool,
    /// extended_master_secret was there (RFC 7627).
    pub extended_master_secret: bool,
    /// Bits of `dh_p` of a ServerKeyExchange, TLS 1.2 and older with DHE only.
    pub dh_bits: Option<u32>,
    /// The certificates, DER, TLS 1.2 and older only.
    pub chain: Vec<Vec<u8>>,
    /// A CertificateRequest was seen (TLS 1.2 and older).
    pub certificate_requested: bool,
    /// The signature scheme of a ServerKeyExchange (TLS 1.2).
    pub signature_scheme: Option<u16>,
}
