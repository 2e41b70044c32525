//! Any input gets the finding of its code and the exit status of the contract; zone files give the verdicts
//! of the contract. Nothing is contacted: DNS comes from a file.

use super::program::{Said, file, finish, program, run};

const ZONE: &str = r#"{"records":[
    {"name":"null.test","type":"MX","data":["0 ."]},
    {"name":"text-only.test","type":"TXT","data":["x"]},
    {"name":"servfail.test","type":"MX","rcode":"SERVFAIL"},
    {"name":"timeout.test","type":"MX","rcode":"TIMEOUT"},
    {"name":"no-policy-answer.test","type":"MX","data":["0 ."]},
    {"name":"_mta-sts.no-policy-answer.test","rcode":"SERVFAIL"},
    {"name":"_smtp._tls.no-policy-answer.test","rcode":"TIMEOUT"},
    {"name":"private.test","type":"MX","data":["10 mx.private.test"]},
    {"name":"mx.private.test","type":"A","data":["127.0.0.1"]}
]}"#;

fn check(arguments: &[&str]) -> Said {
    let folder = tempfile::tempdir().unwrap();
    let zone = file(&folder, "zone.json", ZONE);
    let mut command = program();
    command.arg("check").arg("--zone-file").arg(zone).args(["--timeout", "2"]).args(arguments);
    finish(&mut command, b"")
}

fn codes(report: &serde_json::Value) -> Vec<&str> {
    report["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect()
}

#[test]
fn any_input_gets_its_finding_and_no_panic() {
    let label = format!("{}.test", "a".repeat(64));
    let long = "x".repeat(10_000);
    let many = vec!["a"; 200].join(".");
    let table: [(&str, &str, i32); 24] = [
        ("", "input-empty", 2),
        (" ", "input-empty", 2),
        ("@", "input-empty", 2),
        ("http://", "input-empty", 2),
        ("user@null.test", "input-address-or-url-given", 0),
        ("https://null.test/x?y#z", "input-address-or-url-given", 0),
        ("null.test:25", "input-address-or-url-given", 0),
        ("null.test:0", "input-port-invalid", 2),
        ("null.test:65536", "input-port-invalid", 2),
        ("null.test:x", "input-port-invalid", 2),
        ("192.0.2.1", "input-ip-literal-target", 2),
        ("[2001:db8::1]", "input-ip-literal-target", 2),
        ("127.0.0.1", "input-target-private", 2),
        ("xn--a.test", "input-idn-invalid", 2),
        ("\u{202e}.test", "input-idn-invalid", 2),
        ("com", "input-public-suffix", 1),
        ("a\u{1b}[31m.test", "input-domain-syntax", 2),
        ("a\u{7}.test", "input-domain-syntax", 2),
        ("a b.test", "input-domain-syntax", 2),
        ("-x.test", "input-domain-syntax", 2),
        ("a..test", "input-domain-syntax", 2),
        (&label, "input-domain-syntax", 2),
        (&long, "input-domain-syntax", 2),
        (&many, "input-domain-syntax", 2),
    ];
    for (input, code, status) in table {
        let said = check(&["--json", "--", input]);
        said.is_calm();
        let report = said.json();
        assert!(codes(&report).contains(&code), "{input:?}: {:?}", codes(&report));
        assert_eq!(said.status, status, "{input:?}: {said:?}");
        assert!(said.stdout.len() < 20_000, "{input:?}: a report of {}", said.stdout.len());
    }
}

#[cfg(unix)]
#[test]
fn octets_that_are_no_text_are_a_fault_of_the_input() {
    use std::os::unix::ffi::OsStrExt;
    let mut command = program();
    command.args(["check", "--json"]).arg(std::ffi::OsStr::from_bytes(b"a\xff\x80.test"));
    let said = finish(&mut command, b"");
    let report = said.is_calm().json();
    assert!(codes(&report)[0].starts_with("input-"), "{:?}", codes(&report));
    assert_eq!(said.status, 2);
}

#[test]
fn zone_files_give_the_verdicts_of_the_contract() {
    let table = [
        ("null.test", "nothing-to-test", "null", "dns-null-mx", 0),
        ("text-only.test", "nothing-to-test", "none", "dns-no-mail-records", 1),
        ("unknown.test", "nothing-to-test", "no-domain", "dns-domain-nxdomain", 1),
        ("servfail.test", "incomplete", "failed", "dns-mx-servfail", 3),
        ("timeout.test", "incomplete", "failed", "dns-timeout", 3),
    ];
    for (domain, verdict, mx_status, code, status) in table {
        for only in [&[][..], &["--only", "mx"]] {
            let arguments: Vec<&str> =
                ["--json", domain].into_iter().chain(only.iter().copied()).collect();
            let said = check(&arguments);
            let report = said.is_calm().json();
            assert_eq!(report["verdict"], verdict, "{domain}");
            assert_eq!(report["verdict"], report["transport"]["verdict"], "{domain}");
            assert_eq!(report["mx_status"], mx_status, "{domain}");
            assert!(codes(&report).contains(&code), "{domain}: {:?}", codes(&report));
            assert_eq!(report["simulated"], true);
            assert_eq!(said.status, status, "{domain}");
        }
    }
}

#[test]
fn the_next_step_fits_the_answer() {
    let table: [(&[&str], &str, &[&str]); 4] = [
        (&["unknown.test"], "Check the spelling of unknown.test", &["named above", "receive mail"]),
        (&["null.test"], "replace the null MX", &["named above"]),
        (&["text-only.test"], "where the domain's DNS is run", &["named above"]),
        (
            &["--only", "mx", "text-only.test"],
            "waxseal check text-only.test",
            &["waxseal check --only mx"],
        ),
    ];
    for (arguments, expected, forbidden) in table {
        let said = check(arguments);
        let text = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(expected), "{said:?}");
        assert!(forbidden.iter().all(|words| !text.contains(words)), "{said:?}");
    }
}

#[test]
fn a_failed_look_up_is_not_shown_as_no_record() {
    let said = check(&["no-policy-answer.test"]);
    let text = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("MTA-STS record unknown, the look-up failed: SERVFAIL"), "{said:?}");
    assert!(text.contains("TLS reporting record unknown, the look-up failed"), "{said:?}");
}

#[test]
fn a_control_host_on_another_port_does_not_open_port_25() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let control = listener.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let zone = file(&folder, "zone.json", ZONE);
    let mut command = program();
    command.args(["doctor", "--json", "--allow-private", "--control", &control]);
    let said = finish(command.arg("--zone-file").arg(zone), b"");
    let doctor = said.json();
    assert_eq!(doctor["controls"][0]["outcome"], "connected", "{said:?}");
    assert_eq!(doctor["port_25"], "unknown", "{said:?}");
}

#[test]
fn private_targets_are_refused_after_resolution() {
    let said = check(&["--json", "private.test"]);
    let report = said.is_calm().json();
    assert_eq!(report["mx"][0]["addresses"][0]["outcome"], "guard-refused");
    let timings = report["mx"][0]["addresses"][0]["timings_ms"].as_object().unwrap();
    assert!(!timings.contains_key("greeting"), "{timings:?}");
}

#[test]
fn several_domains_are_json_lines_in_order_and_the_gravest_exit_wins() {
    let said = check(&["--json", "servfail.test", "null.test", "unknown.test"]);
    let targets: Vec<serde_json::Value> = said
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["target"].clone())
        .collect();
    assert_eq!(targets, ["servfail.test", "null.test", "unknown.test"]);
    assert_eq!(said.status, 1, "1 before 3 before 0");
    assert_eq!(check(&["servfail.test", "null.test"]).status, 3);
    assert_eq!(check(&["unknown.test", "a b"]).status, 2);
}

#[test]
fn bad_usage_is_one_line_and_exit_2() {
    let table: [(&[&str], &str); 8] = [
        (&["--only", "dmarc", "null.test"], "dmarc: not checked by this version"),
        (&["--only", "mxx", "null.test"], "mxx: no such area"),
        (&["--expect-mx", "a..b", "null.test"], "--expect-mx a..b"),
        (&["--resolver", "dns.test", "null.test"], "resolver \"dns.test\": not IP:PORT"),
        (&["--from-host", "a b", "null.test"], "EHLO name"),
        (&["--connect", "nonsense", "null.test"], "connect rule"),
        (&["--roots", "/does/not/exist", "null.test"], "/does/not/exist"),
        (&["--control", "a b:25", "null.test"], "control host"),
    ];
    for (arguments, expected) in table {
        let said = check(arguments);
        said.is_calm();
        assert_eq!((said.status, said.stdout.as_str()), (2, ""), "{said:?}");
        assert!(said.stderr.contains(expected), "{said:?}");
        assert_eq!(said.stderr.lines().count(), 1, "{said:?}");
    }
    let said = run(&["check", "--zone-file", "/does/not/exist", "a.test"]);
    assert_eq!(said.status, 2, "{said:?}");
    let said = check(&["--json", "--port", "0", "null.test"]);
    assert_eq!((codes(&said.json()), said.status), (vec!["input-port-invalid"], 2));
}

#[test]
fn unreadable_zone_files_and_settings_name_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let zone =
        file(&folder, "bad.json", r#"{"records":[{"name":"a.test","type":"MX","data":["x"]}]}"#);
    let config = file(&folder, "waxseal.toml", "timeout = 3\nresolvr = '192.0.2.1:53'\n");
    let said = finish(program().arg("check").arg("--zone-file").arg(&zone).arg("a.test"), b"");
    assert_eq!(said.status, 2, "{said:?}");
    assert!(said.stderr.contains("record 0"), "{said:?}");
    let said = finish(program().arg("--config").arg(&config).args(["check", "a.test"]), b"");
    assert_eq!(said.status, 2, "{said:?}");
    assert!(said.stderr.contains("line 2: unknown field `resolvr`"), "{said:?}");
}

#[test]
fn settings_tell_where_they_come_from() {
    let folder = tempfile::tempdir().unwrap();
    let config = file(&folder, "waxseal.toml", "timeout = 3\ncontrol_hosts = ['mx.test:25']\n");
    let mut command = program();
    command.env("WAXSEAL_RESOLVER", "192.0.2.1:53").env("WAXSEAL_CONFIG", &config);
    let said = finish(command.args(["config", "show", "--json"]), b"");
    let shown = said.json();
    assert_eq!(shown["resolver"]["value"], "192.0.2.1:53");
    assert_eq!(shown["resolver"]["source"], "environment WAXSEAL_RESOLVER");
    assert_eq!(shown["timeout_s"]["value"], 3.0);
    assert!(shown["control_hosts"]["source"].as_str().unwrap().starts_with("file "));
    assert_eq!(shown["from_host"]["source"], "default");
}
