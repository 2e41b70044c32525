//! `tool smtp send` against real sockets: what it refuses to do, what leaves and what does not, what it says.

use super::program::{Said, file, finish, program, run_with};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

const CANARY: &str = "canary-Q7x-4711-pw";
const MESSAGE: &[u8] = b"Subject: a\n\n.canary-body-4711\n";

/// A server that speaks SMTP in clear to one client, and every line it heard. Where STARTTLS is offered it
/// answers and then says something that is no TLS.
struct Server {
    port: u16,
    heard: Receiver<String>,
}

#[derive(Clone, Copy)]
struct Script {
    ehlo: &'static str,
    rcpt: &'static str,
    end: &'static str,
}

const GOOD: Script = Script {
    ehlo: "250-a.example\r\n250 SIZE 1000000\r\n",
    rcpt: "250 2.1.5 ok\r\n",
    end: "250 2.0.0 queued as q-4711\r\n",
};

fn server(script: Script) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, heard) = channel();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut writer = stream.try_clone().unwrap();
        let mut say = |text: &str| writer.write_all(text.as_bytes());
        let _ = say("220 a.example ESMTP\r\n");
        let mut in_message = false;
        for line in BufReader::new(stream).split(b'\n') {
            let Ok(line) = line else { return };
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let _ = tell.send(line.clone());
            let verb = line.split(' ').next().unwrap_or_default().to_owned();
            let said = match verb.as_str() {
                "." if in_message => {
                    in_message = false;
                    say(script.end)
                }
                _ if in_message => Ok(()),
                "EHLO" => say(script.ehlo),
                "MAIL" => say("250 2.1.0 ok\r\n"),
                "RCPT" if line.contains("gone@") => say("550 5.1.1 no such user\r\n"),
                "RCPT" => say(script.rcpt),
                "DATA" => {
                    in_message = true;
                    say("354 go\r\n")
                }
                "STARTTLS" => say("220 go\r\n250 this is no TLS\r\n"),
                "QUIT" => say("221 bye\r\n"),
                _ => say("500 what\r\n"),
            };
            if said.is_err() || verb == "QUIT" {
                return;
            }
        }
    });
    Server { port, heard }
}

impl Server {
    fn lines(self) -> Vec<String> {
        self.heard.iter().collect()
    }
}

fn send(arguments: &[&str], port: u16) -> Said {
    let port = port.to_string();
    let mut all = vec!["tool", "smtp", "send", "--port", &port, "--from", "a@example.com"];
    all.extend(arguments);
    run_with(&all, MESSAGE)
}

const TO: [&str; 3] = ["--to", "b@example.net", "-"];

fn with_to<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    arguments.iter().copied().chain(TO).collect()
}

#[test]
fn what_must_not_be_is_refused_before_anything_is_contacted() {
    let folder = tempfile::tempdir().unwrap();
    let password = file(&folder, "pw", format!("{CANARY}\n"));
    let password = password.to_str().unwrap();
    let account = ["--username", "u", "--password-file", password];
    for (words, arguments) in [
        ("never signs in", [&["--host", "localhost", "--security", "none"], &account[..]].concat()),
        ("this machine only", vec!["--host", "192.0.2.1", "--security", "none"]),
        (
            "--now",
            [
                &["--host", "localhost", "--security", "tls", "--now", "2026-01-01T00:00:00Z"],
                &account[..],
            ]
            .concat(),
        ),
        ("--password-file", vec!["--host", "localhost", "--security", "tls", "--username", "u"]),
        (
            "not both",
            vec![
                "--host",
                "localhost",
                "--security",
                "tls",
                "--username",
                "u",
                "--password-file",
                "-",
            ],
        ),
        ("older versions", vec!["--host", "h.test", "--security", "tls", "--minimum-tls", "1.1"]),
        ("--host", vec!["--host", "h.test:25", "--security", "tls"]),
        ("possible values", vec!["--host", "h.test", "--security", "auto"]),
        ("--ca", vec!["--host", "localhost", "--security", "none", "--pin", &"ab".repeat(32)]),
    ] {
        let said = send(&with_to(&arguments), 25);
        assert_eq!((said.status, said.stdout.as_str()), (2, ""), "{arguments:?}: {said:?}");
        assert!(said.stderr.contains(words), "{words}: {said:?}");
        assert!(!said.stderr.contains(CANARY), "{said:?}");
    }
}

#[test]
fn no_address_can_carry_another_command() {
    for address in ["b@example.net>\r\nDATA", "b@example.net\nRCPT TO:<c@example.net>"] {
        let said = run_with(
            &[
                "tool",
                "smtp",
                "send",
                "--host",
                "localhost",
                "--port",
                "25",
                "--security",
                "none",
                "--from",
                "a@example.com",
                &format!("--to={address}"),
                "-",
            ],
            MESSAGE,
        );
        assert!(said.status == 2, "{address:?}: {said:?}");
        said.is_calm();
    }
}

#[test]
fn a_server_on_this_machine_takes_a_message_in_clear() {
    let server = server(GOOD);
    let arguments =
        ["--host", "localhost", "--security", "none", "--allow-private", "--ip", "ipv4-only"];
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    let said = send(&with_to(&arguments), server.port);
    let sent = said.json();
    assert_eq!(
        (said.status, &sent["accepted"], &sent["outcome"]),
        (0, &true.into(), &"accepted".into()),
        "{said:?}"
    );
    assert_eq!(
        (&sent["tls"], &sent["encrypted"], &sent["simulated"]),
        (&().into(), &false.into(), &true.into())
    );
    assert_eq!(sent["server_id"], "queued as q-4711");
    let recipient = &sent["recipients"][0];
    assert_eq!((&recipient["address"], &recipient["code"]), (&"b@example.net".into(), &250.into()));
    assert_eq!((&recipient["enhanced"], &sent["diagnosis"]), (&"2.0.0".into(), &().into()));
    let steps: Vec<&str> = sent["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    let expected =
        ["settings", "dns", "connect", "greeting", "ehlo", "mail", "rcpt", "data", "accepted"];
    assert_eq!(steps, expected);
    let transcript = sent["transcript"].to_string();
    assert!(transcript.contains("C: EHLO") && !transcript.contains("canary-body"), "{transcript}");
    let lines = server.lines();
    assert!(lines.contains(&"..canary-body-4711".to_owned()), "dot-stuffed: {lines:?}");
}

#[test]
fn a_private_relay_needs_no_option_when_the_administrator_lists_it() {
    for (listed, status) in [(true, 0), (false, 2)] {
        let server = server(GOOD);
        let folder = tempfile::tempdir().unwrap();
        let port = if listed { server.port } else { 1 };
        let config = file(
            &folder,
            "waxseal.toml",
            format!("[[relays]]\nhost = '127.0.0.1'\nport = {port}\n"),
        );
        let arguments = [
            "--config",
            config.to_str().unwrap(),
            "--host",
            "127.0.0.1",
            "--security",
            "none",
            "--json",
        ];
        let said = send(&with_to(&arguments), server.port);
        let sent = said.json();
        assert_eq!((said.status, &sent["simulated"]), (status, &false.into()), "{said:?}");
        assert_eq!(sent["outcome"], if listed { "accepted" } else { "guard-refused" });
    }
}

#[test]
fn each_recipient_has_its_own_answer_and_the_steps_are_told_as_they_pass() {
    let server = server(GOOD);
    let arguments = [
        "--host",
        "127.0.0.1",
        "--security",
        "none",
        "--allow-private",
        "--to",
        "gone@example.net",
    ];
    let said = send(&with_to(&arguments), server.port);
    assert_eq!(said.status, 1, "{said:?}");
    for words in
        ["accepted  127.0.0.1 port", "NOT ENCRYPTED", "gone@example.net: rejected 550 5.1.1"]
    {
        assert!(said.stdout.contains(words), "{words}: {said:?}");
    }
    assert!(said.stderr.contains("greeting     ok      220 a.example ESMTP"), "{said:?}");
}

#[test]
fn a_refusal_for_now_and_one_for_good_differ_in_their_status() {
    for (rcpt, outcome, status) in
        [("450 4.2.1 later\r\n", "deferred", 3), ("550 5.1.1 no such user\r\n", "rejected", 1)]
    {
        let server = server(Script { rcpt, ..GOOD });
        let arguments = ["--host", "127.0.0.1", "--security", "none", "--allow-private", "--json"];
        let said = send(&with_to(&arguments), server.port);
        let sent = said.json();
        assert_eq!((said.status, &sent["outcome"]), (status, &outcome.into()), "{said:?}");
        assert_eq!(sent["recipients"][0]["outcome"], outcome);
        assert!(!server.lines().iter().any(|line| line.contains("canary-body")));
    }
}

#[test]
fn a_closed_port_of_this_machine_is_a_problem_of_the_connection_and_not_of_the_usage() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    for security in ["none", "tls"] {
        let arguments = ["--host", "127.0.0.1", "--security", security, "--allow-private"];
        let said = send(&with_to(&[&arguments[..], &["--json"]].concat()), port);
        let sent = said.json();
        assert_eq!((said.status, &sent["diagnosis"]["code"]), (1, &"tcp-refused".into()));
        let in_clear = sent["findings"].as_array().unwrap().iter();
        let in_clear: Vec<&str> = in_clear
            .filter(|finding| finding["code"] == "input-mode-none")
            .map(|finding| finding["severity"].as_str().unwrap())
            .collect();
        assert_eq!(in_clear, if security == "none" { &["warn"][..] } else { &[] }, "{said:?}");
    }
}

#[test]
fn without_verified_tls_nothing_but_ehlo_starttls_and_quit_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let password = file(&folder, "pw", CANARY);
    for ehlo in [
        "250-a.example\r\n250 AUTH PLAIN LOGIN\r\n",
        "250-a.example\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n",
    ] {
        let server = server(Script { ehlo, ..GOOD });
        let arguments = [
            "--host",
            "127.0.0.1",
            "--security",
            "starttls",
            "--allow-private",
            "--json",
            "--username",
            "u",
            "--password-file",
            password.to_str().unwrap(),
        ];
        let said = send(&with_to(&arguments), server.port);
        let sent = said.json();
        assert_eq!(
            (&sent["accepted"], &sent["tls"]["version"]),
            (&false.into(), &().into()),
            "{said:?}"
        );
        assert_ne!(said.status, 0);
        let heard = server.lines();
        let verbs: Vec<&str> =
            heard.iter().map(|line| line.split(' ').next().unwrap_or_default()).collect();
        let allowed = [&["EHLO", "QUIT"][..], &["EHLO", "STARTTLS"]];
        assert!(allowed.contains(&verbs.as_slice()), "{heard:?}");
        assert!(!format!("{said:?}{heard:?}").contains(CANARY));
    }
}

#[test]
fn inside_a_lab_a_bad_certificate_stops_everything_and_a_good_one_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (password, message) = (file(&folder, "pw", CANARY), file(&folder, "a.eml", MESSAGE));
    for (host, outcome, valid) in [
        ("mx1.cert-expired.test", "tls-handshake-failed", false),
        ("mx1.healthy-auth-after-tls.test", "auth-failed", true),
    ] {
        let mut command = program();
        command
            .args(["lab", "exec", "--", "tool", "smtp", "send", "--host", host, "--port", "25"])
            .args(["--security", "starttls", "--username", "u", "--json", "--password-file"])
            .arg(&password)
            .args(["--from", "a@example.com", "--to", "b@example.net"])
            .arg(&message);
        let said = finish(&mut command, b"");
        let sent = said.json();
        assert_eq!(
            (&sent["outcome"], &sent["accepted"]),
            (&outcome.into(), &false.into()),
            "{said:?}"
        );
        assert_eq!(sent["certificate"]["valid"], valid, "{said:?}");
        let code = sent["diagnosis"]["code"].as_str().unwrap_or("auth-");
        let expected = if valid { "auth-" } else { "cert-expired" };
        assert!(code.starts_with(expected), "a note is no cause: {said:?}");
        let transcript = sent["transcript"].to_string();
        assert_eq!(transcript.contains("C: AUTH"), valid, "{transcript}");
        assert!(!transcript.contains("C: MAIL"), "{transcript}");
        assert!(!format!("{said:?}").contains(CANARY));
    }
}
