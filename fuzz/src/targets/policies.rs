//! MTA-STS records, policies and patterns (RFC 8461 §3), TLS reporting records (RFC 8460 §3), TXT.
//!
//! Valid means no error code, and an error always has a code.

use waxseal_proto::dns::TxtRecord;
use waxseal_proto::mta_sts::{self, Mode, MxPattern};
use waxseal_proto::name::DomainName;
use waxseal_proto::tls_rpt;

/// Joins the strings of a TXT record: a zero octet separates them here.
pub fn txt(data: &[u8]) {
    let strings: Vec<&[u8]> = data.split(|octet| *octet == 0).collect();
    let record = TxtRecord::from_strings(&strings);
    let text = record.to_text();
    let _ = mta_sts::RecordSet::evaluate([text.as_str()]);
    let _ = tls_rpt::RecordSet::evaluate([text.as_str()]);
}

/// Parses an MTA-STS record.
pub fn sts_record(data: &[u8]) {
    let parse = mta_sts::parse_record(&String::from_utf8_lossy(data));
    assert_eq!(parse.valid(), parse.record.is_some(), "validity and record disagree");
    let _ = parse.codes();
}

/// Parses an MTA-STS policy file; a valid one matches or refuses any host.
pub fn sts_policy(data: &[u8]) {
    let parse = mta_sts::parse_policy(data);
    let _ = (parse.valid(), parse.codes());
    if let (Some(policy), Ok(host)) = (&parse.policy, DomainName::parse("mx.example.com")) {
        let _ = policy.matching(&host);
    }
    let text = String::from_utf8_lossy(data);
    let _ = (Mode::parse(&text), mta_sts::content_type_acceptable(&text));
}

/// Parses an mx pattern; a name that is its own pattern matches itself and nothing above.
pub fn sts_pattern(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(pattern) = MxPattern::parse(&text) else { return };
    let Ok(host) = DomainName::parse(&text) else { return };
    assert!(pattern.matches(&host), "a name does not match itself");
    if let Some(parent) = host.parent() {
        assert!(!pattern.matches(&parent), "a name matches its parent");
    }
}

/// Parses a TLS reporting record.
pub fn tls_rpt_record(data: &[u8]) {
    let parse = tls_rpt::parse_record(&String::from_utf8_lossy(data));
    assert!(!parse.valid() || parse.record.is_some(), "valid, yet no record");
    let _ = parse.codes();
}
