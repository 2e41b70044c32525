//! Event streams over real sockets: hundreds are held and all get their end, one that goes away ends what nobody
//! else watches, and none keeps the program from ending.

use crate::program::file;
use crate::site::Running;
use crate::watched_lab::WatchedLab;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;
use waxseal_app::world::Stopwatch;

/// The streams that the site must hold.
const STREAMS: usize = 200;

const TOKEN: &str = "a-token-of-some-length";

/// A mail host that never greets.
const SILENT: &str = "[[host]]\nname = \"mx1\"\nmx = 10\n[[host.smtp]]\ngreeting = [\"hang\"]\n";

/// A lab with such a host, and a site whose checks wait long for it.
fn silent(folder: &tempfile::TempDir) -> (WatchedLab, Running) {
    let lab = WatchedLab::start(&[("silent", SILENT)]);
    let token = file(folder, "token", TOKEN);
    let site = lab.site(&[
        "--public-checker",
        "--timeout",
        "60",
        "--metrics-token-file",
        token.to_str().unwrap(),
    ]);
    (lab, site)
}

fn counted(site: &Running, name: &str) -> u64 {
    let metrics = site.get_with("/metrics", &format!("Authorization: Bearer {TOKEN}\r\n")).body;
    let line = metrics.lines().find(|line| line.starts_with(&format!("waxseal_{name} "))).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

/// Looks until it is so. Each look is a request, so nothing waits blindly.
fn in_time(what: &str, mut is_so: impl FnMut() -> bool) {
    let waited = Stopwatch::start();
    while !is_so() {
        assert!(waited.elapsed() < Duration::from_secs(15), "{what}");
    }
}

fn begin(site: &Running) -> String {
    let body = json!({ "domain": "silent.test" }).to_string();
    let (answer, begun): (_, Value) = site.json("POST", "/api/v1/checks", &body);
    assert_eq!(answer.status, 202, "{answer:?}");
    begun["id"].as_str().unwrap().to_owned()
}

/// Opens a stream and reads its head.
fn follow(site: &Running, id: &str) -> TcpStream {
    let mut stream = TcpStream::connect(&site.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(50))).unwrap();
    let host = &site.address;
    let request = format!(
        "GET /api/v1/checks/{id}/events HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    stream
}

fn rest(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn two_hundred_streams_hold_and_all_get_their_end() {
    let folder = tempfile::tempdir().unwrap();
    let (lab, site) = silent(&folder);
    let before = site.used();
    let id = begin(&site);
    let streams: Vec<TcpStream> = (0..STREAMS).map(|_| follow(&site, &id)).collect();
    assert_eq!(counted(&site, "event_streams_open"), 200);
    assert_eq!(counted(&site, "checks_running"), 1);
    assert_eq!(site.get("/healthz").body, "ok\n", "others are served meanwhile");
    if let (Some((files, memory)), Some((files_before, memory_before))) = (site.used(), before) {
        assert!(files - files_before <= 230, "{files_before} to {files} open files");
        let more_kb = memory.saturating_sub(memory_before);
        assert!(more_kb < 64 * 1024, "{more_kb} kB for 200 streams");
    }
    // The mail host and all else of the lab goes away, which ends the check.
    drop(lab);
    for stream in streams {
        let text = rest(stream);
        assert!(text.contains("event: mx\n"), "{text}");
        assert!(text.contains("event: end\n"), "{text}");
    }
    in_time("streams are given back", || counted(&site, "event_streams_open") == 0);
}

#[test]
fn a_client_has_a_bounded_number_of_streams() {
    let folder = tempfile::tempdir().unwrap();
    let (_lab, site) = silent(&folder);
    let id = begin(&site);
    let streams: Vec<TcpStream> = (0..256).map(|_| follow(&site, &id)).collect();
    let refused = site.get(&format!("/api/v1/checks/{id}/events"));
    assert_eq!(refused.status, 429, "{refused:?}");
    drop(streams);
    in_time("places come back", || counted(&site, "event_streams_open") == 0);
}

#[test]
fn open_streams_do_not_keep_the_program_from_ending() {
    let folder = tempfile::tempdir().unwrap();
    let (_lab, mut site) = silent(&folder);
    let id = begin(&site);
    let streams: Vec<TcpStream> = (0..20).map(|_| follow(&site, &id)).collect();
    let waited = Stopwatch::start();
    assert_eq!(site.stop(), 0);
    assert!(waited.elapsed() < Duration::from_secs(8), "{:?}", waited.elapsed());
    for stream in streams {
        assert!(rest(stream).ends_with("0\r\n\r\n"), "each is ended in good order");
    }
}

#[test]
fn whoever_leaves_a_plain_form_ends_its_check_and_its_session() {
    let folder = tempfile::tempdir().unwrap();
    let (lab, site) = silent(&folder);
    let mut visitor = TcpStream::connect(&site.address).unwrap();
    let (host, body) = (&site.address, "domain=silent.test");
    let request = format!(
        "POST /tools/smtp-tls HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}",
        body.len()
    );
    visitor.write_all(request.as_bytes()).unwrap();
    in_time("the session begins", || {
        counted(&site, "checks_running") == 1 && !lab.lab.recordings().is_empty()
    });
    assert_eq!(counted(&site, "checks_cancelled_total"), 0);
    drop(visitor);
    in_time("the check ends", || counted(&site, "checks_cancelled_total") == 1);
    assert_eq!(counted(&site, "checks_begun_total"), 1);
    assert_eq!(counted(&site, "checks_running"), 0);
    let closed =
        async { tokio::time::timeout(Duration::from_secs(10), lab.lab.recorder().settled()).await };
    lab.runtime.block_on(closed).unwrap();
    assert_eq!(lab.sessions().values().sum::<usize>(), 1, "{:?}", lab.sessions());
}
