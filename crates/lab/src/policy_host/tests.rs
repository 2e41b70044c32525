//! Tests of the web hosts with plain sockets and a plain TLS client.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::authority::Authority;
use crate::tls::Place;

const NOW: i64 = 1_790_000_000;
const HOST: &str = "mta-sts.a.test";
const PATH: &str = "/.well-known/mta-sts.txt";

async fn start(toml: &str) -> (SocketAddr, Recorder, rustls::RootCertStore) {
    let behaviour: WebBehaviour = toml::from_str(toml).unwrap_or_else(|e| panic!("{e}\n{toml}"));
    let authority = Authority::new(NOW).unwrap();
    let place = Place { host: HOST, address: 0, now: NOW };
    let tls = if behaviour.plain {
        None
    } else {
        Some(TlsSide::new(&behaviour.tls, &authority, place).unwrap())
    };
    let recorder = Recorder::default();
    let server = WebServer {
        host: HOST.into(),
        published: Ipv4Addr::new(198, 19, 0, 1).into(),
        port: 443,
        behaviour,
        documents: vec![("/a.der".into(), vec![0x30, 0xff])],
        tls,
        recorder: recorder.clone(),
        connections: AtomicUsize::new(0),
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(Arc::new(server).serve(listener));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority.root_der()).unwrap();
    (address, recorder, roots)
}

/// The whole answer to one plain request.
async fn get(address: SocketAddr, path: &str) -> Vec<u8> {
    let mut tcp = TcpStream::connect(address).await.unwrap();
    tcp.write_all(format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A reset ends the answer too.
    let _ = tcp.read_to_end(&mut answer).await;
    answer
}

#[tokio::test]
async fn answers_are_what_the_scenario_says() {
    let cases: [(&str, &str, &str); 8] = [
        (
            "body = 'hi'",
            "HTTP/1.1 200 Lab\r\n",
            "Content-Type: text/plain|Content-Length: 2|\r\n\r\nhi",
        ),
        ("status = 404", "HTTP/1.1 404 ", ""),
        (
            "status = 301\nheaders = { Location = 'https://b.test/' }",
            "HTTP/1.1 301 ",
            "Location: https://b.test/",
        ),
        ("content_type = 'text/html'", "HTTP/1.1 200 ", "Content-Type: text/html"),
        ("body = 'hello'\nframing = 'chunked'", "HTTP/1.1 200 ", "\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        ("body = 'hello'\nframing = 'too-long'", "HTTP/1.1 200 ", "Content-Length: 1005|hello"),
        ("body = 'ab'\ndrip_ms = 1", "HTTP/1.1 200 ", "\r\n\r\nab"),
        ("body = 'x'\nend = 'reset'", "", ""),
    ];
    for (response, start_line, parts) in cases {
        let toml = format!("plain = true\n[paths.'{PATH}']\n{response}");
        let (address, _, _) = start(&toml).await;
        let answer = String::from_utf8_lossy(&get(address, PATH).await).into_owned();
        assert!(answer.starts_with(start_line), "{response}: {answer}");
        for part in parts.split('|') {
            assert!(answer.contains(part), "{response}: {part:?} not in {answer}");
        }
    }
}

#[tokio::test]
async fn large_and_odd_bodies_come_whole() {
    let toml = format!("plain = true\n[paths.'{PATH}']\nbody_hex = 'efbbbf'\nfill_bytes = 1000000");
    let (address, _, _) = start(&toml).await;
    let answer = get(address, PATH).await;
    let body = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(answer.len() - body, 1_000_003);
    assert_eq!(answer[body..body + 4], [0xef, 0xbb, 0xbf, b'a']);
    assert!(get(address, "/a.der").await.ends_with(&[0x30, 0xff]));
    assert!(get(address, "/else").await.starts_with(b"HTTP/1.1 404 "));
}

#[tokio::test]
async fn silence_lasts_until_the_client_leaves() {
    let toml = format!("plain = true\n[paths.'{PATH}']\nend = 'silent'");
    let (address, recorder, _) = start(&toml).await;
    let mut tcp = TcpStream::connect(address).await.unwrap();
    tcp.write_all(format!("GET {PATH} HTTP/1.1\r\n\r\n").as_bytes()).await.unwrap();
    tcp.shutdown().await.unwrap();
    assert_eq!(tcp.read(&mut [0; 8]).await.unwrap(), 0);
    assert_eq!(recorder.recordings()[0].clear_lines()[0], format!("GET {PATH} HTTP/1.1"));
    assert_eq!(recorder.most_open(), 0, "web connections are not mail connections");
}

#[tokio::test]
async fn policies_come_over_tls_with_the_certificate_asked_for() {
    use rustls::pki_types::ServerName;
    for (recipe, works) in [("", true), ("tls.certificate.names = ['other.test']", false)] {
        let toml = format!("{recipe}\n[paths.'{PATH}']\nbody = 'version: STSv1'");
        let (address, recorder, roots) = start(&toml).await;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = rustls::client::WebPkiServerVerifier::builder_with_provider(
            Arc::new(roots.clone()),
            Arc::clone(&provider),
        )
        .build()
        .unwrap();
        let config = rustls::ClientConfig::builder_with_details(provider, Arc::new(AtNow))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_webpki_verifier(verifier)
            .with_no_client_auth();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        let tcp = TcpStream::connect(address).await.unwrap();
        let outcome = connector.connect(ServerName::try_from(HOST).unwrap(), tcp).await;
        assert_eq!(outcome.is_ok(), works, "{recipe}");
        let Ok(mut tls) = outcome else { continue };
        tls.write_all(format!("GET {PATH} HTTP/1.1\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        tls.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("\r\n\r\nversion: STSv1"));
        assert_eq!(recorder.recordings()[0].server_name.as_deref(), Some(HOST));
    }
}

#[derive(Debug)]
struct AtNow;

impl rustls::time_provider::TimeProvider for AtNow {
    fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
        let since = Duration::from_secs(NOW.cast_unsigned());
        Some(rustls::pki_types::UnixTime::since_unix_epoch(since))
    }
}
