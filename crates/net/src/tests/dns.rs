//! DNS questions against the lab's signed zones and its faults.

use super::fixtures::{Authority, limits};
use crate::clock::Clock;
use crate::routes::Route;
use crate::{Limits, Parts, World};
use std::net::IpAddr;
use std::time::Duration;
use waxseal_check::question::{Answer, DnsQuestion, DnsServer, Question};
use waxseal_lab::dns::{DnsConfig, DnsWorld, RunningDns};
use waxseal_proto::dns::{
    Authenticity, DnsAnswer, Failure, Outcome, QueryName, Record, RecordType,
};
use waxseal_proto::observation::Observation;

const ZONES: &str = r#"
[[zone]]
name = "secure.test"
signed = true
servers = ["ns1.secure.test", "ns2.secure.test"]
records = [
    "@ MX 10 mx", "mx A 198.18.0.25", "_25._tcp.mx TLSA 3 1 1 0a0b",
    "alias CNAME mx", "out CNAME mx.plain.test.", "gone CNAME nowhere.plain.test.",
    "big TXT \"one\" \"two\"", "sender A 198.18.0.99",
]
[[zone.variants]]
server = "ns2.secure.test"
serial = 7

[[zone]]
name = "plain.test"
records = ["@ MX 10 mx", "mx A 198.18.0.26"]

[[zone]]
name = "bogus.test"
signed = true
records = ["@ MX 10 mx", "mx A 198.18.0.27"]
dnssec_fault = { kind = "corrupted" }

[[ptr]]
address = "198.18.0.99"
names = ["sender.secure.test"]

[[fault]]
name = "servfail.secure.test"
answer = "serv-fail"
[[fault]]
name = "refused.secure.test"
answer = "refused"
[[fault]]
name = "silent.secure.test"
answer = "drop"
[[fault]]
name = "stray.secure.test"
answer = "wrong-id"
[[fault]]
name = "garbled.secure.test"
answer = "malformed"
[[fault]]
name = "big.secure.test"
answer = "truncated"
[[fault]]
name = "cut.secure.test"
answer = "truncated-tcp-closed"
[[fault]]
name = "secure.test"
type = "MX"
at = "ns2.secure.test"
answer = "lame"
"#;

async fn lab(resolver_mode: &str) -> (RunningDns, World) {
    let text = format!("{ZONES}\n[resolver]\nmode = \"{resolver_mode}\"\n");
    let config: DnsConfig = toml::from_str(&text).unwrap();
    let running = DnsWorld::start(config).await.unwrap();
    let routes = running.routes().into_iter();
    let world = World::simulated(Parts {
        resolver: running.resolver_addr(),
        trust_anchor: running.trust_anchor_text(),
        routes: routes.map(|(published, socket)| (published, Route::Socket(socket))).collect(),
        roots_pem: Authority::new().pem(),
        clock: Clock::System,
        limits: Limits { dns_query: Duration::from_millis(200), ..limits() },
        own_address: Some("198.18.0.99".parse().unwrap()),
        ehlo_name: None,
    })
    .unwrap();
    (running, world)
}

async fn ask(world: &World, name: &str, record_type: RecordType, server: DnsServer) -> DnsAnswer {
    let name = QueryName::parse(name).unwrap();
    let question = Question::Dns(DnsQuestion { name, record_type, server });
    let Answer::Dns(answer) = world.answer(&question).await else {
        panic!("another kind of answer")
    };
    answer
}

async fn resolve(world: &World, name: &str, record_type: RecordType) -> DnsAnswer {
    ask(world, name, record_type, DnsServer::Resolver).await
}

#[tokio::test]
async fn secure_and_insecure_answers_are_told_apart() {
    let (_running, world) = lab("plain").await;
    for (name, record_type, count, authenticity) in [
        ("secure.test", RecordType::Mx, 1, Authenticity::Secure),
        ("_25._tcp.mx.secure.test", RecordType::Tlsa, 1, Authenticity::Secure),
        ("alias.secure.test", RecordType::A, 1, Authenticity::Secure),
        ("mx.secure.test", RecordType::Tlsa, 0, Authenticity::Secure),
        ("nobody.secure.test", RecordType::A, 0, Authenticity::Secure),
        ("plain.test", RecordType::Mx, 1, Authenticity::Insecure),
        ("nobody.plain.test", RecordType::A, 0, Authenticity::Insecure),
        ("out.secure.test", RecordType::A, 1, Authenticity::Insecure),
    ] {
        let answer = resolve(&world, name, record_type).await;
        assert_eq!(answer.records().len(), count, "{answer:?}");
        assert_eq!(answer.authenticity, authenticity, "{answer:?}");
    }
    let nobody = resolve(&world, "nobody.secure.test", RecordType::A).await;
    assert_eq!(nobody.outcome, Outcome::NoName);
    let no_data = resolve(&world, "mx.secure.test", RecordType::Tlsa).await;
    assert_eq!(no_data.outcome, Outcome::NoData);
    let alias = resolve(&world, "alias.secure.test", RecordType::A).await;
    assert_eq!(alias.aliases, [QueryName::parse("mx.secure.test").unwrap()]);
}

#[tokio::test]
async fn an_alias_into_the_void_keeps_its_step_and_its_weakest_proof() {
    let (_running, world) = lab("plain").await;
    let answer = resolve(&world, "gone.secure.test", RecordType::A).await;
    assert_eq!(answer.outcome, Outcome::NoName);
    assert_eq!(answer.aliases, [QueryName::parse("nowhere.plain.test").unwrap()]);
    assert_eq!(answer.authenticity, Authenticity::Insecure);
}

#[tokio::test]
async fn bogus_is_neither_absent_nor_insecure() {
    let (_running, world) = lab("plain").await;
    let answer = resolve(&world, "bogus.test", RecordType::Mx).await;
    assert_eq!(answer.outcome, Outcome::Failed(Failure::Bogus(None)));
    assert_eq!(answer.authenticity, Authenticity::Bogus);
}

#[tokio::test]
async fn behind_a_validating_resolver_bogus_is_told_from_servfail() {
    let (_running, world) = lab("validating").await;
    let bogus = resolve(&world, "bogus.test", RecordType::Mx).await;
    assert!(matches!(bogus.outcome, Outcome::Failed(Failure::Bogus(Some(6..=12)))), "{bogus:?}");
    let failing = resolve(&world, "servfail.secure.test", RecordType::A).await;
    assert_eq!(failing.outcome, Outcome::Failed(Failure::ServFail));
    assert_eq!(failing.authenticity, Authenticity::Indeterminate);
    let good = resolve(&world, "secure.test", RecordType::Mx).await;
    assert_eq!(good.authenticity, Authenticity::Secure);
}

#[tokio::test]
async fn behind_a_stripping_forwarder_nothing_is_bogus_and_nothing_is_known() {
    let (_running, world) = lab("stripping").await;
    for name in ["secure.test", "plain.test", "bogus.test"] {
        let answer = resolve(&world, name, RecordType::Mx).await;
        assert_eq!(answer.records().len(), 1, "{answer:?}");
        assert_eq!(answer.authenticity, Authenticity::Indeterminate);
    }
}

#[tokio::test]
async fn failures_keep_their_kind() {
    let (_running, world) = lab("plain").await;
    for (name, expected) in [
        ("refused.secure.test", Failure::Refused),
        ("silent.secure.test", Failure::TimedOut),
        ("cut.secure.test", Failure::Truncated),
        ("stray.secure.test", Failure::TimedOut),
        ("garbled.secure.test", Failure::Malformed),
    ] {
        let answer = resolve(&world, name, RecordType::Txt).await;
        assert_eq!(answer.outcome, Outcome::Failed(expected), "{name}");
    }
    let big = resolve(&world, "big.secure.test", RecordType::Txt).await;
    assert!(matches!(big.records(), [Record::Txt(txt)] if txt.strings == 2), "{big:?}");
}

#[tokio::test]
async fn a_resolver_that_is_not_there_is_a_network_failure() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let resolver = Some(closed);
    let settings = crate::Settings { resolver, limits: limits(), ..crate::Settings::default() };
    let world = World::real(settings).unwrap();
    let answer = resolve(&world, "secure.test", RecordType::Mx).await;
    assert_eq!(answer.outcome, Outcome::Failed(Failure::Network));
    assert_eq!(answer.authenticity, Authenticity::Indeterminate);
}

#[tokio::test]
async fn a_whole_question_ends_at_its_limit() {
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let resolver = Some(silent.local_addr().unwrap());
    let limits = Limits {
        dns_query: Duration::from_secs(5),
        dns_total: Duration::from_millis(150),
        ..limits()
    };
    let settings = crate::Settings { resolver, limits, ..crate::Settings::default() };
    let world = World::real(settings).unwrap();
    let answer = resolve(&world, "secure.test", RecordType::Mx).await;
    assert_eq!(answer.outcome, Outcome::Failed(Failure::TimedOut));
}

#[tokio::test]
async fn single_servers_are_asked_directly_and_differ() {
    let (running, world) = lab("plain").await;
    let mut serials = Vec::new();
    let mut exchanges = Vec::new();
    for host in ["ns1.secure.test", "ns2.secure.test"] {
        let socket = running.server_addr(host).unwrap();
        let routes = running.routes();
        let ((published, _), _) = routes.iter().find(|(_, at)| *at == socket).unwrap();
        let server = DnsServer::Authoritative(*published);
        let soa = ask(&world, "secure.test", RecordType::Soa, server.clone()).await;
        assert!(soa.authoritative, "{soa:?}");
        let Some(Record::Soa(record)) = soa.records().first() else { panic!("{soa:?}") };
        serials.push(record.serial);
        exchanges.push(ask(&world, "secure.test", RecordType::Mx, server).await.outcome);
    }
    assert_eq!(serials, [1, 7]);
    assert!(matches!(exchanges[0], Outcome::Found(_)));
    assert_eq!(exchanges[1], Outcome::Failed(Failure::NotAuthoritative));
    let nowhere: IpAddr = "198.18.255.1".parse().unwrap();
    let server = DnsServer::Authoritative(nowhere);
    let answer = ask(&world, "secure.test", RecordType::Soa, server).await;
    assert_eq!(answer.outcome, Outcome::Failed(Failure::Network));
}

#[tokio::test]
async fn the_vantage_takes_its_name_from_a_confirmed_pointer() {
    let (_running, world) = lab("plain").await;
    let Answer::Vantage(vantage) = world.answer(&Question::Vantage).await else {
        panic!("no vantage");
    };
    assert_eq!(vantage.address, Observation::Observed("198.18.0.99".parse().unwrap()));
    assert_eq!(vantage.ptr.seen().unwrap().as_str(), "sender.secure.test");
    assert_eq!(vantage.forward_confirmed, Observation::Observed(true));
    assert_eq!(vantage.ehlo_name, "sender.secure.test");
}

#[tokio::test]
async fn a_connect_rule_leads_to_a_name_server_once_its_address_is_known() {
    let (running, _) = lab("plain").await;
    let socket = running.server_addr("ns1.secure.test").unwrap();
    let simulation = crate::Simulation {
        trust_anchor: Some(running.trust_anchor_text()),
        connect: vec![format!("ns1.secure.test:53={socket}").parse().unwrap()],
        targets: crate::Targets::PrivateToo,
        ..crate::Simulation::default()
    };
    let resolver = Some(running.resolver_addr());
    let settings =
        crate::Settings { resolver, limits: limits(), simulation, ..crate::Settings::default() };
    let world = World::real(settings).unwrap();
    let found = resolve(&world, "ns1.secure.test", RecordType::A).await;
    let [Record::Address(address)] = found.records() else { panic!("{found:?}") };
    let server = DnsServer::Authoritative(*address);
    let soa = ask(&world, "secure.test", RecordType::Soa, server).await;
    assert!(soa.authoritative && soa.records().len() == 1, "{soa:?}");
}
