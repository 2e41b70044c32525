//! From hickory's records to the values of `proto` (RFC 1035 §3.3, RFC 6698 §2.1). It fetches nothing. The
//! way in is [`from_records`] and [`from_message`]; a change must keep records that cannot be represented
//! from turning into "no data".

use super::exchange::Response;
use super::failed;
use crate::limits::ALIAS_STEPS_MAX;
use hickory_proto::dnssec::Proof;
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{Name, RData, Record as WireRecord, RecordType as WireType};
use std::net::IpAddr;
use waxseal_proto::dns::{
    Authenticity, DnsAnswer, Failure, MxExchange, MxRecord, Outcome, QueryName, Record, RecordType,
    SoaRecord, TlsaRecord, TxtRecord,
};

/// The number of a record type on the wire.
pub(super) const fn wire_type(record_type: RecordType) -> WireType {
    match record_type {
        RecordType::A => WireType::A,
        RecordType::Aaaa => WireType::AAAA,
        RecordType::Cname => WireType::CNAME,
        RecordType::Mx => WireType::MX,
        RecordType::Ns => WireType::NS,
        RecordType::Ptr => WireType::PTR,
        RecordType::Soa => WireType::SOA,
        RecordType::Tlsa => WireType::TLSA,
        RecordType::Txt => WireType::TXT,
    }
}

/// An absolute name for the wire.
pub(super) fn wire_name(name: &QueryName) -> Option<Name> {
    let mut wire = Name::from_str_relaxed(name.as_str()).ok()?;
    wire.set_fqdn(true);
    Some(wire)
}

fn query_name(name: &Name) -> Option<QueryName> {
    QueryName::parse(&name.to_ascii())
}

/// The DNSSEC status that a proof stands for.
pub(super) const fn authenticity(proof: Proof) -> Authenticity {
    match proof {
        Proof::Secure => Authenticity::Secure,
        Proof::Insecure => Authenticity::Insecure,
        Proof::Bogus => Authenticity::Bogus,
        Proof::Indeterminate => Authenticity::Indeterminate,
    }
}

/// The CNAME steps from `name` on, and the records they are made of.
pub(super) fn alias_chain<'a>(
    name: &Name,
    answers: &'a [WireRecord],
) -> (Vec<QueryName>, Vec<&'a WireRecord>) {
    let mut at = name.clone();
    let mut aliases = Vec::new();
    let mut steps = Vec::new();
    while aliases.len() < ALIAS_STEPS_MAX {
        let step = answers.iter().find_map(|record| {
            let RData::CNAME(target) = &record.data else { return None };
            (record.name == at).then(|| (record, target.0.clone()))
        });
        let Some((record, target)) = step else { break };
        let Some(alias) = query_name(&target) else { break };
        aliases.push(alias);
        steps.push(record);
        at = target;
    }
    (aliases, steps)
}

/// A positive answer from validated records: worst proof of all records that make it up.
pub(super) fn from_records(
    name: &QueryName,
    record_type: RecordType,
    answers: &[WireRecord],
) -> DnsAnswer {
    let Some(asked) = wire_name(name) else {
        return failed(name, record_type, Failure::Malformed);
    };
    let wanted = wire_type(record_type);
    let (aliases, steps) = match record_type {
        RecordType::Cname => (Vec::new(), Vec::new()),
        RecordType::A
        | RecordType::Aaaa
        | RecordType::Mx
        | RecordType::Ns
        | RecordType::Ptr
        | RecordType::Soa
        | RecordType::Tlsa
        | RecordType::Txt => alias_chain(&asked, answers),
    };
    let end = aliases.last().and_then(wire_name).unwrap_or(asked);
    let data: Vec<&WireRecord> = answers
        .iter()
        .filter(|record| record.record_type() == wanted && record.name == end)
        .collect();
    let records: Vec<Record> = data.iter().filter_map(|record| value(record)).collect();
    let unreadable = data.len() - records.len();
    let outcome = match (data.is_empty(), records.is_empty()) {
        // RFC 1034 §3.6.2: a circle, or a chain nobody follows to its end, is an error and no absence.
        (true, _) if aliases.len() >= ALIAS_STEPS_MAX => Outcome::Failed(Failure::Malformed),
        (true, _) => Outcome::NoData,
        (false, true) => Outcome::Failed(Failure::Malformed),
        (false, false) => Outcome::Found(records),
    };
    let made_of = steps.iter().chain(&data);
    let worst = made_of.clone().map(|record| authenticity(record.proof)).min();
    DnsAnswer {
        name: name.clone(),
        record_type,
        outcome,
        authenticity: worst.unwrap_or(Authenticity::Indeterminate),
        aliases,
        ttl_s: made_of.map(|record| record.ttl).min(),
        authoritative: false,
        over_tcp: false,
        unreadable,
    }
}

/// The answer in one message of a server that was asked directly. Nothing is validated.
pub(super) fn from_message(
    response: &Response,
    name: &QueryName,
    record_type: RecordType,
) -> DnsAnswer {
    let message = &response.message;
    let code = message.metadata.response_code;
    let mut answer = from_records(name, record_type, &message.answers);
    answer.authenticity = Authenticity::Indeterminate;
    if let Some(failure) = code_failure(code) {
        answer.outcome = Outcome::Failed(failure);
    } else if code == ResponseCode::NXDomain && answer.outcome == Outcome::NoData {
        answer.outcome = Outcome::NoName;
    }
    if matches!(answer.outcome, Outcome::NoData | Outcome::NoName) {
        answer.ttl_s = message.authorities.iter().find_map(negative_ttl);
    }
    answer.authoritative = message.metadata.authoritative;
    answer.over_tcp = response.over_tcp;
    answer
}

/// RFC 2308 §5: the smaller of the SOA's own TTL and its minimum field.
pub(super) fn negative_ttl(record: &WireRecord) -> Option<u32> {
    let RData::SOA(soa) = &record.data else { return None };
    Some(record.ttl.min(soa.minimum))
}

/// The failure a response code stands for; `None` for NOERROR and NXDOMAIN.
pub(super) fn code_failure(code: ResponseCode) -> Option<Failure> {
    // RFC 1035 §4.1.1, RFC 6895 §2.3.
    match u16::from(code) {
        0 | 3 => None,
        2 => Some(Failure::ServFail),
        4 => Some(Failure::NotImplemented),
        5 => Some(Failure::Refused),
        other => Some(Failure::OtherCode(other)),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "types that are never asked for have no value")]
fn value(record: &WireRecord) -> Option<Record> {
    Some(match &record.data {
        RData::A(address) => Record::Address(IpAddr::V4(address.0)),
        RData::AAAA(address) => Record::Address(IpAddr::V6(address.0)),
        RData::CNAME(target) => Record::Cname(query_name(&target.0)?),
        RData::MX(mx) => Record::Mx(MxRecord {
            preference: mx.preference,
            exchange: exchange_of(&mx.exchange.to_ascii()),
        }),
        RData::NS(host) => Record::Ns(query_name(&host.0)?),
        RData::PTR(name) => Record::Ptr(query_name(&name.0)?),
        RData::SOA(soa) => Record::Soa(SoaRecord {
            zone: query_name(&record.name)?,
            primary: query_name(&soa.mname)?,
            serial: soa.serial,
            minimum_s: soa.minimum,
        }),
        RData::TLSA(tlsa) => Record::Tlsa(TlsaRecord {
            usage: tlsa.cert_usage.into(),
            selector: tlsa.selector.into(),
            matching_type: tlsa.matching.into(),
            data: tlsa.cert_data.clone(),
        }),
        RData::TXT(txt) => Record::Txt(TxtRecord {
            joined: txt.txt_data.iter().flat_map(|part| part.iter().copied()).collect(),
            strings: txt.txt_data.len(),
        }),
        _ => return None,
    })
}

/// What the exchange field of an MX record holds, from its presentation form.
pub(super) fn exchange_of(text: &str) -> MxExchange {
    MxExchange::from_name(text.strip_suffix('.').unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::rr::rdata;
    use waxseal_proto::name::DomainName;

    fn record(name: &str, data: RData, proof: Proof) -> WireRecord {
        let mut record = WireRecord::from_rdata(Name::from_ascii(name).unwrap(), 300, data);
        record.proof = proof;
        record
    }

    fn address(octet: u8) -> RData {
        RData::A(rdata::A::new(198, 18, 0, octet))
    }

    fn cname(target: &str) -> RData {
        RData::CNAME(rdata::CNAME(Name::from_ascii(target).unwrap()))
    }

    #[test]
    fn the_worst_proof_of_the_whole_chain_counts() {
        let name = QueryName::parse("mx.example.com").unwrap();
        let answers = [
            record("mx.example.com.", cname("host.example.net."), Proof::Insecure),
            record("host.example.net.", address(1), Proof::Secure),
            record("elsewhere.example.net.", address(9), Proof::Bogus),
        ];
        let answer = from_records(&name, RecordType::A, &answers);
        assert_eq!(answer.authenticity, Authenticity::Insecure);
        assert_eq!(answer.aliases, [QueryName::parse("host.example.net").unwrap()]);
        assert_eq!(answer.records(), [Record::Address("198.18.0.1".parse().unwrap())]);
    }

    #[test]
    fn a_circle_of_aliases_ends_and_proves_no_absence() {
        let name = QueryName::parse("a.example.com").unwrap();
        let answers = [
            record("a.example.com.", cname("b.example.com."), Proof::Secure),
            record("b.example.com.", cname("a.example.com."), Proof::Secure),
        ];
        let answer = from_records(&name, RecordType::A, &answers);
        assert_eq!(answer.outcome, Outcome::Failed(Failure::Malformed));
        assert_eq!(answer.aliases.len(), ALIAS_STEPS_MAX);
    }

    #[test]
    fn a_record_that_cannot_be_read_is_counted() {
        let name = QueryName::parse("example.com").unwrap();
        let server = |host: Name| record("example.com.", RData::NS(rdata::NS(host)), Proof::Secure);
        let odd = Name::from_labels([&[0xff; 30][..], b"example", b"com"]).unwrap();
        let good = Name::from_ascii("ns1.example.com").unwrap();
        let answer = from_records(&name, RecordType::Ns, &[server(odd), server(good)]);
        assert_eq!((answer.records().len(), answer.unreadable), (1, 1), "{answer:?}");
    }

    #[test]
    fn an_exchange_is_told_apart_by_what_it_is() {
        let host = DomainName::parse("mx.example.com").unwrap();
        for (text, expected) in [
            (".", MxExchange::Root),
            ("mx.example.com.", MxExchange::Host(host)),
            ("192.0.2.1.", MxExchange::AddressLiteral("192.0.2.1".parse().unwrap())),
            ("[192.0.2.1].", MxExchange::AddressLiteral("192.0.2.1".parse().unwrap())),
            ("mail_in.example.com.", MxExchange::Invalid("mail_in.example.com".to_owned())),
        ] {
            assert_eq!(exchange_of(text), expected, "{text}");
        }
    }
}
