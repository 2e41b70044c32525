//! Visitors who send too much or too slowly: each is told so or left, and everybody else is served meanwhile.

use crate::site::Running;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// Above every wait of the server for one visitor.
const PATIENCE: Duration = Duration::from_secs(50);

/// A connection on which this much was sent and nothing more comes.
fn stuck(site: &Running, sent: &str) -> TcpStream {
    let mut stream = TcpStream::connect(&site.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(sent.replace("HOST", &site.address).as_bytes()).unwrap();
    stream
}

/// What came before the server closed; a time-out of ours fails the test.
fn until_closed(mut stream: TcpStream) -> String {
    let mut octets = Vec::new();
    match stream.read_to_end(&mut octets) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}"),
    }
    String::from_utf8_lossy(&octets).into_owned()
}

#[test]
fn slow_visitors_are_left_in_time() {
    let site = Running::start(&["lab", "serve"]);
    let head = |path: &str, kind: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: HOST\r\nContent-Type: {kind}\r\nContent-Length: 40\r\n\r\n"
        )
    };
    let form = "application/x-www-form-urlencoded";
    let silent = stuck(&site, "");
    let half_head = stuck(&site, "GET / HTTP/1.1\r\nHost: HOST\r\nX-Slow: ");
    let idle = stuck(&site, "GET /healthz HTTP/1.1\r\nHost: HOST\r\n\r\n");
    let half_form = stuck(&site, &format!("{}domain=", head("/tools/mx", form)));
    let half_json = stuck(&site, &format!("{}{{", head("/api/v1/checks", "application/json")));
    let chunks = "POST /tools/mx HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n7\r\ndomain=\r\n";
    let half_chunks = stuck(&site, chunks);
    assert_eq!(site.get("/healthz").body, "ok\n");
    let (silent, half_head) = (until_closed(silent), until_closed(half_head));
    assert!(silent.is_empty() || silent.starts_with("HTTP/1.1 408"), "{silent}");
    assert!(half_head.is_empty() || half_head.starts_with("HTTP/1.1 408"), "{half_head}");
    assert!(until_closed(idle).ends_with("ok\n"));
    for stream in [half_form, half_json, half_chunks] {
        let said = until_closed(stream);
        assert!(
            said.is_empty() || said.starts_with("HTTP/1.1 4") || said.starts_with("HTTP/1.1 503"),
            "{said}"
        );
    }
}

#[test]
fn large_bodies_are_refused() {
    let site = Running::start(&["lab", "serve"]);
    let large = "x".repeat(300 * 1024);
    let form = site.post("/tools/mx", "", &format!("domain={large}"));
    assert_eq!(form.status, 413, "{form:?}");
    let (answer, problem) =
        site.json("POST", "/api/v1/checks", &format!("{{\"domain\": \"{large}\"}}"));
    assert_eq!((answer.status, &problem["status"]), (413, &413.into()), "{answer:?}");
    for sent in [
        "POST /tools/mx HTTP/1.1\r\nHost: HOST\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST /tools/mx HTTP/1.1\r\nHost: HOST\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nab",
        "POST /tools/mx HTTP/1.1\r\nHost: HOST\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nzz",
        "GET / HTTP/1.1\r\nHost: HOST\r\nX\u{0}Y: 1\r\n\r\n",
        "GET / HTTP/9.9\r\nHost: HOST\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{fc}\u{3}\u{3}",
    ] {
        let said = until_closed(stuck(&site, sent));
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{sent:?}: {said}");
    }
    assert_eq!(site.get("/healthz").body, "ok\n");
}

#[test]
fn one_visitor_cannot_take_all_connections() {
    let site = Running::start(&["serve"]);
    let proxied = Running::start(&["serve", "--trusted-proxy", "127.0.0.1"]);
    let open = |site: &Running| (0..512).map(|_| stuck(site, "GET ")).collect::<Vec<TcpStream>>();
    let ask = "GET /healthz HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n";
    let held = [open(&site), open(&proxied)];
    assert_eq!(until_closed(stuck(&site, ask)), "", "one more is closed at once");
    assert!(until_closed(stuck(&proxied, ask)).ends_with("ok\n"), "a proxy brings many visitors");
    drop(held);
}
