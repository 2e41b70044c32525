//! `waxseal.report/1`: the one published, stored and rendered shape of a check. Every key is always there,
//! absent is `null`, times are RFC 3339 in UTC, durations carry their unit in the name. A change here adds
//! fields and never renames one; the committed JSON Schema shows it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The value of [`ReportV1::schema`].
pub const SCHEMA: &str = "waxseal.report/1";

/// The report of one check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportV1 {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// Whether any part of the world was simulated.
    pub simulated: bool,
    /// The domain or address that was checked.
    pub target: String,
    /// The port of the mail hosts.
    #[serde(default = "port_of_mail_hosts")]
    pub port: u16,
    /// When, RFC 3339 in UTC.
    pub checked_at: String,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Where it was checked from.
    pub vantage: VantageV1,
    /// The overall verdict; equals `transport.verdict`.
    pub verdict: VerdictV1,
    /// What this result proves.
    pub proves: Vec<String>,
    /// What it does not prove.
    pub does_not_prove: Vec<String>,
    /// The verdict on encrypted transport.
    pub transport: AreaVerdictV1,
    /// The verdict on SPF, DKIM, DMARC and alignment.
    pub sender_trust: AreaVerdictV1,
    /// The verdict on reverse DNS and blocklists.
    pub reputation: AreaVerdictV1,
    /// What the MX look-up came to: found, implicit, null, none, no-domain, failed or literal.
    pub mx_status: String,
    /// The mail hosts, in order of preference.
    pub mx: Vec<HostV1>,
    /// The name servers of the zone, each asked directly.
    pub name_servers: Vec<NameServerV1>,
    /// MTA-STS.
    pub mta_sts: Option<MtaStsV1>,
    /// TLS reporting.
    pub tls_rpt: Option<TlsRptV1>,
    /// DNSSEC status of the MX answer: secure, insecure, bogus or indeterminate.
    pub dnssec: Option<String>,
    /// SPF; not checked yet.
    pub spf: Option<serde_json::Value>,
    /// DKIM; not checked yet.
    pub dkim: Option<serde_json::Value>,
    /// DMARC; not checked yet.
    pub dmarc: Option<serde_json::Value>,
    /// Reverse DNS of the mail hosts; not checked yet.
    pub ptr: Option<serde_json::Value>,
    /// What different senders would do with each MX.
    pub policy_table: Vec<PolicyRowV1>,
    /// What was not checked, and why.
    pub not_checked: Vec<NotCheckedV1>,
    /// The findings, gravest first within their stage order.
    pub findings: Vec<FindingV1>,
}

/// What a report is about that does not say it (RFC 5321 §4.5.4.2).
const fn port_of_mail_hosts() -> u16 {
    25
}

/// A verdict word.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictV1 {
    /// Nothing wrong was found in what was looked at.
    Pass,
    /// Works today, with a weakness.
    Warn,
    /// Not protected, or not working.
    Fail,
    /// Something that decides could not be tested.
    Incomplete,
    /// There is no mail host to test.
    NothingToTest,
    /// This area was not part of the check.
    NotChecked,
}

/// A verdict with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AreaVerdictV1 {
    /// The word.
    pub verdict: VerdictV1,
    /// Why, in one sentence.
    pub reason: String,
}

/// Where the check ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VantageV1 {
    /// Source address.
    pub address: Option<String>,
    /// Its PTR name.
    pub ptr: Option<String>,
    /// The name given in EHLO.
    pub ehlo_name: Option<String>,
    /// Whether port 25 is usable from here.
    pub port_25: PortStateV1,
}

/// What is known about outgoing port 25.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PortStateV1 {
    /// A connection to port 25 succeeded.
    Open,
    /// Control hosts prove that it is closed here.
    Blocked,
    /// Neither is proven.
    Unknown,
}

/// One mail host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HostV1 {
    /// Host name, or the address of an address literal.
    pub host: String,
    /// MX preference.
    pub preference: u16,
    /// Its addresses.
    pub addresses: Vec<AddressV1>,
    /// The MTA-STS pattern check; `null` without a policy.
    pub mta_sts_match: Option<bool>,
    /// DANE; not checked yet.
    pub dane: Option<serde_json::Value>,
}

/// One address of a mail host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AddressV1 {
    /// The address.
    pub address: String,
    /// What the session came to, for example `starttls-ok`.
    pub outcome: String,
    /// The reply that decided it.
    pub reply: Option<String>,
    /// The greeting.
    pub greeting: Option<String>,
    /// Milliseconds per stage that was entered.
    pub timings_ms: BTreeMap<String, f64>,
    /// The extensions offered before TLS, keyword to parameters.
    pub extensions: BTreeMap<String, String>,
    /// The TLS session.
    pub tls: Option<TlsV1>,
    /// The certificate chain and its judgement.
    pub certificate: Option<CertificateV1>,
    /// The session, line by line.
    pub transcript: Vec<String>,
}

/// A TLS session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TlsV1 {
    /// Version, `1.2` or `1.3`.
    pub version: Option<String>,
    /// IANA name of the suite.
    pub cipher: Option<String>,
    /// Name of the group.
    pub group: Option<String>,
    /// How the handshake failed; `null` when it did not.
    pub error: Option<String>,
    /// What else the server accepts; `null` until it is enumerated.
    pub accepted: Option<serde_json::Value>,
}

/// A judged certificate chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CertificateV1 {
    /// Whether the chain verifies for the name, now.
    pub valid: bool,
    /// All faults, in fixed order.
    pub errors: Vec<String>,
    /// The first fault.
    pub error: Option<String>,
    /// The first fault in detail.
    pub detail: Option<String>,
    /// Whether the name matches; `null` when no name was asked for.
    pub name_match: Option<bool>,
    /// Subjects from leaf to root of the path found.
    pub path: Vec<String>,
    /// Warnings.
    pub warnings: Vec<String>,
    /// The certificates as presented.
    pub certificates: Vec<CertificateEntryV1>,
}

/// One certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CertificateEntryV1 {
    /// Subject.
    pub subject: String,
    /// Issuer.
    pub issuer: String,
    /// RFC 3339.
    pub not_before: String,
    /// RFC 3339.
    pub not_after: String,
    /// dNSName entries.
    pub dns_names: Vec<String>,
    /// iPAddress entries.
    pub ip_addresses: Vec<String>,
    /// The key.
    pub key: KeyV1,
    /// Signature algorithm.
    pub signature_algorithm: String,
    /// SHA-256 of the certificate, hex.
    pub sha256: String,
    /// SHA-256 of the subject public key info, hex.
    pub spki_sha256: String,
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyV1 {
    /// `rsa`, `ec`, `ed25519` and so on.
    #[serde(rename = "type")]
    pub kind: String,
    /// Bits; `null` if unknown.
    pub bits: Option<u32>,
}

/// One name server, asked directly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NameServerV1 {
    /// Host.
    pub host: String,
    /// The address asked.
    pub address: Option<String>,
    /// What its MX answer came to: found, no-data, no-name or the failure.
    pub answer: String,
    /// The MX it serves, `preference host`.
    pub mx: Vec<String>,
    /// Its SOA serial.
    pub serial: Option<u32>,
    /// TTL of its MX answer, seconds.
    pub ttl_s: Option<u32>,
}

/// MTA-STS as seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MtaStsV1 {
    /// What the look-up came to: found, no-data, no-name or the failure; `null` if not asked.
    pub answer: Option<String>,
    /// The TXT strings found at `_mta-sts`.
    pub records: Vec<String>,
    /// The id of the one valid record.
    pub id: Option<String>,
    /// How the policy fetch ended, for example `ok`, `http-404`, `tls-refused`.
    pub fetch: Option<String>,
    /// The mode.
    pub mode: Option<String>,
    /// The patterns.
    pub mx: Vec<String>,
    /// Seconds.
    pub max_age: Option<u64>,
    /// Whether record and policy are both valid.
    pub valid: bool,
    /// What is wrong with record or policy.
    pub errors: Vec<String>,
}

/// TLS reporting as seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TlsRptV1 {
    /// What the look-up came to: found, no-data, no-name or the failure; `null` if not asked.
    pub answer: Option<String>,
    /// The TXT strings found at `_smtp._tls`.
    pub records: Vec<String>,
    /// The report addresses of the one valid record.
    pub rua: Vec<String>,
    /// Whether there is one valid record.
    pub valid: bool,
    /// What is wrong with it.
    pub errors: Vec<String>,
}

/// What different senders would do with one MX.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyRowV1 {
    /// The host.
    pub host: String,
    /// A sender that takes TLS where offered and checks nothing (RFC 7435).
    pub opportunistic: String,
    /// A sender that honours DANE (RFC 7672).
    pub dane: String,
    /// A sender that honours MTA-STS (RFC 8461).
    pub mta_sts: String,
    /// A message with REQUIRETLS (RFC 8689).
    pub requiretls: String,
}

/// Something that was not checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotCheckedV1 {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindingV1 {
    /// The code.
    pub code: String,
    /// fail, warn or info.
    pub severity: String,
    /// Who has to act.
    pub owner: String,
    /// A second party whose help is needed.
    pub also: Option<String>,
    /// Which domain, host or address.
    pub subject: String,
    /// The title from the guides.
    pub title: String,
    /// What it means.
    pub meaning: String,
    /// What was seen.
    pub evidence: Vec<String>,
    /// What to do, in order.
    pub fix: Vec<String>,
    /// What never to do.
    pub never: Vec<String>,
    /// `page#section` of the guides.
    pub guide: String,
    /// `/guides/findings/CODE`.
    pub page: String,
    /// Standards and decisions behind it.
    pub sources: Vec<String>,
    /// The finding tells that something could not be tested; it counts neither as pass nor as fail.
    pub not_tested: bool,
}
