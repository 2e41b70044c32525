//! The domain name type (RFC 1035 §2.3.4, RFC 5890 §2.3).

/// A host or domain name: A-labels, lower case, no trailing dot, at most 253 octets, labels of letters,
/// digits and hyphens, at most 63 octets each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainName(String);

/// Why a text is no domain name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at octet {position}")]
pub struct NameError {
    /// What is wrong.
    pub kind: NameErrorKind,
    /// The octet of the input at which it was noticed, from 0.
    pub position: usize,
}

/// What is wrong with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameErrorKind {
    /// Nothing but spaces or a dot.
    #[error("empty name")]
    Empty,
    /// Two dots in a row, or a leading dot.
    #[error("empty label")]
    EmptyLabel,
    /// A label over 63 octets.
    #[error("label longer than 63 octets")]
    LabelTooLong,
    /// Over 253 octets.
    #[error("name longer than 253 octets")]
    NameTooLong,
    /// An octet that no host name may hold.
    #[error("character not allowed in a host name")]
    Character,
    /// A hyphen at the start or end of a label.
    #[error("label starts or ends with a hyphen")]
    Hyphen,
    /// IDNA conversion failed.
    #[error("internationalised name cannot be converted")]
    Idna,
}

impl DomainName {
    /// The name, A-labels, without trailing dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for DomainName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}
