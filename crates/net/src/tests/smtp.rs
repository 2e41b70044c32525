//! Probe sessions: every way a handshake ends, injection, timings, what is offered.

use super::fixtures::{
    Authority, HOST, Identity, clear_part, limits, line, serve, tls_server,
    tls_server_with_client_auth, world,
};
use crate::{Limits, World};
use rustls::ServerConfig;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use waxseal_check::question::{Answer, Connect, Peer, ProbeQuestion, ProbeSeen, Question};
use waxseal_proto::name::DomainName;
use waxseal_proto::observation::{Observation, Reason};
use waxseal_proto::smtp::seen::{SessionEnd, Stage};
use waxseal_proto::tls::hello::NamedGroup;
use waxseal_proto::tls::seen::{
    Alert, HandshakeEnd, HandshakeFailure, HandshakeSeen, Offer, TlsVersion,
};

fn peer() -> Peer {
    Peer::Host(DomainName::parse(HOST).unwrap())
}

async fn probe(world: &World, server: SocketAddr, offer: Offer) -> ProbeSeen {
    let question = ProbeQuestion { peer: peer(), address: server.ip(), port: server.port(), offer };
    let Answer::Probe(seen) = world.answer(&Question::Probe(question)).await else {
        panic!("another kind of answer")
    };
    seen
}

fn handshake(seen: &ProbeSeen) -> HandshakeSeen {
    seen.session.seen().unwrap().handshake.seen().unwrap().clone()
}

/// A well-behaved server with TLS; says good-bye inside TLS and notes the lines it got there.
async fn good_server(config: ServerConfig, inside: Arc<Mutex<Vec<String>>>) -> SocketAddr {
    let acceptor = TlsAcceptor::from(Arc::new(config));
    serve(move |mut stream| {
        let (acceptor, inside) = (acceptor.clone(), Arc::clone(&inside));
        async move {
            clear_part(&mut stream, b"220 go\r\n").await;
            let Ok(mut tls) = acceptor.accept(stream).await else { return };
            loop {
                let command = line(&mut tls).await;
                inside.lock().unwrap().push(command.clone());
                let reply: &[u8] = match command.split(' ').next() {
                    Some("EHLO") => b"250-mx.example.com\r\n250 SIZE 1000\r\n",
                    Some("QUIT") => b"221 bye\r\n",
                    _ => return,
                };
                tls.write_all(reply).await.unwrap();
                tls.flush().await.unwrap();
                if command == "QUIT" {
                    tls.shutdown().await.unwrap();
                    return;
                }
            }
        }
    })
    .await
}

/// A server that sends `octets` once the ClientHello came, then does `after`.
async fn raw_server(octets: &'static [u8], after: After) -> SocketAddr {
    serve(move |mut stream| async move {
        clear_part(&mut stream, b"220 go\r\n").await;
        let mut hello = [0; 2048];
        let count = stream.read(&mut hello).await.unwrap();
        assert!(hello.starts_with(&[22, 3, 1]) && count > 100);
        stream.write_all(octets).await.unwrap();
        match after {
            After::Close => {
                // Everything is read first: closing on unread octets would reset.
                let mut rest = [0; 4096];
                stream.shutdown().await.unwrap();
                while stream.read(&mut rest).await.unwrap_or(0) > 0 {}
            }
            After::Reset => stream.set_zero_linger().unwrap(),
            After::Silence => {
                let mut rest = Vec::new();
                let _ = stream.read_to_end(&mut rest).await;
            }
        }
    })
    .await
}

/// A ServerHello that chooses TLS 1.1.
const OLD: &[u8] = b"\x16\x03\x02\x00\x2a\x02\x00\x00\x26\x03\x02\
    0123456789abcdef0123456789abcdef\x00\xc0\x13\x00";

#[derive(Clone, Copy)]
enum After {
    Close,
    Reset,
    Silence,
}

async fn failure_of(server: SocketAddr, limits: Limits) -> HandshakeFailure {
    let authority = Authority::new();
    let seen = probe(&world(&authority, &[], limits), server, Offer::Standard).await;
    assert_eq!(seen.connect, Connect::Connected);
    match handshake(&seen).end {
        HandshakeEnd::Failed(failure) => failure,
        HandshakeEnd::Completed(session) => panic!("{session:?}"),
    }
}

#[tokio::test]
async fn a_good_server_is_seen_whole() {
    let authority = Authority::new();
    let config = tls_server(&authority.identity(HOST), &[&rustls::version::TLS13]);
    let inside = Arc::default();
    let server = good_server(config, Arc::clone(&inside)).await;
    let seen = probe(&world(&authority, &[], limits()), server, Offer::Standard).await;
    let session = seen.session.seen().unwrap();
    assert_eq!((session.stage, &session.end), (Stage::Quit, &SessionEnd::Complete));
    assert_eq!(session.close_notify, Observation::Observed(true));
    assert!(session.ehlo_after_tls.seen().is_some());
    assert_eq!(session.injected, b"");
    let handshake = handshake(&seen);
    let HandshakeEnd::Completed(tls) = &handshake.end else { panic!("{handshake:?}") };
    assert_eq!(tls.version, TlsVersion::Tls13);
    assert_eq!(tls.group, Some(NamedGroup(0x11ec)), "X25519MLKEM768");
    assert_eq!(handshake.chain.seen().unwrap().len(), 2);
    assert!(!handshake.certificate_requested);
    let stages: Vec<Stage> = seen.timings.iter().map(|(stage, _)| *stage).collect();
    assert_eq!(
        stages,
        [
            Stage::Connect,
            Stage::Greeting,
            Stage::Ehlo,
            Stage::StartTls,
            Stage::Handshake,
            Stage::EhloAfterTls,
            Stage::Quit
        ]
    );
    assert_eq!(inside.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn the_small_hello_leaves_the_hybrid_group_out() {
    let authority = Authority::new();
    let config = tls_server(&authority.identity(HOST), rustls::ALL_VERSIONS);
    let server = good_server(config, Arc::default()).await;
    let seen = probe(&world(&authority, &[], limits()), server, Offer::SmallHello).await;
    let HandshakeEnd::Completed(tls) = handshake(&seen).end else { panic!("{seen:?}") };
    assert_eq!(tls.group, Some(NamedGroup(0x001d)), "X25519");
}

#[tokio::test]
async fn the_server_name_is_sent_only_when_it_is_offered() {
    let authority = Authority::new();
    for (offer, expected) in [(Offer::Standard, Some(HOST.to_owned())), (Offer::WithoutSni, None)] {
        let names = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&names);
        let server = serve(move |mut stream: TcpStream| {
            let heard = Arc::clone(&heard);
            async move {
                clear_part(&mut stream, b"220 go\r\n").await;
                let acceptor = tokio_rustls::LazyConfigAcceptor::new(
                    rustls::server::Acceptor::default(),
                    stream,
                );
                let start = acceptor.await.unwrap();
                let name = start.client_hello().server_name().map(str::to_owned);
                heard.lock().unwrap().push(name);
            }
        })
        .await;
        let seen = probe(&world(&authority, &[], limits()), server, offer).await;
        assert!(matches!(handshake(&seen).end, HandshakeEnd::Failed(_)));
        assert_eq!(*names.lock().unwrap(), [expected]);
    }
}

#[tokio::test]
async fn an_unverified_certificate_is_seen_and_answered_by_quit_alone() {
    let ours = Authority::new();
    let theirs = Authority::new();
    for (identity, version) in [
        (theirs.identity(HOST), &rustls::version::TLS12),
        (ours.identity("other.example.com"), &rustls::version::TLS13),
    ] {
        let inside: Arc<Mutex<Vec<String>>> = Arc::default();
        let config = tls_server(&identity, &[version]);
        let server = good_server(config, Arc::clone(&inside)).await;
        let seen = probe(&world(&ours, &[], limits()), server, Offer::Standard).await;
        let session = seen.session.seen().unwrap();
        assert_eq!(session.ehlo_after_tls, Observation::NotObserved(Reason::Unverified));
        assert_eq!(*inside.lock().unwrap(), ["QUIT"]);
        let chain = handshake(&seen).chain;
        let leaf = chain.seen().and_then(|chain| chain.first().cloned()).unwrap();
        assert_eq!(leaf, identity.chain[0].as_ref());
    }
}

#[tokio::test]
async fn the_chain_is_kept_when_the_signature_fails_after_it() {
    let authority = Authority::new();
    let shown = authority.identity(HOST);
    let impostor = Identity { chain: shown.chain.clone(), key: authority.identity(HOST).key };
    let config = tls_server(&impostor, &[&rustls::version::TLS13]);
    let server = good_server(config, Arc::default()).await;
    let seen = probe(&world(&authority, &[], limits()), server, Offer::Standard).await;
    let handshake = handshake(&seen);
    assert_eq!(handshake.chain.seen().unwrap().len(), 2);
    let HandshakeEnd::Failed(HandshakeFailure::IntegrityFailed(word)) = handshake.end else {
        panic!("{handshake:?}");
    };
    assert!(word.contains("BadSignature"), "{word}");
}

#[tokio::test]
async fn a_certificate_demand_after_the_handshake_is_a_fact_of_the_handshake() {
    let authority = Authority::new();
    let config = tls_server_with_client_auth(&authority);
    let server = good_server(config, Arc::default()).await;
    let seen = probe(&world(&authority, &[], limits()), server, Offer::Standard).await;
    let session = seen.session.seen().unwrap();
    assert_eq!(session.stage, Stage::Handshake);
    let handshake = handshake(&seen);
    assert!(handshake.certificate_requested);
    let alert = HandshakeFailure::AlertReceived(Alert(116));
    assert_eq!(handshake.end, HandshakeEnd::Failed(alert));
    assert!(handshake.chain.seen().is_some());
}

#[tokio::test]
async fn octets_behind_the_starttls_reply_are_injection() {
    let authority = Authority::new();
    let server = serve(|mut stream| async move {
        clear_part(&mut stream, b"220 go\r\n250 evil\r\n").await;
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert_eq!(rest, b"", "no ClientHello after injection");
    })
    .await;
    let seen = probe(&world(&authority, &[], limits()), server, Offer::Standard).await;
    let session = seen.session.seen().unwrap();
    assert_eq!(session.injected, b"250 evil\r\n");
    assert!(session.handshake.seen().is_none());
}

#[tokio::test]
async fn octets_in_a_later_segment_before_the_server_hello_are_injection_too() {
    let authority = Authority::new();
    let server = raw_server(b"250 evil\r\n", After::Silence).await;
    let seen = probe(&world(&authority, &[], limits()), server, Offer::Standard).await;
    assert_eq!(seen.session.seen().unwrap().injected, b"250 evil\r\n");
    let end = HandshakeEnd::Failed(HandshakeFailure::NotTls(b"250 evil\r\n".to_vec()));
    assert_eq!(handshake(&seen).end, end);
}

#[tokio::test]
async fn every_way_a_handshake_breaks_is_told_apart() {
    let alert = |number| HandshakeFailure::AlertReceived(Alert(number));
    for (octets, after, expected) in [
        (&b"\x15\x03\x03\x00\x02\x02\x28"[..], After::Close, alert(40)),
        (b"\x15\x03\x01\x00\x02\x02\x46", After::Close, alert(70)),
        (b"\x15\x03\x03\x00\x02\x02\x75", After::Close, alert(117)),
        (b"", After::Close, HandshakeFailure::Closed),
        (b"\x16\x03\x03", After::Close, HandshakeFailure::Closed),
        (b"", After::Reset, HandshakeFailure::Reset),
        (b"\x16\x03\x03\xff\xff\x02", After::Silence, HandshakeFailure::RecordOverflow),
        (b"OK", After::Close, HandshakeFailure::NotTls(b"OK".to_vec())),
    ] {
        assert_eq!(failure_of(raw_server(octets, after).await, limits()).await, expected);
    }
}

#[tokio::test]
async fn broken_and_unacceptable_messages_keep_the_library_s_word() {
    // A handshake message of a type that does not exist.
    let broken = raw_server(b"\x16\x03\x03\x00\x05\x63\x00\x00\x01\x00", After::Silence).await;
    let failure = failure_of(broken, limits()).await;
    assert!(matches!(failure, HandshakeFailure::Malformed(_)), "{failure:?}");
    let failure = failure_of(raw_server(OLD, After::Silence).await, limits()).await;
    assert!(matches!(failure, HandshakeFailure::Incompatible(_)), "{failure:?}");
}

#[tokio::test]
async fn a_silent_handshake_ends_at_its_limit() {
    let short = Limits { handshake: Duration::from_millis(150), ..limits() };
    let silent = failure_of(raw_server(b"", After::Silence).await, short.clone()).await;
    assert_eq!(silent, HandshakeFailure::TimedOut { received: 0 });
    let started = failure_of(raw_server(b"\x16\x03\x03\x00", After::Silence).await, short).await;
    assert_eq!(started, HandshakeFailure::TimedOut { received: 4 });
}

#[tokio::test]
async fn a_server_that_drips_its_greeting_does_not_outlast_the_stage() {
    let authority = Authority::new();
    let server = serve(|mut stream| async move {
        let mut interval = tokio::time::interval(Duration::from_millis(20));
        while stream.write_all(b"2").await.is_ok() {
            interval.tick().await;
        }
    })
    .await;
    let short = Limits { greeting: Duration::from_millis(150), ..limits() };
    let seen = probe(&world(&authority, &[], short), server, Offer::Standard).await;
    let session = seen.session.seen().unwrap();
    assert_eq!(session.stage, Stage::Greeting);
    assert!(matches!(session.end, SessionEnd::TimedOut { received } if received > 1));
    assert_eq!(session.greeting, Observation::NotObserved(Reason::TimedOut));
}

#[tokio::test]
async fn a_refused_connection_is_an_answer() {
    let authority = Authority::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let seen = probe(&world(&authority, &[], limits()), closed, Offer::Standard).await;
    assert_eq!(seen.connect, Connect::Refused);
    assert_eq!(seen.session, Observation::NotObserved(Reason::RefusedByPeer));
}

#[tokio::test]
async fn questions_to_one_address_take_turns_even_when_asked_at_once() {
    let authority = Authority::new();
    let open = Arc::new(Mutex::new((0_usize, 0_usize)));
    let seen_open = Arc::clone(&open);
    let server = serve(move |mut stream: TcpStream| {
        let open = Arc::clone(&seen_open);
        async move {
            {
                let mut counts = open.lock().unwrap();
                counts.0 += 1;
                counts.1 = counts.1.max(counts.0);
            }
            stream.write_all(b"554 no\r\n").await.unwrap();
            let _ = line(&mut stream).await;
            open.lock().unwrap().0 -= 1;
            let _ = stream.write_all(b"221 bye\r\n").await;
        }
    })
    .await;
    let world = Arc::new(world(&authority, &[], limits()));
    let tasks: Vec<_> = (0..5)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { probe(&world, server, Offer::Standard).await })
        })
        .collect();
    for task in tasks {
        let seen = task.await.unwrap();
        assert_eq!(seen.session.seen().unwrap().greeting.seen().unwrap().code.number(), 554);
    }
    assert_eq!(open.lock().unwrap().1, 1, "connections open at once");
}

#[tokio::test]
async fn octets_before_tls_are_capped() {
    let authority = Authority::new();
    let server = serve(|mut stream| async move {
        let flood = [b'x'; 4096];
        while stream.write_all(&flood).await.is_ok() {}
    })
    .await;
    let seen = probe(&world(&authority, &[], limits()), server, Offer::Standard).await;
    let session = seen.session.seen().unwrap();
    assert_eq!(session.end, SessionEnd::CapReached);
    assert_eq!(session.first_octets.len(), 64);
}

#[tokio::test]
async fn the_hello_carries_the_shares_that_its_offer_names() {
    let authority = Authority::new();
    // Entries of key_share (RFC 9846 §4.3.8): group and length.
    let hybrid: &[u8] = &[0x11, 0xec, 0x04, 0xc0];
    let classic: &[u8] = &[0x00, 0x1d, 0x00, 0x20];
    let versions: &[u8] = &[0x00, 0x2b, 0x00, 0x05, 0x04, 0x03, 0x04, 0x03, 0x03];
    for (offer, with_hybrid) in [(Offer::Standard, true), (Offer::SmallHello, false)] {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hello = Arc::clone(&heard);
        let server = serve(move |mut stream: TcpStream| {
            let hello = Arc::clone(&hello);
            async move {
                clear_part(&mut stream, b"220 go\r\n").await;
                let mut header = [0; 5];
                stream.read_exact(&mut header).await.unwrap();
                let mut body = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
                stream.read_exact(&mut body).await.unwrap();
                *hello.lock().unwrap() = body;
            }
        })
        .await;
        probe(&world(&authority, &[], limits()), server, offer).await;
        let hello = heard.lock().unwrap().clone();
        let holds = |wanted: &[u8]| hello.windows(wanted.len()).any(|window| window == wanted);
        assert_eq!(holds(hybrid), with_hybrid, "{offer:?}");
        assert!(holds(classic) && holds(versions), "{offer:?}");
        assert_eq!(hello.len() < 1200, !with_hybrid, "{offer:?}: {}", hello.len());
    }
}

#[tokio::test]
async fn the_whole_session_has_a_limit_beside_those_of_its_stages() {
    let authority = Authority::new();
    let server = serve(|mut stream| async move {
        stream.write_all(b"220 mx.example.com\r\n").await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let limits = Limits {
        reply: Duration::from_mins(1),
        session_total: Duration::from_millis(150),
        ..limits()
    };
    let seen = probe(&world(&authority, &[], limits), server, Offer::Standard).await;
    let session = seen.session.seen().unwrap();
    assert_eq!((session.stage, &session.end), (Stage::Ehlo, &SessionEnd::TimedOut { received: 0 }));
}

#[tokio::test]
async fn an_end_of_tls_without_close_notify_is_noted() {
    let authority = Authority::new();
    let config = tls_server(&authority.identity(HOST), &[&rustls::version::TLS13]);
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let server = serve(move |mut stream| {
        let acceptor = acceptor.clone();
        async move {
            clear_part(&mut stream, b"220 go\r\n").await;
            let mut tls = acceptor.accept(stream).await.unwrap();
            for reply in [&b"250 mx.example.com\r\n"[..], b"221 bye\r\n"] {
                line(&mut tls).await;
                tls.write_all(reply).await.unwrap();
                tls.flush().await.unwrap();
            }
            let (mut stream, _) = tls.into_inner();
            stream.shutdown().await.unwrap();
        }
    })
    .await;
    let seen = probe(&world(&authority, &[], limits()), server, Offer::Standard).await;
    let session = seen.session.seen().unwrap();
    assert_eq!(session.close_notify, Observation::Observed(false));
    assert_eq!(session.end, SessionEnd::Complete);
}

#[tokio::test]
async fn octets_that_are_no_tls_break_the_session() {
    let authority = Authority::new();
    let config = tls_server(&authority.identity(HOST), &[&rustls::version::TLS13]);
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let server = serve(move |mut stream| {
        let acceptor = acceptor.clone();
        async move {
            clear_part(&mut stream, b"220 go\r\n").await;
            let mut tls = acceptor.accept(stream).await.unwrap();
            line(&mut tls).await;
            let (mut stream, _) = tls.into_inner();
            stream.write_all(b"250 mx.example.com\r\n").await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    })
    .await;
    let seen = probe(&world(&authority, &[], limits()), server, Offer::Standard).await;
    let session = seen.session.seen().unwrap();
    assert_eq!((session.stage, &session.end), (Stage::EhloAfterTls, &SessionEnd::TlsBroken));
    assert_eq!(session.ehlo_after_tls, Observation::NotObserved(Reason::Unintelligible));
}
