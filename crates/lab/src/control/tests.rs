//! Tests of a whole lab: every scenario of the catalogue started together, asked with plain DNS and sockets.

use std::time::Instant;

use hickory_resolver::proto::rr::RecordType;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::catalogue;

const NOW: i64 = 1_790_000_000;

async fn lab_of(texts: &[(&str, &str)]) -> Result<Lab, LabError> {
    let scenarios: Vec<Scenario> = texts
        .iter()
        .map(|(path, text)| Scenario::parse(path, text).unwrap_or_else(|e| panic!("{e}")))
        .collect();
    Lab::start(&scenarios, LabOptions::at(NOW)).await
}

async fn lookup(lab: &Lab, name: &str, kind: RecordType) -> Vec<String> {
    use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
    let address = lab.world().resolver;
    let mut connection = ConnectionConfig::udp();
    connection.port = address.port();
    let server = NameServerConfig::new(address.ip(), true, vec![connection]);
    let config = ResolverConfig::from_parts(None, vec![], vec![server]);
    let resolver = hickory_resolver::Resolver::builder_with_config(
        config,
        hickory_resolver::net::runtime::TokioRuntimeProvider::default(),
    )
    .build()
    .unwrap();
    let answer = resolver.lookup(format!("{name}."), kind).await;
    let mut texts: Vec<String> = answer
        .map(|answer| answer.answers().iter().map(|record| record.data.to_string()).collect())
        .unwrap_or_default();
    texts.sort();
    texts
}

#[tokio::test]
async fn the_whole_catalogue_lives_in_one_lab() {
    let scenarios = catalogue::all().unwrap();
    let shared: Vec<Scenario> =
        scenarios.into_iter().filter(|scenario| !scenario.options.own_lab).collect();
    let lab = Lab::start(&shared, LabOptions::at(NOW)).await.unwrap();
    let mx = lookup(&lab, "healthy-one-mx.test", RecordType::MX).await;
    assert_eq!(mx, ["10 mx1.healthy-one-mx.test.", "20 mx2.healthy-one-mx.test."]);
    let published = lab.addresses("mx1.healthy-one-mx.test");
    let a = lookup(&lab, "mx1.healthy-one-mx.test", RecordType::A).await;
    assert_eq!(a, [published[0].to_string()]);
    let socket = lab.socket("mx1.healthy-one-mx.test", 25).unwrap();
    assert!(socket.ip().is_loopback());
    let mut greeting = [0u8; 64];
    let count = TcpStream::connect(socket).await.unwrap().read(&mut greeting).await.unwrap();
    assert!(greeting[..count].starts_with(b"220 mx1.healthy-one-mx.test ESMTP lab"));
    assert_eq!(lab.recordings().len(), 1);
    for ((address, _), route) in lab.world().routes {
        let public = match address {
            IpAddr::V4(address) => matches!(address.octets(), [198, 18 | 19, ..]),
            IpAddr::V6(address) => address.segments()[..2] == [0x2001, 0xdb8],
        };
        assert!(public, "{address}");
        if let Route::Socket(socket) = route {
            assert!(socket.ip().is_loopback());
        }
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the start time of the lab itself is what is tested")]
async fn a_lab_starts_fast() {
    let scenarios = catalogue::all().unwrap();
    let begin = Instant::now();
    let _lab = Lab::start(&scenarios[..1], LabOptions::at(NOW)).await.unwrap();
    // The aim is 0.3 s; a busy machine gets three times as much.
    assert!(begin.elapsed().as_millis() < 900, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn closed_unanswered_and_unreachable_ports_are_told_apart() {
    let lab = lab_of(&[(
        "tcp/a",
        "title = 't'\nkind = 'healthy'\n\
         [[host]]\nname = 'mx1'\nmx = 1\nsmtp = [{ state = 'closed' }]\n\
         [[host]]\nname = 'mx2'\nmx = 2\nsmtp = [{ state = 'unanswered' }]\n\
         [[host]]\nname = 'mx3'\nmx = 3\nsmtp = [{ state = 'unreachable' }]\n\
         [[host]]\nname = 'mx4'\nmx = 4\naddresses = ['v4', 'v6']\nsmtp = [{ on = [0] }, { on = [1], state = 'closed' }]\n",
    )])
    .await
    .unwrap();
    let error = TcpStream::connect(lab.socket("mx1.a.test", 25).unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    let route = |host: &str, index: usize| {
        let address = lab.addresses(host)[index];
        lab.world().routes.iter().find(|(key, _)| *key == (address, 25)).unwrap().1
    };
    assert_eq!(route("mx2.a.test", 0), Route::Unanswered);
    assert_eq!(route("mx3.a.test", 0), Route::Unreachable);
    let Route::Socket(open) = route("mx4.a.test", 0) else { panic!() };
    assert!(TcpStream::connect(open).await.is_ok());
    let Route::Socket(closed) = route("mx4.a.test", 1) else { panic!() };
    assert!(TcpStream::connect(closed).await.is_err());
}

#[tokio::test]
async fn records_follow_from_hosts_policy_and_reporting() {
    let lab = lab_of(&[(
        "sts/b",
        "title = 't'\nkind = 'healthy'\n\
         [[host]]\nname = 'mx$'\ncopies = 3\nmx = 10\n\
         [[host]]\nname = 'alias'\nsame_address_as = 'mx1'\nmx = 20\ntlsa = true\n\
         [sts]\nid = 'x1'\n[rpt]\n[dns]\nrecords = ['www A {v4:mx2}', '@ TXT \"domain {domain}\"']\n",
    )])
    .await
    .unwrap();
    assert_eq!(lookup(&lab, "b.test", RecordType::MX).await.len(), 4);
    assert_eq!(lab.addresses("alias.b.test"), lab.addresses("mx1.b.test"));
    let www = lookup(&lab, "www.b.test", RecordType::A).await;
    assert_eq!(www, [lab.addresses("mx2.b.test")[0].to_string()]);
    assert_eq!(lookup(&lab, "_mta-sts.b.test", RecordType::TXT).await, ["v=STSv1; id=x1;"]);
    let rpt = lookup(&lab, "_smtp._tls.b.test", RecordType::TXT).await;
    assert_eq!(rpt, ["v=TLSRPTv1; rua=mailto:tls-reports@b.test"]);
    assert_eq!(lookup(&lab, "b.test", RecordType::TXT).await, ["domain b.test"]);
    assert!(lab.socket("mta-sts.b.test", 443).is_some());
}

#[tokio::test]
async fn issuer_certificates_are_served_over_plain_http() {
    let lab = lab_of(&[]).await.unwrap();
    let published: IpAddr = "198.18.0.10".parse().unwrap();
    let names = lookup(&lab, crate::authority::AIA_HOST, RecordType::A).await;
    assert_eq!(names, [published.to_string()]);
    let world = lab.world();
    let (_, route) = world.routes.iter().find(|(key, _)| *key == (published, 80)).unwrap();
    let Route::Socket(socket) = route else { panic!() };
    let mut tcp = TcpStream::connect(socket).await.unwrap();
    tcp.write_all(b"GET /intermediate.der HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    tcp.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 "));
    let body = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    assert!(x509_parser::parse_x509_certificate(&answer[body..]).is_ok());
}

#[tokio::test]
async fn the_session_folder_goes_with_its_value() {
    let lab = lab_of(&[]).await.unwrap();
    let session = lab.session().unwrap();
    let path = session.path().to_owned();
    assert_eq!(LabParts::read(&path).unwrap(), lab.world());
    assert!(std::fs::read_to_string(path.join("ca.pem")).unwrap().contains("BEGIN CERTIFICATE"));
    drop(session);
    assert!(!path.exists());
    assert!(LabParts::read(&path).is_err());
}

#[tokio::test]
async fn servers_end_with_the_lab() {
    let lab =
        lab_of(&[("healthy/c", "title = 't'\nkind = 'healthy'\n[[host]]\nname = 'mx1'\nmx = 1\n")])
            .await
            .unwrap();
    let socket = lab.socket("mx1.c.test", 25).unwrap();
    let mut open = TcpStream::connect(socket).await.unwrap();
    let mut buffer = [0u8; 100];
    assert!(open.read(&mut buffer).await.unwrap() > 0);
    drop(lab);
    assert!(matches!(open.read(&mut buffer).await, Ok(0) | Err(_)));
    assert!(TcpStream::connect(socket).await.is_err());
}

#[tokio::test]
async fn mistakes_are_named() {
    let cases = [
        ("[dns]\nrecords = ['@ MX']", "d.test. MX"),
        ("[[host]]\nname = 'mx.elsewhere.test.'\nmx = 1", "mx.elsewhere.test"),
        ("[[host]]\nname = 'mx1'\nsmtp = [{ tls = { groups = ['nope'] } }]", "nope"),
    ];
    for (text, wanted) in cases {
        let text = format!("title = 't'\nkind = 'healthy'\n{text}");
        let error = lab_of(&[("healthy/d", &text)]).await.unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
}

#[tokio::test]
async fn distinct_addresses_are_distinct() {
    let text = "title = 't'\nkind = 'healthy'\n[[host]]\nname = 'mx$'\ncopies = 3\nmx = 1\n\
                addresses = ['v4', 'v6']\n";
    let scenario = Scenario::parse("healthy/e", text).unwrap();
    let options = LabOptions { now: NOW, listen: Listen::DistinctAddresses };
    let lab = Lab::start(&[scenario], options).await.unwrap();
    let sockets: std::collections::BTreeSet<IpAddr> = lab
        .world()
        .routes
        .iter()
        .filter(|((address, port), _)| *port == 25 && !address.to_string().ends_with(".0.10"))
        .filter_map(|(_, route)| match route {
            Route::Socket(socket) if socket.ip() != IpAddr::from([127, 0, 0, 1]) => {
                Some(socket.ip())
            }
            Route::Socket(_) | Route::Unanswered | Route::Unreachable => None,
        })
        .collect();
    assert_eq!(sockets.len(), 6, "{sockets:?}");
    assert!(sockets.iter().all(IpAddr::is_loopback));
}
