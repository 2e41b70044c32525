//! Hand-made hellos: what comes back, behind STARTTLS and without it.

use super::fixtures::{Authority, HOST, clear_part, limits, serve, tls_server, world};
use crate::Limits;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use waxseal_check::question::{Answer, HelloQuestion, Peer, Question};
use waxseal_proto::name::DomainName;
use waxseal_proto::observation::{Observation, Reason};
use waxseal_proto::smtp::seen::{SessionEnd, Stage};
use waxseal_proto::tls::hello::{HelloAnswer, HelloPlan};
use waxseal_proto::tls::seen::{Alert, TlsVersion};

async fn hello(server: SocketAddr, plan: HelloPlan, limits: Limits) -> Observation<HelloAnswer> {
    let world = world(&Authority::new(), &[], limits);
    let peer = Peer::Host(DomainName::parse(HOST).unwrap());
    let (address, port) = (server.ip(), server.port());
    let question = Question::Hello(HelloQuestion { peer, address, port, plan });
    let Answer::Hello(answer) = world.answer(&question).await else {
        panic!("another kind of answer");
    };
    answer
}

/// A server whose TLS library answers the hello, behind STARTTLS or at once.
async fn library_server(behind_starttls: &'static [u8]) -> SocketAddr {
    let identity = Authority::new().identity(HOST);
    let acceptor = TlsAcceptor::from(Arc::new(tls_server(&identity, rustls::ALL_VERSIONS)));
    serve(move |mut stream| {
        let acceptor = acceptor.clone();
        async move {
            if !behind_starttls.is_empty() {
                clear_part(&mut stream, behind_starttls).await;
            }
            let _ = acceptor.accept(stream).await;
        }
    })
    .await
}

/// A server that sends `octets` in answer to the hello and closes.
async fn raw_server(octets: &'static [u8]) -> SocketAddr {
    serve(move |mut stream| async move {
        clear_part(&mut stream, b"220 go\r\n").await;
        let mut hello = [0; 4096];
        assert!(stream.read(&mut hello).await.unwrap() > 50);
        stream.write_all(octets).await.unwrap();
        stream.shutdown().await.unwrap();
        let _ = stream.read(&mut hello).await;
    })
    .await
}

#[tokio::test]
async fn a_server_hello_comes_back_behind_starttls_with_its_chain() {
    let server = library_server(b"220 go\r\n").await;
    let answer = hello(server, HelloPlan::Tls12Extensions, limits()).await;
    let Observation::Observed(HelloAnswer::ServerHello(seen)) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(seen.version, Some(TlsVersion::Tls12));
    assert_eq!(seen.chain.len(), 2);
    assert!(seen.extended_master_secret && seen.secure_renegotiation && !seen.compression);
}

#[tokio::test]
async fn tls_from_the_first_octet_needs_no_greeting() {
    let server = library_server(b"").await;
    let answer = hello(server, HelloPlan::ImplicitTls, limits()).await;
    assert!(matches!(answer, Observation::Observed(HelloAnswer::ServerHello(_))), "{answer:?}");
}

#[tokio::test]
async fn what_is_no_server_hello_is_told_apart() {
    for (octets, expected) in [
        (&b"\x15\x03\x03\x00\x02\x02\x28"[..], HelloAnswer::Alert(Alert(40))),
        (b"", HelloAnswer::Closed),
        (b"500 what?\r\n", HelloAnswer::NotTls(b"500 what?\r\n".to_vec())),
    ] {
        let answer = hello(raw_server(octets).await, HelloPlan::AnySuite, limits()).await;
        assert_eq!(answer, Observation::Observed(expected));
    }
}

#[tokio::test]
async fn silence_and_a_lost_way_to_starttls_have_their_own_answers() {
    let silent = serve(|mut stream| async move {
        clear_part(&mut stream, b"220 go\r\n").await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let short = Limits { handshake: Duration::from_millis(150), ..limits() };
    let answer = hello(silent, HelloPlan::OldVersions, short).await;
    assert_eq!(answer, Observation::Observed(HelloAnswer::TimedOut));

    let injecting = serve(|mut stream| async move {
        clear_part(&mut stream, b"220 go\r\n250 evil\r\n").await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let answer = hello(injecting, HelloPlan::AnyGroup, limits()).await;
    let (stage, end) = (Stage::StartTls, SessionEnd::Stopped);
    assert_eq!(answer, Observation::Observed(HelloAnswer::NotReached { stage, end }));

    let turned_away = serve(|mut stream| async move {
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let answer = hello(turned_away, HelloPlan::AnyGroup, limits()).await;
    let (stage, end) = (Stage::Greeting, SessionEnd::Closed);
    assert_eq!(answer, Observation::Observed(HelloAnswer::NotReached { stage, end }));

    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let answer = hello(closed, HelloPlan::AnyGroup, limits()).await;
    assert_eq!(answer, Observation::NotObserved(Reason::RefusedByPeer));
}
