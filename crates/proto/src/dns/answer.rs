//! The outcome of one DNS question (RFC 2308 §2, RFC 4035 §4.3). It does not fetch or validate; a
//! change must keep every outcome that a sender treats differently a variant of its own.

use super::record::{QueryName, Record, RecordType};

/// What a question was answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Records of the type asked for, after following any CNAME.
    Found(Vec<Record>),
    /// The name exists without records of this type (NODATA).
    NoData,
    /// The name does not exist (NXDOMAIN).
    NoName,
    /// No usable answer.
    Failed(Failure),
}

/// Why there was no usable answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// DNSSEC validation failed: an answer exists, and it must not be used (RFC 4035 §5.5). Holds
    /// the extended error code where one was given (RFC 8914).
    Bogus(Option<u16>),
    /// The server's message could not be read.
    Malformed,
    /// The server could not be reached at all (ICMP error, no route, refused TCP).
    Network,
    /// RCODE 4.
    NotImplemented,
    /// The server answered without the AA bit where authority was expected (lame delegation).
    NotAuthoritative,
    /// Any other RCODE.
    OtherCode(u16),
    /// RCODE 5.
    Refused,
    /// RCODE 2, also with checking disabled (CD=1).
    ServFail,
    /// No answer after all retries.
    TimedOut,
    /// The UDP answer was truncated and TCP failed (RFC 7766 §5).
    Truncated,
}

/// The DNSSEC status of an answer (RFC 4035 §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Authenticity {
    /// A chain of trust was followed and failed.
    Bogus,
    /// It could not be told: no validation, or the resolver passes no DNSSEC records.
    Indeterminate,
    /// Proven to lie in an unsigned zone.
    Insecure,
    /// A chain of trust from the anchor verifies.
    Secure,
}

/// One question and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsAnswer {
    /// The name asked for.
    pub name: QueryName,
    /// The type asked for.
    pub record_type: RecordType,
    /// What came back.
    pub outcome: Outcome,
    /// The DNSSEC status of what came back.
    pub authenticity: Authenticity,
    /// The names of the CNAME chain that was followed, without the name asked for; empty if none.
    pub aliases: Vec<QueryName>,
    /// The smallest TTL of the records, in seconds; for a negative answer the SOA minimum if known.
    pub ttl_s: Option<u32>,
    /// The AA bit of the response; only meaningful for a server that was asked directly.
    pub authoritative: bool,
    /// Whether the answer came over TCP after truncation.
    pub over_tcp: bool,
    /// Records of the type asked for whose data cannot be held here: a name with octets that no name of ours
    /// has.
    pub unreadable: usize,
}

impl DnsAnswer {
    /// The records found; empty for every other outcome.
    pub fn records(&self) -> &[Record] {
        match &self.outcome {
            Outcome::Found(records) => records,
            Outcome::NoData | Outcome::NoName | Outcome::Failed(_) => &[],
        }
    }
}
