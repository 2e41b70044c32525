//! Mistakes in a description are named, and its defaults are what the documentation says.

use std::net::IpAddr;

use hickory_proto::rr::{Name, RData};

use super::super::limits;
use super::super::log::QueryLog;
use super::super::record::parse_line;
use super::{DnsConfig, DnsWorld, FaultConfig, LoggedQuery, ServerConfig, Transport, ZoneConfig};
use super::{config, start};

#[tokio::test]
async fn mistakes_are_named() {
    let cases = [
        ("[[zone]]\nname = \"a..b\"", "zone: \"a..b\" is not a domain name"),
        ("[[zone]]\nname = \"a.test\"\n[[zone]]\nname = \"A.test.\"", "zone a.test. is described"),
        (zone("@ MX mx"), "wrong number of fields for MX"),
        (zone("@ MX 70000 mx"), "\"70000\" is not a number up to 65535"),
        (zone("@ NOPE 1"), "\"NOPE\" is not a record type"),
        (zone("@ 300 IN"), "no record type"),
        (zone("www.other.test. A 198.18.0.1"), "the owner is outside the zone"),
        (zone("@ A 198.18.0.999"), "record \"@ A 198.18.0.999\""),
        (zone("@ SOA a b 1 2 3 4 5"), "SOA records are made by the lab itself"),
        (zone("@ TXT \"no end"), "a quoted string has no end"),
        ("[[zone]]\nname = \"\"", "a name must not be empty"),
        ("[[fault]]\nname = \"a.test\"\nat = \"ns1.a.test\"\nanswer = \"drop\"", "not a server"),
        ("[[fault]]\nname = \"a\"\nanswer = { slow = { delay_ms = 60001 } }", "at most 60000"),
        ("[[server]]\nhost = \"a.test\"\naddresses = [\"192.0.2.1\"]", "outside 198.18.0.0/15"),
        (
            "[[zone]]\nname = \"a.test\"\ndnssec_fault = { kind = \"expired\" }",
            "the zone must be signed",
        ),
        (
            "[[zone]]\nname = \"a.test\"\nsigned = true\ndnssec_fault = { kind = \"wrong-ds\", types = [\"MX\"] }",
            "only faults of signatures",
        ),
        (
            "[[zone]]\nname = \"a.test\"\nvariants = [{ server = \"ns9.a.test\" }]",
            "ns9.a.test. is not a server of the zone",
        ),
        (
            "[[zone]]\nname = \"a.test\"\ngenerate = [{ first = 1, last = 4000000000, record = \"h$ A 198.18.0.1\" }]",
            "at most 20000",
        ),
    ];
    for (text, expected) in cases {
        let error = DnsWorld::start(config(text)).await.unwrap_err();
        let error = with_sources(&error);
        assert!(error.contains(expected), "{text}: {error}");
    }
}

/// An error with everything that led to it.
fn with_sources(error: &dyn std::error::Error) -> String {
    let source = error.source().map(|source| format!(": {}", with_sources(source)));
    format!("{error}{}", source.unwrap_or_default())
}

/// A zone with one record line.
fn zone(line: &str) -> &'static str {
    let text = format!("[[zone]]\nname = \"a.test\"\nrecords = ['''{line}''']");
    Box::leak(text.into_boxed_str())
}

#[test]
fn unknown_keys_are_refused() {
    let parsed: Result<DnsConfig, _> = toml::from_str("[[zone]]\nname = \"a\"\nsing = true");
    assert!(parsed.unwrap_err().to_string().contains("sing"));
}

#[tokio::test]
async fn every_server_is_routed_from_published_space() {
    let dns = start(
        r#"
        [[zone]]
        name = "a.test"
        servers = ["ns1.a.test", "ns2.b.example"]

        [[server]]
        host = "ns1.a.test"
        addresses = ["198.19.0.53", "2001:db8:53::1"]
        "#,
    )
    .await;
    let routes = dns.routes();
    // ns1 twice, ns2, and the two servers of the generated zones.
    assert_eq!(routes.len(), 5);
    let own = dns.server_addr("ns1.a.test").unwrap();
    let published: Vec<IpAddr> =
        routes.iter().filter(|(_, to)| *to == own).map(|((from, _), _)| *from).collect();
    assert_eq!(
        published,
        ["198.19.0.53".parse::<IpAddr>().unwrap(), "2001:db8:53::1".parse().unwrap()]
    );
    assert!(routes.iter().all(|((_, port), to)| *port == 53 && to.ip().is_loopback()));
}

#[test]
fn records_are_read_in_presentation_form() {
    let origin = Name::from_ascii("a.test.").unwrap();
    let cases = [
        ("@ MX 10 mx", "a.test. 300 IN MX 10 mx.a.test."),
        ("MX 60 IN MX 0 .", "mx.a.test. 60 IN MX 0 ."),
        ("@ MX 10 192.0.2.1.", "a.test. 300 IN MX 10 192.0.2.1."),
        ("@ MX 10 MX_1.Other.Test.", "a.test. 300 IN MX 10 mx_1.other.test."),
        ("_25._tcp.mx IN TLSA 3 1 1 00ff", "_25._tcp.mx.a.test. 300 IN TLSA 3 1 1 00ff"),
        ("*.w.a.test. 0 CNAME @", "*.w.a.test. 0 IN CNAME a.test."),
        ("_imap._tcp SRV 0 1 993 imap", "_imap._tcp.a.test. 300 IN SRV 0 1 993 imap.a.test."),
        ("@ CAA 0 issue \"ca.test\"", "a.test. 300 IN CAA 0 issue \"ca.test\""),
    ];
    for (line, expected) in cases {
        assert_eq!(parse_line(line, &origin, 300).unwrap().to_string(), expected);
    }
    let long = "y".repeat(300);
    let texts: [(&str, &[&[u8]]); 5] = [
        ("v=spf1", &[b"v=spf1"]),
        ("\"a b\" \"\" c", &[b"a b", b"", b"c"]),
        (r#""q\"q\\z\255""#, &[b"q\"q\\z\xff"]),
        ("\"v=DKIM1; p=\" \"AB==\"", &[b"v=DKIM1; p=", b"AB=="]),
        (&long, &[&long.as_bytes()[..255], &long.as_bytes()[255..]]),
    ];
    for (text, expected) in texts {
        let record = parse_line(&format!("@ TXT {text}"), &origin, 300).unwrap();
        let RData::TXT(txt) = &record.data else { panic!("{record}") };
        let strings: Vec<&[u8]> = txt.txt_data.iter().map(AsRef::as_ref).collect();
        assert_eq!(strings, expected, "{text}");
    }
}

#[tokio::test]
async fn each_limit_of_a_description_bites() {
    let named = |n: usize| format!("h{n}.test");
    let zones =
        (0..=limits::ZONES_MAX).map(|n| ZoneConfig { name: named(n), ..Default::default() });
    let servers =
        (0..=limits::SERVERS_MAX).map(|n| ServerConfig { host: named(n), ..Default::default() });
    let fault: FaultConfig = toml::from_str("name = \"a.test\"\nanswer = \"drop\"").unwrap();
    let line = format!("@ TXT {}", "z".repeat(limits::RECORD_LINE_OCTETS_MAX));
    let long = ZoneConfig { name: named(0), records: vec![line], ..Default::default() };
    let cases = [
        (DnsConfig { zones: zones.collect(), ..Default::default() }, "zones: at most 2048"),
        (DnsConfig { servers: servers.collect(), ..Default::default() }, "servers: at most 200"),
        (
            DnsConfig { faults: vec![fault; limits::FAULTS_MAX + 1], ..Default::default() },
            "faults: at most 1000",
        ),
        (DnsConfig { zones: vec![long], ..Default::default() }, "longer than 61440 octets"),
    ];
    for (config, expected) in cases {
        let error = DnsWorld::start(config).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn the_log_drops_the_oldest() {
    let log = QueryLog::default();
    for n in 0..=limits::LOG_ENTRIES_MAX {
        log.push(LoggedQuery {
            name: n.to_string(),
            record_type: String::new(),
            server: String::new(),
            transport: Transport::Udp,
            checking_disabled: false,
            dnssec_ok: false,
        });
    }
    let entries = log.entries();
    assert_eq!((entries.len(), entries[0].name.as_str()), (limits::LOG_ENTRIES_MAX, "1"));
}
