//! The checkers over real HTTP, in a lab: the plain form, the event stream, budgets, links that are deleted.

use crate::program::file;
use crate::site::{Answer, Running};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

fn check(site: &Running, tool: &str, domain: &str, headers: &str) -> Answer {
    let body = format!("domain={}", domain.replace('@', "%40").replace(' ', "+"));
    site.post(&format!("/tools/{tool}"), headers, &body)
}

/// The address of the result that a form was sent to.
fn result_of(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{answer:?}");
    let address = answer.headers["location"].clone();
    assert!(address.starts_with("/results/") && address.len() > 30, "{address}");
    address
}

fn cookie_of(answer: &Answer) -> String {
    let cookie = &answer.headers["set-cookie"];
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    format!("Cookie: {}\r\n", cookie.split(';').next().unwrap())
}

#[test]
fn a_plain_form_leads_to_the_report() {
    let site = Running::start(&["lab", "serve"]);
    for (domain, words) in [
        ("healthy-one-mx.test", "PASS"),
        ("cert-expired.test", "/guides/findings/cert-expired"),
        ("dns-no-mail-records.test", "NOTHING TO TEST"),
    ] {
        let answer = check(&site, "smtp-tls", domain, "");
        let address = result_of(&answer);
        let page = site.get(&address);
        assert_eq!(page.status, 200, "{domain}");
        assert!(page.body.contains(words), "{domain}: {}", page.body);
        assert!(page.body.contains("does not prove"), "{domain}");
        assert!(page.body.len() < 100_000, "{domain}: {} octets", page.body.len());
        assert_eq!(page.headers["x-robots-tag"], "noindex, nofollow");
        assert_eq!(page.headers["cache-control"], "no-store");
        let json = site.get(&format!("{address}/report.json"));
        let report: serde_json::Value = serde_json::from_str(&json.body).unwrap();
        assert_eq!((&report["target"], &report["simulated"]), (&domain.into(), &true.into()));
        let markdown = site.get(&format!("{address}/report.md"));
        assert!(markdown.body.starts_with("# Waxseal report"), "{}", markdown.body);
        assert!(markdown.headers["content-disposition"].contains(&format!("waxseal-{domain}.md")));
    }
    let mx = result_of(&check(&site, "mx", "healthy-one-mx.test", ""));
    let page = site.get(&mx).body;
    assert!(page.contains("action=\"/tools/smtp-tls\""), "the way on to TLS: {page}");
}

#[test]
fn only_its_maker_deletes_a_result() {
    let site = Running::start(&["lab", "serve"]);
    let made = check(&site, "smtp-tls", "healthy-one-mx.test", "");
    let address = result_of(&made);
    let shared = check(&site, "smtp-tls", "healthy-one-mx.test", "");
    let other = result_of(&shared);
    assert_ne!(address, other, "each asker has an address of their own");
    let measured_at = |address: &str| {
        let json = site.get(&format!("{address}/report.json")).body;
        serde_json::from_str::<serde_json::Value>(&json).unwrap()["took_ms"].clone()
    };
    assert_eq!(measured_at(&address), measured_at(&other), "one measurement for both");

    let delete = |headers: &str| site.post(&format!("{address}/delete"), headers, "").status;
    assert!(!site.get(&address).body.contains("/delete\""));
    assert_eq!(delete(""), 404);
    assert_eq!(delete(&cookie_of(&shared)), 404, "the secret of another link");
    let own = cookie_of(&made);
    assert!(site.get_with(&address, &own).body.contains("/delete\""));
    assert_eq!(delete(&format!("{own}Origin: https://evil.example\r\n")), 403);
    assert_eq!(delete(&format!("{own}Sec-Fetch-Site: cross-site\r\n")), 403);
    assert_eq!(delete(&format!("{own}Sec-Fetch-Site: same-origin\r\n")), 303);
    assert_eq!(site.get(&address).status, 404);
    assert_eq!(site.get(&other).status, 200, "the other link still leads there");
    assert_eq!(site.get("/results/AAAAAAAAAAAAAAAAAAAAAAAA").status, 404);
}

#[test]
fn what_cannot_be_checked_is_said_beside_the_field() {
    let site = Running::start(&["lab", "serve"]);
    for domain in ["", "not a domain", "exa_mple..test", "%3Cscript%3E"] {
        let answer = check(&site, "smtp-tls", domain, "");
        assert_eq!(answer.status, 422, "{domain}: {}", answer.body);
        assert!(answer.body.contains("id=\"domain-problem\""), "{domain}");
        assert!(answer.body.contains("/guides/findings/input-"), "{domain}");
        assert!(!answer.body.contains("<script>"), "{domain}");
    }
    for private in ["127.0.0.1", "169.254.169.254", "[::1]", "10.0.0.1"] {
        let page = site.get(&result_of(&check(&site, "smtp-tls", private, ""))).body;
        assert!(page.contains("input-target-private"), "{private}: {page}");
        assert!(page.contains("not public") || page.contains("guard-refused"), "{private}: {page}");
    }
}

#[test]
fn an_event_stream_shows_the_steps_and_then_the_end() {
    let site = Running::start(&["lab", "serve"]);
    let live = check(&site, "smtp-tls", "healthy-two-hosts.test", "HX-Request: true\r\n");
    assert_eq!(live.status, 200, "{live:?}");
    let token = token_of(&live);
    let address = format!("/results/{token}");
    let running = site.get(&address);
    assert_eq!(running.status, 200);
    let stream = site.get(&format!("{address}/events"));
    assert_eq!(stream.headers["content-type"], "text/event-stream");
    assert!(stream.body.contains("event: step\ndata: <li>MX records: "), "{}", stream.body);
    assert!(stream.body.contains("<code>starttls-ok</code>"), "{}", stream.body);
    assert!(stream.body.trim_end().ends_with("event: end\ndata: over"), "{}", stream.body);
    let page = site.get_with(&address, &cookie_of(&live));
    assert!(page.body.contains("PASS") && page.body.contains("/delete\""), "{}", page.body);
    let again = check(&site, "smtp-tls", "healthy-two-hosts.test", "HX-Request: true\r\n");
    assert!(again.headers["hx-redirect"].starts_with("/results/"), "{again:?}");
}

fn token_of(live: &Answer) -> String {
    let after = live.body.split("sse-connect=\"/results/").nth(1).unwrap();
    after.split('/').next().unwrap().to_owned()
}

#[test]
fn a_visitor_who_goes_away_cancels_the_check() {
    let folder = tempfile::tempdir().unwrap();
    let secret = "a-token-of-some-length";
    let token = file(&folder, "token", secret);
    let arguments = ["lab", "serve", "--metrics-token-file", token.to_str().unwrap()];
    let site = Running::start(&arguments);
    let live = check(&site, "smtp-tls", "tcp-timeout.test", "HX-Request: true\r\n");
    let stream = TcpStream::connect(&site.address).unwrap();
    let request = format!(
        "GET /results/{}/events HTTP/1.1\r\nHost: {}\r\n\r\n",
        token_of(&live),
        site.address
    );
    (&stream).write_all(request.as_bytes()).unwrap();
    let mut lines = BufReader::new(&stream).lines();
    assert!(lines.any(|line| line.unwrap().contains("event: step")));
    drop(lines);
    drop(stream);
    let counted = |name: &str| {
        let metrics = site.get_with("/metrics", &format!("Authorization: Bearer {secret}\r\n"));
        let counted = metrics.body.lines().find(|found| found.starts_with(name)).unwrap();
        counted.rsplit(' ').next().unwrap().parse::<u64>().unwrap()
    };
    assert_eq!(counted("waxseal_checks_begun_total"), 1);
    let cancelled = (0..2_000).any(|_| counted("waxseal_checks_cancelled_total") == 1);
    assert!(cancelled);
    assert_eq!(counted("waxseal_checks_running"), 0);
}

#[test]
fn a_client_has_a_budget_and_a_closed_checker_says_so() {
    let site = Running::start(&["lab", "serve", "--checks-per-client", "2"]);
    for domain in ["healthy-one-mx.test", "dns-null-mx.test", "healthy-one-mx.test"] {
        result_of(&check(&site, "mx", domain, ""));
    }
    let refused = check(&site, "mx", "healthy-two-hosts.test", "");
    assert_eq!(refused.status, 429, "{refused:?}");
    assert!(refused.headers["retry-after"].parse::<u64>().unwrap() > 0);
    result_of(&check(&site, "mx", "healthy-one-mx.test", ""));

    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let closed = Running::start(&["serve", "--data", data.to_str().unwrap()]);
    assert_eq!(check(&closed, "mx", "healthy-one-mx.test", "").status, 403);
    assert_eq!(closed.get("/tools/mx").status, 403);
    assert_eq!(closed.get("/readyz").body, "ready\n");
}
