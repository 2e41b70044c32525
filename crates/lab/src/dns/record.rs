//! Record lines in the presentation form of RFC 1035 §5.1, one record a line.
//!
//! Does not read `$` directives, parentheses over several lines or DNSSEC records: the world makes
//! those. The way in is [`parse_line`]. Names in the data are made absolute here; nothing relative
//! may leave this file, because hickory orders relative names before absolute ones.

use std::str::FromStr;

use hickory_proto::rr::rdata::{CNAME, MX, NS, PTR, SRV, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use super::error::DnsError;
use super::limits::{RECORD_LINE_OCTETS_MAX, TXT_STRING_OCTETS_MAX};

/// Octets of a line that an error repeats.
const SHOWN_OCTETS_MAX: usize = 80;

/// Reads a name: `@` is the origin, a name without final dot is relative to it.
pub(super) fn parse_name(text: &str, origin: &Name) -> Result<Name, hickory_proto::ProtoError> {
    if text == "@" {
        return Ok(origin.clone());
    }
    if text.is_empty() {
        return Err("a name must not be empty".into());
    }
    let name = Name::from_ascii(text)?;
    let absolute = if name.is_fqdn() { name } else { name.append_domain(origin)? };
    Ok(absolute.to_lowercase())
}

/// Reads a name that is absolute with or without its final dot.
pub(super) fn absolute_name(what: &'static str, text: &str) -> Result<Name, DnsError> {
    parse_name(text, &Name::root()).map_err(|source| DnsError::Name {
        what,
        text: text.to_owned(),
        source,
    })
}

/// Reads a record type such as `MX`.
pub(super) fn parse_type(text: &str) -> Result<RecordType, String> {
    RecordType::from_str(&text.to_ascii_uppercase())
        .map_err(|_| format!("\"{text}\" is not a record type"))
}

/// Reads `OWNER [TTL] [IN] TYPE DATA`.
pub(super) fn parse_line(line: &str, origin: &Name, ttl: u32) -> Result<Record, DnsError> {
    let fail = |reason: String| DnsError::Record {
        zone: origin.to_ascii(),
        line: line.chars().take(SHOWN_OCTETS_MAX).collect(),
        reason,
    };
    if line.len() > RECORD_LINE_OCTETS_MAX {
        return Err(fail(format!("longer than {RECORD_LINE_OCTETS_MAX} octets")));
    }
    let (owner, mut rest) = field(line).ok_or_else(|| fail("empty".to_owned()))?;
    let owner = parse_name(owner, origin).map_err(|e| fail(format!("owner: {e}")))?;
    if !origin.zone_of(&owner) {
        return Err(fail("the owner is outside the zone".to_owned()));
    }
    let mut ttl = ttl;
    let (record_type, data) = loop {
        let (word, after) = field(rest).ok_or_else(|| fail("no record type".to_owned()))?;
        if let Ok(seconds) = word.parse::<u32>() {
            ttl = seconds;
        } else if !word.eq_ignore_ascii_case("IN") {
            break (parse_type(word).map_err(&fail)?, after);
        }
        rest = after;
    };
    let data = parse_data(record_type, data.trim(), origin).map_err(fail)?;
    Ok(Record::from_rdata(owner, ttl, data))
}

/// The first word of a text and what follows it.
fn field(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    if text.is_empty() {
        return None;
    }
    Some(text.split_once(char::is_whitespace).unwrap_or((text, "")))
}

fn parse_data(record_type: RecordType, text: &str, origin: &Name) -> Result<RData, String> {
    let name = |text: &str| {
        parse_name(text, origin).map_err(|e| format!("\"{text}\" is not a domain name: {e}"))
    };
    let number = |text: &str| {
        text.parse::<u16>().map_err(|_| format!("\"{text}\" is not a number up to 65535"))
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    match (record_type, words.as_slice()) {
        (RecordType::CNAME, [target]) => Ok(RData::CNAME(CNAME(name(target)?))),
        (RecordType::NS, [host]) => Ok(RData::NS(NS(name(host)?))),
        (RecordType::PTR, [host]) => Ok(RData::PTR(PTR(name(host)?))),
        (RecordType::MX, [preference, exchange]) => {
            Ok(RData::MX(MX::new(number(preference)?, name(exchange)?)))
        }
        (RecordType::SRV, [priority, weight, port, target]) => Ok(RData::SRV(SRV::new(
            number(priority)?,
            number(weight)?,
            number(port)?,
            name(target)?,
        ))),
        (RecordType::TXT, _) => parse_txt(text),
        (
            RecordType::CNAME | RecordType::NS | RecordType::PTR | RecordType::MX | RecordType::SRV,
            _,
        ) => Err(format!("wrong number of fields for {record_type}")),
        (
            RecordType::SOA
            | RecordType::DNSKEY
            | RecordType::DS
            | RecordType::NSEC
            | RecordType::RRSIG,
            _,
        ) => Err(format!("{record_type} records are made by the lab itself")),
        _ => RData::try_from_str(record_type, text).map_err(|e| e.to_string()),
    }
}

/// Reads character strings, quoted or not; long ones are split, as name server panels do.
fn parse_txt(text: &str) -> Result<RData, String> {
    let mut strings: Vec<Vec<u8>> = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (string, after) = if first == '"' { quoted(rest)? } else { bare(rest) };
        if string.is_empty() {
            strings.push(Vec::new());
        }
        strings.extend(string.chunks(TXT_STRING_OCTETS_MAX).map(<[u8]>::to_vec));
        rest = after.trim_start();
    }
    if strings.is_empty() {
        return Err("a TXT record needs at least one string".to_owned());
    }
    Ok(RData::TXT(TXT::from_bytes(strings.iter().map(Vec::as_slice).collect())))
}

fn bare(text: &str) -> (Vec<u8>, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word.as_bytes().to_vec(), rest)
}

/// A quoted string with the escapes `\"`, `\\` and `\DDD` (RFC 1035 §5.1).
fn quoted(text: &str) -> Result<(Vec<u8>, &str), String> {
    let body = text.get(1..).unwrap_or_default();
    let mut octets = Vec::new();
    let mut chars = body.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((octets, body.get(at + 1..).unwrap_or_default())),
            '\\' => {
                let digits =
                    body.get(at + 1..at + 4).filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
                if let Some(digits) = digits {
                    let octet = digits.parse::<u8>().map_err(|_| format!("escape \\{digits}"))?;
                    octets.push(octet);
                    chars.nth(2);
                } else if let Some((_, escaped)) = chars.next() {
                    octets.extend_from_slice(escaped.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
            other => octets.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Err("a quoted string has no end".to_owned())
}
