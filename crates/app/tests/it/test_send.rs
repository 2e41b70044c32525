//! The test of a stored connection against a server on loopback: what leaves, what is recorded, and that the
//! same key never sends twice.

use jiff::{SignedDuration, Timestamp};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use waxseal_app::connections::{
    self, ConnectionsError, Form, SecretChange, SecretInput, Use, Wanted,
};
use waxseal_app::limits::TRIALS_MAX;
use waxseal_app::store::{Data, DataSettings, KeyFile, KeySource, Opening, Secret, Zeroizing};
use waxseal_app::test_send::{IdempotencyKey, TestError, TestRequest, Tested, test};
use waxseal_app::world::{self, Relay, Settings, SimulationOptions, World};
use waxseal_check::report::send::wire::OutcomeV1;
use waxseal_proto::name::Mailbox;

fn now() -> Timestamp {
    "2026-05-01T10:00:00Z".parse().unwrap()
}

fn later(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

/// A server in clear that takes every message but those to `gone@`, session after session, and closes without
/// a word after the message to `lost@`.
fn server() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&heard);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let reader = BufReader::new(stream.try_clone().unwrap());
            let mut say = |text: &[u8]| stream.write_all(text).is_ok();
            say(b"220 a.test ESMTP\r\n");
            let (mut in_message, mut loses) = (false, false);
            for line in reader.lines() {
                let Ok(line) = line else { break };
                told.lock().unwrap().push(line.clone());
                let goes_on = match line.get(..4).unwrap_or(&line) {
                    "." if in_message && loses => false,
                    "." if in_message => {
                        in_message = false;
                        say(b"250 2.0.0 q-1\r\n")
                    }
                    _ if in_message => true,
                    "DATA" => {
                        in_message = true;
                        say(b"354 go\r\n")
                    }
                    "RCPT" if line.contains("gone@") => say(b"550 5.1.1 no such user\r\n"),
                    "RCPT" => {
                        loses = line.contains("lost@");
                        say(b"250 ok\r\n")
                    }
                    "QUIT" => {
                        say(b"221 bye\r\n");
                        false
                    }
                    _ => say(b"250 ok\r\n"),
                };
                if !goes_on {
                    break;
                }
            }
        }
    });
    (port, heard)
}

struct Place {
    world: World,
    data: Data,
    port: u16,
    heard: Arc<Mutex<Vec<String>>>,
    folder: tempfile::TempDir,
}

impl Place {
    async fn new() -> Self {
        let (port, heard) = server();
        let folder = tempfile::tempdir().unwrap();
        let settings = DataSettings {
            folder: folder.path().join("data"),
            workspace: "default".to_owned(),
            keys: KeySource::File(KeyFile::at(folder.path().join("data/master.key"))),
        };
        let data = Data::open(settings, Opening::Create, now()).await.unwrap();
        let zone_file = Some(r#"{"records":[],"secure":[]}"#.to_owned());
        let options = SimulationOptions { zone_file, ..SimulationOptions::default() };
        let relays = vec![Relay { host: "127.0.0.1".to_owned(), port }];
        let settings = Settings { relays, options, ..Settings::default() };
        let world = world::real(settings).unwrap();
        Self { world, data, port, heard, folder }
    }

    async fn add(&self, name: &str, from_name: Option<&str>) -> Result<(), String> {
        let text = |text: &str| Some(text.to_owned());
        let form = Form {
            name: text(name),
            from_name: from_name.map(str::to_owned),
            from_address: text("sender@example.com"),
            host: text("127.0.0.1"),
            port: text(&self.port.to_string()),
            security: text("none"),
            ..Form::default()
        };
        let wanted = Wanted { form, ..Wanted::default() };
        let added = connections::add(&self.data, &wanted, now()).await;
        added.map(drop).map_err(|error| error.to_string())
    }

    async fn test(&self, to: &str, key: Option<&str>, at: Timestamp) -> Result<Tested, TestError> {
        let request = TestRequest {
            connection: "relay".to_owned(),
            to: Mailbox::parse(to).unwrap(),
            key: key.map(|key| IdempotencyKey::parse(key).unwrap()),
        };
        let mut steps = Vec::new();
        let tested =
            test(&self.world, &self.data, &request, &mut |step| steps.push(step), at).await;
        if let Ok(tested) = &tested {
            let told = if tested.repeated { &[][..] } else { tested.sent.steps.as_slice() };
            assert_eq!(steps, told, "what was told and what is kept");
        }
        tested
    }

    fn messages(&self) -> usize {
        self.heard.lock().unwrap().iter().filter(|line| *line == "DATA").count()
    }
}

#[tokio::test]
async fn a_test_decides_the_state_and_its_outcome_is_kept() {
    let place = Place::new().await;
    place.add("relay", Some("J\u{fc}rg, \"Sales\"")).await.unwrap();
    for (seconds, to, outcome, state) in [
        (10, "gone@example.net", OutcomeV1::Rejected, "failing"),
        (20, "lost@example.net", OutcomeV1::Unknown, "failing"),
        (30, "b@example.net", OutcomeV1::Accepted, "passing"),
    ] {
        let tested = place.test(to, None, later(seconds)).await.unwrap();
        assert_eq!((tested.sent.outcome, tested.connection.state), (outcome, state), "{tested:?}");
        assert!(!tested.sent.encrypted && !tested.connection.encrypted && !tested.repeated);
        let trial = tested.connection.last_test.unwrap();
        assert_eq!(trial.id, tested.test);
        assert!(trial.current);
        assert_eq!(trial.detail["outcome"], outcome.as_str());
        assert_eq!(trial.detail["encrypted"], false);
    }
    let lines = place.heard.lock().unwrap().join("\n");
    for words in [
        "From: =?utf-8?B?",
        "Subject: Waxseal test of relay",
        "Message-ID: <",
        "This is a test message from Waxseal.",
        "Content-Type: text/html",
    ] {
        assert!(lines.contains(words), "{words}: {lines}");
    }
}

#[tokio::test]
async fn the_same_key_tells_the_same_outcome_and_sends_once() {
    let place = Place::new().await;
    place.add("relay", None).await.unwrap();
    let first = place.test("b@example.net", Some("k-1"), later(10)).await.unwrap();
    let again = place.test("b@example.net", Some("k-1"), later(20)).await.unwrap();
    assert_eq!((again.test, &again.sent, again.repeated), (first.test, &first.sent, true));
    assert_eq!(place.messages(), 1);
    let other = place.test("b@example.net", Some("k-2"), later(30)).await.unwrap();
    assert!(!other.repeated && place.messages() == 2);
    assert_ne!(other.sent.message_id, first.sent.message_id);
}

#[tokio::test]
async fn tests_are_paced_and_a_disabled_connection_sends_nothing() {
    let place = Place::new().await;
    place.add("relay", None).await.unwrap();
    connections::set_use(&place.data, "relay", Use::Disabled, now()).await.unwrap();
    let error = place.test("b@example.net", None, later(1)).await.unwrap_err();
    assert!(
        matches!(error, TestError::Connections(ConnectionsError::Disabled { .. })),
        "{error:?}"
    );
    connections::set_use(&place.data, "relay", Use::Enabled, now()).await.unwrap();
    for count in 0..TRIALS_MAX {
        place.test("gone@example.net", None, later(i64::from(count) + 2)).await.unwrap();
    }
    let error = place.test("gone@example.net", None, later(60)).await.unwrap_err();
    assert!(
        matches!(error, TestError::Connections(ConnectionsError::TooMany { free_at, .. }) if free_at == later(602)),
        "{error:?}"
    );
    assert!(place.test("gone@example.net", None, later(603)).await.is_ok());
}

#[tokio::test]
async fn no_field_of_a_connection_begins_another_header() {
    let place = Place::new().await;
    for evil in ["a\r\nBcc: c@example.net", "a\nX: y", "a\u{2028}b", "a\0b"] {
        assert!(place.add(evil, None).await.is_err(), "name {evil:?}");
        let kept = place.add("relay", Some(evil)).await;
        assert!(kept.is_err(), "From name {evil:?}");
        assert!(Mailbox::parse(&format!("b@example.net{evil}")).is_err());
        assert!(IdempotencyKey::parse(evil).is_err(), "key {evil:?}");
    }
    assert_eq!(place.messages(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_that_cannot_be_recorded_says_what_it_came_to() {
    let place = Place::new().await;
    place.add("relay", None).await.unwrap();
    let request = TestRequest {
        connection: "relay".to_owned(),
        to: Mailbox::parse("you@example.net").unwrap(),
        key: None,
    };
    let here = tokio::runtime::Handle::current();
    let mut removed = false;
    let mut remove_meanwhile = |_| {
        if !std::mem::replace(&mut removed, true) {
            let removing = connections::remove(&place.data, "relay", later(1));
            tokio::task::block_in_place(|| here.block_on(removing)).unwrap();
        }
    };
    let refused = test(&place.world, &place.data, &request, &mut remove_meanwhile, now()).await;
    let error = refused.unwrap_err();
    assert!(
        matches!(error, TestError::NotRecorded { outcome: OutcomeV1::Accepted, .. }),
        "{error}"
    );
    assert_eq!(place.messages(), 1, "it was sent all the same");
    assert!(error.hint().unwrap().contains("may have arrived"));
}

#[tokio::test]
async fn a_test_whose_process_died_is_recorded_as_unknown() {
    let place = Place::new().await;
    place.add("relay", None).await.unwrap();
    assert_eq!(state_of(&place, later(0)).await, "untested");
    place.test("b@example.net", None, later(1)).await.unwrap();
    let request = TestRequest {
        connection: "relay".to_owned(),
        to: Mailbox::parse("b@example.net").unwrap(),
        key: None,
    };
    let (tell, told) = tokio::sync::oneshot::channel();
    let mut tell = Some(tell);
    let mut listener = |_| {
        tell.take().map(|tell| tell.send(()));
    };
    tokio::select! {
        biased;
        told = told => told.unwrap(),
        ended = test(&place.world, &place.data, &request, &mut listener, later(2)) => {
            panic!("it ended: {ended:?}");
        }
    }
    assert_eq!(state_of(&place, later(700)).await, "passing", "it may still be running");
    let shown = connections::show(&place.data, "relay", later(3_700)).await.unwrap();
    assert_eq!(shown.state, "failing");
    let lost = shown.last_test.unwrap();
    assert_eq!((lost.outcome, lost.current), ("unknown", true));
    assert_eq!(lost.detail["ended"], "lost");
    assert_eq!(lost.detail["host"], "127.0.0.1");
}

async fn state_of(place: &Place, at: Timestamp) -> &'static str {
    connections::list(&place.data, at).await.unwrap()[0].state
}

#[tokio::test]
async fn what_was_sent_is_told_without_the_secret_and_of_a_disabled_connection() {
    let place = Place::new().await;
    place.add("relay", None).await.unwrap();
    let first = place.test("b@example.net", Some("k-1"), later(1)).await.unwrap();
    connections::set_use(&place.data, "relay", Use::Disabled, later(2)).await.unwrap();
    let again = place.test("b@example.net", Some("k-1"), later(3)).await.unwrap();
    assert_eq!((&again.test, again.repeated), (&first.test, true));
    let other = place.test("b@example.net", Some("k-2"), later(4)).await.unwrap_err();
    assert!(
        matches!(other, TestError::Connections(ConnectionsError::Disabled { .. })),
        "{other:?}"
    );

    // A service whose secret cannot be opened any more: the key file is gone.
    let text = |text: &str| Some(text.to_owned());
    let form = Form {
        name: text("service"),
        from_address: text("sender@example.com"),
        service: text("postmark"),
        ..Form::default()
    };
    let secret = SecretChange::Set(SecretInput::One(Secret::new(Zeroizing::new(
        "no-such-token".to_owned(),
    ))));
    let wanted = Wanted { form, secret, ..Wanted::default() };
    connections::add(&place.data, &wanted, later(5)).await.unwrap();
    let request = |key: &str| TestRequest {
        connection: "service".to_owned(),
        to: Mailbox::parse("b@example.net").unwrap(),
        key: Some(IdempotencyKey::parse(key).unwrap()),
    };
    let tested = test(&place.world, &place.data, &request("s-1"), &mut |_| {}, later(6)).await;
    let tested = tested.unwrap();
    std::fs::remove_file(place.folder.path().join("data/master.key")).unwrap();
    let again = test(&place.world, &place.data, &request("s-1"), &mut |_| {}, later(7)).await;
    assert_eq!(again.unwrap().test, tested.test);
    let other = test(&place.world, &place.data, &request("s-2"), &mut |_| {}, later(8)).await;
    assert!(matches!(other, Err(TestError::Connections(ConnectionsError::Data(_)))), "{other:?}");
}

#[tokio::test]
async fn verifications_are_paced_and_a_disabled_connection_is_not_tried() {
    let place = Place::new().await;
    place.add("relay", None).await.unwrap();
    let verify = async |seconds| {
        connections::verify(&place.world, &place.data, "relay", &mut |_| {}, later(seconds)).await
    };
    for count in 0..TRIALS_MAX {
        let seen = verify(i64::from(count) + 1).await.unwrap();
        assert_eq!(seen.result.unwrap().outcome, OutcomeV1::Ready);
    }
    let error = verify(60).await.unwrap_err();
    assert!(
        matches!(error, ConnectionsError::TooMany { free_at, .. } if free_at == later(601)),
        "{error:?}"
    );
    assert!(error.to_string().contains("was verified 10 times"), "{error}");
    assert!(error.hint().unwrap().contains("the next may begin at"));
    assert!(place.test("b@example.net", None, later(61)).await.is_ok(), "tests have their own");
    connections::set_use(&place.data, "relay", Use::Disabled, later(62)).await.unwrap();
    let heard = place.heard.lock().unwrap().len();
    let error = verify(700).await.unwrap_err();
    assert_eq!(error.hint().unwrap(), "waxseal connection enable relay");
    assert!(matches!(error, ConnectionsError::Disabled { .. }), "{error:?}");
    assert_eq!(place.heard.lock().unwrap().len(), heard, "nobody was contacted");
}
