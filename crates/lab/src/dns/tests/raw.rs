//! Faults and modes as raw messages show them, over UDP and TCP.

use std::io::ErrorKind;
use std::net::SocketAddr;

use hickory_proto::op::{Edns, Message, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use hickory_proto::rr::{Name, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use super::super::limits::CNAME_STEPS_MAX;
use super::super::{LoggedQuery, Transport};
use super::{WORLD, start};

/// Which bits a question carries.
#[derive(Clone, Copy, Default)]
struct Bits {
    cd: bool,
    dnssec_ok: bool,
}

const PLAIN: Bits = Bits { cd: false, dnssec_ok: false };
const DO: Bits = Bits { cd: false, dnssec_ok: true };
const CD: Bits = Bits { cd: true, dnssec_ok: true };

fn question(id: u16, name: &str, record_type: RecordType, bits: Bits) -> Message {
    let mut message = Message::query();
    message.metadata.id = id;
    message.metadata.op_code = OpCode::Query;
    message.metadata.recursion_desired = true;
    message.metadata.checking_disabled = bits.cd;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), record_type));
    let mut edns = Edns::new();
    edns.set_dnssec_ok(bits.dnssec_ok);
    edns.set_max_payload(1_232);
    message.set_edns(edns);
    message
}

async fn udp_octets(to: SocketAddr, message: &Message) -> Vec<u8> {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(&message.to_vec().unwrap(), to).await.unwrap();
    receive(&socket).await
}

async fn receive(socket: &UdpSocket) -> Vec<u8> {
    let mut buffer = vec![0; 65_535];
    let length = socket.recv(&mut buffer).await.unwrap();
    buffer.truncate(length);
    buffer
}

async fn udp(to: SocketAddr, name: &str, record_type: RecordType, bits: Bits) -> Message {
    let octets = udp_octets(to, &question(7, name, record_type, bits)).await;
    Message::from_vec(&octets).unwrap()
}

/// One exchange over TCP; an error when the server closes instead of answering.
async fn tcp(to: SocketAddr, name: &str, record_type: RecordType) -> std::io::Result<Message> {
    let mut stream = TcpStream::connect(to).await?;
    let octets = question(7, name, record_type, PLAIN).to_vec().unwrap();
    stream.write_u16(u16::try_from(octets.len()).unwrap()).await?;
    stream.write_all(&octets).await?;
    let mut answer = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut answer).await?;
    Ok(Message::from_vec(&answer).unwrap())
}

fn with_fault(fault: &str) -> String {
    format!("{WORLD}\n[[fault]]\nname = \"signed.test\"\ntype = \"MX\"\n{fault}\n")
}

fn extended_error(message: &Message) -> Option<u16> {
    let option = message.edns.as_ref()?.option(EdnsCode::Unknown(15))?;
    let EdnsOption::Unknown(_, octets) = option else { return None };
    Some(u16::from_be_bytes([octets[0], octets[1]]))
}

#[tokio::test]
async fn response_codes_and_empty_answers() {
    let cases = [
        ("\"form-err\"", ResponseCode::FormErr, None),
        ("\"lame\"", ResponseCode::NoError, None),
        ("\"no-data\"", ResponseCode::NoError, None),
        ("\"not-imp\"", ResponseCode::NotImp, None),
        ("\"nx-domain\"", ResponseCode::NXDomain, None),
        ("\"refused\"", ResponseCode::Refused, None),
        ("\"serv-fail\"", ResponseCode::ServFail, None),
        ("{ serv-fail-with = { code = 22 } }", ResponseCode::ServFail, Some(22)),
    ];
    for (answer, code, ede) in cases {
        let dns = start(&with_fault(&format!("answer = {answer}"))).await;
        let resolver = dns.resolver_addr();
        let spoiled = udp(resolver, "signed.test.", RecordType::MX, DO).await;
        assert_eq!(spoiled.metadata.response_code, code, "{answer}");
        assert_eq!(extended_error(&spoiled), ede, "{answer}");
        assert!(spoiled.answers.is_empty(), "{answer}");
        let denied = matches!(answer, "\"no-data\"" | "\"nx-domain\"");
        assert_eq!(!spoiled.authorities.is_empty(), denied, "{answer}");
        let other = udp(resolver, "signed.test.", RecordType::TXT, DO).await;
        assert_eq!(other.metadata.response_code, ResponseCode::NoError, "{answer}");
        assert_eq!(other.answers.len(), 2, "{answer}");
    }
}

#[tokio::test]
async fn truncation_with_and_without_tcp() {
    let cases = [("\"truncated\"", true), ("\"truncated-tcp-closed\"", false)];
    for (answer, tcp_works) in cases {
        let dns = start(&with_fault(&format!("answer = {answer}"))).await;
        let resolver = dns.resolver_addr();
        let cut = udp(resolver, "signed.test.", RecordType::MX, PLAIN).await;
        assert!(cut.metadata.truncation && cut.answers.is_empty(), "{answer}");
        match tcp(resolver, "signed.test.", RecordType::MX).await {
            Ok(whole) => assert!(tcp_works && whole.answers.len() == 2, "{answer}"),
            Err(error) => {
                assert!(!tcp_works, "{answer}");
                assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
            }
        }
    }
    let dns = start(&format!("{WORLD}\n[resolver]\ntcp = \"refused\"")).await;
    let error = tcp(dns.resolver_addr(), "signed.test.", RecordType::MX).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn what_no_message_can_carry_is_truncated_over_tcp_too() {
    let text = "x".repeat(250);
    let dns = start(&format!(
        "[[zone]]\nname = \"huge.test\"\n\
         generate = [{{ first = 100, last = 399, record = \"@ TXT $ {text}\" }}]"
    ))
    .await;
    let cut = udp(dns.resolver_addr(), "huge.test.", RecordType::TXT, PLAIN).await;
    assert!(cut.metadata.truncation && cut.answers.is_empty());
    let part = tcp(dns.resolver_addr(), "huge.test.", RecordType::TXT).await.unwrap();
    assert!(part.metadata.truncation && part.answers.len() < 300, "{}", part.answers.len());
}

#[tokio::test]
async fn a_whole_server_can_be_dead() {
    let dns = start(&format!(
        "{WORLD}\n[[fault]]\nname = \".\"\nscope = \"subtree\"\n\
         at = \"ns1.lab-dns.test\"\nanswer = \"lame\""
    ))
    .await;
    for (host, authoritative) in [("ns1.lab-dns.test", false), ("ns2.lab-dns.test", true)] {
        let server = dns.server_addr(host).unwrap();
        let answer = udp(server, "mx.signed.test.", RecordType::A, PLAIN).await;
        assert_eq!(answer.metadata.authoritative, authoritative, "{host}");
        assert_eq!(!answer.answers.is_empty(), authoritative, "{host}");
    }
}

#[tokio::test]
async fn dropped_questions_stay_unanswered_and_slow_ones_come_last() {
    for (answer, order) in [("\"drop\"", vec![2]), ("{ slow = { delay_ms = 50 } }", vec![2, 1])] {
        let dns = start(&with_fault(&format!("answer = {answer}"))).await;
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(dns.resolver_addr()).await.unwrap();
        for (id, record_type) in [(1, RecordType::MX), (2, RecordType::TXT)] {
            let octets = question(id, "signed.test.", record_type, PLAIN).to_vec().unwrap();
            socket.send(&octets).await.unwrap();
        }
        for expected in order {
            let message = Message::from_vec(&receive(&socket).await).unwrap();
            assert_eq!(message.metadata.id, expected, "{answer}");
            assert!(!message.answers.is_empty(), "{answer}");
        }
    }
}

#[tokio::test]
async fn malformed_and_mismatched_answers() {
    let dns = start(&with_fault("answer = \"malformed\"")).await;
    let asked = question(7, "signed.test.", RecordType::MX, PLAIN);
    let octets = udp_octets(dns.resolver_addr(), &asked).await;
    assert_eq!(octets[..2], [0, 7]);
    assert!(Message::from_vec(&octets).is_err());
    let dns = start(&with_fault("answer = \"wrong-id\"")).await;
    let answer = udp(dns.resolver_addr(), "signed.test.", RecordType::MX, PLAIN).await;
    assert_ne!(answer.metadata.id, 7);
    let octets = udp_octets(dns.resolver_addr(), &Message::query()).await;
    assert_eq!(Message::from_vec(&octets).unwrap().metadata.response_code, ResponseCode::FormErr);
    let mut newer = question(7, "signed.test.", RecordType::MX, PLAIN);
    newer.edns.as_mut().unwrap().set_version(1);
    let octets = udp_octets(dns.resolver_addr(), &newer).await;
    // 16 is BADVERS in an EDNS answer; hickory reads it by its other name, BADSIG.
    let code = Message::from_vec(&octets).unwrap().metadata.response_code;
    assert_eq!(u16::from(code), 16);
    let transfer = udp(dns.resolver_addr(), "signed.test.", RecordType::AXFR, PLAIN).await;
    assert_eq!(transfer.metadata.response_code, ResponseCode::NotImp);
}

#[tokio::test]
async fn faults_choose_by_server_transport_cd_scope_and_count() {
    let dns = start(&with_fault("at = \"ns1.lab-dns.test\"\nanswer = \"refused\"")).await;
    let code = async |to: SocketAddr, name: &str, bits: Bits| {
        udp(to, name, RecordType::MX, bits).await.metadata.response_code
    };
    let (first, second) = (
        dns.server_addr("ns1.lab-dns.test").unwrap(),
        dns.server_addr("ns2.lab-dns.test").unwrap(),
    );
    assert_eq!(code(first, "signed.test.", PLAIN).await, ResponseCode::Refused);
    assert_eq!(code(second, "signed.test.", PLAIN).await, ResponseCode::NoError);
    assert_eq!(code(dns.resolver_addr(), "signed.test.", PLAIN).await, ResponseCode::NoError);

    let dns = start(&with_fault("transport = \"udp\"\nanswer = \"refused\"")).await;
    let answer = tcp(dns.resolver_addr(), "signed.test.", RecordType::MX).await.unwrap();
    assert_eq!(answer.metadata.response_code, ResponseCode::NoError);

    let dns = start(&with_fault("cd = false\nanswer = \"serv-fail\"")).await;
    assert_eq!(code(dns.resolver_addr(), "signed.test.", DO).await, ResponseCode::ServFail);
    assert_eq!(code(dns.resolver_addr(), "signed.test.", CD).await, ResponseCode::NoError);

    let dns = start(&with_fault("scope = \"subtree\"\nanswer = \"refused\"")).await;
    assert_eq!(code(dns.resolver_addr(), "many.signed.test.", DO).await, ResponseCode::Refused);
    assert_eq!(code(dns.resolver_addr(), "plain.test.", DO).await, ResponseCode::NoError);

    let dns = start(&with_fault("times = 1\nanswer = \"serv-fail\"")).await;
    assert_eq!(code(dns.resolver_addr(), "signed.test.", DO).await, ResponseCode::ServFail);
    assert_eq!(code(dns.resolver_addr(), "SIGNED.test.", DO).await, ResponseCode::NoError);
}

#[tokio::test]
async fn a_validating_resolver_fails_bogus_zones_unless_checking_is_disabled() {
    let zone = |kind: &str| {
        format!(
            "[[zone]]\nname = \"{kind}.test\"\nsigned = true\nrecords = [\"@ MX 10 mx\"]\n\
             dnssec_fault = {{ kind = \"{kind}\" }}\n"
        )
    };
    let kinds = [
        ("corrupted", 6),
        ("expired", 7),
        ("not-yet-valid", 8),
        ("wrong-ds", 9),
        ("missing-signatures", 10),
    ];
    let zones: String = kinds.iter().map(|(kind, _)| zone(kind)).collect();
    let dns = start(&format!("{WORLD}\n{zones}\n[resolver]\nmode = \"validating\"")).await;
    let resolver = dns.resolver_addr();
    for (kind, ede) in kinds {
        for record_type in [RecordType::MX, RecordType::TXT] {
            let name = format!("{kind}.test.");
            let failed = udp(resolver, &name, record_type, DO).await;
            assert_eq!(failed.metadata.response_code, ResponseCode::ServFail, "{kind}");
            assert_eq!(extended_error(&failed), Some(ede), "{kind}");
            let raw = udp(resolver, &name, record_type, CD).await;
            assert_eq!(raw.metadata.response_code, ResponseCode::NoError, "{kind}");
            assert!(!raw.metadata.authentic_data, "{kind}");
        }
    }
    for (name, authentic) in
        [("signed.test.", true), ("plain.test.", false), ("out.signed.test.", false)]
    {
        let answer = udp(resolver, name, RecordType::A, DO).await;
        assert_eq!(answer.metadata.authentic_data, authentic, "{name}");
    }
}

#[tokio::test]
async fn a_stripping_resolver_shows_no_dnssec_at_all() {
    let dns = start(&format!("{WORLD}\n[resolver]\nmode = \"stripping\"")).await;
    let resolver = dns.resolver_addr();
    for (name, record_type, answers) in [
        ("signed.test.", RecordType::MX, 2),
        (".", RecordType::DNSKEY, 0),
        ("signed.test.", RecordType::DS, 0),
        ("absent.signed.test.", RecordType::MX, 0),
    ] {
        let answer = udp(resolver, name, record_type, DO).await;
        assert_eq!(answer.answers.len(), answers, "{name} {record_type}");
        assert!(answer.all_sections().all(|r| !r.record_type().is_dnssec()), "{name}");
    }
}

#[tokio::test]
async fn servers_differ_refer_and_refuse() {
    let dns = start(
        r#"
        [[zone]]
        name = "stale.test"
        signed = true
        serial = 7
        servers = ["ns1.stale.test", "ns2.stale.test"]
        records = ["@ MX 10 mx", "mx A 198.18.0.1"]
        variants = [
          { server = "ns2.stale.test", serial = 3, records = ["@ MX 10 old"], without = ["mx A"] },
        ]
        "#,
    )
    .await;
    let ask = async |host: &str, name: &str, record_type: RecordType| {
        udp(dns.server_addr(host).unwrap(), name, record_type, PLAIN).await
    };
    for (host, serial, exchange) in
        [("ns1.stale.test", "stale.test. 7 ", "mx."), ("ns2.stale.test", "stale.test. 3 ", "old.")]
    {
        let soa = ask(host, "stale.test.", RecordType::SOA).await;
        assert!(soa.metadata.authoritative && !soa.metadata.recursion_available);
        assert!(soa.answers[0].to_string().contains(serial), "{}", soa.answers[0]);
        let mx = ask(host, "stale.test.", RecordType::MX).await;
        assert!(mx.answers[0].to_string().contains(exchange), "{}", mx.answers[0]);
    }
    let gone = ask("ns2.stale.test", "mx.stale.test.", RecordType::A).await;
    assert_eq!(gone.metadata.response_code, ResponseCode::NXDomain);
    let refused = ask("ns1.stale.test", "other.test.", RecordType::A).await;
    assert_eq!(refused.metadata.response_code, ResponseCode::Refused);
    let referral = ask("ns1.lab-dns.test", "mx.stale.test.", RecordType::A).await;
    assert!(!referral.metadata.authoritative && referral.answers.is_empty());
    assert_eq!((referral.authorities.len(), referral.additionals.len()), (2, 2));
    let ds = ask("ns1.lab-dns.test", "stale.test.", RecordType::DS).await;
    assert_eq!(ds.answers.len(), 1);
}

#[tokio::test]
async fn alias_loops_and_lame_delegations_end() {
    let dns = start(
        r#"
        [[zone]]
        name = "loop.test"
        records = ["a CNAME b", "b CNAME a", "child NS ns.nowhere.example."]

        [[zone]]
        name = "chain.test"
        records = [
          "n0 CNAME n1", "n1 CNAME n2", "n2 CNAME n3", "n3 CNAME n4", "n4 CNAME n5",
          "n5 CNAME n6", "n6 CNAME n7", "n7 CNAME n8", "n8 CNAME n9", "n9 CNAME n10",
          "n10 CNAME n11", "n11 CNAME n12", "n12 CNAME n13", "n13 CNAME n14", "n14 CNAME n15",
          "n15 CNAME n16", "n16 CNAME n17", "n17 A 198.18.0.1",
        ]
        "#,
    )
    .await;
    let looped = udp(dns.resolver_addr(), "a.loop.test.", RecordType::A, PLAIN).await;
    assert_eq!(looped.answers.len(), 2);
    let long = udp(dns.resolver_addr(), "n0.chain.test.", RecordType::A, PLAIN).await;
    assert_eq!(long.answers.len(), CNAME_STEPS_MAX);
    let lame = udp(dns.resolver_addr(), "x.child.loop.test.", RecordType::A, PLAIN).await;
    assert_eq!(lame.metadata.response_code, ResponseCode::ServFail);
    assert_eq!(extended_error(&lame), Some(22));
}

#[tokio::test]
async fn the_log_tells_what_was_asked() {
    let dns = start(WORLD).await;
    udp(dns.resolver_addr(), "Signed.TEST.", RecordType::MX, CD).await;
    tcp(dns.server_addr("ns2.lab-dns.test").unwrap(), "plain.test.", RecordType::A).await.unwrap();
    let expected = [
        ("signed.test.", "MX", "resolver", Transport::Udp, true, true),
        ("plain.test.", "A", "ns2.lab-dns.test.", Transport::Tcp, false, false),
    ];
    let expected =
        expected.map(|(name, record_type, server, transport, cd, dnssec_ok)| LoggedQuery {
            name: name.to_owned(),
            record_type: record_type.to_owned(),
            server: server.to_owned(),
            transport,
            checking_disabled: cd,
            dnssec_ok,
        });
    assert_eq!(dns.queries(), expected);
    dns.clear_queries();
    assert!(dns.queries().is_empty());
}

#[tokio::test]
async fn dropping_the_world_closes_its_sockets() {
    let dns = start(WORLD).await;
    let address = dns.resolver_addr();
    drop(dns);
    // Aborted tasks let go of their sockets at the runtime's next turn.
    let refused = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(5), refused).await.unwrap();
}
