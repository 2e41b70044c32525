//! A target is measured at most once in ten minutes for all clients together: the sessions that really reach the
//! mail hosts of a lab are counted, whoever asks, in whatever spelling, and across a restart.

use crate::http_agent::HttpAgent;
use crate::program::finish;
use crate::site::Running;
use crate::watched_lab::WatchedLab;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The same domain, as people type it.
const SPELLINGS: [&str; 8] = [
    "once.test",
    "ONCE.Test",
    "once.test.",
    " once.test ",
    "https://once.test/contact?x=1",
    "anna@once.test",
    "once.test:25",
    "mailto:anna@Once.test.",
];

const ONCE: &str = "
[[host]]
name = \"mx1\"
mx = 10
addresses = [\"v4\", \"v6\"]

[[host]]
name = \"mx2\"
mx = 20

[sts]
";

/// Another domain whose mail goes to the same hosts.
const SHARING: &str = "
[dns]
records = [\"@ MX 10 mx1.once.test.\", \"@ MX 20 mx2.once.test.\"]
";

/// Which face is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Api,
    Page,
}

impl By {
    /// Every other time.
    const fn turn(number: usize) -> Self {
        if number.is_multiple_of(2) { Self::Page } else { Self::Api }
    }
}

/// The path of the result, once it is there.
fn asked(site: &Running, domain: &str, from: &str, by: By) -> String {
    let client = format!("X-Forwarded-For: {from}\r\n");
    if by == By::Page {
        let typed = domain.replace(':', "%3A").replace('/', "%2F").replace('@', "%40");
        let answer = site.post("/tools/smtp-tls", &client, &format!("domain={typed}"));
        assert_eq!(answer.status, 303, "{domain}: {answer:?}");
        return answer.headers["location"].clone();
    }
    let body = json!({ "domain": domain }).to_string();
    let answer = site.send(&format!(
        "POST /api/v1/checks HTTP/1.1\r\nHost: {}\r\n{client}Connection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        site.address,
        body.len()
    ));
    assert_eq!(answer.status, 202, "{domain}: {answer:?}");
    let begun: Value = serde_json::from_str(&answer.body).unwrap();
    let id = begun["id"].as_str().unwrap();
    site.get(&format!("/api/v1/checks/{id}/events"));
    format!("/results/{id}")
}

fn report(site: &Running, result: &str) -> Value {
    serde_json::from_str(&site.get(&format!("{result}/report.json")).body).unwrap()
}

#[test]
fn many_clients_at_once_measure_a_target_once() {
    let lab = WatchedLab::start(&[
        ("once", ONCE),
        ("sharing", SHARING),
        ("idn", "domain = \"xn--bcher-kva.test\"\n[dns]\nrecords = [\"@ MX 5 mx2.once.test.\"]\n"),
    ]);
    let one = finish(&mut lab.command(&["check", "once.test", "--json"]), b"");
    assert_eq!(one.json()["verdict"], "pass", "{one:?}");
    let alone = lab.sessions();
    assert_eq!(alone.keys().filter(|(_, port)| *port == 25).count(), 3, "{alone:?}");
    lab.lab.recorder().clear();

    let site = lab.site(&["--public-checker", "--trusted-proxy", "127.0.0.1"]);
    let site = &site;
    let results: Vec<String> = std::thread::scope(|scope| {
        let ask = |number: usize| {
            let domain = SPELLINGS[number % SPELLINGS.len()];
            scope.spawn(move || asked(site, domain, &format!("192.0.2.{number}"), By::turn(number)))
        };
        // Odd and even ones both have every spelling.
        let threads: Vec<_> = (0..16).map(|n| ask(n + n / SPELLINGS.len())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(lab.sessions(), alone, "sixteen clients, each session once");
    let addresses: BTreeSet<&String> = results.iter().collect();
    assert_eq!(addresses.len(), 16, "each client has a link of its own");
    for result in &results {
        assert_eq!(report(site, result)["target"], "once.test");
    }
    let agent = HttpAgent::begin(site, lab.command(&["token", "create"]));
    assert_eq!(agent.check("once.test")["report"]["verdict"], "pass");
    assert_eq!(lab.sessions(), alone, "an agent asks the same desk");
    for (domain, target) in [
        ("sharing.test", "sharing.test"),
        ("bücher.test", "xn--bcher-kva.test"),
        ("BÜCHER.test", "xn--bcher-kva.test"),
    ] {
        let shared = report(site, &asked(site, domain, "192.0.2.99", By::Page));
        assert_eq!(shared["target"], target, "{shared}");
        let outcome = &shared["mx"][0]["addresses"][0]["outcome"];
        assert_eq!(outcome, "starttls-ok", "what was measured is shared, and judged for {domain}");
    }
    let policy = |((_, port), _): &(&(std::net::IpAddr, u16), &usize)| *port == 25;
    let mail: Vec<_> = lab.sessions().into_iter().filter(|(key, n)| policy(&(key, n))).collect();
    let before: Vec<_> = alone.into_iter().filter(|(key, n)| policy(&(key, n))).collect();
    assert_eq!(mail, before, "other domains with the same hosts open no session");
}

#[test]
fn an_address_gets_few_sessions_under_however_many_names() {
    let names: Vec<String> = (1..=30).map(|n| format!("\"h{n} A {{v4:mx}}\"")).collect();
    let text = format!("[[host]]\nname = \"mx\"\n[dns]\nrecords = [{}]\n", names.join(", "));
    let mut scenarios = vec![("many".to_owned(), text)];
    for n in 1..=30 {
        let text = format!("[dns]\nrecords = [\"@ MX 10 h{n}.many.test.\"]\n");
        scenarios.push((format!("d{n}"), text));
    }
    let lab = WatchedLab::start(&scenarios);
    let site = lab.site(&["--public-checker", "--checks-per-client", "1000"]);
    let results: Vec<String> =
        (1..=30).map(|n| asked(&site, &format!("d{n}.test"), "192.0.2.1", By::turn(n))).collect();
    let sessions = lab.sessions();
    let most = sessions.values().max().unwrap();
    assert!((2..=12).contains(most), "{sessions:?}");
    let last = report(&site, results.last().unwrap());
    assert_eq!(last["verdict"], "incomplete", "what was left out is no verdict: {last}");
}

#[test]
fn a_restart_measures_nothing_again() {
    let lab = WatchedLab::start(&[("once", ONCE)]);
    let mut before = lab.site(&["--public-checker"]);
    let first = asked(&before, "once.test", "192.0.2.1", By::Page);
    let measured = report(&before, &first);
    let sessions = lab.sessions();
    before.stop();
    // The data of a lab is in its session folder.
    let site = lab.site(&["--public-checker"]);
    for (number, typed) in SPELLINGS.iter().enumerate() {
        let again = report(&site, &asked(&site, typed, "192.0.2.2", By::turn(number)));
        assert_eq!(again, measured, "{typed}");
    }
    assert_eq!(report(&site, &first), measured, "the first link still works");
    assert_eq!(lab.sessions(), sessions, "no session more");
    // Another kind and another port were not measured before.
    let mx = site.post("/tools/mx", "", "domain=once.test");
    assert_ne!(report(&site, &mx.headers["location"])["not_checked"], measured["not_checked"]);
    let (_, other) =
        site.json("POST", "/api/v1/checks", "{\"domain\": \"once.test\", \"port\": 587}");
    assert_eq!(other["status"], "running", "{other}");
    let id = other["id"].as_str().unwrap();
    site.get(&format!("/api/v1/checks/{id}/events"));
    assert_eq!(report(&site, &format!("/results/{id}"))["port"], 587);
}
