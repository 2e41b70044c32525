//! Tests of addresses: published rows, letters outside ASCII, limits, and that no control octet gets in.

use proptest::prelude::*;
use serde::Deserialize;

use super::{Mailbox, MailboxErrorKind};
use crate::name::NameErrorKind;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the loader names every field, so that none is left out unseen")]
struct Row {
    id: u32,
    address: String,
    category: String,
    diagnosis: String,
    comment: Option<String>,
}

#[test]
fn published_rows_are_judged_as_published() {
    let text = include_str!("../../../vectors/addresses/isemail.json");
    let rows: Vec<Row> = serde_json::from_str(text).unwrap();
    assert_eq!(rows.len(), 82);
    for row in rows {
        let parsed = Mailbox::parse(&row.address);
        let expected = match row.category.as_str() {
            "ISEMAIL_VALID_CATEGORY" | "ISEMAIL_DNSWARN" => true,
            "ISEMAIL_ERR" | "ISEMAIL_RFC5322" | "ISEMAIL_CFWS" | "ISEMAIL_DEPREC" => false,
            // All of the grammar, but for the literal with one omitted group, which it forbids, and
            // names under a numeric top-level label, which no host has.
            "ISEMAIL_RFC5321" => parsed.is_ok(),
            other => panic!("unknown category {other}"),
        };
        assert_eq!(parsed.is_ok(), expected, "{} {:?} {parsed:?}", row.id, row.address);
    }
}

#[test]
fn addresses_are_kept_as_written_and_names_in_a_labels() {
    for (text, shown, needs_smtputf8) in [
        ("a@EXAMPLE.com", "a@example.com", false),
        ("a@bücher.example", "a@xn--bcher-kva.example", false),
        ("jörg@example.com", "jörg@example.com", true),
        ("\"a b\"@example.com", "\"a b\"@example.com", false),
        ("\"a@b\"@example.com", "\"a@b\"@example.com", false),
        ("a@[192.0.2.1]", "a@[192.0.2.1]", false),
        ("a@[ipv6:2001:db8::1]", "a@[IPv6:2001:db8::1]", false),
        ("a@localhost", "a@localhost", false),
    ] {
        let mailbox = Mailbox::parse(text).unwrap();
        assert_eq!(mailbox.to_string(), shown);
        assert_eq!(mailbox.needs_smtputf8(), needs_smtputf8, "{text}");
        assert_eq!(mailbox.ascii().is_none(), needs_smtputf8, "{text}");
        assert_eq!(Mailbox::parse(shown), Ok(mailbox));
    }
}

#[test]
fn faults_are_named_with_their_place() {
    use MailboxErrorKind as K;
    let long = "a".repeat(65);
    for (text, kind, position) in [
        ("", K::NoAtSign, 0),
        ("example.com", K::NoAtSign, 11),
        ("@example.com", K::EmptyLocalPart, 0),
        ("a@", K::EmptyDomain, 2),
        ("a b@example.com", K::Character, 1),
        ("a\r\nRCPT TO:<b@example.com", K::Character, 1),
        ("a..b@example.com", K::EmptyAtom, 2),
        ("a.@example.com", K::EmptyAtom, 1),
        ("<a@example.com>", K::Character, 0),
        ("\"a@example.com", K::QuotedString, 14),
        ("\"a\nb\"@example.com", K::QuotedString, 2),
        ("a@[192.0.2]", K::Literal, 2),
        ("a@[192.0.2.1", K::Literal, 2),
        ("a@example.com.", K::Name(NameErrorKind::EmptyLabel), 13),
        ("a@exa mple.com", K::Name(NameErrorKind::Character), 5),
        ("a\u{a0}b@example.com", K::Character, 1),
        (&format!("{long}@example.com"), K::LocalPartTooLong, 64),
    ] {
        let error = Mailbox::parse(text).unwrap_err();
        assert_eq!((error.kind, error.position), (kind, position), "{text:?}");
    }
}

#[test]
fn a_whole_address_has_at_most_254_octets() {
    let domain = |octets: usize| {
        let labels = "a23456789.".repeat(18);
        format!("{labels}{}", "b".repeat(octets - labels.len()))
    };
    let local = "a".repeat(64);
    assert!(Mailbox::parse(&format!("{local}@{}", domain(189))).is_ok());
    let error = Mailbox::parse(&format!("{local}@{}", domain(190))).unwrap_err();
    assert_eq!(error.kind, MailboxErrorKind::TooLong);
}

proptest! {
    #[test]
    fn what_parses_holds_no_control_octet_and_parses_again(text in "[\\PC\r\n\t\0@.\"\\\\ ]{0,40}") {
        if let Ok(mailbox) = Mailbox::parse(&text) {
            let shown = mailbox.to_string();
            prop_assert!(!shown.chars().any(char::is_control), "{shown:?}");
            prop_assert_eq!(Mailbox::parse(&shown), Ok(mailbox));
        }
    }
}
