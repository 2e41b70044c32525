//! Tests of the scripted servers with plain sockets and a plain TLS client.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

mod submission;

use super::*;
use crate::authority::Authority;
use crate::tls::Place;

const NOW: i64 = 1_790_000_000;
const HOST: &str = "mx1.a.test";

/// A running server and what a client needs to speak with it.
struct Fixture {
    address: SocketAddr,
    recorder: Recorder,
    roots: rustls::RootCertStore,
}

async fn start(toml: &str) -> Fixture {
    let mut behaviour: SmtpBehaviour =
        toml::from_str(toml).unwrap_or_else(|e| panic!("{e}\n{toml}"));
    if let Some(service) = &mut behaviour.submission {
        service.settle("a.test");
    }
    let authority = Authority::new(NOW).unwrap();
    let place = Place { host: HOST, address: 0, now: NOW };
    let tls = TlsSide::new(&behaviour.tls, &authority, place).unwrap();
    let recorder = Recorder::default();
    let server = MailServer {
        host: HOST.into(),
        published: Ipv4Addr::new(198, 19, 0, 1).into(),
        port: 25,
        behaviour,
        tls,
        recorder: recorder.clone(),
        connections: Arc::default(),
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(Arc::new(server).serve(listener));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority.root_der()).unwrap();
    Fixture { address, recorder, roots }
}

#[derive(Debug)]
struct NowProvider;

impl rustls::time_provider::TimeProvider for NowProvider {
    fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
        let since = std::time::Duration::from_secs(NOW as u64);
        Some(rustls::pki_types::UnixTime::since_unix_epoch(since))
    }
}

impl Fixture {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    fn connector(&self, versions: &[&'static rustls::SupportedProtocolVersion]) -> TlsConnector {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_details(provider, Arc::new(NowProvider))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        TlsConnector::from(Arc::new(config))
    }

    /// Greeting, EHLO, STARTTLS, handshake with these versions; the error as text.
    async fn upgrade(
        &self,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Result<tokio_rustls::client::TlsStream<TcpStream>, String> {
        let mut tcp = self.connect().await;
        expect(&mut tcp, "220 ").await;
        tcp.write_all(b"EHLO probe.test\r\n").await.unwrap();
        expect(&mut tcp, "250-mx1.a.test").await;
        tcp.write_all(b"STARTTLS\r\n").await.unwrap();
        expect(&mut tcp, "220 ").await;
        let name = ServerName::try_from(HOST).unwrap();
        self.connector(versions).connect(name, tcp).await.map_err(|error| error.to_string())
    }
}

/// Reads once and asserts how the text begins.
async fn expect<S: tokio::io::AsyncRead + Unpin>(stream: &mut S, start: &str) -> String {
    let mut buffer = [0u8; 8192];
    let count = stream.read(&mut buffer).await.unwrap();
    let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
    assert!(text.starts_with(start), "{text:?} does not start with {start:?}");
    text
}

async fn everything(stream: &mut TcpStream) -> Vec<u8> {
    let mut out = Vec::new();
    // A reset ends the text too.
    let _ = stream.read_to_end(&mut out).await;
    out
}

const BOTH: &[&rustls::SupportedProtocolVersion] =
    &[&rustls::version::TLS12, &rustls::version::TLS13];

#[tokio::test]
async fn a_whole_session_is_served_and_recorded() {
    let fixture = start("").await;
    let mut tls = fixture.upgrade(BOTH).await.unwrap();
    tls.write_all(b"EHLO probe.test\r\n").await.unwrap();
    let second = expect(&mut tls, "250-mx1.a.test").await;
    assert!(!second.contains("STARTTLS"));
    tls.write_all(b"MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\n").await.unwrap();
    let mut replies = expect(&mut tls, "250 2.1.0").await;
    while !replies.contains("550 5.7.1") {
        replies += &expect(&mut tls, "").await;
    }
    tls.write_all(b"QUIT\r\n").await.unwrap();
    expect(&mut tls, "221 ").await;
    assert_eq!(tls.read(&mut [0; 16]).await.unwrap(), 0, "close_notify came");
    let recordings = fixture.recorder.recordings();
    let [recording] = recordings.as_slice() else { panic!("{recordings:?}") };
    assert_eq!(recording.clear_lines(), ["EHLO probe.test", "STARTTLS"]);
    assert_eq!(
        recording.tls_commands,
        ["EHLO probe.test", "MAIL FROM:<>", "RCPT TO:<a@b.test>", "QUIT"]
    );
    assert_eq!(recording.server_name.as_deref(), Some(HOST));
    assert!(recording.tls_completed);
    assert_eq!(fixture.recorder.most_open(), 1);
}

#[tokio::test]
async fn greetings_are_sent_as_written() {
    let cases: [(&str, &[u8]); 9] = [
        ("greeting = '421 4.3.2 try later'", b"421 4.3.2 try later\r\n"),
        ("greeting = ['close']", b""),
        ("greeting = ['reset']", b""),
        ("greeting = [{ send = 'SSH-2.0-x' }, 'close']", b"SSH-2.0-x"),
        ("greeting = [{ send = \"220-hi\\r\\n250 ok\\n\" }, 'close']", b"220-hi\r\n250 ok\n"),
        ("greeting = [{ drip = { text = '220', pause_ms = 1 } }, 'close']", b"220"),
        ("greeting = [{ send_hex = '00 1b 5b' }, 'close']", b"\0\x1b["),
        ("greeting = [{ repeat = { text = 'ab', times = 3 } }, 'close']", b"ababab"),
        ("greeting = [{ fill = { text = 'xy', bytes = 5 } }, 'close']", b"xyxyx"),
    ];
    for (toml, wanted) in cases {
        let fixture = start(toml).await;
        assert_eq!(everything(&mut fixture.connect().await).await, wanted, "{toml}");
    }
}

#[tokio::test]
async fn a_reset_is_a_reset_and_a_close_is_a_close() {
    let fixture = start("greeting = ['reset']").await;
    let error = fixture.connect().await.read(&mut [0; 8]).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    let fixture = start("greeting = ['close']").await;
    assert_eq!(fixture.connect().await.read(&mut [0; 8]).await.unwrap(), 0);
}

#[tokio::test]
async fn the_third_connection_of_two_is_turned_away() {
    let fixture = start("limit = { accepts = 2, then = '421 4.7.0 too many' }").await;
    let (mut one, mut two) = (fixture.connect().await, fixture.connect().await);
    expect(&mut one, "220 ").await;
    expect(&mut two, "220 ").await;
    assert_eq!(fixture.recorder.most_open(), 2);
    assert_eq!(fixture.recorder.most_open_to(Ipv4Addr::new(198, 19, 0, 1).into()), 2);
    assert_eq!(fixture.recorder.most_open_to(Ipv4Addr::new(198, 19, 0, 2).into()), 0);
    expect(&mut fixture.connect().await, "421 4.7.0 too many").await;
}

#[tokio::test]
async fn octets_behind_the_upgrade_reply_come_in_clear() {
    let fixture =
        start("replies.starttls = [{ send = \"220 go\\r\\n250 injected\\r\\n\" }, 'tls']").await;
    let mut tcp = fixture.connect().await;
    expect(&mut tcp, "220 ").await;
    tcp.write_all(b"STARTTLS\r\n").await.unwrap();
    assert_eq!(expect(&mut tcp, "220 go").await, "220 go\r\n250 injected\r\n");
    let name = ServerName::try_from(HOST).unwrap();
    let tls = fixture.connector(BOTH).connect(name, tcp).await;
    assert!(tls.is_ok(), "the handshake follows");
}

#[tokio::test]
async fn tls_faults_show_as_the_client_sees_them() {
    let cases: [(&str, &str); 12] = [
        ("tls.certificate.not_after_days = -1", "Expired"),
        ("tls.certificate.names = ['other.test']", "not valid for"),
        ("tls.certificate.wrong_key = true", "BadSignature"),
        ("tls.certificate.key = 'rsa1024'", "BadSignature|Unsupported|InvalidCertificate"),
        ("[[tls.script]]\nthen = [{ alert = 40 }]", "HandshakeFailure"),
        ("[[tls.script]]\nthen = [{ alert = 80 }]", "InternalError"),
        ("[[tls.script]]\nthen = ['close']", "eof"),
        ("[[tls.script]]\nthen = ['reset']", "reset"),
        ("[[tls.script]]\nwhen.longer_than = 1000\nthen = ['reset']", "reset"),
        ("[[tls.script]]\nthen = [{ send_hex = '160303ffff' }, 'close']", "message|eof|large"),
        (
            "[[tls.script]]\nthen = [{ server_hello = { truncated = true } }, 'close']",
            "message|eof",
        ),
        ("tls.client_certificate = true", "CertificateRequired"),
    ];
    for (toml, wanted) in cases {
        let fixture = start(toml).await;
        let mut outcome = fixture.upgrade(BOTH).await;
        if let Ok(tls) = &mut outcome {
            outcome = match tls.read(&mut [0; 8]).await {
                Err(error) => Err(error.to_string()),
                Ok(_) => panic!("{toml}: the session works"),
            };
        }
        let error = outcome.unwrap_err();
        assert!(
            wanted.split('|').any(|word| error.to_lowercase().contains(&word.to_lowercase())),
            "{toml}: {error}"
        );
    }
}

#[tokio::test]
async fn limits_of_the_full_server_hold() {
    let fixture = start("tls.versions = ['1.2']\ntls.groups = ['secp384r1']").await;
    let tls = fixture.upgrade(BOTH).await.unwrap();
    assert_eq!(tls.get_ref().1.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_2));
    let group = tls.get_ref().1.negotiated_key_exchange_group().unwrap().name();
    assert_eq!(group, rustls::NamedGroup::secp384r1);

    let fixture = start("tls.suites = ['TLS_AES_256_GCM_SHA384']\ntls.versions = ['1.3']").await;
    let tls = fixture.upgrade(BOTH).await.unwrap();
    let suite = tls.get_ref().1.negotiated_cipher_suite().unwrap().suite();
    assert_eq!(suite, rustls::CipherSuite::TLS13_AES_256_GCM_SHA384);

    let fixture = start("[[tls.script]]\nwhen.with_version = '1.3'\nthen = [{ alert = 70 }]").await;
    assert!(fixture.upgrade(BOTH).await.unwrap_err().contains("ProtocolVersion"));
    assert!(fixture.upgrade(&[&rustls::version::TLS12]).await.is_ok());
}

#[tokio::test]
async fn old_tls_completes_by_hand_where_a_client_still_takes_it() {
    let only_old = |settings: &str, key: &str| {
        format!(
            "tls.certificate.key = '{key}'\n[[tls.script]]\nthen = [{{ old_tls = {{ {settings} }} }}]"
        )
    };
    for (settings, key) in [
        ("extended_master_secret = false", "ecdsa-p256"),
        ("renegotiation_info = false", "rsa2048"),
        ("extended_master_secret = true", "rsa2048"),
    ] {
        let fixture = start(&only_old(settings, key)).await;
        let mut tls = fixture.upgrade(BOTH).await.unwrap_or_else(|e| panic!("{settings}: {e}"));
        tls.write_all(b"EHLO probe.test\r\nQUIT\r\n").await.unwrap();
        let mut text = expect(&mut tls, "250-mx1.a.test").await;
        while !text.contains("221 ") {
            text += &expect(&mut tls, "").await;
        }
        assert_eq!(tls.read(&mut [0; 8]).await.unwrap(), 0, "close_notify came");
        assert!(fixture.recorder.recordings()[0].tls_completed);
    }
    for settings in ["exchange = 'static-rsa'", "exchange = 'dhe1024'", "exchange = 'anonymous'"] {
        let fixture = start(&only_old(settings, "rsa2048")).await;
        assert!(fixture.upgrade(BOTH).await.unwrap_err().contains("HandshakeFailure"));
    }
    let fixture = start(&only_old("sign_with_sha1 = true", "rsa2048")).await;
    assert!(fixture.upgrade(BOTH).await.is_err());
}

/// The same exchanges against an independent client that still speaks them.
#[tokio::test(flavor = "multi_thread")]
async fn old_key_exchanges_complete_with_openssl() {
    for (settings, cipher, wanted) in [
        ("exchange = 'static-rsa'", "AES128-GCM-SHA256", "AES128-GCM-SHA256"),
        ("exchange = 'dhe2048'", "DHE-RSA-AES128-GCM-SHA256", "DH, 2048 bits"),
        ("exchange = 'dhe1024'", "DHE-RSA-AES128-GCM-SHA256", "DH, 1024 bits"),
        ("exchange = 'anonymous'", "ADH-AES128-GCM-SHA256", "ADH-AES128-GCM-SHA256"),
        ("extended_master_secret = false", "ECDHE-RSA-AES128-GCM-SHA256", "master secret: no"),
    ] {
        let fixture = start(&format!(
            "tls.certificate.key = 'rsa2048'\n[[tls.script]]\nthen = [{{ old_tls = {{ {settings} }} }}]"
        ))
        .await;
        let output = tokio::process::Command::new("openssl")
            .args(["s_client", "-starttls", "smtp", "-tls1_2", "-connect"])
            .arg(fixture.address.to_string())
            .args(["-cipher", &format!("{cipher}:@SECLEVEL=0")])
            .stdin(std::process::Stdio::null())
            .output()
            .await
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains(wanted), "{settings}: {text}");
        assert!(fixture.recorder.recordings()[0].tls_completed, "{settings}: {text}");
    }
}

#[tokio::test]
async fn implicit_tls_greets_inside() {
    let fixture = start("implicit_tls = true").await;
    let tcp = fixture.connect().await;
    let name = ServerName::try_from(HOST).unwrap();
    let mut tls = fixture.connector(BOTH).connect(name, tcp).await.unwrap();
    expect(&mut tls, "220 mx1.a.test").await;
}

#[tokio::test]
async fn everything_can_be_refused_inside_tls() {
    let fixture = start("everything_after_tls = '554 5.7.1 lack of security'").await;
    let mut tls = fixture.upgrade(BOTH).await.unwrap();
    tls.write_all(b"EHLO probe.test\r\n").await.unwrap();
    expect(&mut tls, "554 5.7.1").await;
    tls.write_all(b"QUIT\r\n").await.unwrap();
    expect(&mut tls, "221 ").await;
}

#[test]
fn misspelt_fields_are_named() {
    for (toml, name) in [
        ("greetings = '220'", "greetings"),
        ("[tls]\nversion = ['1.2']", "version"),
        ("[[tls.script]]\nwhen.with_sni = true\nthen = []", "with_sni"),
    ] {
        let error = toml::from_str::<SmtpBehaviour>(toml).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    }
}
