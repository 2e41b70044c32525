//! The description of a DNS world: plain values that a scenario's TOML holds directly.
//!
//! Not validated here: `DnsWorld::start` reads every name, record and reference and says which one
//! is wrong. Names in `records` are relative to their zone unless they end in a dot; everywhere
//! else they are absolute with or without the dot.
//!
//! ```toml
//! [[zone]]
//! name = "faulty.test"
//! signed = true
//! records = ["@ MX 10 mx", "mx A 198.18.0.25", "_25._tcp.mx TLSA 3 1 1 ab…", "@ TXT \"v=spf1 -all\""]
//! servers = ["ns1.faulty.test", "ns2.faulty.test"]
//! dnssec_fault = { kind = "expired", types = ["TLSA"] }
//!
//! [[ptr]]
//! address = "198.18.0.25"
//! names = ["mx.faulty.test"]
//!
//! [[fault]]
//! name = "faulty.test"
//! type = "MX"
//! at = "ns2.faulty.test"
//! answer = "refused"
//! ```

use std::net::IpAddr;

use serde::Deserialize;

/// A whole DNS world. Root, top-level and reverse zones are made on their own; give a zone of that
/// name to replace one (for example an unsigned `test`).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DnsConfig {
    /// The zones (`[[zone]]`).
    #[serde(rename = "zone")]
    pub zones: Vec<ZoneConfig>,
    /// Reverse names (`[[ptr]]`).
    #[serde(rename = "ptr")]
    pub ptrs: Vec<PtrConfig>,
    /// Name servers that need more than a name (`[[server]]`).
    #[serde(rename = "server")]
    pub servers: Vec<ServerConfig>,
    /// Answers that go wrong (`[[fault]]`); the first that fits a question wins.
    #[serde(rename = "fault")]
    pub faults: Vec<FaultConfig>,
    /// The recursive resolver.
    pub resolver: ResolverConfig,
    /// The world's clock value in Unix seconds, from which signature times are reckoned; absent is
    /// the time of the start.
    pub now: Option<i64>,
}

/// One zone.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneConfig {
    /// The origin, such as `faulty.test`.
    pub name: String,
    /// Sign the zone and put its DS record in the parent.
    #[serde(default)]
    pub signed: bool,
    /// Record lines `OWNER [TTL] [IN] TYPE DATA`; `@` is the origin. SOA, NS, DNSKEY, DS, RRSIG
    /// and NSEC of the zone itself are made on their own; an `NS` line elsewhere is a delegation.
    #[serde(default)]
    pub records: Vec<String>,
    /// Record lines with a counter, for large sets.
    #[serde(default)]
    pub generate: Vec<GenerateConfig>,
    /// Host names of the name servers; empty means the two servers of the lab.
    #[serde(default)]
    pub servers: Vec<String>,
    /// The SOA serial; absent is 1.
    pub serial: Option<u32>,
    /// TTL in seconds of records that name none; absent is 300.
    pub ttl: Option<u32>,
    /// What is wrong with the zone's signatures or its DS record.
    pub dnssec_fault: Option<DnssecFaultConfig>,
    /// Servers that serve other data, such as a secondary that stopped to transfer.
    #[serde(default)]
    pub variants: Vec<VariantConfig>,
}

/// Repeats one record line: `{ first = 1, last = 60, record = "@ MX 10 mx$" }`; `$` is the number.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenerateConfig {
    /// The first number.
    pub first: u32,
    /// The last number, included.
    pub last: u32,
    /// The record line.
    pub record: String,
}

/// What one server serves instead of the zone's own data.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariantConfig {
    /// Host name of the server; it must be one of the zone's.
    pub server: String,
    /// The SOA serial on this server; absent keeps the zone's.
    pub serial: Option<u32>,
    /// Record lines; each replaces all records of its owner and type.
    #[serde(default)]
    pub records: Vec<String>,
    /// `OWNER TYPE` pairs this server does not have at all.
    #[serde(default)]
    pub without: Vec<String>,
}

/// Names an address points back to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PtrConfig {
    /// The address; the reverse zones of 198.18.0.0/15 and 2001:db8::/32 exist on their own.
    pub address: IpAddr,
    /// The names, absolute.
    pub names: Vec<String>,
}

/// One name server with its published addresses and transports.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerConfig {
    /// The host name used in `servers` of a zone.
    pub host: String,
    /// Published addresses, from 198.18.0.0/15 or 2001:db8::/32; empty means one from
    /// 198.18.254.0/24 is chosen.
    #[serde(default)]
    pub addresses: Vec<IpAddr>,
    /// Whether TCP connections are taken.
    #[serde(default)]
    pub tcp: TcpMode,
}

/// Whether a server listens on TCP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TcpMode {
    /// It listens.
    #[default]
    Open,
    /// No listener: connections are refused by the operating system.
    Refused,
}

/// The recursive resolver of the world.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ResolverConfig {
    /// What it does with DNSSEC.
    pub mode: ResolverMode,
    /// Whether TCP connections are taken.
    pub tcp: TcpMode,
}

/// What the resolver does with DNSSEC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResolverMode {
    /// Passes everything on when DO is set and never validates; AD is never set.
    #[default]
    Plain,
    /// Drops every DNSSEC record and the DO bit, like an old forwarder.
    Stripping,
    /// Answers SERVFAIL with an extended error (RFC 8914) for bogus data unless CD=1, and sets AD
    /// on secure data.
    Validating,
}

/// What is wrong with a zone's DNSSEC.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DnssecFaultConfig {
    /// The fault.
    pub kind: DnssecFault,
    /// Record types it is limited to; empty means the whole zone. Only faults of signatures can be
    /// limited.
    #[serde(default)]
    pub types: Vec<String>,
}

/// One way DNSSEC goes wrong (RFC 4035 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DnssecFault {
    /// Signatures with one octet changed: bogus.
    Corrupted,
    /// Signatures whose validity ended before the clock value: bogus.
    Expired,
    /// The parent has no DS record for the signed zone: insecure, not bogus.
    MissingDs,
    /// Signatures left out: bogus.
    MissingSignatures,
    /// Signatures whose validity begins after the clock value: bogus.
    NotYetValid,
    /// The parent has a DS record but the zone has neither keys nor signatures: bogus.
    UnsignedWithDs,
    /// The DS record in the parent fits no key: bogus.
    WrongDs,
}

/// An answer that goes wrong, for the questions it fits.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultConfig {
    /// The name asked for; `.` with `scope = "subtree"` fits every question, which with `at` makes
    /// a whole server dead, lame or slow.
    pub name: String,
    /// Whether names below fit as well.
    #[serde(default)]
    pub scope: FaultScope,
    /// The record type asked for, such as `MX`; absent fits every type.
    #[serde(rename = "type")]
    pub record_type: Option<String>,
    /// `resolver`, or the host name of one server; absent is every server and the resolver.
    pub at: Option<String>,
    /// Only this transport; absent is both.
    pub transport: Option<Transport>,
    /// Only questions with this CD bit; absent is both.
    pub cd: Option<bool>,
    /// Only the first so many questions that fit; absent is all of them.
    pub times: Option<u32>,
    /// What happens.
    pub answer: AnswerFault,
}

/// Which names a fault fits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultScope {
    /// The name alone.
    #[default]
    Name,
    /// The name and all names below it.
    Subtree,
}

/// A transport of DNS messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// TCP (RFC 7766).
    Tcp,
    /// UDP.
    Udp,
}

/// One way an answer goes wrong: `answer = "drop"`, `answer = { slow = { delay_ms = 300 } }`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum AnswerFault {
    /// No answer at all; over TCP the connection stays open and silent.
    Drop,
    /// RCODE 1.
    FormErr,
    /// NOERROR, empty and without AA: a server that does not serve the zone.
    Lame,
    /// An answer that announces more records than it holds.
    Malformed,
    /// NOERROR without the records, with the SOA record and no proof.
    NoData,
    /// RCODE 4.
    NotImp,
    /// RCODE 3 with the SOA record and no proof.
    NxDomain,
    /// RCODE 5.
    Refused,
    /// RCODE 2.
    ServFail,
    /// RCODE 2 with an extended error (RFC 8914 §4).
    ServFailWith {
        /// The INFO-CODE, such as 22 "no reachable authority".
        code: u16,
        /// The EXTRA-TEXT.
        #[serde(default)]
        text: String,
    },
    /// The right answer after a delay.
    Slow {
        /// Milliseconds.
        delay_ms: u64,
    },
    /// TC=1 and empty over UDP, the right answer over TCP.
    Truncated,
    /// TC=1 and empty over UDP; a TCP connection is closed without an answer.
    TruncatedTcpClosed,
    /// The right answer with another message identifier.
    WrongId,
}
