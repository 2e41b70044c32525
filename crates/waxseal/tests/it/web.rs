//! The pages over real HTTP: guides, their twins, limits, headers.

use crate::program::{file, finish, program};
use crate::site::Running;

#[test]
fn every_guide_and_finding_is_a_page_and_a_twin() {
    let site = Running::start(&["serve"]);
    let index = site.get("/guides/index.html.md").body;
    let links: Vec<&str> = index
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|link| link.starts_with("/guides/"))
        .collect();
    assert!(links.len() > 100, "{index}");
    for link in links {
        let twin = site.get(link);
        assert_eq!(
            (twin.status, twin.headers["content-type"].as_str()),
            (200, "text/markdown; charset=utf-8")
        );
        let page = site.get(link.strip_suffix(".md").unwrap());
        assert_eq!(page.status, 200, "{link}");
        assert!(page.body.len() < 100_000, "{link}");
        let title = twin.body.lines().next().unwrap().trim_start_matches("# ");
        assert!(page.body.contains("<h1"), "{link}: {title}");
        assert!(!page.body.contains(" style=") && !page.body.contains("<style"), "{link}");
    }
    for path in ["/", "/guides", "/guides/findings", "/guides/category/secure-delivery", "/presets"]
    {
        let page = site.get(path);
        assert_eq!(page.status, 200, "{path}");
        assert!(page.body.contains("<main id=\"main\">"), "{path}");
    }
    let text = site.get("/llms-full.txt").body;
    assert!(text.contains("- Code: `starttls-stripped`"));
    assert!(site.get("/llms.txt").body.starts_with("# Waxseal\n"));
    let found = site.get("/guides?q=certificate+expired").body;
    assert!(found.contains("href=\"/guides/findings/cert-expired\""), "{found}");
    let hostile = site.get("/guides?q=%3Cscript%3E%E2%80%AE").body;
    assert!(!hostile.contains("<script>") && !hostile.contains('\u{202e}'), "{hostile}");
}

#[test]
fn every_answer_carries_the_security_headers() {
    let site = Running::start(&["serve"]);
    for (path, status) in [
        ("/", 200),
        ("/healthz", 200),
        ("/no-such-page", 404),
        ("/guides/no-such-guide", 404),
        ("/guides/findings/no-such-code.md", 404),
        ("/metrics", 404),
        ("/assets/waxseal.css", 200),
        ("/assets/../Cargo.toml", 404),
    ] {
        let answer = site.get(path);
        assert_eq!(answer.status, status, "{path}");
        let policy = &answer.headers["content-security-policy"];
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(answer.headers["referrer-policy"], "same-origin", "{path}");
    }
}

#[test]
fn a_page_elsewhere_cannot_use_a_name_of_its_own() {
    let site = Running::start(&["serve"]);
    let named = |host: &str| {
        site.send(&format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).status
    };
    assert_eq!(named("evil.example"), 421);
    assert_eq!(named("localhost"), 200);
    let site = Running::start(&["serve", "--public-url", "https://mail-check.example"]);
    let answer =
        site.send("GET / HTTP/1.1\r\nHost: mail-check.example\r\nConnection: close\r\n\r\n");
    assert_eq!(answer.status, 200);
    assert!(answer.headers.contains_key("strict-transport-security"));
}

#[test]
fn requests_have_limits() {
    let site = Running::start(&["serve"]);
    let long = "x".repeat(40_000);
    let answer = site.get_with("/", &format!("X-Long: {long}\r\n"));
    assert_eq!(answer.status, 431, "{answer:?}");
    let many = "X-More: 1\r\n".repeat(100);
    assert_eq!(site.get_with("/", &many).status, 431);
    let path = format!("/{}", "x".repeat(40_000));
    assert!(matches!(site.get(&path).status, 414 | 431));
    assert_eq!(site.get("/healthz").body, "ok\n");
}

#[test]
fn metrics_need_the_token_or_an_address_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let token = file(&folder, "token", "a-token-of-some-length\n");
    let site = Running::start(&["serve", "--metrics-token-file", token.to_str().unwrap()]);
    site.get("/guides/tls");
    for wrong in
        ["", "Authorization: Bearer a-token-of-some-lengtx\r\n", "Authorization: Bearer \r\n"]
    {
        assert_eq!(site.get_with("/metrics", wrong).status, 404, "{wrong}");
    }
    let right = site.get_with("/metrics", "Authorization: Bearer a-token-of-some-length\r\n");
    assert_eq!(right.status, 200);
    let line = "waxseal_http_requests_total{route=\"/guides/{name}\",status=\"200\"} 1";
    assert!(right.body.contains(line), "{}", right.body);
    let short = file(&folder, "short", "short\n");
    let mut command = program();
    command.args(["serve", "--metrics-token-file", short.to_str().unwrap()]);
    assert_eq!(finish(&mut command, b"").status, 2);
}

#[test]
fn it_stops_when_asked_and_a_lab_is_marked() {
    let mut site = Running::start(&["serve"]);
    assert!(!site.get("/").body.contains("Simulated"));
    assert_eq!(site.stop(), 0);
    let mut lab = Running::start(&["lab", "serve"]);
    assert!(lab.get("/").body.contains("<strong>Simulated.</strong>"));
    assert_eq!(lab.stop(), 0);
}
