//! Tests of the EHLO answer: keywords, sign-in lists, SIZE, masks.

use super::super::reply::{Reply, parse_reply_file};
use super::{EhloSeen, greeting_is_masked};
use crate::deviation::Deviation;

fn reply(wire: &str) -> Reply {
    parse_reply_file(wire.as_bytes()).unwrap().reply
}

fn ehlo(wire: &str) -> EhloSeen {
    EhloSeen::from_reply(reply(wire))
}

#[test]
fn starttls_counts_only_as_the_exact_first_word_after_the_first_line() {
    let cases = [
        ("250-mx.example\r\n250 STARTTLS\r\n", true),
        ("250-mx.example\r\n250 starttls\r\n", true),
        ("250-mx.example\r\n250-SIZE 10\r\n250-StartTLS\r\n250 HELP\r\n", true),
        ("250 STARTTLS\r\n", false),
        ("250-STARTTLS\r\n250 SIZE\r\n", false),
        ("250-mx.example\r\n250 XSTARTTLS\r\n", false),
        ("250-mx.example\r\n250 STARTTLS2\r\n", false),
        ("250-mx.example\r\n250  STARTTLS\r\n", false),
        ("250-mx.example\r\n250 HELP STARTTLS\r\n", false),
        ("250-mx.example\r\n250 START TLS\r\n", false),
        ("250-mx.example\r\n220 STARTTLS\r\n", false),
        ("550-mx.example\r\n550 STARTTLS\r\n", false),
        ("354-mx.example\r\n354 STARTTLS\r\n", false),
    ];
    for (wire, offered) in cases {
        assert_eq!(ehlo(wire).offers("STARTTLS"), offered, "{wire}");
    }
}

#[test]
fn host_name_extensions_sign_in_and_size_are_read() {
    let seen = ehlo(
        "250-mx.example at your service\r\n250-size 35882577\r\n250-AUTH PLAIN login\r\n\
         250-AUTH=LOGIN XOAUTH2\r\n250-8BITMIME\r\n250 PIPELINING\r\n",
    );
    assert_eq!(seen.hostname.as_deref(), Some("mx.example"));
    let keywords: Vec<&str> = seen.extensions.iter().map(|one| one.keyword.as_str()).collect();
    assert_eq!(keywords, ["SIZE", "AUTH", "AUTH=", "8BITMIME", "PIPELINING"]);
    assert_eq!(seen.auth(), ["PLAIN", "LOGIN", "XOAUTH2"]);
    assert_eq!(seen.size(), Some(35_882_577));
    assert!(seen.deviations.is_empty());

    let refused = ehlo("502 no\r\n");
    assert_eq!((refused.hostname, refused.extensions.len()), (None, 0));
}

#[test]
fn size_without_a_number_is_no_number() {
    let cases = [
        ("250-a\r\n250 SIZE\r\n", None),
        ("250-a\r\n250 SIZE 0\r\n", Some(0)),
        ("250-a\r\n250 SIZE +5\r\n", None),
        ("250-a\r\n250 SIZE 99999999999999999999999\r\n", None),
        ("250-a\r\n250 SIZE x\r\n", None),
    ];
    for (wire, size) in cases {
        assert_eq!(ehlo(wire).size(), size, "{wire}");
    }
}

#[test]
fn keywords_outside_the_grammar_are_recorded() {
    for (wire, is_deviation) in [
        ("250-a\r\n250 X-FOO bar=1\r\n", false),
        ("250-a\r\n250 AUTH=PLAIN\r\n", false),
        ("250-a\r\n250 X_FOO\r\n", true),
        ("250-a\r\n250 -FOO\r\n", true),
        ("250-a\r\n250 FOO=\r\n", true),
        ("250-a\r\n250-\r\n250 HELP\r\n", true),
        ("250-a\r\n250  HELP\r\n", true),
        ("250-a\r\n250 SIZE\t10\r\n", true),
        ("250-a\r\n250 FOO b\u{fc}r\r\n", true),
    ] {
        let found = ehlo(wire).deviations.contains(&Deviation::KeywordSyntax);
        assert_eq!(found, is_deviation, "{wire}");
    }
}

#[test]
fn masks_of_inspecting_devices_are_seen() {
    for (wire, masked) in [
        ("250-a\r\n250-SIZE 10\r\n250 XXXXXXXA\r\n", Some("XXXXXXXA")),
        ("250-a\r\n250 xxxxxxxx\r\n", Some("XXXXXXXX")),
        ("250-a\r\n250 XXXA\r\n", None),
        ("250-a\r\n250-XCLIENT NAME\r\n250 STARTTLS\r\n", None),
    ] {
        assert_eq!(ehlo(wire).masked_keyword(), masked, "{wire}");
    }
    for (wire, masked) in [
        ("220 ****************2****0*\r\n", true),
        ("220 ******* ESMTP\r\n", true),
        ("220 *** mx.example ***\r\n", false),
        ("220 mx.example ESMTP ****\r\n", false),
        ("220 mx****.example\r\n", false),
    ] {
        assert_eq!(greeting_is_masked(&reply(wire)), masked, "{wire}");
    }
}
