//! Fetches: policies, report addresses, certificates, and what their limits cut off.

use super::fixtures::{Authority, limits, line, serve, tls_server, world};
use crate::limits::BODY_OCTETS_MAX;
use crate::{Limits, World};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsAcceptor;
use waxseal_check::question::{
    Answer, CertificateQuestion, Connect, FetchEnd, PolicyQuestion, Question, ReachQuestion,
};
use waxseal_proto::name::DomainName;
use waxseal_proto::observation::{Observation, Reason};

const POLICY_HOST: &str = "mta-sts.example.com";
const PUBLISHED: &str = "198.51.100.7";

/// An https server that answers every request with these octets and closes.
async fn https_server(authority: &Authority, name: &str, response: Vec<u8>) -> SocketAddr {
    let config = tls_server(&authority.identity(name), rustls::ALL_VERSIONS);
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let response = Arc::new(response);
    serve(move |stream| {
        let (acceptor, response) = (acceptor.clone(), Arc::clone(&response));
        async move {
            let Ok(mut tls) = acceptor.accept(stream).await else { return };
            let request = line(&mut tls).await;
            if request != "GET /.well-known/mta-sts.txt HTTP/1.1" {
                return;
            }
            while !line(&mut tls).await.is_empty() {}
            let _ = tls.write_all(&response).await;
            let _ = tls.shutdown().await;
        }
    })
    .await
}

fn routed(authority: &Authority, server: SocketAddr, limits: Limits) -> World {
    world(authority, &[format!("{POLICY_HOST}={server}")], limits)
}

async fn fetch(world: &World) -> FetchEnd {
    let host = DomainName::parse(POLICY_HOST).unwrap();
    let question = PolicyQuestion { host, addresses: vec![PUBLISHED.parse().unwrap()] };
    let Answer::Policy(end) = world.answer(&Question::Policy(question)).await else {
        panic!("another kind of answer")
    };
    end
}

fn response(head: &str, body: &[u8]) -> Vec<u8> {
    let mut octets =
        format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    octets.extend_from_slice(body);
    octets
}

#[tokio::test]
async fn a_policy_arrives_as_it_was_sent() {
    let authority = Authority::new();
    let body = b"version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n";
    let sent = response("200 OK\r\nContent-Type: text/plain; charset=utf-8", body);
    let server = https_server(&authority, POLICY_HOST, sent).await;
    let FetchEnd::Response(got) = fetch(&routed(&authority, server, limits())).await else {
        panic!("no response");
    };
    assert_eq!((got.status, got.body.as_slice()), (200, &body[..]));
    assert_eq!(got.content_type.as_deref(), Some("text/plain; charset=utf-8"));
    assert_eq!(got.location, None);
}

#[tokio::test]
async fn a_redirect_is_reported_and_not_followed() {
    let authority = Authority::new();
    let sent = response("301 Moved\r\nLocation: https://www.example.com/p", b"");
    let server = https_server(&authority, POLICY_HOST, sent).await;
    let FetchEnd::Response(got) = fetch(&routed(&authority, server, limits())).await else {
        panic!("no response");
    };
    assert_eq!(got.status, 301);
    assert_eq!(got.location.as_deref(), Some("https://www.example.com/p"));
}

#[tokio::test]
async fn the_body_limit_bites_at_one_octet_more() {
    let authority = Authority::new();
    for (length, fits) in [(BODY_OCTETS_MAX, true), (BODY_OCTETS_MAX + 1, false)] {
        let sent = response("200 OK", &vec![b'x'; length]);
        let server = https_server(&authority, POLICY_HOST, sent).await;
        let end = fetch(&routed(&authority, server, limits())).await;
        assert_eq!(matches!(end, FetchEnd::Response(_)), fits);
        assert_eq!(end == FetchEnd::TooLarge, !fits);
    }
}

#[tokio::test]
async fn a_response_that_is_no_http_keeps_the_library_s_word() {
    let authority = Authority::new();
    let long_header = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    for sent in [
        b"220 mail\r\n\r\n".to_vec(),
        long_header.into_bytes(),
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort".to_vec(),
    ] {
        let server = https_server(&authority, POLICY_HOST, sent).await;
        let end = fetch(&routed(&authority, server, limits())).await;
        assert!(matches!(end, FetchEnd::HttpMalformed(ref word) if !word.is_empty()), "{end:?}");
    }
}

#[tokio::test]
async fn waiting_for_our_own_turn_is_not_the_peers_slowness() {
    let authority = Authority::new();
    let server = https_server(&authority, POLICY_HOST, response("200 OK", b"x")).await;
    let total = Duration::from_secs(2);
    let world = routed(&authority, server, Limits { fetch_total: total, ..limits() });
    let turn = world.budget().enter(PUBLISHED.parse().unwrap()).await;
    let mut fetching = std::pin::pin!(fetch(&world));
    let early = tokio::time::timeout(total + Duration::from_millis(100), &mut fetching).await;
    assert!(early.is_err(), "{early:?}");
    drop(turn);
    assert!(matches!(fetching.await, FetchEnd::Response(_)));
}

#[tokio::test]
async fn a_slow_policy_host_ends_at_the_limit() {
    let authority = Authority::new();
    let config = tls_server(&authority.identity(POLICY_HOST), rustls::ALL_VERSIONS);
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let server = serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut tls) = acceptor.accept(stream).await else { return };
            while !line(&mut tls).await.is_empty() {}
            let _ = line(&mut tls).await;
        }
    })
    .await;
    let short = Limits { fetch_total: Duration::from_millis(300), ..limits() };
    assert_eq!(fetch(&routed(&authority, server, short)).await, FetchEnd::TooSlow);
}

#[tokio::test]
async fn no_request_leaves_over_an_unverified_session_and_the_chain_is_kept() {
    let ours = Authority::new();
    let theirs = Authority::new();
    for (authority, name) in [(&theirs, POLICY_HOST), (&ours, "www.example.com")] {
        let server = https_server(authority, name, response("200 OK", b"")).await;
        let end = fetch(&routed(&ours, server, limits())).await;
        let FetchEnd::TlsRefused(seen) = end else { panic!("{end:?}") };
        assert_eq!(seen.chain.seen().unwrap().len(), 2);
    }
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_does_not_connect() {
    let authority = Authority::new();
    let server = https_server(&authority, POLICY_HOST, response("200 OK", b"")).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let rules = [format!("192.0.2.1:443={closed}"), format!("192.0.2.2:443={server}")];
    let world = world(&authority, &rules, limits());
    let host = DomainName::parse(POLICY_HOST).unwrap();
    let ask = |addresses: &[&str]| {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        Question::Policy(PolicyQuestion { host: host.clone(), addresses })
    };
    let both = world.answer(&ask(&["192.0.2.1", "192.0.2.2"])).await;
    assert!(matches!(both, Answer::Policy(FetchEnd::Response(_))), "{both:?}");
    let none = world.answer(&ask(&["192.0.2.1"])).await;
    assert_eq!(none, Answer::Policy(FetchEnd::NotConnected(Connect::Refused)));
}

#[tokio::test]
async fn reaching_a_report_address_sends_nothing_inside() {
    let authority = Authority::new();
    let server = https_server(&authority, "rua.example.com", Vec::new()).await;
    let world = world(&authority, &[format!("rua.example.com:8443={server}")], limits());
    let question = ReachQuestion {
        host: DomainName::parse("rua.example.com").unwrap(),
        port: 8443,
        addresses: vec![PUBLISHED.parse().unwrap()],
    };
    let answer = world.answer(&Question::Reach(question)).await;
    assert_eq!(answer, Answer::Reach(FetchEnd::TlsEstablished));
}

#[tokio::test]
async fn a_certificate_is_downloaded_in_clear_and_only_on_200() {
    let authority = Authority::new();
    for (head, expected) in [
        ("200 OK", Observation::Observed(b"\x30\x82".to_vec())),
        ("404 Not Found", Observation::NotObserved(Reason::RefusedByPeer)),
        ("302 Found\r\nLocation: http://x/", Observation::NotObserved(Reason::RefusedByPeer)),
    ] {
        let sent = Arc::new(response(head, b"\x30\x82"));
        let server = serve(move |mut stream| {
            let sent = Arc::clone(&sent);
            async move {
                assert_eq!(line(&mut stream).await, "GET /ca.der?x=1 HTTP/1.1");
                assert_eq!(line(&mut stream).await, "host: ca.example.com:8080");
                while !line(&mut stream).await.is_empty() {}
                stream.write_all(&sent).await.unwrap();
            }
        })
        .await;
        let world = world(&authority, &[format!("ca.example.com={server}")], limits());
        let question = CertificateQuestion {
            host: DomainName::parse("ca.example.com").unwrap(),
            port: 8080,
            path: "/ca.der?x=1".to_owned(),
            addresses: vec![PUBLISHED.parse().unwrap()],
        };
        let answer = world.answer(&Question::Certificate(question)).await;
        assert_eq!(answer, Answer::Certificate(expected), "{head}");
    }
}

#[tokio::test]
async fn a_report_address_cannot_send_us_to_a_system_port() {
    let authority = Authority::new();
    let server = https_server(&authority, "rua.example.com", Vec::new()).await;
    let world = world(&authority, &[format!("rua.example.com={server}")], limits());
    let question = ReachQuestion {
        host: DomainName::parse("rua.example.com").unwrap(),
        port: 22,
        addresses: vec![PUBLISHED.parse().unwrap()],
    };
    let answer = world.answer(&Question::Reach(question)).await;
    assert_eq!(answer, Answer::Reach(FetchEnd::NotConnected(Connect::GuardRefused)));
}

#[tokio::test]
async fn without_permission_nothing_private_is_reached() {
    let authority = Authority::new();
    let server = https_server(&authority, POLICY_HOST, response("200 OK", b"")).await;
    let simulation = crate::Simulation {
        zone_file: Some(crate::ZoneFile::default()),
        connect: vec![format!("{POLICY_HOST}={server}").parse().unwrap()],
        ..crate::Simulation::default()
    };
    let world = World::real(crate::Settings { simulation, ..crate::Settings::default() }).unwrap();
    assert_eq!(fetch(&world).await, FetchEnd::NotConnected(Connect::GuardRefused));
}
