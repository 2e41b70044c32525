//! The record types that mail transport reads (RFC 1035 §3.3, RFC 5321 §5.1, RFC 6698 §2.1). Data is
//! foreign: an MX exchange that is no host name stays visible as what it was.

use crate::name::DomainName;
use std::net::IpAddr;

/// A name as it stands in a DNS question: like [`DomainName`], but `_service` labels and any other
/// printable octet are allowed. Lower case, no trailing dot; the root is the empty name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryName(String);

impl QueryName {
    /// The root.
    pub const fn root() -> Self {
        Self(String::new())
    }

    /// A name from presentation form; the final dot is dropped and ASCII letters are lowered.
    /// Returns `None` over 253 octets, over 63 octets a label, or with an empty label.
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let labels_fit = name.is_empty() || name.split('.').all(|l| (1..=63).contains(&l.len()));
        (name.len() <= 253 && labels_fit).then_some(Self(name))
    }

    /// `label` in front of a domain, for example `_mta-sts` or `mta-sts`.
    pub fn below(label: &str, domain: &DomainName) -> Self {
        Self(format!("{label}.{domain}"))
    }

    /// The name without the final dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&DomainName> for QueryName {
    fn from(name: &DomainName) -> Self {
        Self(name.as_str().to_owned())
    }
}

impl std::fmt::Display for QueryName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(if self.0.is_empty() { "." } else { &self.0 })
    }
}

/// The record types asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordType {
    /// IPv4 address.
    A,
    /// IPv6 address.
    Aaaa,
    /// Alias.
    Cname,
    /// Mail exchange.
    Mx,
    /// Name server.
    Ns,
    /// Reverse name.
    Ptr,
    /// Start of authority.
    Soa,
    /// Certificate association (RFC 6698).
    Tlsa,
    /// Text.
    Txt,
}

/// The data of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A or AAAA.
    Address(IpAddr),
    /// CNAME target.
    Cname(QueryName),
    /// MX.
    Mx(MxRecord),
    /// NS host.
    Ns(QueryName),
    /// PTR name.
    Ptr(QueryName),
    /// SOA.
    Soa(SoaRecord),
    /// TLSA.
    Tlsa(TlsaRecord),
    /// TXT.
    Txt(TxtRecord),
}

/// One MX record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MxRecord {
    /// Lower is tried first (RFC 5321 §5.1).
    pub preference: u16,
    /// The mail host.
    pub exchange: MxExchange,
}

/// The exchange field of an MX record, as far as it can be used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MxExchange {
    /// A host name.
    Host(DomainName),
    /// The root: part of a null MX (RFC 7505 §3).
    Root,
    /// A name made of an IP address (`192.0.2.1.`), which RFC 5321 §5.1 does not allow.
    AddressLiteral(IpAddr),
    /// Anything else that is no host name, in presentation form.
    Invalid(String),
}

/// The parts of an SOA record that are compared between servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoaRecord {
    /// The zone this SOA stands at.
    pub zone: QueryName,
    /// Primary name server.
    pub primary: QueryName,
    /// Zone serial.
    pub serial: u32,
    /// Negative caching TTL, in seconds (RFC 2308 §5).
    pub minimum_s: u32,
}

/// One TLSA record (RFC 6698 §2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsaRecord {
    /// Certificate usage.
    pub usage: u8,
    /// Selector.
    pub selector: u8,
    /// Matching type.
    pub matching_type: u8,
    /// Association data.
    pub data: Vec<u8>,
}

/// One TXT record: its character strings, joined without separators (RFC 7208 §3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxtRecord {
    /// The joined octets.
    pub joined: Vec<u8>,
    /// How many character strings it was split into.
    pub strings: usize,
}
