//! Running tests of connections: who may watch, what is kept, and that a begun one is carried to its end.

use jiff::Timestamp;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Condvar, Mutex};
use waxseal_app::connections::{self, ConnectionsError, Form, Use, Wanted as WantedConnection};
use waxseal_app::jobs::{JobError, JobWatch, Jobs, Wanted};
use waxseal_app::limits::JOBS_PER_WORKSPACE;
use waxseal_app::store::{Data, DataSettings, KeyFile, KeySource, Opening};
use waxseal_app::test_send::{IdempotencyKey, TestError, TestRequest};
use waxseal_app::world::{self, Relay, Settings, SimulationOptions};
use waxseal_check::report::send::wire::OutcomeV1;
use waxseal_proto::name::Mailbox;

fn now() -> Timestamp {
    "2026-05-01T10:00:00Z".parse().unwrap()
}

/// What a server waits for before it answers the message.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let (open, opened) = &*self.0;
        drop(opened.wait_while(open.lock().unwrap(), |open| !*open).unwrap());
    }
}

/// A server in clear that takes every message, once the gate is open.
fn server(gate: &Gate) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let gate = gate.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, gate) = (stream.unwrap(), gate.clone());
            std::thread::spawn(move || {
                let reader = BufReader::new(stream.try_clone().unwrap());
                let mut say = |text: &[u8]| drop(stream.write_all(text));
                say(b"220 a.test ESMTP\r\n");
                let mut in_message = false;
                for line in reader.lines() {
                    let Ok(line) = line else { break };
                    match line.get(..4).unwrap_or(&line) {
                        "." if in_message => {
                            in_message = false;
                            gate.pass();
                            say(b"250 2.0.0 q-1\r\n");
                        }
                        _ if in_message => {}
                        "DATA" => {
                            in_message = true;
                            say(b"354 go\r\n");
                        }
                        _ => say(b"250 ok\r\n"),
                    }
                }
            });
        }
    });
    port
}

struct Place {
    jobs: Arc<Jobs>,
    data: Data,
    other: Data,
    gate: Gate,
    _folder: tempfile::TempDir,
}

impl Place {
    async fn new() -> Self {
        let gate = Gate::default();
        let port = server(&gate);
        let folder = tempfile::tempdir().unwrap();
        let settings = DataSettings {
            folder: folder.path().join("data"),
            workspace: "default".to_owned(),
            keys: KeySource::File(KeyFile::at(folder.path().join("master.key"))),
        };
        let data = Data::open(settings, Opening::Create, now()).await.unwrap();
        let other = data.store().ensure_workspace("two", now()).await.unwrap();
        let other = data.of_workspace(other).await.unwrap();
        assert_eq!(other.workspace_name().as_str(), "two");
        let zone_file = Some(r#"{"records":[],"secure":[]}"#.to_owned());
        let options = SimulationOptions { zone_file, ..SimulationOptions::default() };
        let relays = vec![Relay { host: "127.0.0.1".to_owned(), port }];
        let settings = Settings { relays, options, ..Settings::default() };
        let world = Arc::new(world::real(settings).unwrap());
        let place = Self { jobs: Jobs::new(world), data, other, gate, _folder: folder };
        for name in ["relay", "second"] {
            place.add(&place.data, name, port).await;
        }
        place.add(&place.other, "foreign", port).await;
        place
    }

    async fn add(&self, data: &Data, name: &str, port: u16) {
        let text = |text: &str| Some(text.to_owned());
        let form = Form {
            name: text(name),
            from_address: text("sender@example.com"),
            host: text("127.0.0.1"),
            port: text(&port.to_string()),
            security: text("none"),
            ..Form::default()
        };
        let wanted = WantedConnection { form, ..WantedConnection::default() };
        connections::add(data, &wanted, now()).await.unwrap();
    }

    async fn begin(
        &self,
        data: &Data,
        connection: &str,
        key: Option<&str>,
    ) -> Result<JobWatch, JobError> {
        let request = TestRequest {
            connection: connection.to_owned(),
            to: Mailbox::parse("b@example.net").unwrap(),
            key: key.map(|key| IdempotencyKey::parse(key).unwrap()),
        };
        self.jobs.begin(data, Wanted::Test(request), now()).await
    }
}

#[tokio::test]
async fn several_watch_a_test_and_its_record_outlives_the_process() {
    let place = Place::new().await;
    let mut first = place.begin(&place.data, "relay", None).await.unwrap();
    let id = first.id().to_string();
    let mut second = place.jobs.watch(&place.data, &id).unwrap();
    let mut seen = Vec::new();
    for watch in [&mut first, &mut second] {
        let mut steps = Vec::new();
        while steps.last() != Some(&"data".to_owned()) {
            steps.push(watch.next().await.unwrap().step);
        }
        seen.push(steps);
    }
    assert_eq!(seen[0], seen[1]);
    let view = place.jobs.view(&place.data, &id).await.unwrap();
    assert_eq!((view.state, view.kind, view.result), ("running", "test", None));
    assert_eq!(place.jobs.running(), 1);
    place.gate.open();
    let (one, two) = (first.end().await, second.end().await);
    assert_eq!(one, two);
    let result = one.result.clone().unwrap();
    assert_eq!((one.state, result.outcome), ("ended", OutcomeV1::Accepted));
    assert_eq!(one.steps, result.steps);
    let kept = connections::show(&place.data, "relay", now()).await.unwrap();
    assert_eq!((kept.state, kept.last_test.unwrap().id), ("passing", id.clone()));

    let after_a_restart = Jobs::new(Arc::clone(place.jobs.world()));
    assert!(after_a_restart.watch(&place.data, &id).is_none());
    assert_eq!(after_a_restart.view(&place.data, &id).await.unwrap(), one);
    for jobs in [&place.jobs, &after_a_restart] {
        let foreign = jobs.view(&place.other, &id).await;
        let nothing = jobs.view(&place.other, "01890a5d-ac96-774b-bcce-b302099a8057").await;
        for refused in [foreign, nothing] {
            assert!(matches!(refused, Err(JobError::NotFound { .. })), "{refused:?}");
        }
        assert!(jobs.watch(&place.other, &id).is_none());
    }
}

#[tokio::test]
async fn what_can_be_refused_is_refused_before_anything_leaves() {
    let place = Place::new().await;
    connections::set_use(&place.data, "relay", Use::Disabled, now()).await.unwrap();
    let error = place.begin(&place.data, "relay", None).await.unwrap_err();
    assert!(
        matches!(error, JobError::Test(TestError::Connections(ConnectionsError::Disabled { .. }))),
        "{error:?}"
    );
    let foreign = place.begin(&place.data, "foreign", None).await.unwrap_err();
    let nothing = place.begin(&place.data, "nothing", None).await.unwrap_err();
    assert_eq!(foreign.to_string().replace("foreign", "nothing"), nothing.to_string());
    assert_eq!(place.jobs.running(), 0);
}

#[tokio::test]
async fn the_same_key_finds_the_running_test_and_then_its_outcome() {
    let place = Place::new().await;
    let mut first = place.begin(&place.data, "second", Some("k-1")).await.unwrap();
    let again = place.begin(&place.data, "second", Some("k-1")).await.unwrap();
    assert_eq!(again.id(), first.id());
    place.gate.open();
    assert!(!first.end().await.repeated);
    let mut late = place.begin(&place.data, "second", Some("k-1")).await.unwrap();
    let told = late.end().await;
    assert_eq!((late.id(), told.repeated), (first.id(), true));
    let kept = place.jobs.view(&place.data, &first.id().to_string()).await.unwrap();
    assert!(!kept.repeated, "the test itself was not repeated");
}

#[tokio::test]
async fn no_workspace_takes_all_places_and_the_end_waits_for_what_was_begun() {
    let place = Place::new().await;
    let mut ids = Vec::new();
    for _ in 0..JOBS_PER_WORKSPACE {
        // Nobody watches any of them.
        ids.push(place.begin(&place.data, "relay", None).await.unwrap().id().to_string());
    }
    let busy = place.begin(&place.data, "second", None).await.unwrap_err();
    assert!(matches!(busy, JobError::Busy), "{busy:?}");
    place.begin(&place.other, "foreign", None).await.unwrap();
    let jobs = Arc::clone(&place.jobs);
    let finishing = tokio::spawn(async move { jobs.finish().await });
    while !matches!(place.begin(&place.other, "foreign", None).await, Err(JobError::Closing)) {
        tokio::task::yield_now().await;
    }
    assert!(!finishing.is_finished());
    place.gate.open();
    finishing.await.unwrap();
    let anew = Jobs::new(Arc::clone(place.jobs.world()));
    for id in ids {
        let recorded = anew.view(&place.data, &id).await.unwrap();
        assert_eq!(recorded.result.unwrap().outcome, OutcomeV1::Accepted);
    }
}
