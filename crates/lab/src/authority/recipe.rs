//! How a certificate is to be made, as data: every certificate fault is a combination of these fields.
//! It says nothing about the TLS session that shows it. The way in: [`Recipe`]; the default recipe is a
//! certificate that nobody can find fault with.

use serde::Deserialize;

/// One certificate and the chain a server sends with it. `{host}` and `{domain}` in names are filled in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// dNSName entries; default the host itself. An empty list leaves the extension out.
    pub names: Vec<String>,
    /// iPAddress entries.
    pub ips: Vec<std::net::IpAddr>,
    /// Common name; default the first of `names`.
    pub cn: Option<String>,
    /// Start of validity in days from now (negative: in the past).
    pub not_before_days: i64,
    /// End of validity in days from now.
    pub not_after_days: i64,
    /// Who signs.
    pub issuer: IssuerKind,
    /// The kind of key.
    pub key: KeyKind,
    /// What the server sends, in this order.
    pub send: Vec<Element>,
    /// Extended key usages; an empty list leaves the extension out.
    pub usage: Vec<Usage>,
    /// The digest under the signature; SHA-1 needs the issuer `rsa`.
    pub signature: Digest,
    /// The names a constrained issuer may issue for (`issuer = "constrained"`).
    pub permitted: Vec<String>,
    /// The server signs with a key that is not the certificate's.
    pub wrong_key: bool,
    /// Names the issuer's download address (AIA).
    pub aia: bool,
    /// The revocation list the certificate points at.
    pub crl: CrlPointer,
    /// The revocation answer that is sent along in the handshake.
    pub staple: Staple,
    /// What is put into the certificate besides.
    pub extra: Vec<Extra>,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            names: vec!["{host}".into()],
            ips: Vec::new(),
            cn: None,
            not_before_days: -10,
            not_after_days: 80,
            issuer: IssuerKind::Intermediate,
            key: KeyKind::EcdsaP256,
            send: vec![Element::Leaf, Element::Issuer],
            usage: vec![Usage::Server],
            signature: Digest::Sha256,
            permitted: Vec::new(),
            wrong_key: false,
            aia: true,
            crl: CrlPointer::Served,
            staple: Staple::None,
            extra: Vec::new(),
        }
    }
}

/// Who signs a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IssuerKind {
    /// The good intermediate under the lab root.
    Intermediate,
    /// An RSA intermediate under the lab root.
    Rsa,
    /// The lab root itself.
    Root,
    /// The leaf's own key.
    SelfSigned,
    /// An intermediate under a root that no trust store has.
    Private,
    /// An intermediate of which only an expired certificate exists.
    Lapsed,
    /// The good intermediate, shown by an older, expired certificate of the same key.
    LapsedTwin,
    /// A good intermediate below the good intermediate.
    BelowIntermediate,
    /// An intermediate whose name constraints permit only `permitted`.
    Constrained,
    /// A certificate without CA:TRUE.
    NotCa,
    /// An intermediate without the right to sign certificates (keyCertSign).
    NoCertSign,
    /// An intermediate under one with a path length of zero.
    PathTooLong,
}

/// The kind of a leaf's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// ECDSA on P-256.
    EcdsaP256,
    /// ECDSA on P-384.
    EcdsaP384,
    /// Ed25519.
    Ed25519,
    /// RSA with 2048 bits.
    Rsa2048,
    /// RSA with 1024 bits.
    Rsa1024,
}

/// One thing in the Certificate message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Element {
    /// The leaf.
    Leaf,
    /// The certificate of its issuer.
    Issuer,
    /// The certificate of the issuer's issuer, where that is not a root.
    Upper,
    /// The root.
    Root,
    /// A certificate that has nothing to do with the leaf.
    Unrelated,
    /// Octets that are no certificate.
    Garbage,
    /// A leaf cut in half.
    TruncatedLeaf,
}

/// An extended key usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Usage {
    /// serverAuth.
    Server,
    /// clientAuth.
    Client,
    /// emailProtection.
    Email,
}

/// A stapled OCSP answer (RFC 6960 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Staple {
    /// None.
    None,
    /// Good and current.
    Good,
    /// Good, but its time is over.
    Expired,
    /// Revoked two days ago.
    Revoked,
}

/// Something odd in a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extra {
    /// A critical extension that nobody knows.
    CriticalExtension,
    /// Some 10 kB of terminal escapes, bidirectional controls, HTML and NULs in the subject.
    HostileSubject,
}

/// The digest under a certificate's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Digest {
    /// SHA-256.
    Sha256,
    /// SHA-1.
    Sha1,
}

/// Where a certificate says its revocation list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CrlPointer {
    /// At an address that serves it.
    Served,
    /// At an address where nothing listens.
    Closed,
    /// Nowhere.
    None,
}
