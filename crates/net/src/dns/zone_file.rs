//! DNS answered from a file (`--zone-file`), for tools and tests: records, response codes and the zones
//! that count as validated (RFC 4035 §4.3). Nothing is asked of the network. The way in is
//! [`ZoneFile::parse`]; a change must keep a name without an entry at NXDOMAIN and a name with entries of
//! other types only at NODATA.

use super::answer::exchange_of;
use super::failed;
use crate::error::NetError;
use crate::limits::{ALIAS_STEPS_MAX, ZONE_FILE_OCTETS_MAX};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use waxseal_proto::dns::{
    Authenticity, DnsAnswer, Failure, MxRecord, Outcome, QueryName, Record, RecordType, SoaRecord,
    TlsaRecord, TxtRecord,
};

/// The TTL of records that name none, in seconds; also that of absences.
const TTL_DEFAULT_S: u32 = 300;

/// The records of a zone file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ZoneFile {
    names: BTreeSet<QueryName>,
    entries: BTreeMap<(QueryName, RecordType), Entry>,
    whole_names: BTreeMap<QueryName, Outcome>,
    secure: Vec<QueryName>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    outcome: Outcome,
    ttl_s: u32,
}

mod wire {
    use super::Deserialize;

    #[derive(Deserialize)]
    pub(super) struct File {
        pub(super) records: Vec<Record>,
        #[serde(default)]
        pub(super) secure: Vec<String>,
    }

    #[derive(Deserialize)]
    pub(super) struct Record {
        pub(super) name: String,
        #[serde(rename = "type")]
        pub(super) kind: Option<String>,
        #[serde(default)]
        pub(super) data: Vec<Datum>,
        pub(super) rcode: Option<String>,
        pub(super) ttl: Option<u32>,
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    pub(super) enum Datum {
        Whole(String),
        Split(Vec<String>),
    }
}

impl ZoneFile {
    /// Reads `{"records":[…],"secure":[…]}`.
    ///
    /// # Errors
    ///
    /// [`NetError::ZoneFile`], naming the record that cannot be used.
    pub fn parse(text: &str) -> Result<Self, NetError> {
        let wrong = |problem: String| NetError::ZoneFile { problem };
        if text.len() > ZONE_FILE_OCTETS_MAX {
            return Err(wrong(format!("longer than {ZONE_FILE_OCTETS_MAX} octets")));
        }
        let file: wire::File =
            serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let mut zone = Self::default();
        for name in &file.secure {
            let name = QueryName::parse(name)
                .ok_or_else(|| wrong(format!("secure zone {name:?} is no name")))?;
            zone.secure.push(name);
        }
        for (index, record) in file.records.iter().enumerate() {
            zone.add(record).map_err(|problem| {
                wrong(format!("record {index} ({:?}): {problem}", record.name))
            })?;
        }
        Ok(zone)
    }

    fn add(&mut self, record: &wire::Record) -> Result<(), String> {
        let name = QueryName::parse(&record.name).ok_or("the name is no DNS name")?;
        let code = record.rcode.as_deref().map(outcome_of).transpose()?;
        if code != Some(Outcome::NoName) {
            self.names.insert(name.clone());
        }
        let Some(kind) = record.kind.as_deref() else {
            let outcome = code.ok_or("neither type nor rcode")?;
            self.whole_names.insert(name, outcome);
            return Ok(());
        };
        // A type that nothing here asks for still makes the name exist.
        let Some(record_type) = type_of(kind) else { return Ok(()) };
        let outcome = match code {
            Some(outcome) if record.data.is_empty() => outcome,
            Some(_) => return Err("both data and rcode".to_owned()),
            None => {
                let data = record.data.iter().map(|datum| value(&name, record_type, datum));
                Outcome::Found(data.collect::<Result<_, _>>()?)
            }
        };
        let ttl_s = record.ttl.unwrap_or(TTL_DEFAULT_S);
        match self.entries.get_mut(&(name.clone(), record_type)) {
            None => {
                self.entries.insert((name, record_type), Entry { outcome, ttl_s });
            }
            Some(entry) => match (&mut entry.outcome, outcome) {
                (Outcome::Found(known), Outcome::Found(more)) => known.extend(more),
                _ => return Err("both data and rcode".to_owned()),
            },
        }
        Ok(())
    }

    /// The answer of the file; aliases are followed.
    pub(crate) fn resolve(&self, name: &QueryName, record_type: RecordType) -> DnsAnswer {
        let mut answer = failed(name, record_type, Failure::ServFail);
        let mut at = name;
        let mut aliases = Vec::new();
        let mut authenticity = self.authenticity(at);
        let mut ttl_s = TTL_DEFAULT_S;
        while aliases.len() <= ALIAS_STEPS_MAX {
            let (outcome, entry_ttl_s) = self.look(at, record_type);
            ttl_s = ttl_s.min(entry_ttl_s);
            let next = match outcome {
                Outcome::NoData if record_type != RecordType::Cname => self.alias(at),
                Outcome::Failed(_) | Outcome::Found(_) | Outcome::NoData | Outcome::NoName => None,
            };
            let Some(next) = next else {
                answer.authenticity = match &outcome {
                    Outcome::Failed(Failure::Bogus(_)) => Authenticity::Bogus,
                    Outcome::Failed(_) => Authenticity::Indeterminate,
                    Outcome::Found(_) | Outcome::NoData | Outcome::NoName => authenticity,
                };
                answer.outcome = outcome;
                answer.ttl_s = Some(ttl_s);
                break;
            };
            authenticity = authenticity.min(self.authenticity(next));
            aliases.push(next.clone());
            at = next;
        }
        answer.aliases = aliases;
        answer
    }

    fn look(&self, name: &QueryName, record_type: RecordType) -> (Outcome, u32) {
        if let Some(entry) = self.entries.get(&(name.clone(), record_type)) {
            let outcome = match &entry.outcome {
                Outcome::Found(records) if records.is_empty() => Outcome::NoData,
                Outcome::Failed(_) | Outcome::Found(_) | Outcome::NoData | Outcome::NoName => {
                    entry.outcome.clone()
                }
            };
            return (outcome, entry.ttl_s);
        }
        if let Some(outcome) = self.whole_names.get(name) {
            return (outcome.clone(), TTL_DEFAULT_S);
        }
        let absence = if self.names.contains(name) { Outcome::NoData } else { Outcome::NoName };
        (absence, TTL_DEFAULT_S)
    }

    fn alias(&self, name: &QueryName) -> Option<&QueryName> {
        let entry = self.entries.get(&(name.clone(), RecordType::Cname))?;
        match &entry.outcome {
            Outcome::Found(records) => records.iter().find_map(|record| match record {
                Record::Cname(target) => Some(target),
                Record::Address(_)
                | Record::Mx(_)
                | Record::Ns(_)
                | Record::Ptr(_)
                | Record::Soa(_)
                | Record::Tlsa(_)
                | Record::Txt(_) => None,
            }),
            Outcome::Failed(_) | Outcome::NoData | Outcome::NoName => None,
        }
    }

    fn authenticity(&self, name: &QueryName) -> Authenticity {
        let inside = |zone: &QueryName| {
            let rest = name.as_str().strip_suffix(zone.as_str());
            zone.as_str().is_empty()
                || rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        if self.secure.iter().any(inside) { Authenticity::Secure } else { Authenticity::Insecure }
    }
}

fn outcome_of(rcode: &str) -> Result<Outcome, String> {
    Ok(match rcode.to_ascii_uppercase().as_str() {
        "NXDOMAIN" => Outcome::NoName,
        "NODATA" | "NOERROR" => Outcome::NoData,
        "SERVFAIL" => Outcome::Failed(Failure::ServFail),
        "TIMEOUT" => Outcome::Failed(Failure::TimedOut),
        "REFUSED" => Outcome::Failed(Failure::Refused),
        "NOTIMP" => Outcome::Failed(Failure::NotImplemented),
        "TRUNCATED" => Outcome::Failed(Failure::Truncated),
        "BOGUS" => Outcome::Failed(Failure::Bogus(None)),
        _ => return Err(format!("rcode {rcode:?} is not known")),
    })
}

fn type_of(kind: &str) -> Option<RecordType> {
    Some(match kind.to_ascii_uppercase().as_str() {
        "A" => RecordType::A,
        "AAAA" => RecordType::Aaaa,
        "CNAME" => RecordType::Cname,
        "MX" => RecordType::Mx,
        "NS" => RecordType::Ns,
        "PTR" => RecordType::Ptr,
        "SOA" => RecordType::Soa,
        "TLSA" => RecordType::Tlsa,
        "TXT" => RecordType::Txt,
        _ => return None,
    })
}

fn value(name: &QueryName, record_type: RecordType, datum: &wire::Datum) -> Result<Record, String> {
    let text = match (datum, record_type) {
        (wire::Datum::Split(parts), RecordType::Txt) => {
            let joined = parts.concat().into_bytes();
            return Ok(Record::Txt(TxtRecord { joined, strings: parts.len() }));
        }
        (wire::Datum::Split(_), _) => return Err("only TXT data can be a list of strings".into()),
        (wire::Datum::Whole(text), _) => text,
    };
    let target = || QueryName::parse(text).ok_or_else(|| format!("{text:?} is no name"));
    Ok(match record_type {
        RecordType::A => Record::Address(IpAddr::V4(address(text)?)),
        RecordType::Aaaa => Record::Address(IpAddr::V6(address(text)?)),
        RecordType::Cname => Record::Cname(target()?),
        RecordType::Mx => mx(text).ok_or_else(|| format!("{text:?} is no \"preference host\""))?,
        RecordType::Ns => Record::Ns(target()?),
        RecordType::Ptr => Record::Ptr(target()?),
        RecordType::Soa => {
            soa(name, text).ok_or_else(|| format!("{text:?} is no SOA of seven fields"))?
        }
        RecordType::Tlsa => {
            tlsa(text).ok_or_else(|| format!("{text:?} is no \"usage selector matching hex\""))?
        }
        RecordType::Txt => {
            let joined = text.clone().into_bytes();
            Record::Txt(TxtRecord { joined, strings: text.len().div_ceil(255).max(1) })
        }
    })
}

fn address<A: std::str::FromStr>(text: &str) -> Result<A, String> {
    text.parse().map_err(|_| format!("{text:?} is no address of this type"))
}

fn mx(text: &str) -> Option<Record> {
    let (preference, exchange) = text.trim().split_once(char::is_whitespace)?;
    let preference = preference.parse().ok()?;
    Some(Record::Mx(MxRecord { preference, exchange: exchange_of(exchange.trim()) }))
}

fn soa(name: &QueryName, text: &str) -> Option<Record> {
    let mut fields = text.split_whitespace();
    let primary = QueryName::parse(fields.next()?)?;
    let mut numbers = fields.skip(1).map(str::parse::<u32>);
    let serial = numbers.next()?.ok()?;
    let minimum_s = numbers.nth(3)?.ok()?;
    Some(Record::Soa(SoaRecord { zone: name.clone(), primary, serial, minimum_s }))
}

fn tlsa(text: &str) -> Option<Record> {
    let mut fields = text.split_whitespace();
    let usage = fields.next()?.parse().ok()?;
    let selector = fields.next()?.parse().ok()?;
    let matching_type = fields.next()?.parse().ok()?;
    let digits: Vec<u32> =
        fields.flat_map(str::chars).map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    let data = digits.chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    });
    let data = data.collect::<Option<_>>()?;
    Some(Record::Tlsa(TlsaRecord { usage, selector, matching_type, data }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use waxseal_proto::dns::MxExchange;
    use waxseal_proto::name::DomainName;

    const ZONE: &str = r#"{"records":[
        {"name":"Example.com.","type":"MX","data":["10 mx.example.com","20 ."]},
        {"name":"example.com","type":"TXT","data":["v=spf1 -all",["v=STSv1; ","id=1;"]]},
        {"name":"mx.example.com","type":"CNAME","data":["host.example.net"]},
        {"name":"host.example.net","type":"A","data":["198.18.0.1"],"ttl":60},
        {"name":"host.example.net","type":"A","data":["198.18.0.2"]},
        {"name":"_25._tcp.mx.example.com","type":"TLSA","data":["3 1 1 0aFF"]},
        {"name":"x.example","type":"MX","rcode":"SERVFAIL"},
        {"name":"slow.example","type":"MX","rcode":"TIMEOUT"},
        {"name":"gone.example","type":"MX","rcode":"NXDOMAIN"},
        {"name":"bare.example","type":"MX","rcode":"NODATA"},
        {"name":"dead.example","rcode":"SERVFAIL"},
        {"name":"loop.example","type":"CNAME","data":["loop.example"]},
        {"name":"dangling.example","type":"CNAME","data":["nowhere.example"]},
        {"name":"example.com","type":"SOA","data":["ns1.example.com admin.example.com 7 1 2 3 900"]},
        {"name":"notexample.com","type":"A","data":["198.18.0.9"]}
    ],"secure":["example.com"]}"#;

    fn ask(name: &str, record_type: RecordType) -> DnsAnswer {
        ZoneFile::parse(ZONE).unwrap().resolve(&QueryName::parse(name).unwrap(), record_type)
    }

    #[test]
    fn outcomes_are_kept_apart() {
        use RecordType::{A, Mx};
        for (name, record_type, outcome, authenticity) in [
            ("x.example", Mx, Outcome::Failed(Failure::ServFail), Authenticity::Indeterminate),
            ("slow.example", Mx, Outcome::Failed(Failure::TimedOut), Authenticity::Indeterminate),
            ("gone.example", Mx, Outcome::NoName, Authenticity::Insecure),
            ("gone.example", A, Outcome::NoName, Authenticity::Insecure),
            ("bare.example", Mx, Outcome::NoData, Authenticity::Insecure),
            ("dead.example", A, Outcome::Failed(Failure::ServFail), Authenticity::Indeterminate),
            ("example.com", A, Outcome::NoData, Authenticity::Secure),
            ("nobody.example.com", A, Outcome::NoName, Authenticity::Secure),
            ("dangling.example", A, Outcome::NoName, Authenticity::Insecure),
            ("loop.example", A, Outcome::Failed(Failure::ServFail), Authenticity::Indeterminate),
        ] {
            let answer = ask(name, record_type);
            assert_eq!(answer.outcome, outcome, "{name} {record_type:?}");
            assert_eq!(answer.authenticity, authenticity, "{name} {record_type:?}");
        }
    }

    #[test]
    fn records_are_read_in_every_form() {
        let mx = ask("example.com", RecordType::Mx);
        let host = MxExchange::Host(DomainName::parse("mx.example.com").unwrap());
        assert_eq!(
            mx.records(),
            [
                Record::Mx(MxRecord { preference: 10, exchange: host }),
                Record::Mx(MxRecord { preference: 20, exchange: MxExchange::Root }),
            ]
        );
        let tlsa = ask("_25._tcp.mx.example.com", RecordType::Tlsa);
        let data = vec![0x0a, 0xff];
        let expected = TlsaRecord { usage: 3, selector: 1, matching_type: 1, data };
        assert_eq!(tlsa.records(), [Record::Tlsa(expected)]);
        let txt = ask("example.com", RecordType::Txt);
        let split = TxtRecord { joined: b"v=STSv1; id=1;".to_vec(), strings: 2 };
        assert_eq!(txt.records().get(1), Some(&Record::Txt(split)));
        let Some(Record::Soa(soa)) = ask("example.com", RecordType::Soa).records().first().cloned()
        else {
            panic!("no SOA");
        };
        assert_eq!((soa.serial, soa.minimum_s), (7, 900));
    }

    #[test]
    fn an_alias_out_of_a_secure_zone_makes_the_answer_insecure() {
        let answer = ask("mx.example.com", RecordType::A);
        assert_eq!(answer.records().len(), 2);
        assert_eq!(answer.aliases, [QueryName::parse("host.example.net").unwrap()]);
        assert_eq!(answer.authenticity, Authenticity::Insecure);
        assert_eq!(answer.ttl_s, Some(60));
        let alias = ask("mx.example.com", RecordType::Cname);
        assert_eq!(alias.authenticity, Authenticity::Secure);
        assert_eq!(ask("notexample.com", RecordType::A).authenticity, Authenticity::Insecure);
    }

    #[test]
    fn the_size_of_a_file_is_bounded() {
        let text = " ".repeat(ZONE_FILE_OCTETS_MAX - 14) + r#"{"records":[]}"#;
        assert_eq!(ZoneFile::parse(&text).unwrap(), ZoneFile::default());
        let error = ZoneFile::parse(&(text + " ")).unwrap_err().to_string();
        assert!(error.contains("longer than"), "{error}");
    }

    #[test]
    fn a_wrong_record_is_named() {
        for (text, expected) in [
            (r#"{"records":[{"name":"a..b","type":"A"}]}"#, "the name is no DNS name"),
            (r#"{"records":[{"name":"a","type":"A","data":["::1"]}]}"#, "is no address"),
            (
                r#"{"records":[{"name":"a","type":"MX","data":["mx"]}]}"#,
                "is no \"preference host\"",
            ),
            (r#"{"records":[{"name":"a","type":"A","rcode":"WHAT"}]}"#, "is not known"),
            (r#"{"records":[{"name":"a","type":"TLSA","data":["3 1 1 abc"]}]}"#, "matching hex"),
            (r#"{"records":[{"name":"a","type":"A","data":[["x"]]}]}"#, "only TXT data"),
            (r#"{"records":[{"name":"a"}]}"#, "neither type nor rcode"),
            (r#"{"record":[]}"#, "missing field `records`"),
            ("[", "EOF"),
        ] {
            let error = ZoneFile::parse(text).unwrap_err().to_string();
            assert!(error.starts_with("zone file: ") && error.contains(expected), "{error}");
        }
    }
}
