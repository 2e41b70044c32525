//! Tests of the DNS values (RFC 1035 §3.5, RFC 5321 §5.1, RFC 7505 §3).

use super::*;
use crate::name::DomainName;
use std::net::IpAddr;

fn answer(outcome: Outcome) -> DnsAnswer {
    DnsAnswer {
        name: QueryName::parse("example.test").unwrap(),
        record_type: RecordType::Mx,
        outcome,
        authenticity: Authenticity::Insecure,
        aliases: Vec::new(),
        ttl_s: None,
        authoritative: false,
        over_tcp: false,
        unreadable: 0,
    }
}

fn mx(preference: u16, exchange: &str) -> Record {
    Record::Mx(MxRecord { preference, exchange: MxExchange::from_name(exchange) })
}

fn shown(records: &[MxRecord]) -> Vec<String> {
    records.iter().map(|r| format!("{} {}", r.preference, r.exchange)).collect()
}

#[test]
fn exchanges_are_sorted_by_what_they_are() {
    let host = |name| MxExchange::Host(DomainName::parse(name).unwrap());
    let address = |text: &str| MxExchange::AddressLiteral(text.parse::<IpAddr>().unwrap());
    let cases = [
        ("", MxExchange::Root),
        (".", MxExchange::Root),
        ("MX1.Example.Test.", host("mx1.example.test")),
        ("192.0.2.1.", address("192.0.2.1")),
        ("192.0.2.1", address("192.0.2.1")),
        ("[192.0.2.1]", address("192.0.2.1")),
        ("2001:db8::1", address("2001:db8::1")),
        ("IPv6:2001:db8::1.", address("2001:db8::1")),
        ("mx_1.example.test.", MxExchange::Invalid("mx_1.example.test.".into())),
        ("mx 1\u{1b}", MxExchange::Invalid("mx 1\u{1b}".into())),
    ];
    for (name, expected) in cases {
        assert_eq!(MxExchange::from_name(name), expected, "{name:?}");
    }
    assert_eq!(MxExchange::from_name("mx\u{1b}").to_string(), "mx\\u{1b}");
}

#[test]
fn mx_answers_are_classified() {
    use Outcome::{Failed, Found, NoData, NoName};
    let set = |outcome| MxSet::from_answer(&answer(outcome));
    let hosts = set(Found(vec![mx(20, "b.test"), mx(10, "c.test"), mx(20, "a.test")]));
    assert!(matches!(hosts, MxSet::Hosts(_)));
    assert_eq!(shown(hosts.records()), ["10 c.test", "20 b.test", "20 a.test"]);
    assert_eq!(set(Found(vec![mx(0, ".")])), MxSet::Null(0));
    assert_eq!(set(Found(vec![mx(10, ".")])), MxSet::Null(10));
    let mixed = set(Found(vec![mx(0, "."), mx(10, "a.test")]));
    assert!(matches!(mixed, MxSet::NullMixed { .. }));
    assert_eq!(shown(mixed.records()), ["10 a.test"]);
    let twice = set(Found(vec![mx(0, "."), mx(0, ".")]));
    assert_eq!(twice, MxSet::NullMixed { hosts: vec![] });
    assert_eq!(set(NoData), MxSet::NoData);
    assert_eq!(set(Found(vec![Record::Cname(QueryName::root())])), MxSet::NoData);
    assert_eq!(set(NoName), MxSet::NoName);
    assert_eq!(set(Failed(Failure::ServFail)), MxSet::Failed(Failure::ServFail));
}

#[test]
fn a_bogus_answer_is_no_answer() {
    for outcome in [Outcome::NoData, Outcome::NoName, Outcome::Found(vec![mx(0, ".")])] {
        let mut bogus = answer(outcome);
        bogus.authenticity = Authenticity::Bogus;
        assert_eq!(MxSet::from_answer(&bogus), MxSet::Failed(Failure::Bogus(None)));
    }
}

#[test]
fn only_equal_preferences_are_shuffled() {
    let names: Vec<Record> = (0..8)
        .map(|n| mx(10, &format!("mx{n}.test")))
        .chain([mx(5, "first.test"), mx(20, "last.test")])
        .collect();
    let set = MxSet::from_answer(&answer(Outcome::Found(names)));
    let order = |seed| -> Vec<String> {
        set.in_order(seed).iter().map(|record| record.exchange.to_string()).collect()
    };
    assert_eq!(order(1), order(1));
    assert!((2..50).any(|seed| order(seed) != order(1)));
    for seed in 0..50 {
        let mut names = order(seed);
        assert_eq!(names.first().map(String::as_str), Some("first.test"));
        assert_eq!(names.last().map(String::as_str), Some("last.test"));
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 10);
    }
}

#[test]
fn reverse_names_follow_the_arpa_trees() {
    let cases = [
        ("192.0.2.17", "17.2.0.192.in-addr.arpa"),
        (
            "2001:db8::567:89ab",
            "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
        ),
    ];
    for (address, expected) in cases {
        let name = QueryName::reverse(address.parse().unwrap());
        assert_eq!(name.as_str(), expected);
        assert_eq!(QueryName::parse(expected), Some(name));
    }
}

#[test]
fn txt_strings_are_joined_without_separator() {
    let record = TxtRecord::from_strings(["v=STSv1; i", "d=1", ""]);
    assert_eq!(record, TxtRecord { joined: b"v=STSv1; id=1".to_vec(), strings: 3 });
    assert_eq!(record.to_text(), "v=STSv1; id=1");
    assert_eq!(TxtRecord::from_strings([b"\xff"]).to_text(), "\u{fffd}");
}
