//! Requests to delivery services over real sockets: what arrives, over how many connections, and that no key
//! leaves to anybody but the verified host.

use super::fixtures::{Authority, Identity, limits, line, serve, tls_server};
use crate::{Limits, Settings, Simulation, Targets, World, ZoneFile};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use waxseal_check::call::{Breakage, CallEnd, CallEvent, CallSeen, CallStep, Line, StepResult};
use waxseal_check::diagnose::service::{
    Heard, OtherEnd, OtherHost, ServiceTried, diagnose_service,
};
use waxseal_check::question::Connect;
use waxseal_proto::name::DomainName;
use waxseal_proto::observation::Observation;
use waxseal_proto::secret::Secret;
use waxseal_proto::tls::seen::{HandshakeEnd, HandshakeFailure, HandshakeSeen, TlsVersion};
use waxseal_services::account::AccountState;
use waxseal_services::http::{Completeness, HeaderContent, HttpRequest, Method, RequestHeader};
use waxseal_services::limits::RESPONSE_OCTETS_MAX;
use waxseal_services::service::ServiceId;

const API_HOST: &str = "api.example.com";
const KEY: &str = "canary-4711-key";

type Lines = Arc<Mutex<Vec<String>>>;

/// What a server does with each request of a connection; after the last it closes.
#[derive(Clone)]
enum Then {
    Answer(Vec<u8>),
    /// Answers before it has read the body.
    AnswerEarly(Vec<u8>),
    Close,
    Wait,
}

fn answer(head: &str, body: &[u8]) -> Then {
    Then::Answer(octets(head, body))
}

fn octets(head: &str, body: &[u8]) -> Vec<u8> {
    let mut octets =
        format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    octets.extend_from_slice(body);
    octets
}

/// An https server that keeps what it reads, with a mark for each connection.
async fn server(authority: &Authority, name: &str, script: &[Then], lines: &Lines) -> SocketAddr {
    server_with(&authority.identity(name), script, lines).await
}

async fn server_with(identity: &Identity, script: &[Then], lines: &Lines) -> SocketAddr {
    let config = tls_server(identity, rustls::ALL_VERSIONS);
    let (acceptor, lines) = (TlsAcceptor::from(Arc::new(config)), Arc::clone(lines));
    let script = script.to_vec();
    serve(move |stream| {
        let (acceptor, lines, script) = (acceptor.clone(), Arc::clone(&lines), script.clone());
        async move {
            lines.lock().unwrap().push("(connection)".to_owned());
            let Ok(mut tls) = acceptor.accept(stream).await else { return };
            for then in script {
                let mut length = 0;
                loop {
                    let text = line(&mut tls).await;
                    if let Some(value) = text.strip_prefix("content-length: ") {
                        length = value.parse().unwrap();
                    }
                    lines.lock().unwrap().push(text.clone());
                    if text.is_empty() {
                        break;
                    }
                }
                if !matches!(then, Then::AnswerEarly(_)) {
                    let mut body = vec![0; length];
                    if tls.read_exact(&mut body).await.is_err() {
                        return;
                    }
                    let body = String::from_utf8_lossy(&body).into_owned();
                    lines.lock().unwrap().push(body);
                }
                match then {
                    Then::Answer(octets) | Then::AnswerEarly(octets) => {
                        let _ = tls.write_all(&octets).await;
                        let _ = tls.flush().await;
                    }
                    Then::Close => break,
                    Then::Wait => {
                        let _ = line(&mut tls).await;
                    }
                }
            }
            let _ = tls.shutdown().await;
        }
    })
    .await
}

/// A world in which the service's name leads to these sockets, one address for each.
fn world(authority: &Authority, sockets: &[SocketAddr], limits: Limits) -> World {
    let addresses: Vec<String> =
        (1..=sockets.len()).map(|number| format!("198.51.100.{number}")).collect();
    let records = format!(
        r#"{{"records":[{{"name":"{API_HOST}","type":"A","data":["{}"]}}]}}"#,
        addresses.join("\",\"")
    );
    let records = if sockets.is_empty() { r#"{"records":[]}"#.to_owned() } else { records };
    let rules = addresses.iter().zip(sockets);
    let simulation = Simulation {
        roots_pem: Some(authority.pem()),
        zone_file: Some(ZoneFile::parse(&records).unwrap()),
        connect: rules.map(|(from, to)| format!("{from}:443={to}").parse().unwrap()).collect(),
        targets: Targets::PrivateToo,
        ..Simulation::default()
    };
    World::real(Settings { limits, simulation, ..Settings::default() }).unwrap()
}

fn request(body: &[u8]) -> HttpRequest {
    let method = if body.is_empty() { Method::Get } else { Method::Post };
    let plain = RequestHeader {
        name: "Accept",
        value: HeaderContent::Plain("application/json".to_owned()),
    };
    let secret = RequestHeader {
        name: "X-Server-Token",
        value: HeaderContent::Secret(Secret::new(KEY.to_owned())),
    };
    HttpRequest {
        method,
        host: DomainName::parse(API_HOST).unwrap(),
        port: 443,
        path_and_query: "/email?a=b%20c".to_owned(),
        headers: vec![plain, secret],
        body: body.to_vec(),
    }
}

async fn call(world: &World, request: &HttpRequest) -> (CallSeen, Vec<CallEvent>) {
    let mut events = Vec::new();
    let mut listener = |event| events.push(event);
    let mut line = world.service_line();
    let seen = Box::pin(line.carry(request, &mut listener)).await;
    line.close().await;
    (seen, events)
}

fn status(seen: &CallSeen) -> Option<u16> {
    if let CallEnd::Answered(response) = &seen.end { Some(response.status()) } else { None }
}

fn word(event: &CallEvent) -> String {
    match event {
        CallEvent::Begun(step) => step.as_str().to_owned(),
        CallEvent::Connect(address, _) => address.to_string(),
        CallEvent::Ended(step, StepResult::Passed, _) => format!("{} passed", step.as_str()),
        CallEvent::Ended(step, StepResult::Failed, _) => format!("{} failed", step.as_str()),
        CallEvent::Handshake(_) => "handshake".to_owned(),
        CallEvent::Resolved(addresses) => format!("{} addresses", addresses.len()),
        CallEvent::Status(status) => status.to_string(),
    }
}

#[tokio::test]
async fn a_request_arrives_as_it_was_built_and_each_step_is_told() {
    let (authority, lines) = (Authority::new(), Lines::default());
    let sent = answer("202 Accepted\r\nX-Id: 1", b"{}");
    let socket = server(&authority, API_HOST, &[sent], &lines).await;
    let world = world(&authority, &[socket], limits());
    let (seen, events) = call(&world, &request(b"{\"a\":1}")).await;
    let CallEnd::Answered(response) = &seen.end else { panic!("{:?}", seen.end) };
    assert_eq!((response.status(), response.body()), (202, &b"{}"[..]));
    assert_eq!(response.header("x-id"), Some("1"));
    assert_eq!(response.completeness(), Completeness::Whole);
    assert_eq!(
        *lines.lock().unwrap(),
        [
            "(connection)",
            "POST /email?a=b%20c HTTP/1.1",
            "host: api.example.com",
            "accept: application/json",
            &format!("x-server-token: {KEY}"),
            "content-length: 7",
            "",
            "{\"a\":1}",
        ]
    );
    let steps = [
        CallStep::Resolve,
        CallStep::Connect,
        CallStep::Handshake,
        CallStep::Request,
        CallStep::Answer,
    ];
    assert_eq!(seen.timings.iter().map(|(step, _)| *step).collect::<Vec<_>>(), steps);
    let told: Vec<String> = events.iter().map(word).collect();
    assert_eq!(
        told,
        [
            "dns",
            "1 addresses",
            "dns passed",
            "connect",
            "198.51.100.1",
            "connect passed",
            "tls",
            "handshake",
            "tls passed",
            "request",
            "request passed",
            "answer",
            "202",
            "answer passed",
        ]
    );
    let handshake = seen.handshake.seen().unwrap();
    assert_eq!(handshake.chain.seen().unwrap().len(), 2);
    let HandshakeEnd::Completed(session) = &handshake.end else { panic!("{handshake:?}") };
    assert_eq!(session.version, TlsVersion::Tls13);
    assert!(session.group.is_some());
    assert!(!format!("{seen:?}").contains(KEY));
}

#[tokio::test]
async fn a_get_has_neither_length_nor_body() {
    let (authority, lines) = (Authority::new(), Lines::default());
    let socket = server(&authority, API_HOST, &[answer("200 OK", b"[]")], &lines).await;
    let (seen, events) = call(&world(&authority, &[socket], limits()), &request(b"")).await;
    assert_eq!(status(&seen), Some(200));
    assert_eq!(events.len(), 14);
    assert!(!lines.lock().unwrap().iter().any(|line| line.starts_with("content-length")));
}

#[tokio::test]
async fn one_connection_carries_the_requests_of_one_use() {
    let (authority, lines) = (Authority::new(), Lines::default());
    let script = [answer("200 OK", b"1"), answer("200 OK", b"2"), answer("200 OK", b"3")];
    let socket = server(&authority, API_HOST, &script, &lines).await;
    let world = world(&authority, &[socket], limits());
    let mut line = world.service_line();
    let mut lines_used = Vec::new();
    for _ in 0..3 {
        let seen = Box::pin(line.carry(&request(b"x"), &mut |_| {})).await;
        assert_eq!(status(&seen), Some(200), "{seen:?}");
        lines_used.push((seen.line, seen.connects.len(), seen.timings.len()));
    }
    assert_eq!(lines_used, [(Line::Fresh, 1, 5), (Line::KeptOpen, 0, 2), (Line::KeptOpen, 0, 2)]);
    let connections = lines.lock().unwrap().iter().filter(|line| *line == "(connection)").count();
    assert_eq!(connections, 1);
}

#[tokio::test]
async fn a_line_that_the_service_closed_is_opened_anew() {
    let (authority, lines) = (Authority::new(), Lines::default());
    let closing = answer("200 OK\r\nConnection: close", b"1");
    let socket = server(&authority, API_HOST, &[closing], &lines).await;
    let world = world(&authority, &[socket], limits());
    let mut line = world.service_line();
    for _ in 0..2 {
        let seen = Box::pin(line.carry(&request(b"x"), &mut |_| {})).await;
        assert_eq!((status(&seen), seen.line), (Some(200), Line::Fresh), "{seen:?}");
    }
}

#[tokio::test]
async fn an_open_line_never_carries_a_request_for_another_host() {
    let (authority, lines) = (Authority::new(), Lines::default());
    let script = [answer("200 OK", b"1"), answer("200 OK", b"2")];
    let socket = server(&authority, API_HOST, &script, &lines).await;
    let world = world(&authority, &[socket], limits());
    let mut line = world.service_line();
    assert_eq!(status(&Box::pin(line.carry(&request(b"x"), &mut |_| {})).await), Some(200));
    let other =
        HttpRequest { host: DomainName::parse("api.example.org").unwrap(), ..request(b"x") };
    let seen = Box::pin(line.carry(&other, &mut |_| {})).await;
    assert_eq!((seen.line, seen.end), (Line::Fresh, CallEnd::Unresolved));
}

#[tokio::test]
async fn a_redirect_is_told_and_not_followed() {
    let (authority, lines, others) = (Authority::new(), Lines::default(), Lines::default());
    let other = server(&authority, "evil.example", &[answer("200 OK", b"")], &others).await;
    let head = format!("307 Temporary Redirect\r\nLocation: https://{other}/email");
    let socket = server(&authority, API_HOST, &[answer(&head, b"")], &lines).await;
    let (seen, _) = call(&world(&authority, &[socket], limits()), &request(b"x")).await;
    let location = Some(format!("https://{other}/email"));
    assert_eq!(seen.end, CallEnd::Redirected { status: 307, location });
    assert!(others.lock().unwrap().is_empty());
}

#[tokio::test]
async fn no_key_leaves_to_a_host_that_is_not_vouched_for() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    for (authority, name) in [(&theirs, API_HOST), (&ours, "www.example.com")] {
        let lines = Lines::default();
        let socket = server(authority, name, &[answer("200 OK", b"")], &lines).await;
        let (seen, _) = call(&world(&ours, &[socket], limits()), &request(b"x")).await;
        assert_eq!(seen.end, CallEnd::TlsRefused);
        assert_eq!(seen.handshake.seen().unwrap().chain.seen().unwrap().len(), 2);
        assert_eq!(*lines.lock().unwrap(), ["(connection)"]);
    }
}

#[tokio::test]
async fn a_proxy_that_answers_in_clear_is_recognised_by_its_first_octets() {
    let authority = Authority::new();
    let socket = serve(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
        let _ = line(&mut stream).await;
    })
    .await;
    let (seen, _) = call(&world(&authority, &[socket], limits()), &request(b"x")).await;
    assert_eq!(seen.end, CallEnd::TlsRefused);
    let HandshakeEnd::Failed(HandshakeFailure::NotTls(octets)) =
        &seen.handshake.seen().unwrap().end
    else {
        panic!("{:?}", seen.handshake)
    };
    assert!(octets.starts_with(b"HTTP/1.1 407 "));
}

#[tokio::test]
async fn every_broken_answer_has_its_name_and_leaves_the_message_open() {
    let (authority, lines) = (Authority::new(), Lines::default());
    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(40_000));
    for (then, expected) in [
        (Then::Close, Some(Breakage::Closed)),
        (Then::Answer(long.into_bytes()), Some(Breakage::HeaderTooLarge)),
        (Then::Answer(b"220 mail\r\n\r\n".to_vec()), None),
    ] {
        let socket = server(&authority, API_HOST, &[then], &lines).await;
        let (seen, events) = call(&world(&authority, &[socket], limits()), &request(b"x")).await;
        let CallEnd::Broken(CallStep::Answer, breakage) = &seen.end else { panic!("{seen:?}") };
        match expected {
            Some(expected) => assert_eq!(*breakage, expected),
            None => assert!(matches!(breakage, Breakage::Malformed(word) if !word.is_empty())),
        }
        assert!(seen.end.leaves_open());
        let last = events.last().unwrap();
        assert!(matches!(last, CallEvent::Ended(CallStep::Answer, StepResult::Failed, _)));
    }
}

#[tokio::test]
async fn a_service_that_says_nothing_ends_at_the_limit() {
    let (authority, lines) = (Authority::new(), Lines::default());
    let socket = server(&authority, API_HOST, &[Then::Wait], &lines).await;
    let short = Limits { service_answer: Duration::from_millis(200), ..limits() };
    let (seen, _) = call(&world(&authority, &[socket], short), &request(b"x")).await;
    assert_eq!(seen.end, CallEnd::TimedOut(CallStep::Answer));
}

#[tokio::test]
async fn a_refusal_that_comes_before_the_body_was_read_is_an_answer() {
    let (authority, lines) = (Authority::new(), Lines::default());
    let early = Then::AnswerEarly(octets("413 Content Too Large", b"{}"));
    let socket = server(&authority, API_HOST, &[early, Then::Wait], &lines).await;
    let body = vec![b'x'; 16 * 1024 * 1024];
    let (seen, _) = call(&world(&authority, &[socket], limits()), &request(&body)).await;
    assert_eq!(status(&seen), Some(413), "{seen:?}");
}

#[tokio::test]
async fn a_body_is_read_up_to_the_limit_and_said_to_be_cut() {
    let (authority, lines) = (Authority::new(), Lines::default());
    for (length, expected) in
        [(RESPONSE_OCTETS_MAX, Completeness::Whole), (RESPONSE_OCTETS_MAX + 1, Completeness::Cut)]
    {
        let sent = answer("200 OK", &vec![b'x'; length]);
        let socket = server(&authority, API_HOST, &[sent], &lines).await;
        let (seen, _) = call(&world(&authority, &[socket], limits()), &request(b"x")).await;
        let CallEnd::Answered(response) = &seen.end else { panic!("{seen:?}") };
        assert_eq!(response.body().len(), RESPONSE_OCTETS_MAX);
        assert_eq!(response.completeness(), expected);
    }
    let short = Then::Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort".to_vec());
    let socket = server(&authority, API_HOST, &[short], &lines).await;
    let (seen, _) = call(&world(&authority, &[socket], limits()), &request(b"x")).await;
    let CallEnd::Answered(response) = &seen.end else { panic!("{seen:?}") };
    assert_eq!((response.body(), response.completeness()), (&b"short"[..], Completeness::Cut));
}

#[tokio::test]
async fn addresses_are_tried_in_turn_and_the_guard_stands_before_each() {
    let (authority, lines) = (Authority::new(), Lines::default());
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let socket = server(&authority, API_HOST, &[answer("200 OK", b"")], &lines).await;
    let (seen, _) = call(&world(&authority, &[closed, socket], limits()), &request(b"x")).await;
    assert_eq!(status(&seen), Some(200));
    let connects: Vec<&Connect> = seen.connects.iter().map(|(_, connect)| connect).collect();
    assert_eq!(connects, [&Connect::Refused, &Connect::Connected]);
    let (seen, _) = call(&world(&authority, &[closed], limits()), &request(b"x")).await;
    assert_eq!(seen.end, CallEnd::NotConnected);
    let (seen, _) = call(&world(&authority, &[], limits()), &request(b"x")).await;
    assert_eq!(seen.end, CallEnd::Unresolved);
    assert_eq!(seen.answers.len(), 2);

    let simulation = Simulation {
        zone_file: ZoneFile::parse(
            r#"{"records":[{"name":"api.example.com","type":"A","data":["127.0.0.1"]}]}"#,
        )
        .ok(),
        ..Simulation::default()
    };
    let guarded = World::real(Settings { simulation, ..Settings::default() }).unwrap();
    let (seen, _) = call(&guarded, &request(b"x")).await;
    assert_eq!(seen.end, CallEnd::NotConnected);
    assert_eq!(seen.connects, [("127.0.0.1".parse().unwrap(), Connect::GuardRefused)]);
}

/// What a call means, with the chain of another host beside it.
fn codes(world: &World, call: CallSeen, other: Option<OtherEnd>) -> Vec<String> {
    let other_host = other.map(|end| OtherHost { host: DomainName::parse(OTHER).unwrap(), end });
    let tried = ServiceTried {
        service: ServiceId::Resend,
        call,
        heard: Heard::Nothing,
        account: AccountState::default(),
        other_host,
        at: world.now(),
        roots: world.roots(),
    };
    diagnose_service(&tried).iter().map(|finding| finding.code.to_string()).collect()
}

const OTHER: &str = "api.example.org";

#[tokio::test]
async fn who_vouches_for_the_service_tells_interception_from_old_roots() {
    let (ours, proxy) = (Authority::new(), Authority::named("Company Proxy"));
    let refused = async |authority: &Authority, name: &str| {
        let socket = server(authority, name, &[Then::Close], &Lines::default()).await;
        let world = world(&ours, &[socket], limits());
        let host = DomainName::parse(API_HOST).unwrap();
        let request = HttpRequest { host, ..request(b"x") };
        let (seen, _) = call(&world, &request).await;
        (world, seen)
    };
    let (world, seen) = refused(&proxy, API_HOST).await;
    let other = |authority: Authority| {
        let chain = authority.identity(OTHER).chain.iter().map(|one| one.to_vec()).collect();
        OtherEnd::Refused(HandshakeSeen {
            chain: Observation::Observed(chain),
            certificate_requested: false,
            end: HandshakeEnd::Failed(HandshakeFailure::Closed),
        })
    };
    for (end, code) in [
        (None, "api-tls-interception"),
        (Some(OtherEnd::NotReached), "api-tls-interception"),
        (Some(OtherEnd::Verified), "api-tls-interception"),
        (Some(other(Authority::named("Company Proxy"))), "api-tls-interception"),
        (Some(other(Authority::named("New Public Root"))), "api-trust-store-old"),
    ] {
        assert_eq!(codes(&world, seen.clone(), end), [code]);
    }
    // A certificate for another name is a wrong host, whoever issued it.
    let (world, seen) = refused(&ours, "www.example.com").await;
    assert_eq!(codes(&world, seen, None)[0], "cert-name-mismatch");
    let (world, seen) = refused(&proxy, "www.example.com").await;
    assert!(!codes(&world, seen, None).contains(&"api-tls-interception".to_owned()));
}

#[tokio::test]
async fn a_certificate_that_ended_is_the_cause_of_the_refused_handshake() {
    let authority = Authority::new();
    let identity = authority.identity_until(API_HOST, 2020);
    let socket = server_with(&identity, &[Then::Close], &Lines::default()).await;
    let world = world(&authority, &[socket], limits());
    let (seen, _) = call(&world, &request(b"x")).await;
    assert_eq!(codes(&world, seen, None).first().map(String::as_str), Some("cert-expired"));
}
