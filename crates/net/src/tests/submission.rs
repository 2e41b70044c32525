//! Submission over real sockets: trust, modes, steps, and that nothing leaves when it must not.

use super::fixtures::{Authority, HOST, clear_part, limits, line, serve, tls_server, world};
use crate::limits::ADDRESSES_MAX;
use crate::{Relay, Settings, Simulation, Submission, Told, World, ZoneFile};
use aws_lc_rs::digest;
use rustls::ServerConfig;
use rustls::server::ParsedCertificate;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use waxseal_check::question::Connect;
use waxseal_proto::name::{DomainName, Mailbox};
use waxseal_proto::secret::Secret;
use waxseal_proto::smtp::command::EhloName;
use waxseal_proto::smtp::sasl::{Choice, ClientNonce, Credential, SignIn};
use waxseal_proto::smtp::submission::{
    Goal, Onward, Secured, Security, Step, StepEvent, SubmissionOutcome, Transaction,
};
use waxseal_proto::smtp::{MessageData, ReversePath};
use waxseal_proto::tls::requirement::Requirement;
use waxseal_send::attempt::{Family, Host, SmtpAttempt, Trust};

/// Also what the server echoes.
const PASSWORD: &str = "canary-4711";

type Lines = Arc<Mutex<Vec<String>>>;

/// What a server says inside TLS, until QUIT.
async fn talk<S: AsyncReadExt + AsyncWriteExt + Unpin>(stream: &mut S, lines: &Lines) {
    let mut in_message = false;
    loop {
        let command = line(stream).await;
        lines.lock().unwrap().push(command.clone());
        let reply: &[u8] = match command.split(' ').next().unwrap_or_default() {
            "." if in_message => {
                in_message = false;
                b"250 2.0.0 q1\r\n"
            }
            _ if in_message => continue,
            "EHLO" => b"250-a\r\n250-PIPELINING\r\n250 AUTH PLAIN\r\n",
            // Servers echo.
            "AUTH" => b"235 welcome canary-4711\r\n",
            "MAIL" | "RCPT" => b"250 ok\r\n",
            "DATA" => {
                in_message = true;
                b"354 go\r\n"
            }
            "QUIT" => b"221 bye\r\n",
            _ => return,
        };
        if stream.write_all(reply).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Begins {
    WithStartTls,
    WithTls,
}

async fn server(config: ServerConfig, begins: Begins, lines: &Lines) -> SocketAddr {
    let (acceptor, lines) = (TlsAcceptor::from(Arc::new(config)), Arc::clone(lines));
    serve(move |mut stream: TcpStream| {
        let (acceptor, lines) = (acceptor.clone(), Arc::clone(&lines));
        async move {
            if begins == Begins::WithStartTls {
                clear_part(&mut stream, b"220 go\r\n").await;
            }
            let Ok(mut tls) = acceptor.accept(stream).await else { return };
            if begins == Begins::WithTls && tls.write_all(b"220 a ESMTP\r\n").await.is_err() {
                return;
            }
            talk(&mut tls, &lines).await;
        }
    })
    .await
}

fn attempt(server: SocketAddr, begins: Begins, trust: Trust) -> SmtpAttempt {
    let mailbox = |text| Mailbox::parse(text).unwrap();
    let transaction = Transaction::new(
        ReversePath::Mailbox(mailbox("a@example.com")),
        vec![mailbox("b@example.net")],
        MessageData::new(b"Subject: a\r\n\r\nb\r\n".to_vec()).unwrap(),
        Onward::Unspecified,
    );
    let credential = Credential::Password(Secret::new(PASSWORD.to_owned()));
    let nonce = ClientNonce::from_random([1; 18]);
    let sign_in = SignIn::new("u", credential, Choice::Automatic, nonce).unwrap();
    let secured = Secured { requirement: Requirement::default(), sign_in: Some(sign_in) };
    SmtpAttempt {
        host: Host::Name(DomainName::parse(HOST).unwrap()),
        port: server.port(),
        ehlo_name: Some(EhloName::from(IpAddr::from([127, 0, 0, 1]))),
        family: Family::Ipv4First,
        trust,
        security: match begins {
            Begins::WithStartTls => Security::StartTls(secured),
            Begins::WithTls => Security::Tls(secured),
        },
        goal: Goal::Deliver(transaction.unwrap()),
    }
}

/// A world in which [`HOST`] is at the server.
fn world_at(authority: &Authority, server: SocketAddr) -> World {
    let zone = format!(
        r#"{{"records":[{{"name":"{HOST}","type":"A","data":["198.51.100.7"]}}],"secure":[]}}"#
    );
    let simulation = Simulation {
        roots_pem: Some(authority.pem()),
        zone_file: Some(ZoneFile::parse(&zone).unwrap()),
        connect: vec![format!("{HOST}={server}").parse().unwrap()],
        targets: crate::Targets::PrivateToo,
        ..Simulation::default()
    };
    World::real(Settings { limits: limits(), simulation, ..Settings::default() }).unwrap()
}

async fn submit(world: &World, attempt: &SmtpAttempt) -> (Submission, Vec<Told>) {
    let mut told = Vec::new();
    let submission = world.submit(attempt, &mut |each| told.push(each)).await.unwrap();
    (submission, told)
}

fn verbs(lines: &Lines) -> Vec<String> {
    let lines = lines.lock().unwrap();
    lines.iter().map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn a_good_server_takes_a_message_over_either_beginning() {
    let authority = Authority::new();
    for begins in [Begins::WithStartTls, Begins::WithTls] {
        let lines = Lines::default();
        let config = tls_server(&authority.identity(HOST), rustls::DEFAULT_VERSIONS);
        let server = server(config, begins, &lines).await;
        let world = world_at(&authority, server);
        let (submission, told) = submit(&world, &attempt(server, begins, Trust::PublicRoots)).await;
        let seen = submission.seen.unwrap();
        assert_eq!(seen.outcome, SubmissionOutcome::Accepted, "{seen:?}");
        assert_eq!(seen.server_id().as_deref(), Some("q1"));
        assert!(seen.session.handshake.seen().unwrap().chain.seen().is_some());
        let steps: Vec<Step> = submission.timings.iter().map(|(step, _)| *step).collect();
        assert_eq!(steps.first(), Some(&Step::Connect));
        assert_eq!(steps.last(), Some(&Step::Quit));
        assert!(matches!(told.first(), Some(Told::Resolved(addresses, _)) if addresses.len() == 1));
        let begun = |step| {
            told.iter().any(
                |told| matches!(told, Told::Step(StepEvent::Begun(begun), _) if *begun == step),
            )
        };
        assert!(steps.iter().all(|step| begun(*step)));
        assert!(verbs(&lines).contains(&"AUTH".to_owned()));
    }
}

#[tokio::test]
async fn an_unverified_server_gets_no_octet_of_a_credential_or_message() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    for begins in [Begins::WithStartTls, Begins::WithTls] {
        for (identity, trust) in [
            (authority.identity("other.example.com"), Trust::PublicRoots),
            (stranger.identity(HOST), Trust::PublicRoots),
            (authority.identity(HOST), Trust::Authority(stranger.pem())),
            (authority.identity(HOST), Trust::PinnedKeys(vec![[7; 32]])),
            (authority.identity(HOST), Trust::PinnedKeys(Vec::new())),
        ] {
            let lines = Lines::default();
            let config = tls_server(&identity, rustls::DEFAULT_VERSIONS);
            let server = server(config, begins, &lines).await;
            let world = world_at(&authority, server);
            let (submission, _) = submit(&world, &attempt(server, begins, trust)).await;
            let seen = submission.seen.unwrap();
            assert_eq!(seen.outcome, SubmissionOutcome::Failed);
            assert_eq!(seen.last_step(), Some(Step::Handshake));
            assert!(seen.session.handshake.seen().unwrap().chain.seen().is_some());
            let heard = verbs(&lines);
            assert!(heard.iter().all(|verb| verb == "QUIT" || verb.is_empty()), "{heard:?}");
        }
    }
}

#[tokio::test]
async fn a_private_server_is_trusted_by_its_authority_or_its_key() {
    let (authority, private) = (Authority::new(), Authority::new());
    let identity = private.identity(HOST);
    let key = ParsedCertificate::try_from(&identity.chain[0]).unwrap().subject_public_key_info();
    let pin: [u8; 32] = digest::digest(&digest::SHA256, key.as_ref()).as_ref().try_into().unwrap();
    for trust in [Trust::Authority(private.pem()), Trust::PinnedKeys(vec![[7; 32], pin])] {
        let lines = Lines::default();
        let config = tls_server(&identity, rustls::DEFAULT_VERSIONS);
        let server = server(config, Begins::WithTls, &lines).await;
        let world = world_at(&authority, server);
        let (submission, _) = submit(&world, &attempt(server, Begins::WithTls, trust)).await;
        assert_eq!(submission.seen.unwrap().outcome, SubmissionOutcome::Accepted);
    }
    // The key must be held, not only shown.
    let mut forged = authority.identity(HOST);
    forged.chain = identity.chain;
    let lines = Lines::default();
    let config = tls_server(&forged, rustls::DEFAULT_VERSIONS);
    let server = server(config, Begins::WithTls, &lines).await;
    let world = world_at(&authority, server);
    let trust = Trust::PinnedKeys(vec![pin]);
    let (submission, _) = submit(&world, &attempt(server, Begins::WithTls, trust)).await;
    assert_eq!(submission.seen.unwrap().outcome, SubmissionOutcome::Failed);
    assert!(verbs(&lines).is_empty());
}

#[tokio::test]
async fn a_private_address_is_reached_only_as_a_listed_relay() {
    let lines = Lines::default();
    let authority = Authority::new();
    let config = tls_server(&authority.identity(HOST), rustls::DEFAULT_VERSIONS);
    let server = server(config, Begins::WithTls, &lines).await;
    let host = server.ip().to_string();
    for (relays, expected) in [
        (vec![], Connect::GuardRefused),
        (vec![Relay { host: host.clone(), port: 1 }], Connect::GuardRefused),
        (vec![Relay { host, port: server.port() }], Connect::Connected),
    ] {
        let simulation =
            Simulation { zone_file: Some(ZoneFile::default()), ..Simulation::default() };
        let settings = Settings { limits: limits(), relays, simulation, ..Settings::default() };
        let world = World::real(settings).unwrap();
        let mut attempt = attempt(server, Begins::WithTls, Trust::PublicRoots);
        attempt.host = Host::Address(server.ip());
        let (submission, _) = submit(&world, &attempt).await;
        assert_eq!(submission.connects, [(server.ip(), expected)]);
        assert!(verbs(&lines).iter().all(String::is_empty));
    }
}

#[tokio::test]
async fn an_unusable_authority_is_our_own_error_and_a_missing_host_an_answer() {
    let authority = Authority::new();
    let world = world(&authority, &[], limits());
    let nowhere: SocketAddr = "127.0.0.1:9".parse().unwrap();
    let bad = attempt(nowhere, Begins::WithTls, Trust::Authority(b"no pem".to_vec()));
    assert!(world.submit(&bad, &mut |_| {}).await.is_err());
    let (submission, told) =
        submit(&world, &attempt(nowhere, Begins::WithTls, Trust::PublicRoots)).await;
    assert!(submission.seen.is_none() && submission.connects.is_empty());
    assert!(matches!(&told[..], [Told::Resolved(addresses, _)] if addresses.is_empty()));
}

#[tokio::test]
async fn what_a_step_showed_is_told_before_its_end_and_without_a_secret() {
    let authority = Authority::new();
    let lines = Lines::default();
    let config = tls_server(&authority.identity(HOST), rustls::DEFAULT_VERSIONS);
    let server = server(config, Begins::WithStartTls, &lines).await;
    let world = world_at(&authority, server);
    let attempt = attempt(server, Begins::WithStartTls, Trust::PublicRoots);
    let (_, told) = submit(&world, &attempt).await;
    let end = |step| {
        let of = |told: &Told| matches!(told, Told::Step(StepEvent::Ended(ended, _), _) if *ended == step);
        told.iter().position(of).unwrap()
    };
    let connected = Told::Connect("198.51.100.7".parse().unwrap(), Connect::Connected);
    assert_eq!(told[end(Step::Connect) - 1], connected);
    let Told::Handshake(handshake) = &told[end(Step::Handshake) - 1] else {
        panic!("no handshake told: {told:?}")
    };
    assert!(handshake.chain.seen().is_some());
    let Told::Reply(Step::Body, reply) = &told[end(Step::Body) - 1] else {
        panic!("no last reply told: {told:?}")
    };
    assert_eq!(reply.message(), "2.0.0 q1");
    assert!(!format!("{told:?}").contains(PASSWORD));
}

#[tokio::test]
async fn of_many_addresses_some_of_each_family_are_tried() {
    let authority = Authority::new();
    let listed = |prefix: &str| -> Vec<String> {
        (1..=ADDRESSES_MAX + 4).map(|last| format!("\"{prefix}{last}\"")).collect()
    };
    let zone = format!(
        r#"{{"records":[{{"name":"{HOST}","type":"A","data":[{}]}},
            {{"name":"{HOST}","type":"AAAA","data":[{}]}}],"secure":[]}}"#,
        listed("127.0.0.").join(","),
        listed("::1:").join(","),
    );
    let simulation = Simulation {
        roots_pem: Some(authority.pem()),
        zone_file: Some(ZoneFile::parse(&zone).unwrap()),
        ..Simulation::default()
    };
    let settings = Settings { limits: limits(), simulation, ..Settings::default() };
    let world = World::real(settings).unwrap();
    let server: SocketAddr = "127.0.0.1:9".parse().unwrap();
    let attempt = attempt(server, Begins::WithTls, Trust::PublicRoots);
    let (submission, _) = submit(&world, &attempt).await;
    let of = |family: fn(&IpAddr) -> bool| {
        submission.connects.iter().filter(|(address, _)| family(address)).count()
    };
    assert_eq!((of(IpAddr::is_ipv4), of(IpAddr::is_ipv6)), (ADDRESSES_MAX, ADDRESSES_MAX));
}
