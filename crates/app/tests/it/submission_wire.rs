//! What a submission leaves on the wire, over every fault of TLS, STARTTLS, certificate and greeting that the
//! lab has, in both modes, with credentials set and AUTH offered everywhere: by the lab's byte-level
//! recorder. Whether a chain is good is decided by the lab, not by the client under test.

use super::lab_world::{lab_now, world};
use super::submissions::request;
use futures::StreamExt;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;
use waxseal_app::submission::submit;
use waxseal_lab::catalogue;
use waxseal_lab::control::{Lab, LabOptions, LabParts, Route};
use waxseal_lab::recorder::Recording;
use waxseal_lab::scenario::{Attempt, PortState, Scenario};
use waxseal_lab::smtp_server::{
    Account, SmtpBehaviour, SubmissionService, TEST_PASSWORD, TEST_TOKEN, TEST_USER,
};

/// Attempts that run at once.
const SIDE_BY_SIDE: usize = 64;
/// Hosts of one scenario that are tried.
const HOSTS_MAX: usize = 2;
/// The longest wait that a scenario gets here.
const WAIT_MS: u64 = 500;

/// A port of the twin of a server, how the server begins there, and how it is tried.
struct Pair {
    port: u16,
    implicit_tls: bool,
    mode: &'static str,
}

/// Both modes against both kinds of port. Looks at other pairs may reach all of them, too.
const PAIRS: [Pair; 4] = [
    Pair { port: 587, implicit_tls: false, mode: "starttls" },
    Pair { port: 2465, implicit_tls: true, mode: "starttls" },
    Pair { port: 465, implicit_tls: true, mode: "tls" },
    Pair { port: 2587, implicit_tls: false, mode: "tls" },
];

/// A server that tempts: it takes the password in clear and everywhere else.
fn tempting(domain: &str) -> SubmissionService {
    SubmissionService {
        auth_in_clear: vec!["PLAIN".into(), "LOGIN".into()],
        in_clear: true,
        accounts: vec![Account {
            user: format!("{TEST_USER}@{domain}"),
            password: TEST_PASSWORD.into(),
            token: TEST_TOKEN.into(),
            senders: Vec::new(),
        }],
        ..SubmissionService::default()
    }
}

/// The same server on the four ports.
fn twins(server: &SmtpBehaviour, domain: &str) -> impl Iterator<Item = SmtpBehaviour> {
    let mut server = server.clone();
    for words in [&mut server.ehlo, &mut server.ehlo_after_tls].into_iter().flatten() {
        words.push("AUTH PLAIN LOGIN".into());
    }
    server.submission = Some(tempting(domain));
    PAIRS.iter().map(move |pair| SmtpBehaviour {
        port: Some(pair.port),
        implicit_tls: pair.implicit_tls,
        ..server.clone()
    })
}

/// The scenario with its mail servers where a client sends from; `None` where it has none.
fn twin(scenario: &Scenario) -> Option<Scenario> {
    let areas = ["cert", "ehlo", "greeting", "script", "starttls", "submission", "tls"];
    if !areas.contains(&scenario.area.as_str()) || scenario.options.own_lab {
        return None;
    }
    let mut twin = scenario.clone();
    twin.sts = None;
    twin.rpt = None;
    for wait in ["connect_ms", "greeting_ms", "reply_ms", "message_end_ms", "handshake_ms"] {
        let limit = twin.options.limits.entry(wait.into()).or_insert(WAIT_MS);
        *limit = WAIT_MS.min(*limit);
    }
    twin.hosts.retain(|host| host.web.is_empty() && host.same_address_as.is_none());
    twin.hosts.truncate(HOSTS_MAX);
    for host in &mut twin.hosts {
        if host.smtp.is_empty() {
            host.smtp.push(SmtpBehaviour::default());
        }
        // Of servers that share an address and differ by port, the first speaks for all.
        host.smtp.retain(|server| server.state == PortState::Open);
        let mut served = Vec::new();
        host.smtp.retain(|server| {
            let again = served.contains(&server.on);
            served.push(server.on.clone());
            !again
        });
        host.smtp = host.smtp.iter().flat_map(|server| twins(server, &scenario.domain)).collect();
    }
    twin.hosts.retain(|host| !host.smtp.is_empty());
    (!twin.hosts.is_empty()).then_some(twin)
}

/// One message to send: a scenario with the settings.
fn attempts(twin: &Scenario) -> Vec<Scenario> {
    let hosts = twin.hosts.iter().map(|host| twin.absolute(&host.name));
    let user = format!("{TEST_USER}@{}", twin.domain);
    let settings = hosts.flat_map(|host| PAIRS.iter().map(move |pair| (host.clone(), pair)));
    settings
        .map(|(host, pair)| Scenario {
            submission: Some(Attempt {
                host: Some(host),
                port: pair.port.to_string(),
                mode: pair.mode.into(),
                user: Some(user.clone()),
                from: Some(user.clone()),
                to: Some(format!("recipient@{}", twin.domain)),
                ..Attempt::default()
            }),
            ..twin.clone()
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_secret_leaves_before_tls_is_verified() {
    let all = catalogue::all().unwrap();
    let twins: Vec<Scenario> = all.iter().filter_map(twin).collect();
    let lab = Lab::start(&twins, LabOptions::at(lab_now())).await.unwrap();
    let lab = &lab;
    let parts = &Parts::of(lab);
    let attempts: Vec<Scenario> = twins.iter().flat_map(attempts).collect();
    let delivered: usize = futures::stream::iter(&attempts)
        .map(|attempt| async move {
            let world = world(&parts.of_host(lab, attempt), attempt);
            let sent = submit(&world, &request(lab, attempt), &mut |_| {}).await.unwrap();
            usize::from(sent.accepted)
        })
        .buffer_unordered(SIDE_BY_SIDE)
        .collect::<Vec<usize>>()
        .await
        .iter()
        .sum();
    let settled = tokio::time::timeout(Duration::from_secs(20), lab.recorder().settled()).await;
    assert!(settled.is_ok(), "a session has no end");

    let recordings = lab.recordings();
    let wrong: Vec<String> = recordings
        .iter()
        .filter_map(|recording| forbidden(recording).map(|why| format!("{}: {why}", at(recording))))
        .chain(spoken_to_tls(&recordings))
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), recordings.len(), wrong.join("\n"));

    // What makes the silence above tell something: many handshakes began and failed, and where all is in
    // order, secrets and mail do leave.
    let broken = |recording: &&Recording| recording.hello_length.is_some() && !recording.vouched;
    let broken = recordings.iter().filter(broken).count();
    println!(
        "{} scenarios, {} attempts, {} sessions, {broken} failed handshakes, {delivered} messages",
        twins.len(),
        attempts.len(),
        recordings.len(),
    );
    assert!(twins.len() >= 400 && attempts.len() >= 4 * twins.len());
    assert!(broken >= 200 && delivered >= 100);
    assert!(lab.messages().iter().all(|message| message.inside_tls && message.user.is_some()));
}

/// What stands at the ports of one published address.
type Routes = Vec<((IpAddr, u16), Route)>;

/// The parts of a lab by published address: a world with every route would cost more than its attempt.
struct Parts {
    without_routes: LabParts,
    routes: BTreeMap<IpAddr, Routes>,
}

impl Parts {
    fn of(lab: &Lab) -> Self {
        let mut without_routes = lab.world();
        let mut routes: BTreeMap<IpAddr, Routes> = BTreeMap::new();
        for route in std::mem::take(&mut without_routes.routes) {
            routes.entry(route.0.0).or_default().push(route);
        }
        Self { without_routes, routes }
    }

    fn of_host(&self, lab: &Lab, attempt: &Scenario) -> LabParts {
        let addresses = lab.addresses(attempt.submission.as_ref().unwrap().host()).iter();
        let routes = addresses.filter_map(|address| self.routes.get(address)).flatten();
        LabParts { routes: routes.copied().collect(), ..self.without_routes.clone() }
    }
}

/// What a session shows that it must not.
fn forbidden(recording: &Recording) -> Option<String> {
    let clear = recording.clear_lines();
    if let Some(why) = out_of_order(&clear, &["EHLO", "STARTTLS", "QUIT"]) {
        return Some(format!("in clear: {why}"));
    }
    if recording.vouched {
        return None;
    }
    out_of_order(&recording.tls_commands, &["QUIT"])
        .map(|why| format!("inside an unverified session: {why}"))
}

/// The first session on a port that is tried with TLS from the start has no clear octet: looks in the other
/// mode come after it.
fn spoken_to_tls(recordings: &[Recording]) -> Vec<String> {
    let mut first: BTreeMap<(IpAddr, u16), &Recording> = BTreeMap::new();
    let tried = recordings
        .iter()
        .filter(|recording| PAIRS.iter().any(|p| p.mode == "tls" && p.port == recording.port));
    for recording in tried {
        first.entry((recording.published, recording.port)).or_insert(recording);
    }
    first
        .values()
        .filter(|recording| !recording.clear.is_empty())
        .map(|recording| format!("{}: in clear: {:?}", at(recording), recording.clear_lines()))
        .collect()
}

fn at(recording: &Recording) -> String {
    format!("{} [{}]:{}", recording.host, recording.published, recording.port)
}

/// Why the lines are no subsequence of these commands, each at most once.
fn out_of_order(lines: &[String], allowed: &[&str]) -> Option<String> {
    let mut rest = allowed.iter();
    let verb = |line: &str| line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
    let fits = |line: &String| rest.any(|next| *next == verb(line));
    (!lines.iter().all(fits)).then(|| format!("{lines:?}"))
}

#[test]
fn the_order_is_told_from_every_other() {
    let clear = ["EHLO", "STARTTLS", "QUIT"];
    let lines = |text: &str| text.lines().map(String::from).collect::<Vec<_>>();
    for fine in ["", "QUIT", "EHLO a\nQUIT", "EHLO a\nSTARTTLS", "EHLO a\nSTARTTLS\nQUIT"] {
        assert_eq!(out_of_order(&lines(fine), &clear), None);
    }
    for wrong in
        ["AUTH PLAIN x", "EHLO a\nAUTH", "EHLO a\nEHLO a", "STARTTLS\nEHLO a", "HELO a", "x"]
    {
        assert!(out_of_order(&lines(wrong), &clear).is_some(), "{wrong}");
    }
    assert!(out_of_order(&lines("EHLO a"), &["QUIT"]).is_some());
}
