//! A stapled OCSP response (RFC 6960 §4.2.1, RFC 6066 §8), read for what it says of one certificate now.
//! Its signature is not checked, so an answer is only a reason to say that revocation is known or not known;
//! it never makes a chain valid. The way in is [`read_staple`].

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use x509_parser::asn1_rs::{Any, FromDer};

use super::seen::hex;

const SEQUENCE: u8 = 0x30;
const ENUMERATED: u8 = 0x0a;
const GENERALIZED_TIME: u8 = 0x18;
const INTEGER: u8 = 0x02;
const OBJECT_IDENTIFIER: u8 = 0x06;
const OCTET_STRING: u8 = 0x04;
/// `[0]` around a value, and `good` or `unknown` of CertStatus without one.
const CONTEXT_0: u8 = 0x80;
const CONTEXT_0_AROUND: u8 = 0xa0;
const CONTEXT_1_AROUND: u8 = 0xa1;
const CONTEXT_2: u8 = 0x82;
/// id-pkix-ocsp-basic (RFC 6960 §4.2.1).
const BASIC: [u8; 9] = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01];

/// What a stapled response says of a certificate (RFC 6960 §2.2, §4.2.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StapleAnswer {
    /// Not revoked.
    Good,
    /// Its time has not begun or is over.
    NotCurrent,
    /// It is about other certificates.
    OtherCertificate,
    /// Revoked.
    Revoked,
    /// The responder does not know the certificate.
    Unknown,
    /// No answer that can be read, or a responder's error.
    Unusable,
}

impl StapleAnswer {
    /// The answer in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::NotCurrent => "out of date",
            Self::OtherCertificate => "about another certificate",
            Self::Revoked => "revoked",
            Self::Unknown => "not known to the responder",
            Self::Unusable => "not readable",
        }
    }
}

/// Reads what the response `der` says at `now` of the certificate with this serial number, as
/// [`super::CertificateSeen::serial`] shows it.
pub fn read_staple(der: &[u8], serial: &str, now: Timestamp) -> StapleAnswer {
    let Some(mut responses) = single_responses(der) else { return StapleAnswer::Unusable };
    while !responses.is_empty() {
        let Some(single) = take(&mut responses, SEQUENCE).and_then(read_single) else {
            return StapleAnswer::Unusable;
        };
        if single.serial == serial {
            return single.answer_at(now);
        }
    }
    StapleAnswer::OtherCertificate
}

struct Single {
    serial: String,
    answer: StapleAnswer,
    this_update: Timestamp,
    next_update: Option<Timestamp>,
}

impl Single {
    /// RFC 6960 §3.2: the answer counts from thisUpdate to nextUpdate, where there is one.
    fn answer_at(&self, now: Timestamp) -> StapleAnswer {
        if now < self.this_update || self.next_update.is_some_and(|end| now > end) {
            return StapleAnswer::NotCurrent;
        }
        self.answer
    }
}

/// The contents of `responses` in a successful basic response.
fn single_responses(der: &[u8]) -> Option<&[u8]> {
    let mut rest = der;
    let mut response = take(&mut rest, SEQUENCE)?;
    // Only `successful` carries an answer.
    if take(&mut response, ENUMERATED)? != [0] {
        return None;
    }
    let mut around = take(&mut response, CONTEXT_0_AROUND)?;
    let mut typed = take(&mut around, SEQUENCE)?;
    if take(&mut typed, OBJECT_IDENTIFIER)? != BASIC {
        return None;
    }
    let mut octets = take(&mut typed, OCTET_STRING)?;
    let mut basic = take(&mut octets, SEQUENCE)?;
    let mut data = take(&mut basic, SEQUENCE)?;
    // version and responderID stand in front.
    while data.first().is_some_and(|tag| *tag != GENERALIZED_TIME) {
        next(&mut data)?;
    }
    take(&mut data, GENERALIZED_TIME)?;
    take(&mut data, SEQUENCE)
}

fn read_single(mut single: &[u8]) -> Option<Single> {
    let mut certificate = take(&mut single, SEQUENCE)?;
    take(&mut certificate, SEQUENCE)?;
    take(&mut certificate, OCTET_STRING)?;
    take(&mut certificate, OCTET_STRING)?;
    let serial = hex(take(&mut certificate, INTEGER)?);
    let answer = match next(&mut single)? {
        (CONTEXT_0, _) => StapleAnswer::Good,
        (CONTEXT_1_AROUND, _) => StapleAnswer::Revoked,
        (CONTEXT_2, _) => StapleAnswer::Unknown,
        _ => return None,
    };
    let this_update = timestamp(take(&mut single, GENERALIZED_TIME)?)?;
    let next_update = match take(&mut single, CONTEXT_0_AROUND) {
        Some(mut around) => Some(timestamp(take(&mut around, GENERALIZED_TIME)?)?),
        None => None,
    };
    Some(Single { serial, answer, this_update, next_update })
}

/// The next element if it has this identifier; otherwise nothing is taken.
fn take<'a>(rest: &mut &'a [u8], identifier: u8) -> Option<&'a [u8]> {
    let mut ahead = *rest;
    let (found, content) = next(&mut ahead)?;
    (found == identifier).then(|| {
        *rest = ahead;
        content
    })
}

/// The identifier octet and the content of the next element.
fn next<'a>(rest: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let identifier = *rest.first()?;
    let (after, element) = Any::from_der(rest).ok()?;
    *rest = after;
    Some((identifier, element.data))
}

/// `YYYYMMDDHHMMSSZ`, the one form of RFC 5280 §4.1.2.5.2.
fn timestamp(octets: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(octets).ok().filter(|text| text.len() == 15)?;
    let time = DateTime::strptime("%Y%m%d%H%M%SZ", text).ok()?;
    TimeZone::UTC.to_timestamp(time).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tlv(identifier: u8, parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        let length = u8::try_from(content.len()).unwrap();
        let long: &[u8] = if length < 0x80 { &[] } else { &[0x81] };
        [&[identifier], long, &[length], &content].concat()
    }

    fn staple(status: u8, certificate_status: &[u8], next_update: &str) -> Vec<u8> {
        let time = |text: &str| tlv(GENERALIZED_TIME, &[text.as_bytes()]);
        let serial = tlv(INTEGER, &[&[0x4d]]);
        let id = tlv(SEQUENCE, &[&tlv(SEQUENCE, &[]), &[4, 1, 1], &[4, 1, 2], &serial]);
        let next_update = tlv(CONTEXT_0_AROUND, &[&time(next_update)]);
        let this_update = time("20260525000000Z");
        let single = tlv(SEQUENCE, &[&id, certificate_status, &this_update, &next_update]);
        let responder = tlv(0xa2, &[&[4, 1, 1]]);
        let responses = tlv(SEQUENCE, &[&single]);
        let data = tlv(SEQUENCE, &[&responder, &this_update, &responses]);
        let octets = tlv(OCTET_STRING, &[&tlv(SEQUENCE, &[&data])]);
        let basic = tlv(SEQUENCE, &[&tlv(OBJECT_IDENTIFIER, &[&BASIC]), &octets]);
        let around = tlv(CONTEXT_0_AROUND, &[&basic]);
        tlv(SEQUENCE, &[&tlv(ENUMERATED, &[&[status]]), &around])
    }

    #[test]
    fn an_answer_counts_for_its_certificate_and_its_time() {
        let good: &[u8] = &[CONTEXT_0, 0];
        let revoked = tlv(CONTEXT_1_AROUND, &[&tlv(GENERALIZED_TIME, &[b"20260520000000Z"])]);
        let later = "20260607000000Z";
        let cases = [
            (staple(0, good, later), "4d", StapleAnswer::Good),
            (staple(0, &revoked, later), "4d", StapleAnswer::Revoked),
            (staple(0, &[CONTEXT_2, 0], later), "4d", StapleAnswer::Unknown),
            (staple(0, good, "20260531235959Z"), "4d", StapleAnswer::NotCurrent),
            (staple(0, good, "2026-06-07"), "4d", StapleAnswer::Unusable),
            (staple(0, good, later), "4e", StapleAnswer::OtherCertificate),
            (staple(3, good, later), "4d", StapleAnswer::Unusable),
            (b"0\x03".to_vec(), "4d", StapleAnswer::Unusable),
        ];
        let now = "2026-06-01T00:00:00Z".parse().unwrap();
        for (der, serial, expected) in cases {
            assert_eq!(read_staple(&der, serial, now), expected, "{der:02x?}");
            for end in 0..der.len() {
                assert_eq!(read_staple(&der[..end], serial, now), StapleAnswer::Unusable);
            }
        }
        let early = "2026-05-24T00:00:00Z".parse().unwrap();
        assert_eq!(read_staple(&staple(0, good, later), "4d", early), StapleAnswer::NotCurrent);
    }
}
