//! Hellos as octets, flights captured from OpenSSL (vectors/tls-hello), flights made by hand, and what must
//! never happen.

use proptest::prelude::*;

use super::*;
use crate::name::DomainName;

const RANDOM: ClientRandom = ClientRandom { random: [0x11; 32], session_id: [0x22; 32] };

const PLANS: [HelloPlan; 6] = [
    HelloPlan::AnySuite,
    HelloPlan::AnyGroup,
    HelloPlan::AnySignature,
    HelloPlan::OldVersions,
    HelloPlan::Tls12Extensions,
    HelloPlan::ImplicitTls,
];

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

macro_rules! flight {
    ($name:literal) => {
        octets(include_str!(concat!("../../../vectors/tls-hello/", $name, ".hex")))
    };
}

/// What `flight` means when the server then closes.
fn read(flight: &[u8]) -> HelloAnswer {
    let mut reader = ServerFlight::new();
    reader.handle_server_bytes(flight);
    reader.handle_closed();
    let answer = reader.poll_answer().unwrap();
    assert_eq!(reader.poll_answer(), None);
    answer
}

fn server_hello(flight: &[u8]) -> ServerHelloSeen {
    let answer = read(flight);
    let HelloAnswer::ServerHello(seen) = answer else {
        panic!("{answer:?}");
    };
    seen
}

/// A record of this kind.
fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut record = vec![kind, 3, 3];
    record.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
    record.extend(body);
    record
}

#[test]
fn an_ordinary_hello_is_written_octet_by_octet() {
    let name = DomainName::parse("a.test").unwrap();
    let hello = ClientHello {
        version_max: TlsVersion::Tls13,
        version_min: TlsVersion::Tls12,
        suites: vec![CipherSuite(0x1301)],
        groups: vec![NamedGroup(29)],
        signature_schemes: vec![0x0403],
        compression: false,
        fallback: false,
    };
    let expected = format!(
        "16 0301 0089 01 000085 0303 {random} 20 {session} 0004 1301 00ff 01 00 0038
         0000 000b 0009 00 0006 612e74657374
         0017 0000
         000b 0002 0100
         000a 0004 0002 001d
         000d 0004 0002 0403
         002b 0005 04 0304 0303
         0033 0002 0000",
        random = "11".repeat(32),
        session = "22".repeat(32),
    );
    assert_eq!(hello.to_record(Some(&name), &RANDOM), octets(&expected));
}

#[test]
fn hellos_of_all_plans_are_read_by_an_independent_parser() {
    let name = DomainName::parse("mx.a.test").unwrap();
    for plan in PLANS {
        let hello = ClientHello::for_plan(plan);
        for server_name in [Some(&name), None] {
            let octets = hello.to_record(server_name, &RANDOM);
            assert!(!(256..512).contains(&(octets.len() - 5)), "{plan:?} {}", octets.len());
            let (rest, parsed) = tls_parser::parse_tls_plaintext(&octets).unwrap();
            assert!(rest.is_empty());
            let [
                tls_parser::TlsMessage::Handshake(tls_parser::TlsMessageHandshake::ClientHello(
                    read,
                )),
            ] = parsed.msg.as_slice()
            else {
                panic!("{plan:?}");
            };
            assert_eq!(read.random, RANDOM.random);
            assert!(read.version.0 <= 0x0303);
            let (rest, extensions) =
                tls_parser::parse_tls_client_hello_extensions(read.ext.unwrap()).unwrap();
            assert!(rest.is_empty(), "{plan:?}");
            let sni = extensions
                .iter()
                .any(|one| matches!(one, tls_parser::TlsExtension::SNI(names) if names[0].1 == b"mx.a.test"));
            assert_eq!(sni, server_name.is_some());
            let has_13 = read.ciphers.iter().any(|suite| suite.0 >> 8 == 0x13);
            assert_eq!(has_13, hello.version_max == TlsVersion::Tls13, "{plan:?}");
            assert_eq!(read.comp.len() == 2, plan == HelloPlan::Tls12Extensions);
        }
    }
}

#[test]
fn every_suite_and_group_offered_has_a_registered_name() {
    for plan in PLANS {
        let hello = ClientHello::for_plan(plan);
        assert!(hello.suites.iter().all(|suite| suite.registered_name().is_some()), "{plan:?}");
        assert!(hello.groups.iter().all(|group| !group.name().starts_with("0x")), "{plan:?}");
    }
}

#[test]
fn flights_up_to_tls12_show_suite_group_chain_and_signature() {
    let seen = server_hello(&flight!("tls12_ecdhe_ecdsa"));
    assert_eq!(seen.version, Some(TlsVersion::Tls12));
    assert!(seen.suite.name().starts_with("TLS_ECDHE_ECDSA"), "{}", seen.suite.name());
    assert_eq!(seen.group, Some(NamedGroup(29)));
    assert_eq!(seen.signature_scheme, Some(0x0403));
    assert!(seen.secure_renegotiation && seen.extended_master_secret);
    assert!(!seen.compression && !seen.certificate_requested && !seen.retry_request);
    assert_eq!(crate::x509::inspect(&seen.chain[0]).unwrap().dns_names, ["mx.a.test"]);

    let seen = server_hello(&flight!("tls12_dhe_1024"));
    assert_eq!((seen.suite, seen.dh_bits), (CipherSuite(0x009e), Some(1024)));
    assert!(seen.signature_scheme.is_some());

    let seen = server_hello(&flight!("tls12_static_rsa"));
    assert_eq!((seen.suite, seen.group, seen.chain.len()), (CipherSuite(0x002f), None, 1));

    let seen = server_hello(&flight!("tls12_anonymous"));
    assert_eq!((seen.suite, seen.chain.len()), (CipherSuite(0x006d), 0));
    assert_eq!(seen.signature_scheme, None);
    assert!(seen.dh_bits.is_some_and(|bits| bits >= 1024));

    let seen = server_hello(&flight!("tls10_only"));
    assert_eq!((seen.version, seen.version_wire), (Some(TlsVersion::Tls10), 0x0301));
    assert_eq!((seen.signature_scheme, seen.chain.len()), (None, 1));

    assert!(!server_hello(&flight!("tls12_extensions")).compression);
    assert!(server_hello(&flight!("tls12_client_certificate")).certificate_requested);
}

#[test]
fn retry_requests_show_the_group_a_server_wants() {
    for (flight, group) in [
        (flight!("tls13_retry_usual"), 29),
        (flight!("tls13_retry_x448"), 30),
        (flight!("tls13_retry_p521"), 25),
    ] {
        let seen = server_hello(&flight);
        assert!(seen.retry_request);
        assert_eq!(seen.version, Some(TlsVersion::Tls13));
        assert_eq!(seen.group, Some(NamedGroup(group)));
        assert_eq!(seen.suite, CipherSuite(0x1302));
    }
}

#[test]
fn alerts_and_foreign_answers_are_told_apart() {
    let hello = flight!("tls12_static_rsa");
    let warning = record(21, &[1, 112]);
    let mut warned = warning.clone();
    warned.extend(&hello);
    assert!(matches!(read(&warned), HelloAnswer::ServerHello(_)));
    let long = [b'x'; 200];
    let table: [(&[u8], HelloAnswer); 10] = [
        (&flight!("refused_version"), HelloAnswer::Alert(Alert(70))),
        (&flight!("refused_suite"), HelloAnswer::Alert(Alert(40))),
        (&warning, HelloAnswer::Alert(Alert(112))),
        (&record(21, &[1, 0]), HelloAnswer::Alert(Alert(0))),
        (b"", HelloAnswer::Closed),
        (b"\x16\x03", HelloAnswer::Closed),
        (b"220 mx\r\n", HelloAnswer::NotTls(b"220 mx\r\n".to_vec())),
        (&long, HelloAnswer::NotTls(vec![b'x'; 64])),
        (b"\x16\x03\x03\xff\xff", HelloAnswer::NotTls(b"\x16\x03\x03\xff\xff".to_vec())),
        (&record(23, b"x"), HelloAnswer::Closed),
    ];
    for (flight, expected) in table {
        assert_eq!(read(flight), expected);
    }
}

#[test]
fn the_end_is_told_only_when_nothing_was_seen() {
    let mut reader = ServerFlight::new();
    reader.handle_timed_out();
    assert_eq!(reader.poll_answer(), Some(HelloAnswer::TimedOut));
    let mut reader = ServerFlight::new();
    reader.handle_reset();
    assert_eq!(reader.poll_answer(), Some(HelloAnswer::Reset));
    // A hello without the rest still tells version and suite.
    let flight = flight!("tls12_ecdhe_ecdsa");
    let mut reader = ServerFlight::new();
    reader.handle_server_bytes(&flight[..120]);
    assert_eq!(reader.poll_answer(), None);
    reader.handle_reset();
    let answer = reader.poll_answer();
    let Some(HelloAnswer::ServerHello(seen)) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(seen.version, Some(TlsVersion::Tls12));
}

#[test]
fn endless_answers_end_at_the_limit() {
    let mut flight = Vec::new();
    // HelloRequest messages without end.
    for _ in 0..20 {
        flight.extend(record(22, &[0, 0, 0, 0].repeat(4_000)));
    }
    let mut reader = ServerFlight::new();
    reader.handle_server_bytes(&flight);
    assert_eq!(reader.poll_answer(), Some(HelloAnswer::Closed));
    assert_eq!(reader.received(), crate::limits::HELLO_ANSWER_OCTETS_MAX);
    let mut reader = ServerFlight::new();
    reader.handle_server_bytes(&record(22, &[11, 0xff, 0xff, 0xff]));
    assert_eq!(reader.poll_answer(), Some(HelloAnswer::Closed));
}

proptest! {
    #[test]
    fn the_answer_does_not_depend_on_how_octets_are_cut(
        which in 0_usize..6,
        cuts in proptest::collection::vec(1_usize..400, 1..40),
    ) {
        let flights = [
            flight!("tls12_ecdhe_ecdsa"),
            flight!("tls12_dhe_1024"),
            flight!("tls12_client_certificate"),
            flight!("tls13_retry_x448"),
            flight!("refused_suite"),
            flight!("tls10_only"),
        ];
        let whole = &flights[which];
        let mut reader = ServerFlight::new();
        let mut rest = whole.as_slice();
        for cut in cuts {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            reader.handle_server_bytes(piece);
            rest = after;
        }
        reader.handle_server_bytes(rest);
        reader.handle_closed();
        prop_assert_eq!(reader.poll_answer(), Some(read(whole)));
    }

    #[test]
    fn foreign_octets_always_give_one_answer(
        mut octets in proptest::collection::vec(any::<u8>(), 0..600),
        looks_like_tls in any::<bool>(),
    ) {
        if looks_like_tls && octets.len() > 9 {
            octets[..5].copy_from_slice(&[22, 3, 3, 0, 200]);
            octets[5..8].copy_from_slice(&[2, 0, 0]);
        }
        let _ = read(&octets);
        let _ = crate::tls::tap::first_octets(&octets);
    }

    #[test]
    fn a_damaged_flight_never_panics(at in 0_usize..640, value in any::<u8>()) {
        let mut flight = flight!("tls12_ecdhe_ecdsa");
        flight[at] = value;
        let _ = read(&flight);
    }
}
