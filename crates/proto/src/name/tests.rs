//! Tests of names, typed targets and address blocks (RFC 1035 §2.3.4, RFC 5891 §4, RFC 6890 §2).

use super::*;
use crate::finding::Code;
use proptest::prelude::*;

fn parsed(text: &str) -> String {
    DomainName::parse(text)
        .map_or_else(|e| format!("{:?}@{}", e.kind, e.position), |n| n.to_string())
}

#[test]
fn names_parse_or_say_what_is_wrong() {
    let long_label = "a".repeat(64);
    let fits =
        ["a".repeat(63).as_str(), &"b".repeat(63), &"c".repeat(63), &"d".repeat(61)].join(".");
    let too_long = format!("{fits}d");
    let cases = [
        ("example.com", "example.com"),
        ("EXAMPLE.Com.", "example.com"),
        ("localhost", "localhost"),
        ("3com.com", "3com.com"),
        ("r3---sn-x.example.com", "r3---sn-x.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.Example", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("", "Empty@0"),
        ("  ", "Empty@0"),
        (".", "Empty@0"),
        ("..", "EmptyLabel@0"),
        (".example.com", "EmptyLabel@0"),
        ("a..b", "EmptyLabel@2"),
        ("example.com..", "EmptyLabel@12"),
        (" example.com", "Character@0"),
        ("example.com ", "Character@11"),
        ("exa mple.com", "Character@3"),
        ("_dmarc.example.com", "Character@0"),
        ("*.example.com", "Character@0"),
        ("a\0b.test", "Character@1"),
        ("bü_cher.test", "Character@3"),
        ("-a.test", "Hyphen@0"),
        ("a.b-.test", "Hyphen@3"),
        ("a\u{200b}b.test", "Idna@0"),
        ("a\u{ad}b.test", "Idna@0"),
        ("ok.a\u{202e}b.test", "Idna@3"),
        ("xn--a.test", "Idna@0"),
        ("xn--.test", "Idna@0"),
        ("xn--abc-.test", "Idna@0"),
        ("xn--example-.test", "Idna@0"),
        ("ab--ü.test", "Idna@0"),
        ("mü..nc", "EmptyLabel@4"),
        ("mü。。nc", "EmptyLabel@6"),
        ("א1a.test", "Idna@0"),
    ];
    for (text, expected) in cases {
        assert_eq!(parsed(text), expected, "{text:?}");
    }
    assert_eq!(parsed(&format!("x.{long_label}.test")), "LabelTooLong@65");
    assert_eq!(parsed(&format!("xy.{}.test", "ü".repeat(60))), "LabelTooLong@66");
    assert_eq!(parsed(&fits), fits);
    assert_eq!(parsed(&too_long), "NameTooLong@253");
    assert_eq!(parsed(&"a.".repeat(5_000)), "NameTooLong@1012");
    assert_eq!(parsed(&format!("{}.test", "ü".repeat(63))), "LabelTooLong@63");
}

#[test]
fn names_relate() {
    let name = |text| DomainName::parse(text).unwrap();
    let host = name("a.b.example.com");
    assert_eq!(host.labels().collect::<Vec<_>>(), ["a", "b", "example", "com"]);
    assert_eq!(host.parent(), Some(name("b.example.com")));
    assert_eq!(name("com").parent(), None);
    for (below, above, expected) in [
        ("a.b.example.com", "example.com", true),
        ("example.com", "example.com", true),
        ("badexample.com", "example.com", false),
        ("example.com", "a.example.com", false),
    ] {
        assert_eq!(name(below).is_same_or_below(&name(above)), expected, "{below} {above}");
    }
}

#[test]
fn display_form_misleads_nobody() {
    for (text, expected) in [
        ("bücher.example", "bücher.example"),
        ("例え.テスト", "例え.テスト"),
        ("пример.испытание", "пример.испытание"),
        ("p\u{430}ypal.example", "xn--pypal-4ve.example"),
        ("\u{430}\u{440}\u{440}\u{435}.example", "xn--80ak6aa.example"),
    ] {
        assert_eq!(DomainName::parse(text).unwrap().to_unicode(), expected);
    }
}

#[test]
fn public_suffix_vectors_hold() {
    let vectors = include_str!("../../vectors/public-suffix/test_psl.txt");
    let mut checked = 0;
    for line in vectors.lines() {
        let Some(arguments) =
            line.strip_prefix("checkPublicSuffix(").and_then(|l| l.strip_suffix(");"))
        else {
            continue;
        };
        let (input, expected) = arguments.split_once(", ").unwrap();
        let unquoted = |text: &str| text.trim_matches('\'').to_owned();
        let own = DomainName::parse(&unquoted(input)).ok().and_then(|n| n.organizational());
        let right = match expected {
            "null" => None,
            name => Some(DomainName::parse(&unquoted(name)).unwrap()),
        };
        assert_eq!(own, right, "{line}");
        checked += 1;
    }
    assert_eq!(checked, 78);
}

#[test]
fn suffixes_are_told_apart() {
    for (text, public, registry) in [
        ("com", true, true),
        ("test", true, true),
        ("co.uk", true, true),
        ("github.io", true, false),
        ("example.co.uk", false, false),
        ("example.test", false, false),
    ] {
        let name = DomainName::parse(text).unwrap();
        assert_eq!(
            (name.is_public_suffix(), name.is_registry_suffix()),
            (public, registry),
            "{text}"
        );
    }
}

fn read(text: &str) -> String {
    match TargetInput::parse(text) {
        Err(error) => format!("! {}", error.code()),
        Ok(input) => {
            let mut shown = input.target.to_string();
            for note in &input.notes {
                shown = format!("{shown} {}", note.code());
            }
            input.port.map_or_else(|| shown.clone(), |port| format!("{shown} port {port}"))
        }
    }
}

#[test]
fn typed_targets_are_read() {
    let given = "mx.example.test input-address-or-url-given";
    let literal = |address: &str| format!("{address} input-ip-literal-target");
    let cases: &[(&str, String)] = &[
        ("mx.example.test", "mx.example.test".into()),
        ("  MX.Example.Test.\n", "mx.example.test".into()),
        ("user@mx.example.test", given.into()),
        ("\"odd@local\"@mx.example.test", given.into()),
        ("mailto:user@mx.example.test", given.into()),
        ("mailto:user@mx.example.test?subject=a", given.into()),
        ("A Person <user@mx.example.test>", given.into()),
        ("@mx.example.test", given.into()),
        ("https://mx.example.test/", given.into()),
        ("https://mx.example.test", given.into()),
        ("https://u:p@mx.example.test/a?b#c", given.into()),
        ("//mx.example.test/x", given.into()),
        ("mx.example.test/path", given.into()),
        ("mx.example.test:587", format!("{given} port 587")),
        ("smtps://mx.example.test:465/", format!("{given} input-address-or-url-given port 465")),
        ("com", "com input-public-suffix".into()),
        ("co.uk", "co.uk input-public-suffix".into()),
        ("192.0.2.1", literal("192.0.2.1")),
        ("192.0.2.1.", literal("192.0.2.1")),
        ("[192.0.2.1]", literal("192.0.2.1")),
        ("2001:db8::1", literal("2001:db8::1")),
        ("[2001:db8::1]", literal("2001:db8::1")),
        ("[IPv6:2001:db8::1]", literal("2001:db8::1")),
        ("ipv6:2001:db8::1", literal("2001:db8::1")),
        ("u@[192.0.2.1]", "192.0.2.1 input-address-or-url-given input-ip-literal-target".into()),
        (
            "[2001:db8::1]:25",
            "2001:db8::1 input-address-or-url-given input-ip-literal-target port 25".into(),
        ),
        ("bücher.example", "xn--bcher-kva.example".into()),
    ];
    for (text, expected) in cases {
        assert_eq!(&read(text), expected, "{text:?}");
    }
}

#[test]
fn bad_input_gets_its_code() {
    let cases = [
        ("input-empty", vec!["", "  ", ".", "@", " @ ", "\n", "user@", "https://", "mailto:a@"]),
        (
            "input-domain-syntax",
            vec![
                "a..b",
                "a b",
                "_x.test",
                "-a.test",
                "example.com,",
                "a\u{7}.test",
                "[::1",
                "2001:db8::1::2",
                "1.2.3",
                "256.1.1.1",
                "1.2.3.4.5",
                "fe80::1%eth0",
            ],
        ),
        ("input-idn-invalid", vec!["a\u{200b}b.test", "xn--a.test", "a\u{202e}b.test", "\u{202e}"]),
        (
            "input-port-invalid",
            vec![
                "h.test:0",
                "h.test:65536",
                "h.test:70000",
                "h.test:",
                "h.test:smtp",
                "h.test:+25",
                "h.test:25:25",
                "[::1]:x",
                "https://h.test:99999/",
            ],
        ),
    ];
    for (code, texts) in cases {
        for text in texts {
            let error = TargetInput::parse(text).unwrap_err();
            assert_eq!(error.code().as_str(), code, "{text:?}: {error}");
        }
    }
    let long = TargetInput::parse(&"a.".repeat(5_000)).unwrap_err();
    assert_eq!(long.code(), Code::InputDomainSyntax);
    let label = TargetInput::parse(&format!("{}.test", "a".repeat(64))).unwrap_err();
    assert_eq!(label.code(), Code::InputDomainSyntax);
}

#[test]
fn a_password_in_a_url_is_not_kept() {
    let input = TargetInput::parse("https://user:hunter2@mx.example.test/x").unwrap();
    assert!(!format!("{input:?}").contains("hunter2"));
}

#[test]
fn addresses_are_classified() {
    use AddressClass as C;
    let cases = [
        ("8.8.8.8", C::Public),
        ("0.1.2.3", C::Unspecified),
        ("10.255.0.1", C::Private),
        ("172.15.0.1", C::Public),
        ("172.16.0.1", C::Private),
        ("172.31.255.255", C::Private),
        ("172.32.0.1", C::Public),
        ("192.168.1.1", C::Private),
        ("100.63.0.1", C::Public),
        ("100.64.0.1", C::CarrierNat),
        ("100.127.255.255", C::CarrierNat),
        ("127.1.2.3", C::Loopback),
        ("169.254.1.1", C::LinkLocal),
        ("169.254.169.254", C::Metadata),
        ("192.0.0.1", C::Reserved),
        ("192.0.2.1", C::Documentation),
        ("198.51.100.1", C::Documentation),
        ("203.0.113.1", C::Documentation),
        ("192.88.99.1", C::Reserved),
        ("198.19.255.255", C::Benchmarking),
        ("198.20.0.0", C::Public),
        ("224.0.0.1", C::Multicast),
        ("239.255.255.255", C::Multicast),
        ("240.0.0.1", C::Reserved),
        ("255.255.255.255", C::Broadcast),
        ("::", C::Unspecified),
        ("::1", C::Loopback),
        ("::2", C::Unspecified),
        ("::10.0.0.1", C::Private),
        ("::ffff:127.0.0.1", C::Loopback),
        ("::ffff:8.8.8.8", C::Public),
        ("64:ff9b::169.254.169.254", C::Metadata),
        ("64:ff9b::8.8.8.8", C::Public),
        ("64:ff9b:1::1", C::Reserved),
        ("100::1", C::Discard),
        ("2001::1", C::Teredo),
        ("2001:2::1", C::Benchmarking),
        ("2001:10::1", C::Reserved),
        ("2001:db8::1", C::Documentation),
        ("2001:4860:4860::8888", C::Public),
        ("2002:7f00:1::1", C::Loopback),
        ("2002:808:808::1", C::Public),
        ("3fff:fff::1", C::Documentation),
        ("3fff:1000::1", C::Public),
        ("4000::1", C::Reserved),
        ("5f00::1", C::Reserved),
        ("fc00::1", C::Private),
        ("fd12:3456::1", C::Private),
        ("fd00:ec2::254", C::Metadata),
        ("fe80::1", C::LinkLocal),
        ("fec0::1", C::SiteLocal),
        ("ff02::1", C::Multicast),
    ];
    for (address, class) in cases {
        assert_eq!(classify(address.parse().unwrap()), class, "{address}");
    }
    assert!(C::Public.is_public() && !C::Teredo.is_public());
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in "\\PC{0,80}", raw in any::<String>()) {
        for text in [text, raw] {
            let _ = TargetInput::parse(&text);
            if let Ok(name) = DomainName::parse(&text) {
                prop_assert_eq!(&DomainName::parse(name.as_str()).unwrap(), &name);
                prop_assert!(name.as_str().len() <= 253);
                prop_assert_eq!(&DomainName::parse(&name.to_unicode()).unwrap(), &name);
            }
        }
    }

    #[test]
    fn host_grammar_round_trips(name in "[a-wyz0-9]([a-z0-9-]{0,20}[a-z0-9])?(\\.[a-wyz]{1,10}){0,4}") {
        prop_assert_eq!(parsed(&format!("{name}.")), name);
    }

    #[test]
    fn an_address_inside_another_is_judged_alike(v4 in any::<u32>()) {
        let inner = std::net::Ipv4Addr::from(v4);
        let mapped = inner.to_ipv6_mapped();
        prop_assert_eq!(classify(inner.into()), classify(mapped.into()));
    }
}
