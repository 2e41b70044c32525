//! The record types that mail transport reads (RFC 1035 §3.3, RFC 5321 §5.1, RFC 6698 §2.1). Data is
//! foreign: an MX exchange that is no host name stays visible as what it was.

use crate::name::{DomainName, parse_address};
use std::net::IpAddr;
use std::sync::Arc;

/// A name as it stands in a DNS question: like [`DomainName`], but `_service` labels and any other
/// printable octet are allowed. Lower case, no trailing dot; the root is the empty name. The text is shared,
/// because every question, answer and look-up holds a copy of the name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryName(Arc<str>);

impl QueryName {
    /// The root.
    pub fn root() -> Self {
        Self(Arc::default())
    }

    /// A name from presentation form; the final dot is dropped and ASCII letters are lowered.
    /// Returns `None` over 253 octets, over 63 octets a label, or with an empty label.
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let labels_fit = name.is_empty() || name.split('.').all(|l| (1..=63).contains(&l.len()));
        (name.len() <= 253 && labels_fit).then(|| Self(name.into()))
    }

    /// `label` in front of a domain, for example `_mta-sts` or `mta-sts`.
    pub fn below(label: &str, domain: &DomainName) -> Self {
        Self(format!("{label}.{domain}").into())
    }

    /// The name that holds the PTR records of an address: reversed octets below `in-addr.arpa`
    /// (RFC 1035 §3.5) or reversed nibbles below `ip6.arpa` (RFC 3596 §2.5).
    pub fn reverse(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => {
                let [a, b, c, d] = v4.octets();
                Self(format!("{d}.{c}.{b}.{a}.in-addr.arpa").into())
            }
            IpAddr::V6(v6) => {
                // The address as a number, lowest nibble first.
                let bits = v6.to_bits();
                let nibbles: Vec<String> =
                    (0..32).map(|place| format!("{:x}", (bits >> (4 * place)) & 0xf)).collect();
                Self(format!("{}.ip6.arpa", nibbles.join(".")).into())
            }
        }
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The name without the final dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&DomainName> for QueryName {
    fn from(name: &DomainName) -> Self {
        Self(name.shared())
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

impl Record {
    /// The address of an A or AAAA record.
    pub const fn address(&self) -> Option<IpAddr> {
        if let Self::Address(address) = self { Some(*address) } else { None }
    }

    /// The data of an MX record.
    pub const fn mx(&self) -> Option<&MxRecord> {
        if let Self::Mx(mx) = self { Some(mx) } else { None }
    }

    /// The host of an NS record.
    pub const fn ns(&self) -> Option<&QueryName> {
        if let Self::Ns(host) = self { Some(host) } else { None }
    }

    /// The name of a PTR record.
    pub const fn ptr(&self) -> Option<&QueryName> {
        if let Self::Ptr(name) = self { Some(name) } else { None }
    }

    /// The data of an SOA record.
    pub const fn soa(&self) -> Option<&SoaRecord> {
        if let Self::Soa(soa) = self { Some(soa) } else { None }
    }

    /// The data of a TXT record.
    pub const fn txt(&self) -> Option<&TxtRecord> {
        if let Self::Txt(txt) = self { Some(txt) } else { None }
    }
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

impl MxExchange {
    /// Sorts the exchange field of an MX record, given in presentation form.
    pub fn from_name(name: &str) -> Self {
        if name.is_empty() || name == "." {
            return Self::Root;
        }
        // RFC 5321 §5.1: an exchange is a name; digits that look like an address are one that nobody
        // can look up.
        if let Some(address) = parse_address(name) {
            return Self::AddressLiteral(address);
        }
        DomainName::parse(name).map_or_else(|_| Self::Invalid(name.to_owned()), Self::Host)
    }

    /// The host name, if it is one.
    pub const fn host(&self) -> Option<&DomainName> {
        match self {
            Self::Host(name) => Some(name),
            Self::Root | Self::AddressLiteral(_) | Self::Invalid(_) => None,
        }
    }
}

impl std::fmt::Display for MxExchange {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Host(name) => name.fmt(formatter),
            Self::Root => formatter.write_str("."),
            Self::AddressLiteral(address) => address.fmt(formatter),
            Self::Invalid(text) => write!(formatter, "{}", text.escape_debug()),
        }
    }
}

impl TxtRecord {
    /// Joins the character strings of one record without separators (RFC 7208 §3.3, RFC 8461 §3.1).
    pub fn from_strings<S: AsRef<[u8]>>(strings: impl IntoIterator<Item = S>) -> Self {
        let mut record = Self { joined: Vec::new(), strings: 0 };
        for string in strings {
            record.joined.extend_from_slice(string.as_ref());
            record.strings += 1;
        }
        record
    }

    /// The joined octets as text; octets that are no UTF-8 become U+FFFD, which no record grammar
    /// allows.
    pub fn to_text(&self) -> String {
        String::from_utf8_lossy(&self.joined).into_owned()
    }
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
