//! The hand-made ClientHello (RFC 9846 §4.1.2, RFC 5246 §7.4.1.2) and what is read from the answer: a way
//! to see versions, suites, groups and extensions that rustls does not speak, without any cryptography.
//! It carries no secret, finishes no handshake and is used for grading and diagnosis only.

use super::seen::{Alert, CipherSuite, TlsVersion};

/// A key exchange group by its number (RFC 9846 §4.3.7, RFC 10024).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamedGroup(pub u16);

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
    NotReached,
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
