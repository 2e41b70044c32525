//! The survey without any socket: answers from a table, and which questions they lead to.

use super::*;
use crate::facts::Facts;
use crate::question::{Connect, DnsQuestion, DnsServer, ProbeSeen, Vantage};
use crate::report::{Run, Simulated, report};
use std::time::Duration;
use waxseal_proto::dns::{
    Authenticity, DnsAnswer, Failure, MxExchange, MxRecord, Outcome, QueryName, Record, RecordType,
};
use waxseal_proto::name::{DomainName, Target};
use waxseal_proto::observation::Reason;

/// A world in which names are answered from a list and no connection succeeds.
struct Table {
    records: Vec<(&'static str, RecordType, Outcome)>,
    connect: Connect,
}

impl Table {
    fn answer(&self, question: &Question) -> Answer {
        match question {
            Question::Dns(question) => Answer::Dns(self.dns(question)),
            Question::Probe(_) => Answer::Probe(ProbeSeen {
                connect: self.connect.clone(),
                session: Observation::NotObserved(Reason::RefusedByPeer),
                timings: Vec::new(),
                judged: None,
            }),
            Question::Hello(_) => Answer::Hello(Observation::NotObserved(Reason::NotAsked)),
            Question::Policy(_) => Answer::Policy(FetchEnd::NotConnected(Connect::Refused)),
            Question::Reach(_) => Answer::Reach(FetchEnd::NotConnected(Connect::Refused)),
            Question::Certificate(_) => {
                Answer::Certificate(Observation::NotObserved(Reason::RefusedByPeer))
            }
            Question::Control(_) => Answer::Control(self.connect.clone()),
            Question::Vantage => Answer::Vantage(Vantage {
                address: Observation::NotObserved(Reason::NotAsked),
                ptr: Observation::NotObserved(Reason::NotAsked),
                forward_confirmed: Observation::NotObserved(Reason::NotAsked),
                ehlo_name: "client.example".to_owned(),
            }),
        }
    }

    fn dns(&self, question: &DnsQuestion) -> DnsAnswer {
        let here = |name: &str| name == question.name.as_str();
        let exact = self.records.iter().find(|(n, t, _)| here(n) && *t == question.record_type);
        let outcome = match exact {
            Some((.., outcome)) => outcome.clone(),
            None if self.records.iter().any(|(name, ..)| here(name)) => Outcome::NoData,
            None => Outcome::NoName,
        };
        DnsAnswer {
            name: question.name.clone(),
            record_type: question.record_type,
            outcome,
            authenticity: Authenticity::Insecure,
            aliases: Vec::new(),
            ttl_s: Some(300),
            authoritative: question.server != DnsServer::Resolver,
            over_tcp: false,
            unreadable: 0,
        }
    }
}

fn run(table: &Table, scope: Scope, limits: Limits) -> (Vec<Question>, Facts) {
    let now = Timestamp::UNIX_EPOCH;
    let mut survey = Survey::new(scope, limits, Arc::new(Roots::default()));
    let mut asked = Vec::new();
    while let Some((id, question)) = survey.poll_question() {
        asked.push(question.clone());
        survey.handle_answer(id, table.answer(&question), now);
        assert!(asked.len() < 1_000, "the survey does not end");
    }
    assert_eq!(survey.open_questions(), 0);
    (asked, survey.into_facts(now))
}

fn scope(domain: &str) -> Scope {
    Scope::full(Target::Domain(DomainName::parse(domain).unwrap()))
}

fn mx(records: &[(u16, &str)]) -> Outcome {
    let record = |(preference, name): &(u16, &str)| {
        Record::Mx(MxRecord { preference: *preference, exchange: MxExchange::from_name(name) })
    };
    Outcome::Found(records.iter().map(record).collect())
}

fn address(text: &str) -> Outcome {
    Outcome::Found(vec![Record::Address(text.parse().unwrap())])
}

fn probes(asked: &[Question]) -> Vec<String> {
    asked
        .iter()
        .filter_map(|question| {
            if let Question::Probe(probe) = question {
                Some(probe.address.to_string())
            } else {
                None
            }
        })
        .collect()
}

fn codes(facts: &Facts) -> Vec<String> {
    let run = Run { checked_at: facts.now, took: Duration::ZERO, simulated: Simulated::Yes };
    report(facts, run).findings.into_iter().map(|finding| finding.code).collect()
}

#[track_caller]
fn check(
    records: Vec<(&'static str, RecordType, Outcome)>,
    sessions: &[&str],
    expected: &[&str],
    unexpected: &[&str],
) {
    let table = Table { records, connect: Connect::Refused };
    let (asked, facts) = run(&table, scope("d.example"), Limits::default());
    assert_eq!(probes(&asked), sessions);
    let codes = codes(&facts);
    for code in expected {
        assert!(codes.iter().any(|found| found == code), "{code} is missing in {codes:?}");
    }
    for code in unexpected {
        assert!(!codes.iter().any(|found| found == code), "{code} in {codes:?}");
    }
}

#[test]
fn a_null_mx_asks_no_host() {
    check(
        vec![
            ("d.example", RecordType::Mx, mx(&[(0, ".")])),
            ("d.example", RecordType::A, address("198.51.100.1")),
        ],
        &[],
        &["dns-null-mx"],
        &["dns-implicit-mx", "tcp-refused"],
    );
}

#[test]
fn address_records_count_only_without_any_mx() {
    check(
        vec![("d.example", RecordType::A, address("198.51.100.1"))],
        &["198.51.100.1"],
        &["dns-implicit-mx", "tcp-refused"],
        &["dns-no-mail-records", "dns-single-mx"],
    );
    check(
        vec![
            ("d.example", RecordType::Mx, mx(&[(10, "gone.example")])),
            ("d.example", RecordType::A, address("198.51.100.1")),
        ],
        &[],
        &["dns-mx-dangling"],
        &["dns-implicit-mx"],
    );
}

#[test]
fn a_failed_lookup_is_never_an_absence() {
    let failed = Outcome::Failed(Failure::ServFail);
    check(
        vec![
            ("d.example", RecordType::Mx, failed),
            ("d.example", RecordType::A, address("198.51.100.1")),
        ],
        &[],
        &["dns-mx-servfail"],
        &["dns-no-mail-records", "dns-implicit-mx", "dns-domain-nxdomain"],
    );
}

#[test]
fn coverage_claims_no_absence_that_was_not_seen() {
    let why = |outcome: Outcome| {
        let records = vec![("d.example", RecordType::Mx, outcome)];
        let table = Table { records, connect: Connect::Refused };
        let (_, facts) = run(&table, scope("d.example"), Limits::default());
        let run = Run { checked_at: facts.now, took: Duration::ZERO, simulated: Simulated::Yes };
        let line = report(&facts, run).not_checked.into_iter();
        line.filter(|line| line.what == "starttls and certificates").map(|line| line.why).collect()
    };
    let reasons: [Vec<String>; 2] = [why(Outcome::Failed(Failure::ServFail)), why(Outcome::NoName)];
    assert_eq!(reasons[0], ["the mail hosts could not be looked up"]);
    assert_eq!(reasons[1], ["there is no mail host to connect to"]);
}

#[test]
fn name_servers_that_are_not_asked_are_said_to_be() {
    let server = |host: &str| Record::Ns(QueryName::parse(host).unwrap());
    let hosts = ["ns1.d.example", "ns2.d.example", "ns3.d.example"];
    let records = vec![
        ("d.example", RecordType::Mx, Outcome::NoData),
        ("d.example", RecordType::Ns, Outcome::Found(hosts.map(server).to_vec())),
    ];
    let table = Table { records, connect: Connect::Refused };
    let limits = Limits { name_servers_max: 2, ..Limits::default() };
    let (_, mut facts) = run(&table, scope("d.example"), limits);
    facts.name_servers_unasked.unreadable = 2;
    let run = Run { checked_at: facts.now, took: Duration::ZERO, simulated: Simulated::Yes };
    let lines = report(&facts, run).not_checked;
    for (what, why) in [
        ("1 of the name servers", "more than one check asks"),
        ("2 of the name servers", "their names cannot be read as names of hosts"),
    ] {
        assert!(lines.iter().any(|line| line.what == what && line.why == why), "{lines:?}");
    }
}

#[test]
fn hosts_and_addresses_are_cut_and_said_to_be() {
    let records = vec![
        (
            "d.example",
            RecordType::Mx,
            mx(&[(10, "a.example"), (20, "b.example"), (30, "c.example")]),
        ),
        (
            "a.example",
            RecordType::A,
            Outcome::Found(
                ["198.51.100.1", "198.51.100.2", "198.51.100.3"]
                    .map(|text| Record::Address(text.parse().unwrap()))
                    .to_vec(),
            ),
        ),
        ("a.example", RecordType::Aaaa, address("2001:4860::1")),
        ("b.example", RecordType::A, address("198.51.100.9")),
    ];
    let table = Table { records, connect: Connect::Refused };
    let limits = Limits { mx_hosts_max: 2, addresses_per_host_max: 2, ..Limits::default() };
    let (asked, facts) = run(&table, scope("d.example"), limits);
    // Both families of the first host, although IPv4 alone would fill the limit.
    assert_eq!(probes(&asked), ["198.51.100.1", "2001:4860::1", "198.51.100.9"]);
    assert_eq!(facts.hosts_left_out, ["c.example"]);
    assert!(codes(&facts).contains(&"dns-too-many-mx".to_owned()));
}

#[test]
fn control_hosts_are_asked_only_after_silence_and_decide_who_is_blamed() {
    let records = || {
        vec![
            ("d.example", RecordType::Mx, mx(&[(10, "a.example")])),
            ("a.example", RecordType::A, address("198.51.100.1")),
        ]
    };
    let control =
        crate::question::ControlQuestion { address: "198.51.100.77".parse().unwrap(), port: 25 };
    let with_control = Scope { controls: vec![control], ..scope("d.example") };

    let refused = Table { records: records(), connect: Connect::Refused };
    let (asked, _) = run(&refused, with_control.clone(), Limits::default());
    assert!(!asked.iter().any(|question| matches!(question, Question::Control(_))));

    let silent = Table { records: records(), connect: Connect::TimedOut };
    let (_, facts) = run(&silent, with_control, Limits::default());
    assert!(codes(&facts).contains(&"tcp-port25-blocked".to_owned()), "{:?}", codes(&facts));
    let (_, facts) = run(&silent, scope("d.example"), Limits::default());
    assert!(codes(&facts).contains(&"tcp-timeout".to_owned()), "{:?}", codes(&facts));
}

#[test]
fn another_port_proves_nothing_about_port_25() {
    use crate::report::wire::PortStateV1;
    let state = |connect: Connect, port, control_port| {
        let records = vec![
            ("d.example", RecordType::Mx, mx(&[(10, "a.example")])),
            ("a.example", RecordType::A, address("198.51.100.1")),
        ];
        let address = "198.51.100.77".parse().unwrap();
        let control = crate::question::ControlQuestion { address, port: control_port };
        let scope = Scope { port, controls: vec![control], ..scope("d.example") };
        let (_, facts) = run(&Table { records, connect }, scope, Limits::default());
        let took = Duration::ZERO;
        let at = Timestamp::UNIX_EPOCH;
        report(&facts, Run { checked_at: at, took, simulated: Simulated::Yes }).vantage.port_25
    };
    assert_eq!(state(Connect::Connected, 25, 25), PortStateV1::Open);
    assert_eq!(state(Connect::Connected, 587, 587), PortStateV1::Unknown);
    assert_eq!(state(Connect::TimedOut, 25, 25), PortStateV1::Blocked);
    assert_eq!(state(Connect::TimedOut, 587, 25), PortStateV1::Unknown);
    assert_eq!(state(Connect::TimedOut, 25, 587), PortStateV1::Unknown);
}

#[test]
fn a_domain_has_no_policy_only_when_an_answer_says_so() {
    let row = |record: Outcome, only: &[Area]| {
        let records = vec![
            ("d.example", RecordType::Mx, mx(&[(10, "a.example")])),
            ("a.example", RecordType::A, address("198.51.100.1")),
            ("_mta-sts.d.example", RecordType::Txt, record),
        ];
        let scope = Scope { areas: only.iter().copied().collect(), ..scope("d.example") };
        let table = Table { records, connect: Connect::Refused };
        let (_, facts) = run(&table, scope, Limits::default());
        let run = Run {
            checked_at: Timestamp::UNIX_EPOCH,
            took: Duration::ZERO,
            simulated: Simulated::Yes,
        };
        report(&facts, run).policy_table[0].mta_sts.clone()
    };
    let failed = || Outcome::Failed(Failure::ServFail);
    assert_eq!(row(Outcome::NoData, &Area::ALL), "no policy: as opportunistic");
    assert_eq!(row(Outcome::NoData, &[Area::Mx, Area::Tls]), "not checked");
    assert_eq!(row(failed(), &Area::ALL), "unknown, the record could not be looked up");
}

#[test]
fn the_record_checker_connects_to_nobody() {
    let records = vec![
        ("d.example", RecordType::Mx, mx(&[(10, "a.example")])),
        ("a.example", RecordType::A, address("198.51.100.1")),
    ];
    let table = Table { records, connect: Connect::Refused };
    let only_mx = Scope { areas: [Area::Mx].into_iter().collect(), ..scope("d.example") };
    let (asked, facts) = run(&table, only_mx, Limits::default());
    assert!(asked.iter().all(|question| matches!(question, Question::Dns(_))), "{asked:?}");
    assert_eq!(facts.hosts.len(), 1);
}

#[test]
fn a_stopped_survey_is_incomplete() {
    let table = Table {
        records: vec![("d.example", RecordType::Mx, mx(&[(10, "a.example")]))],
        connect: Connect::Refused,
    };
    let now = Timestamp::UNIX_EPOCH;
    let mut survey = Survey::new(scope("d.example"), Limits::default(), Arc::new(Roots::default()));
    let (id, question) = survey.poll_question().unwrap();
    survey.handle_answer(id, table.answer(&question), now);
    survey.stop();
    assert!(survey.poll_question().is_none());
    let facts = survey.into_facts(now);
    assert!(facts.cut_short);
    let run = Run { checked_at: now, took: Duration::ZERO, simulated: Simulated::No };
    assert_eq!(report(&facts, run).verdict, crate::report::wire::VerdictV1::Incomplete);
}

#[test]
fn an_answer_to_an_unknown_question_changes_nothing() {
    let table = Table { records: Vec::new(), connect: Connect::Refused };
    let mut survey = Survey::new(scope("d.example"), Limits::default(), Arc::new(Roots::default()));
    let (id, question) = survey.poll_question().unwrap();
    let answer = table.answer(&question);
    survey.handle_answer(id, answer.clone(), Timestamp::UNIX_EPOCH);
    let open = survey.open_questions();
    survey.handle_answer(id, answer, Timestamp::UNIX_EPOCH);
    assert_eq!(survey.open_questions(), open);
}
