//! What the TLS side of a server does, as data: a full TLS server with limits, or hand-made answers to
//! ClientHellos that fulfil a condition (RFC 8446, RFC 5246).
//! The way in: [`TlsBehaviour`]; its default is TLS 1.2 and 1.3 with a faultless certificate.

use serde::Deserialize;

use crate::authority::Recipe;

/// The TLS behaviour of one server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsBehaviour {
    /// Versions spoken by the full server: `"1.2"`, `"1.3"`.
    pub versions: Vec<String>,
    /// Groups by their IANA name; empty means the library's own list.
    pub groups: Vec<String>,
    /// Suites by their IANA name; empty means the library's own list.
    pub suites: Vec<String>,
    /// The certificate.
    pub certificate: Recipe,
    /// A second certificate, for clients that cannot use the first one's signature.
    pub second_certificate: Option<Recipe>,
    /// The certificate for clients that send no server name.
    pub default_certificate: Option<Recipe>,
    /// Per address of the host (index as text) another certificate.
    pub certificate_per_address: std::collections::BTreeMap<String, Recipe>,
    /// Refuses server names other than the host's, and none, with alert 112.
    pub strict_sni: bool,
    /// Demands a client certificate.
    pub client_certificate: bool,
    /// Protocols for ALPN; a client that offers only others gets alert 120.
    pub alpn: Vec<String>,
    /// Leaves the close_notify out at the end.
    pub drop_close_notify: bool,
    /// Hand-made answers; the first whose condition holds is used, otherwise the full server.
    pub script: Vec<Rule>,
}

impl Default for TlsBehaviour {
    fn default() -> Self {
        Self {
            versions: vec!["1.2".into(), "1.3".into()],
            groups: Vec::new(),
            suites: Vec::new(),
            certificate: Recipe::default(),
            second_certificate: None,
            default_certificate: None,
            certificate_per_address: std::collections::BTreeMap::new(),
            strict_sni: false,
            client_certificate: false,
            alpn: Vec::new(),
            drop_close_notify: false,
            script: Vec::new(),
        }
    }
}

/// One hand-made answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// All conditions given must hold; none given holds always.
    #[serde(default)]
    pub when: Condition,
    /// What happens then.
    pub then: Vec<TlsStep>,
}

/// What a ClientHello must look like. Numbers are the IANA code points.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Condition {
    /// The hello offers this version (`"1.0"` … `"1.3"`).
    pub with_version: Option<String>,
    /// The hello does not offer this version.
    pub without_version: Option<String>,
    /// The hello record is longer than this many octets.
    pub longer_than: Option<usize>,
    /// Whether the hello names a server.
    pub sni: Option<bool>,
    /// The hello offers one of these suites.
    pub with_suite: Vec<u16>,
    /// The hello offers none of these suites.
    pub without_suite: Vec<u16>,
    /// The hello offers one of these groups.
    pub with_group: Vec<u16>,
    /// The hello offers none of these groups.
    pub without_group: Vec<u16>,
    /// The hello offers none of these signature algorithms.
    pub without_signature: Vec<u16>,
    /// Whether the hello has an ALPN extension.
    pub alpn: Option<bool>,
    /// The hello is of at least this connection to the server (1 is the first).
    pub from_connection: Option<usize>,
}

/// One step of a hand-made answer, after the ClientHello was read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TlsStep {
    /// A fatal alert.
    Alert(u8),
    /// A warning alert.
    Warning(u8),
    /// A ServerHello.
    ServerHello(ServerHello),
    /// A HelloRetryRequest for this group.
    HelloRetryRequest(u16),
    /// A Certificate message with the certificate of the behaviour (TLS 1.2 form).
    Certificate,
    /// A Certificate message without any certificate.
    EmptyCertificate,
    /// A ServerKeyExchange with a finite-field group of this many bits (512, 1024 or 2048).
    DhKeyExchange(u16),
    /// A ServerHelloDone.
    ServerHelloDone,
    /// Octets in hexadecimal, as they are.
    SendHex(String),
    /// Waits.
    PauseMs(u64),
    /// Reads what the client sends next.
    Read,
    /// Says nothing more until the client leaves.
    Hang,
    /// FIN.
    Close,
    /// RST.
    Reset,
    /// Completes a TLS 1.2 handshake by hand; the session then goes on inside it.
    OldTls(OldTls),
}

/// The parts of a ServerHello a fault can be in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerHello {
    /// Version field: `"1.0"`, `"1.1"`, `"1.2"`.
    pub version: String,
    /// The suite chosen.
    pub suite: u16,
    /// The compression method chosen.
    pub compression: u8,
    /// Sends renegotiation_info (RFC 5746).
    pub renegotiation_info: bool,
    /// Sends extended_master_secret (RFC 7627).
    pub extended_master_secret: bool,
    /// Cuts the message in half while its record header stays right for the half.
    pub truncated: bool,
}

impl Default for ServerHello {
    fn default() -> Self {
        Self {
            version: "1.2".into(),
            suite: 0xc02b,
            compression: 0,
            renegotiation_info: true,
            extended_master_secret: true,
            truncated: false,
        }
    }
}

/// A TLS 1.2 server made by hand, for what no current library does any more. The key must be RSA
/// (`key = "rsa2048"`) for every exchange but `ecdhe`, which takes ECDSA too, and `anonymous`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OldTls {
    /// How the premaster secret comes about.
    pub exchange: Exchange,
    /// Sends renegotiation_info (RFC 5746).
    pub renegotiation_info: bool,
    /// Sends extended_master_secret where the client offers it (RFC 7627).
    pub extended_master_secret: bool,
    /// Signs the key exchange with SHA-1, whatever the client offers; the key must be RSA.
    pub sign_with_sha1: bool,
}

impl Default for OldTls {
    fn default() -> Self {
        Self {
            exchange: Exchange::Ecdhe,
            renegotiation_info: true,
            extended_master_secret: true,
            sign_with_sha1: false,
        }
    }
}

/// A TLS 1.2 key exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exchange {
    /// Elliptic-curve Diffie-Hellman on P-256 or X25519, signed.
    Ecdhe,
    /// The client encrypts to the certificate's key.
    StaticRsa,
    /// Finite-field Diffie-Hellman with 1024 bits, signed.
    Dhe1024,
    /// Finite-field Diffie-Hellman with 2048 bits, signed.
    Dhe2048,
    /// Finite-field Diffie-Hellman with 2048 bits and no certificate.
    Anonymous,
}
