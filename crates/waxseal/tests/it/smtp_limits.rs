//! `tool smtp send` against servers that hang, flood, close or speak no ASCII: every run ends, names what was
//! wrong, says as little as it must, and exits with 1 or 3.

use super::program::{Said, run_with};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// What an answer may be at most, whatever the server said: the transcript is cut as well.
const ANSWER_OCTETS_MAX: usize = 256 * 1024;
const MESSAGE: &[u8] = b"Subject: a\n\nb\n";

/// A server for one client.
fn server(serve: impl FnOnce(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || serve(listener.accept().unwrap().0));
    port
}

fn send(port: u16, security: &str) -> Said {
    let port = port.to_string();
    let arguments = [
        "tool",
        "smtp",
        "send",
        "--host",
        "127.0.0.1",
        "--port",
        &port,
        "--security",
        security,
        "--allow-private",
        "--timeout",
        "2",
        "--from",
        "a@example.com",
        "--to",
        "b@example.net",
        "--json",
        "-",
    ];
    run_with(&arguments, MESSAGE)
}

/// The exit status and the code of the diagnosis.
fn judged(said: &Said) -> (i32, String) {
    let sent: Value = said.is_calm().json();
    assert_eq!(sent["accepted"], false, "{said:?}");
    assert!(said.stdout.len() + said.stderr.len() < ANSWER_OCTETS_MAX, "{}", said.stdout.len());
    let code = sent["diagnosis"]["code"].as_str().unwrap_or("none").to_owned();
    (said.status, code)
}

/// Answers each command as told, until a verb at which it closes.
fn until(closes_at: &'static str) -> impl FnOnce(TcpStream) + Send + 'static {
    move |stream| {
        let mut writer = stream.try_clone().unwrap();
        let mut say = |text: &str| writer.write_all(text.as_bytes()).is_ok();
        if closes_at == "greeting" || !say("220 a.example ESMTP\r\n") {
            return;
        }
        let mut in_message = false;
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { return };
            let verb = line.split(' ').next().unwrap_or_default().to_owned();
            if (in_message && verb != ".") || verb == closes_at {
                if verb == closes_at {
                    return;
                }
                continue;
            }
            let answered = match verb.as_str() {
                "DATA" => {
                    in_message = true;
                    say("354 go\r\n")
                }
                "." => {
                    in_message = false;
                    say("250 2.0.0 kept\r\n")
                }
                "EHLO" => say("250-a.example\r\n250 SIZE 1000000\r\n"),
                "QUIT" => say("221 bye\r\n"),
                _ => say("250 ok\r\n"),
            };
            if !answered {
                return;
            }
        }
    }
}

#[test]
fn a_port_with_nothing_behind_it_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    for security in ["starttls", "tls"] {
        assert_eq!(judged(&send(port, security)), (1, "tcp-refused".into()), "{security}");
    }
}

#[test]
fn a_server_that_closes_is_named_at_each_stage() {
    for (closes_at, status, code) in [
        ("greeting", 1, "greet-early-close"),
        ("EHLO", 1, "greet-early-close"),
        ("MAIL", 3, "send-temporary"),
        ("RCPT", 3, "send-temporary"),
        ("DATA", 3, "send-temporary"),
        // The whole message has left: it may have been taken.
        (".", 3, "send-ambiguous-end"),
    ] {
        let said = send(server(until(closes_at)), "none");
        assert_eq!(judged(&said), (status, code.into()), "{closes_at}: {said:?}");
    }
    let said = send(server(until("QUIT")), "none");
    let sent: Value = said.is_calm().json();
    assert_eq!((said.status, &sent["accepted"]), (0, &true.into()), "after the answer: {said:?}");
}

#[test]
fn a_server_that_hangs_is_left() {
    let hang = |stream: TcpStream| {
        let mut all = Vec::new();
        let _ = (&stream).read_to_end(&mut all);
    };
    for (security, code) in
        [("starttls", "greet-none"), ("tls", "tls-handshake-timeout"), ("none", "greet-none")]
    {
        assert_eq!(judged(&send(server(hang), security)), (1, code.into()), "{security}");
    }
}

#[test]
fn ten_megabytes_of_reply_are_not_read() {
    for (start, status, code) in [
        ("220-", 3, "greet-oversized-line"),
        ("220 ", 3, "greet-oversized-line"),
        ("220-a\r\n220-", 3, "greet-oversized-line"),
        ("", 1, "tcp-wrong-port"),
    ] {
        let flood = move |mut stream: TcpStream| {
            let _ = stream.write_all(start.as_bytes());
            let part = vec![b'x'; 64 * 1024];
            for _ in 0..160 {
                if stream.write_all(&part).is_err() {
                    return;
                }
            }
        };
        let said = send(server(flood), "starttls");
        assert_eq!(judged(&said), (status, code.into()), "{start:?}: {said:?}");
    }
    let lines = |mut stream: TcpStream| {
        let part = "220-a line of a greeting that does not end\r\n".repeat(1000);
        for _ in 0..240 {
            if stream.write_all(part.as_bytes()).is_err() {
                return;
            }
        }
    };
    assert_eq!(judged(&send(server(lines), "starttls")), (3, "greet-oversized-line".into()));
}

#[test]
fn a_reply_in_latin_1_is_shown_and_breaks_nothing() {
    let latin = |mut stream: TcpStream| {
        let _ = stream.write_all(b"220 Gr\xfc\xdfe\r\n");
        let mut line = String::new();
        let _ = BufReader::new(stream.try_clone().unwrap()).read_line(&mut line);
        let _ = stream.write_all(b"550 kein Eintritt f\xfcr Sie\r\n");
    };
    let said = send(server(latin), "starttls");
    assert_eq!(judged(&said), (1, "ehlo-rejected".into()), "{said:?}");
    for shown in ["S: 220 Gr\u{fffd}\u{fffd}e", "S: 550 kein Eintritt f\u{fffd}r Sie"] {
        assert!(said.stdout.contains(shown), "{shown}: {said:?}");
    }
}
