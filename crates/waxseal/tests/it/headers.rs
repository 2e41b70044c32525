//! `waxseal headers`: the contract's keys, the words for people, exit statuses, bad input.

use super::program::{run, run_with};
use serde_json::{Value, json};

const MESSAGE: &str = include_str!("data/received.eml");

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn the_path_is_shown_as_committed() {
    let said = run_with(&["headers", "-"], MESSAGE.as_bytes());
    assert_eq!((said.is_calm().status, said.stderr.as_str()), (1, ""));
    insta::assert_snapshot!("headers-text", said.stdout);
}

#[test]
fn json_has_the_keys_of_the_contract() {
    let said = run_with(&["headers", "-", "--json"], MESSAGE.as_bytes());
    let value = said.is_calm().json();
    assert_eq!(
        keys(&value),
        [
            "all_encrypted",
            "authentication_results",
            "deviations",
            "does_not_prove",
            "first_unencrypted",
            "hops",
            "hops_not_read",
            "proves"
        ]
    );
    assert_eq!((&value["all_encrypted"], &value["first_unencrypted"]), (&json!(false), &json!(2)));
    let hops = value["hops"].as_array().unwrap();
    for hop in hops {
        for key in ["by", "date", "for", "from", "id", "raw", "tls", "via", "with"] {
            assert!(hop.get(key).is_some(), "{key} in {hop}");
        }
        assert_eq!(keys(&hop["from"]), ["helo", "ip", "name", "rdns"]);
    }
    let second = &hops[1];
    assert_eq!(
        (&second["by"], &second["with"], &second["date"]),
        (&json!("mx.google.com"), &json!("ESMTPS"), &json!("2021-09-21T08:02:02Z"))
    );
    assert_eq!(
        second["tls"],
        json!({"encrypted": true, "version": "1.3", "cipher": "TLS_AES_128_GCM_SHA256", "bits": 128,
            "version_is_family": false})
    );
    let kinds: Vec<&str> = hops.iter().map(|hop| hop["protection"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["local", "encrypted", "not-encrypted"]);
    let results = &value["authentication_results"][0];
    assert_eq!(results["authserv_id"], "mx.google.com");
    assert_eq!(results["alignment"], json!({"spf": "relaxed", "dkim": "strict"}));
}

#[test]
fn the_status_says_what_was_found() {
    let table = [
        ("Received: from a.test ([192.0.2.1]) by b.test with ESMTPS id 1\r\n", 0, json!(true)),
        ("Received: from a.test ([192.0.2.1]) by b.test with ESMTP id 1\r\n", 1, json!(false)),
        ("Received: from a.test ([192.0.2.1]) by b.test id 1\r\n", 3, Value::Null),
        ("Subject: no path\r\n", 3, Value::Null),
    ];
    for (message, status, all) in table {
        let said = run_with(&["headers", "-", "--json"], message.as_bytes());
        assert_eq!(
            (said.status, &said.is_calm().json()["all_encrypted"]),
            (status, &all),
            "{message}"
        );
    }
}

#[test]
fn what_is_no_message_is_refused_and_foreign_text_is_harmless() {
    for input in [&b""[..], b"no header at all", b"\r\nSubject: x\r\n", &[0xff; 64]] {
        let said = run_with(&["headers", "-"], input);
        assert_eq!((said.is_calm().status, said.stderr.lines().count()), (2, 1), "{said:?}");
    }
    assert_eq!(run(&["headers", "/nothing/here.eml"]).is_calm().status, 2);
    let evil =
        "Received: from \u{1b}[2J\u{202e} ([192.0.2.1]) by \u{7}b with ESMTP id \u{9b}2J\r\n";
    for arguments in [&["headers", "-"][..], &["headers", "-", "--json"]] {
        let said = run_with(arguments, evil.as_bytes());
        assert!(!said.is_calm().stdout.contains('\u{202e}'), "{said:?}");
    }
}
