//! What can be wrong with a chain (RFC 5280 §6.1, RFC 9525 §6, RFC 9325 §4.5), as data. Each variant stands
//! for one cause a person can act on; the codes of findings are chosen by `check`, the contract words of
//! single questions by [`Fault::error_word`]. The order of a fault list is the order of these words.

use std::net::IpAddr;

use jiff::Timestamp;

use super::profile::ProfileRule;
use super::seen::KeyKind;

/// A reason for which the chain must not be trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A signature does not verify with the key of the certificate that bears the issuer's name.
    #[error("the signature on the certificate of {subject} does not verify")]
    BadSignature {
        /// The certificate that carries the signature.
        subject: String,
    },
    /// More certificates than are looked at.
    #[error("{certificates} certificates presented, at most {limit} are read")]
    ChainTooLong {
        /// Certificates presented.
        certificates: usize,
        /// The limit.
        limit: usize,
    },
    /// No dNSName, but the common name holds the reference name (RFC 9525 §2).
    #[error("the name is only in the common name {common_name}")]
    CommonNameOnly {
        /// The common name.
        common_name: String,
    },
    /// A CA was not allowed to issue what it issued, or a CA certificate stands in the leaf's place.
    #[error("{constraint} at the certificate of {subject}")]
    ConstraintViolated {
        /// Which rule.
        constraint: Constraint,
        /// The certificate at which it was noticed.
        subject: String,
    },
    /// A revocation list that was given cannot be used, so revocation is not excluded.
    #[error("revocation list cannot be used: {reason}")]
    CrlUnusable {
        /// What is wrong with it.
        reason: String,
    },
    /// A path exists, but only with more intermediates than allowed.
    #[error("the path is longer than allowed")]
    DepthExceeded {
        /// The caller's limit; `None` where the validator's own limit was hit.
        limit: Option<usize>,
    },
    /// A key in the path is on the validator's list of withdrawn ones.
    #[error("the path ends in a withdrawn authority")]
    Distrusted,
    /// The leaf's notAfter has passed.
    #[error("the certificate expired at {not_after}")]
    Expired {
        /// Its notAfter.
        not_after: Timestamp,
    },
    /// A CA certificate of the only path has expired.
    #[error("the intermediate certificate of {subject} expired at {not_after}")]
    IntermediateExpired {
        /// The CA.
        subject: String,
        /// Its notAfter.
        not_after: Timestamp,
    },
    /// A CA certificate of the only path is not valid yet.
    #[error("the intermediate certificate of {subject} is valid from {not_before} only")]
    IntermediateNotYetValid {
        /// The CA.
        subject: String,
        /// Its notBefore.
        not_before: Timestamp,
    },
    /// The reference identity is an address, and no iPAddress entry equals it (RFC 9525 §6.4).
    #[error("the certificate does not list the address {reference}")]
    IpOnly {
        /// The address looked for.
        reference: IpAddr,
        /// Names and addresses in the certificate.
        presented: Vec<String>,
    },
    /// The key is not the one that the settings name; roots, names and dates were not looked at.
    #[error("the key of the server is not the pinned one")]
    KeyNotPinned {
        /// Lower-case hexadecimal SHA-256 of the key shown; empty when none could be read.
        presented: String,
    },
    /// The leaf's issuer was not presented, and one more certificate would (probably) do.
    #[error("the intermediate certificate of {issuer} is missing")]
    MissingIntermediate {
        /// The issuer whose certificate is missing.
        issuer: String,
        /// Where the certificate says it can be had (caIssuers URIs).
        aia: Vec<String>,
        /// How sure this is.
        issuing: Issuing,
    },
    /// No presented identifier matches.
    #[error("the certificate is for another name")]
    NameMismatch {
        /// Names and addresses in the certificate.
        presented: Vec<String>,
    },
    /// The leaf's notBefore has not come.
    #[error("the certificate is valid from {not_before} only")]
    NotYetValid {
        /// Its notBefore.
        not_before: Timestamp,
    },
    /// The validator's own word for something without a variant here.
    #[error("{detail}")]
    Other {
        /// That word.
        detail: String,
    },
    /// The chain leads to an authority that is no known root.
    #[error("the issuer {issuer} is not a known authority")]
    PrivateCa {
        /// The last issuer.
        issuer: String,
        /// Whether its self-signed certificate was presented.
        root_presented: bool,
    },
    /// Listed in a revocation list given.
    #[error("the certificate has been revoked")]
    Revoked,
    /// The leaf signed itself and is no known root.
    #[error("the certificate is self-signed")]
    SelfSigned,
    /// The path search ran out of its budget.
    #[error("too many possible paths")]
    TooComplex,
    /// Nothing is known about the issuer.
    #[error("the issuer {issuer} is unknown and its certificate was not presented")]
    UnknownIssuer {
        /// The issuer.
        issuer: String,
    },
    /// Not to be read: broken encoding, trailing data, no certificate, or a critical extension nobody knows.
    #[error("certificate{} cannot be read: {detail}", place(*position))]
    Unparsable {
        /// Place in the chain, leaf is 0; `None` where it is not known or there is none.
        position: Option<usize>,
        /// What is wrong.
        detail: String,
    },
    /// A signature algorithm or key type the validator does not know.
    #[error("{algorithm} on the certificate of {subject} is not supported")]
    UnsupportedAlgorithm {
        /// The algorithm.
        algorithm: String,
        /// The certificate.
        subject: String,
    },
    /// A key below the limits of RFC 9325 §4.5.
    #[error("the {} key of {subject} has only {bits} bits", kind.as_str())]
    WeakKey {
        /// Whose key.
        subject: String,
        /// Kind of key.
        kind: KeyKind,
        /// Bits.
        bits: u32,
    },
    /// Signed with MD5 or SHA-1 (a root's own signature does not count).
    #[error("the certificate of {subject} is signed with {algorithm}")]
    WeakSignature {
        /// Signature algorithm.
        algorithm: String,
        /// The certificate that carries it.
        subject: String,
    },
    /// A wildcard for another level (RFC 9525 §6.3).
    #[error("the wildcard {presented} covers a different level")]
    WildcardDepth {
        /// The presented identifier.
        presented: String,
    },
    /// A wildcard where none may stand (RFC 9525 §6.3).
    #[error("the wildcard {presented} is in the wrong place")]
    WildcardMalformed {
        /// The presented identifier.
        presented: String,
    },
    /// Extended key usage without serverAuth (RFC 5280 §4.2.1.12).
    #[error("the certificate of {subject} is not meant for servers")]
    WrongPurpose {
        /// The certificate.
        subject: String,
        /// The purposes it has.
        purposes: Vec<String>,
    },
}

/// ` N` for a known place.
fn place(position: Option<usize>) -> String {
    position.map_or_else(String::new, |position| format!(" {position}"))
}

/// How sure it is that only an intermediate is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issuing {
    /// The certificate says where its issuer's certificate can be had; nobody looked.
    Announced,
    /// A certificate found elsewhere completes the path.
    Proven,
}

/// A rule about what a certificate may be used for in a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constraint {
    /// The leaf is a CA certificate.
    CaAsLeaf,
    /// A key usage without keyCertSign (RFC 5280 §4.2.1.3).
    KeyUsage,
    /// A name outside of the name constraints (RFC 5280 §4.2.1.10).
    Names,
    /// The issuer is no CA (RFC 5280 §4.2.1.9).
    NotACa,
    /// More CA certificates below than allowed (RFC 5280 §4.2.1.9).
    PathLength,
}

impl std::fmt::Display for Constraint {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::CaAsLeaf => "authority certificate used for a server",
            Self::KeyUsage => "key not allowed to sign certificates",
            Self::Names => "name outside of the name constraints",
            Self::NotACa => "issuer is no authority",
            Self::PathLength => "path longer than the authority allows",
        })
    }
}

/// Something to show that does not make the chain untrusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// A certificate does not certify the one before it (RFC 5246 §7.4.2).
    #[error("the chain is out of order")]
    ChainOrder,
    /// Presented more than once.
    #[error("the certificate of {subject} is presented twice")]
    Duplicate {
        /// Whose certificate.
        subject: String,
    },
    /// Valid now, under the smaller of 14 days and one sixth of the lifetime left.
    #[error("the certificate expires at {not_after}")]
    ExpiringSoon {
        /// Its notAfter.
        not_after: Timestamp,
    },
    /// An expired CA certificate beside a path that is valid.
    #[error("an unneeded intermediate certificate of {subject} expired at {not_after}")]
    IntermediateExpired {
        /// The CA.
        subject: String,
        /// Its notAfter.
        not_after: Timestamp,
    },
    /// Longer than public authorities may issue (CA/B Forum TLS BR §6.3.2).
    #[error("a lifetime of {days} days, public authorities may issue {limit}")]
    LifetimeTooLong {
        /// Lifetime in days, begun ones counted.
        days: i64,
        /// The limit in force at notBefore.
        limit: i64,
    },
    /// A rule for issuers is broken that verifiers commonly do not enforce.
    #[error("{} at the certificate of {subject}", rule.as_str())]
    Profile {
        /// Which rule.
        rule: ProfileRule,
        /// The certificate.
        subject: String,
    },
    /// Revocation lists were given, but none settles it.
    #[error("revocation is not known: {reason}")]
    RevocationUnknown {
        /// Why.
        reason: String,
    },
    /// A presented certificate that has nothing to do with the leaf.
    #[error("the certificate of {subject} does not belong to the chain")]
    Unrelated {
        /// Whose certificate.
        subject: String,
    },
    /// A certificate after the leaf that cannot be read and is not needed.
    #[error("certificate {position} cannot be read: {detail}")]
    UnreadableExtra {
        /// Place in the chain, leaf is 0.
        position: usize,
        /// What is wrong.
        detail: String,
    },
}

impl Warning {
    /// A kebab-case word for the kind of warning.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::ChainOrder => "chain-order",
            Self::Duplicate { .. } => "duplicate",
            Self::ExpiringSoon { .. } => "expiring-soon",
            Self::IntermediateExpired { .. } => "intermediate-expired",
            Self::LifetimeTooLong { .. } => "lifetime-too-long",
            Self::Profile { rule, .. } => rule.as_str(),
            Self::RevocationUnknown { .. } => "revocation-unknown",
            Self::Unrelated { .. } => "unrelated",
            Self::UnreadableExtra { .. } => "unreadable-extra",
        }
    }
}

/// The contract words of `cert verify`, in the order in which faults are listed.
const ERROR_WORDS: [&str; 12] = [
    "expired",
    "not-yet-valid",
    "unknown-issuer",
    "untrusted-root",
    "name-mismatch",
    "revoked",
    "name-constraint",
    "bad-signature",
    "key-too-weak",
    "malformed",
    "depth",
    "other",
];

impl Fault {
    /// The contract word of this fault.
    pub const fn error_word(&self) -> &'static str {
        match self {
            Self::Expired { .. } | Self::IntermediateExpired { .. } => "expired",
            Self::NotYetValid { .. } | Self::IntermediateNotYetValid { .. } => "not-yet-valid",
            Self::MissingIntermediate { .. }
            | Self::PrivateCa { root_presented: false, .. }
            | Self::UnknownIssuer { .. } => "unknown-issuer",
            Self::Distrusted | Self::PrivateCa { root_presented: true, .. } | Self::SelfSigned => {
                "untrusted-root"
            }
            Self::CommonNameOnly { .. }
            | Self::IpOnly { .. }
            | Self::NameMismatch { .. }
            | Self::WildcardDepth { .. }
            | Self::WildcardMalformed { .. } => "name-mismatch",
            Self::Revoked => "revoked",
            Self::ConstraintViolated { constraint: Constraint::Names, .. } => "name-constraint",
            Self::BadSignature { .. } | Self::WeakSignature { .. } => "bad-signature",
            Self::WeakKey { .. } => "key-too-weak",
            Self::Unparsable { .. } => "malformed",
            Self::ChainTooLong { .. }
            | Self::ConstraintViolated { constraint: Constraint::PathLength, .. }
            | Self::DepthExceeded { .. }
            | Self::TooComplex => "depth",
            Self::ConstraintViolated {
                constraint: Constraint::CaAsLeaf | Constraint::KeyUsage | Constraint::NotACa,
                ..
            }
            | Self::CrlUnusable { .. }
            | Self::KeyNotPinned { .. }
            | Self::Other { .. }
            | Self::UnsupportedAlgorithm { .. }
            | Self::WrongPurpose { .. } => "other",
        }
    }

    /// The place of this fault in a list, by its word.
    pub(super) fn rank(&self) -> usize {
        let word = self.error_word();
        ERROR_WORDS.iter().position(|known| *known == word).unwrap_or(ERROR_WORDS.len())
    }
}
