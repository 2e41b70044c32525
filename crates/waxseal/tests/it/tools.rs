//! The small tools: exact keys, exit statuses, bad input.

use super::program::{file, finish, program, run, run_with};
use serde_json::{Value, json};
use std::path::PathBuf;

/// The published vectors of the protocol crate.
fn vector(path: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../proto/vectors").join(path);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn mta_sts_records_are_read() {
    let table = [
        ("v=STSv1; id=20240101T010101;", true, 0),
        ("v=STSv1; id=a; id=b", false, 1),
        ("v=spf1 -all", false, 1),
        ("", false, 1),
        ("\u{1b}[2J", false, 1),
    ];
    for (record, valid, status) in table {
        let said = run(&["tool", "mta-sts", "parse-record", record, "--json"]);
        let value = said.is_calm().json();
        assert_eq!(keys(&value), ["errors", "tags", "valid", "warnings"]);
        assert_eq!((&value["valid"], said.status), (&json!(valid), status), "{record:?}");
        assert_eq!(value["errors"].as_array().unwrap().is_empty(), valid, "{record:?}");
        let text = run(&["tool", "mta-sts", "parse-record", record]);
        assert_eq!(text.is_calm().status, status);
        assert_eq!(text.stdout.contains("waxseal guide sts-"), !valid, "{text:?}");
    }
    let said = run(&["tool", "mta-sts", "parse-record", "v=STSv1; id=7;", "--json"]);
    assert_eq!(said.json()["tags"], json!({"v": "STSv1", "id": "7"}));
}

#[test]
fn mta_sts_policies_are_read_and_matched() {
    let policy =
        "version: STSv1\r\nmode: enforce\r\nmx: mx1.a.test\r\nmx: *.b.test\r\nmax_age: 86400\r\n";
    let said = run_with(&["tool", "mta-sts", "parse-policy", "-", "--json"], policy.as_bytes());
    let expected = json!({"valid": true, "mode": "enforce", "mx": ["mx1.a.test", "*.b.test"],
        "max_age": 86400, "extensions": {}, "errors": [], "warnings": []});
    assert_eq!((said.json(), said.status), (expected, 0));
    for (host, pattern) in [
        ("MX1.a.test", json!("mx1.a.test")),
        ("x.b.test", json!("*.b.test")),
        ("x.y.b.test", Value::Null),
        ("b.test", Value::Null),
        ("not a host", Value::Null),
    ] {
        let arguments = ["tool", "mta-sts", "match", "--policy", "-", host, "--json"];
        let said = run_with(&arguments, policy.as_bytes());
        let matches = !pattern.is_null();
        assert_eq!(said.json(), json!({"match": matches, "pattern": pattern}), "{host}");
        assert_eq!(said.status, i32::from(!matches), "{host}");
    }
    let said = run(&["tool", "mta-sts", "match", "--pattern", "*.b.test", "x.b.test", "--json"]);
    assert_eq!(said.json(), json!({"match": true, "pattern": "*.b.test"}));
    let said = run_with(&["tool", "mta-sts", "match", "--policy", "-", "x.test"], b"nonsense");
    assert_eq!((said.status, said.stderr.lines().count()), (2, 1), "{said:?}");
    let long = vec![b'x'; 100_000];
    for bad in [&b""[..], b"\0\xff\xfe", &long] {
        let said = run_with(&["tool", "mta-sts", "parse-policy", "-", "--json"], bad);
        assert_eq!((&said.is_calm().json()["valid"], said.status), (&json!(false), 1));
    }
}

#[test]
fn addresses_are_checked() {
    let table = [
        ("a@B.test", true, json!("a@b.test"), json!(false)),
        ("a@b\u{fc}cher.test", true, json!("a@xn--bcher-kva.test"), json!(false)),
        ("j\u{fc}rgen@b.test", true, Value::Null, json!(true)),
        ("-a@b.test", true, json!("-a@b.test"), json!(false)),
        ("a..b@c.test", false, Value::Null, Value::Null),
        ("nobody", false, Value::Null, Value::Null),
        ("a@b.test\r\nRCPT TO:<c@d.test>", false, Value::Null, Value::Null),
        ("", false, Value::Null, Value::Null),
    ];
    for (address, valid, ascii, needs_smtputf8) in table {
        let said = run(&["tool", "address", "check", address, "--json"]);
        let value = said.is_calm().json();
        assert_eq!(keys(&value), ["ascii", "needs_smtputf8", "reason", "valid"]);
        assert_eq!((&value["valid"], said.status), (&json!(valid), i32::from(!valid)));
        assert_eq!((&value["ascii"], &value["needs_smtputf8"]), (&ascii, &needs_smtputf8));
        assert_eq!(value["reason"].is_null(), valid, "{address:?}");
        assert_eq!(run(&["tool", "address", "check", address]).is_calm().status, said.status);
    }
}

#[test]
fn tls_reporting_records_are_read() {
    let record = "v=TLSRPTv1; rua=mailto:a@b.test,https://c.test/r";
    let said = run(&["tool", "tls-rpt", "parse-record", record, "--json"]);
    let value = said.json();
    assert_eq!(value["tags"]["rua"], json!([["mailto:a@b.test", "https://c.test/r"]]));
    assert_eq!((keys(&value), said.status), (vec!["errors", "tags", "valid", "warnings"], 0));
    let said = run(&["tool", "tls-rpt", "parse-record", "v=TLSRPTv1; rua=ftp:x", "--json"]);
    assert_eq!((&said.json()["valid"], said.status), (&json!(false), 1));
}

#[test]
fn replies_are_read() {
    let ehlo =
        b"250-mx.a.test greets you\r\n250-SIZE 1000\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS\r\n";
    let said = run_with(&["tool", "smtp", "parse-reply", "-", "--json"], ehlo);
    let value = said.json();
    assert_eq!(value["hostname"], "mx.a.test");
    assert_eq!(value["extensions"], json!({"AUTH": "PLAIN LOGIN", "SIZE": "1000", "STARTTLS": ""}));
    assert_eq!((&value["auth"], &value["size"]), (&json!(["PLAIN", "LOGIN"]), &json!(1000)));
    let table: [(&[u8], Value, bool, i32); 4] = [
        (b"454 4.7.0 TLS not available\r\n", json!("4.7.0"), true, 0),
        (b"220 mx.a.test ESMTP\r\n", Value::Null, true, 0),
        (b"250-first\r\n", Value::Null, false, 1),
        (b"250-a\r\n550 b\r\n", Value::Null, true, 1),
    ];
    for (reply, enhanced, complete, status) in table {
        let said = run_with(&["tool", "smtp", "parse-reply", "-", "--json"], reply);
        let value = said.is_calm().json();
        assert_eq!((&value["enhanced"], &value["complete"]), (&enhanced, &json!(complete)));
        assert!(value["extensions"].is_null(), "{value}");
        let expected = [
            "auth",
            "code",
            "complete",
            "deviations",
            "enhanced",
            "extensions",
            "hostname",
            "message",
            "size",
        ];
        assert_eq!(keys(&value), expected);
        assert_eq!(said.status, status, "{said:?}");
    }
    for bad in [&b""[..], b"hello\r\n", b"\x1b[31m\r\n"] {
        let said = run_with(&["tool", "smtp", "parse-reply", "-"], bad);
        assert_eq!((said.is_calm().status, said.stderr.lines().count()), (2, 1), "{said:?}");
    }
}

#[test]
fn names_are_matched_as_published() {
    let vectors = vector("hostname-match/webpki-dns.json");
    let vectors = vectors.as_array().unwrap();
    assert!(vectors.len() > 50, "{}", vectors.len());
    let mut seen = std::collections::BTreeSet::new();
    for vector in vectors {
        let presented = format!("--presented={}", vector["presented"].as_str().unwrap());
        let reference = vector["reference"].as_str().unwrap();
        if format!("{presented}{reference}").contains('\0') {
            // No argument of a program can hold a NUL; the protocol crate tests these.
            continue;
        }
        let said = run(&["tool", "cert", "match", &presented, "--json", "--", reference]);
        let value = said.json();
        let expected = vector["expected"].as_str().unwrap();
        seen.insert(expected.to_owned());
        assert_eq!(value["match"] == json!(true), expected == "match", "{vector}: {value}");
        assert_eq!(said.status, i32::from(expected != "match"), "{vector}");
    }
    assert!(seen.len() > 1, "{seen:?}");
}

/// One case of x509-limbo through the program.
fn verify(case: &Value, more: &[&str]) -> super::program::Said {
    let folder = tempfile::tempdir().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let list =
        |value: &Value| value.as_array().unwrap().iter().map(text).collect::<Vec<_>>().join("\n");
    let chain =
        format!("{}\n{}", text(&case["peer_certificate"]), list(&case["untrusted_intermediates"]));
    let chain = file(&folder, "chain.pem", chain);
    let roots = file(&folder, "roots.pem", list(&case["trusted_certs"]));
    let mut command = program();
    command.args(["tool", "cert", "verify", "--json", "--chain"]).arg(chain);
    command.arg("--roots").arg(roots).args(more);
    if let Some(time) = case["validation_time"].as_str() {
        command.args(["--time", time]);
    }
    finish(&mut command, b"")
}

#[test]
fn chains_are_judged() {
    let limbo = vector("x509-limbo/limbo.json");
    let cases = limbo["testcases"].as_array().unwrap();
    let good = cases
        .iter()
        .find(|case| {
            case["expected_result"] == "SUCCESS" && case["expected_peer_name"]["kind"] == "DNS"
        })
        .unwrap();
    let name = good["expected_peer_name"]["value"].as_str().unwrap();
    let said = verify(good, &["--name", name]);
    let value = said.is_calm().json();
    assert_eq!((&value["valid"], said.status), (&json!(true), 0), "{}: {value}", good["id"]);
    let expected = ["detail", "error", "errors", "name_match", "path", "valid", "warnings"];
    assert_eq!(keys(&value), expected);
    assert_eq!((&value["error"], &value["name_match"]), (&Value::Null, &json!(true)));
    for wrong in ["other.test", "no_host.example.com", "a b"] {
        let said = verify(good, &["--name", wrong]);
        let value = said.is_calm().json();
        assert_eq!((&value["error"], said.status), (&json!("name-mismatch"), 1), "{wrong}");
    }
    let mut late = good.clone();
    late["validation_time"] = json!("2999-01-01T00:00:00Z");
    let value = verify(&late, &["--name", "other.test"]).json();
    assert_eq!(&value["errors"].as_array().unwrap()[0], "expired", "{value}");
    assert!(value["errors"].as_array().unwrap().contains(&json!("name-mismatch")), "both faults");
    let mut broken = good.clone();
    broken["peer_certificate"] = json!("nonsense");
    broken["untrusted_intermediates"] = json!([]);
    let said = verify(&broken, &["--name", name]);
    assert_eq!((&said.json()["error"], said.status), (&json!("malformed"), 1));
    let mut rootless = good.clone();
    rootless["trusted_certs"] = json!(["nonsense"]);
    let said = verify(&rootless, &["--name", name]);
    assert_eq!((said.status, said.stdout.as_str()), (2, ""), "{said:?}");
}

#[test]
fn certificates_are_shown() {
    let limbo = vector("x509-limbo/limbo.json");
    let pem = limbo["testcases"][0]["peer_certificate"].as_str().unwrap();
    let said = run_with(&["tool", "cert", "inspect", "-", "--json"], pem.as_bytes());
    let value = said.is_calm().json();
    let expected = [
        "dns_names",
        "ip_addresses",
        "issuer",
        "key",
        "not_after",
        "not_before",
        "sha256",
        "signature_algorithm",
        "spki_sha256",
        "subject",
    ];
    assert_eq!((keys(&value["certificates"][0]), said.status), (expected.to_vec(), 0));
    for bad in
        [&b""[..], b"nonsense", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
    {
        let said = run_with(&["tool", "cert", "inspect", "-"], bad);
        assert_eq!((said.is_calm().status, said.stderr.lines().count()), (2, 1), "{said:?}");
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let mut child = program()
        .args(["lab", "list"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn usage_errors_escape_what_was_typed() {
    for arguments in [&["tool", "cert", "match", "--\u{1b}[2J"][..], &["\u{202e}check"], &["check"]]
    {
        let said = run(arguments);
        assert_eq!(said.is_calm().status, 2, "{said:?}");
        assert!(!said.stderr.contains('\u{202e}'), "{said:?}");
    }
}

#[test]
fn a_refused_target_is_no_session_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let zone = file(&folder, "zone.json", r#"{"records":[]}"#);
    let probe = |arguments: &[&str]| {
        let mut command = program();
        command.args(["tool", "tls", "probe", "--json", "--zone-file"]).arg(&zone).args(arguments);
        finish(&mut command, b"")
    };
    let said = probe(&["127.0.0.1:25", "--starttls", "smtp"]);
    let probed = said.json();
    assert_eq!((said.status, &probed["sessions_used"]), (2, &serde_json::json!(0)), "{said:?}");
    assert_eq!(probed["findings"][0]["code"], "input-target-private", "{said:?}");
    let said = probe(&["127.0.0.1:465"]);
    assert_eq!(said.json()["outcomes"][0]["outcome"], "guard-refused", "{said:?}");
}
