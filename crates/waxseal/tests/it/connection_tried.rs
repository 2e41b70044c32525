//! `connection verify` and `connection test` against a server on loopback that the settings file lists as a private relay.

use super::program::{Said, finish, program};
use serde_json::json;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::thread::JoinHandle;

/// A server without TLS that takes every message but one to `refused@`; gives back what it heard.
fn server(sessions: usize) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = std::thread::spawn(move || {
        let mut heard = Vec::new();
        for _ in 0..sessions {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            stream.write_all(b"220 mail.test ESMTP\r\n").unwrap();
            let mut in_message = false;
            while let Some(Ok(line)) = lines.next() {
                let answer: &[u8] = match line.as_str() {
                    "." => b"250 2.0.0 queued as 4711\r\n",
                    _ if in_message => b"",
                    "DATA" => b"354 go on\r\n",
                    "QUIT" => b"221 bye\r\n",
                    "RCPT TO:<refused@example.net>" => b"550 5.1.1 no such user\r\n",
                    _ => b"250 mail.test\r\n",
                };
                let is_last = line == "QUIT" && !in_message;
                in_message = line == "DATA" || (in_message && line != ".");
                let _ = stream.write_all(answer);
                heard.push(line);
                if is_last {
                    break;
                }
            }
        }
        heard
    });
    (port, heard)
}

/// A settings file that lists this relay, and the data folder beside it.
fn settings(root: &tempfile::TempDir, port: u16) -> std::path::PathBuf {
    let data = root.path().join("data");
    let text =
        format!("data = '{}'\n[[relays]]\nhost = '127.0.0.1'\nport = {port}\n", data.display());
    super::program::file(root, "waxseal.toml", text)
}

fn connection(settings: &Path, arguments: &[&str]) -> Said {
    let mut command = program();
    command.arg("connection").args(arguments).arg("--config").arg(settings);
    finish(&mut command, b"a-password-of-24-characters")
}

#[test]
fn a_verification_is_kept_and_decides_nothing() {
    let root = tempfile::tempdir().unwrap();
    let (port, heard) = server(1);
    let settings = settings(&root, port);
    let port = port.to_string();
    let add = ["add", "relay", "--host", "127.0.0.1", "--port", &port, "--security", "none"];
    let said = connection(&settings, &[&add[..], &["--from-address", "a@example.com"]].concat());
    assert_eq!(said.is_calm().status, 0, "{said:?}");

    let said = connection(&settings, &["verify", "relay", "--json", "--ehlo", "x"]);
    assert_eq!(said.status, 2, "no such option: {said:?}");
    let said = connection(&settings, &["verify", "relay", "--json", "--from-host", "client.test"]);
    let value = said.is_calm().json();
    assert_eq!((&value["result"]["outcome"], said.status), (&json!("ready"), 0), "{said:?}");
    assert_eq!(value["result"]["encrypted"], false);
    let stored = &value["connection"];
    assert_eq!((&stored["state"], &stored["last_test"]), (&json!("untested"), &json!(null)));
    assert_eq!(stored["last_verify"]["outcome"], "accepted");
    assert_eq!(stored["last_verify"]["detail"]["ended"], "ready");
    assert_eq!(heard.join().unwrap(), ["EHLO client.test", "QUIT"], "no message, no sign-in");

    let said = connection(&settings, &["verify", "relay"]);
    assert_eq!(said.is_calm().status, 1, "nobody listens any more: {said:?}");
    assert!(said.stdout.contains("NOT ENCRYPTED") && said.stderr.contains("FAILED"), "{said:?}");
    let shown = connection(&settings, &["show", "relay"]);
    assert!(shown.stdout.contains("last verify: failed"), "{shown:?}");
}

#[test]
fn what_cannot_be_tried_is_named_and_nothing_is_connected_to() {
    let root = tempfile::tempdir().unwrap();
    let settings = settings(&root, 1);
    let from = ["--from-address", "a@example.com"];
    let own = ["--host", "smtp.example.com", "--port", "465", "--security", "tls", "--user", "u"];
    connection(&settings, &[&["add", "own"][..], &own, &from, &["--no-secret"]].concat());
    connection(
        &settings,
        &[&["add", "pm", "--service", "postmark"][..], &from, &["--no-secret"]].concat(),
    );
    for name in ["own", "pm"] {
        let said = connection(&settings, &["verify", name]);
        assert_eq!((said.is_calm().status, said.stderr.lines().count()), (2, 1), "{said:?}");
        assert!(said.stderr.contains("secret: none is stored"), "{said:?}");
    }
    let said = connection(&settings, &["verify", "nothing"]);
    assert!(said.status == 2 && said.stderr.contains("there is no connection"), "{said:?}");
    let roots = connection(&settings, &["verify", "own", "--roots", "ca.pem"]);
    assert!(roots.stderr.contains("unexpected argument '--roots'"), "{roots:?}");
    // An address that no settings file lists is not contacted.
    let near = ["--host", "127.0.0.1", "--port", "2", "--security", "none"];
    connection(&settings, &[&["add", "near"][..], &near, &from].concat());
    let said = connection(&settings, &["verify", "near", "--json"]);
    assert_eq!(said.json()["result"]["ended"], "guard-refused", "{said:?}");
}

#[test]
fn a_test_decides_the_state_and_a_failure_stays_in_sight() {
    let root = tempfile::tempdir().unwrap();
    let (port, heard) = server(3);
    let settings = settings(&root, port);
    let port = port.to_string();
    let add = ["add", "relay", "--host", "127.0.0.1", "--port", &port, "--security", "none"];
    connection(&settings, &[&add[..], &["--from-address", "a@example.com"]].concat());
    let test = |arguments: &[&str]| {
        let fixed = ["test", "relay", "--json", "--from-host", "client.test"];
        connection(&settings, &[&fixed[..], arguments].concat())
    };
    let refused = test(&["--to", "refused@example.net"]);
    let value = refused.is_calm().json();
    assert_eq!(
        (&value["result"]["outcome"], refused.status),
        (&json!("rejected"), 1),
        "{refused:?}"
    );
    assert_eq!(value["connection"]["state"], "failing");
    let list = connection(&settings, &["list"]);
    assert!(list.stdout.contains("failing"), "{list:?}");
    assert!(list.stdout.contains("test rejected"), "{list:?}");
    connection(&settings, &["edit", "relay", "--from-name", "News"]);
    let list = connection(&settings, &["list"]);
    assert!(list.stdout.contains("untested"), "{list:?}");
    assert!(
        list.stdout.contains("before the last change"),
        "a change dismisses no failure: {list:?}"
    );

    let passed = test(&["--to", "you@example.net", "--idempotency-key", "monday"]);
    let value = passed.is_calm().json();
    assert_eq!((&value["result"]["outcome"], passed.status), (&json!("accepted"), 0), "{passed:?}");
    assert_eq!((&value["repeated"], &value["result"]["encrypted"]), (&json!(false), &json!(false)));
    assert_eq!(value["connection"]["state"], "passing");
    let again = test(&["--to", "you@example.net", "--idempotency-key", "monday"]).json();
    assert_eq!((&again["repeated"], &again["test"]), (&json!(true), &value["test"]));

    let id = value["result"]["message_id"].as_str().unwrap();
    let received = "Received: from a.test ([192.0.2.1]) by b.test with ESMTPS id 1\r\n";
    let message = format!("{received}Message-ID: <{id}>\r\n\r\nhello\r\n");
    let arrived = super::program::file(&root, "arrived.eml", message);
    let arrived = arrived.to_str().unwrap();
    let said = connection(&settings, &["test", "relay", "--received", arrived, "--json"]);
    let shown = said.is_calm().json();
    assert_eq!((&shown["received"]["all_encrypted"], said.status), (&json!(true), 0));
    assert_eq!(shown["test"]["id"], value["test"]);
    let kept = &shown["test"]["detail"]["received"];
    assert_eq!((&kept["all_encrypted"], &kept["hops"][0]["by"]), (&json!(true), &json!("b.test")));
    assert_eq!(shown["connection"]["last_test"]["detail"]["received"], *kept);
    let show = connection(&settings, &["show", "relay"]);
    let words = "every hop between machines claims TLS (1 hop at b.test; read 20";
    assert!(show.stdout.contains(words), "{show:?}");
    let again = test(&["--to", "you@example.net", "--idempotency-key", "monday"]);
    assert_eq!((again.json()["repeated"].clone(), again.status), (json!(true), 0), "{again:?}");
    let other =
        super::program::file(&root, "other.eml", format!("{received}Message-ID: <x@y>\r\n"));
    let said = connection(&settings, &["test", "relay", "--received", other.to_str().unwrap()]);
    assert_eq!((said.is_calm().status, said.stderr.lines().count()), (2, 1), "{said:?}");
    assert!(said.stderr.contains("not the message of a test"), "{said:?}");

    for (arguments, words) in [
        (&["test", "relay"][..], "--to"),
        (&["test", "relay", "--to", "nobody"], "--to \"nobody\""),
        (&["test", "relay", "--to", "a@b.example", "--roots", "x"], "unexpected argument"),
        (&["test", "nothing", "--to", "a@b.example"], "there is no connection"),
    ] {
        let said = connection(&settings, arguments);
        assert!(said.is_calm().status == 2 && said.stderr.contains(words), "{said:?}");
    }
    connection(&settings, &["disable", "relay"]);
    let said = connection(&settings, &["test", "relay", "--to", "a@b.example"]);
    assert!(said.status == 2 && said.stderr.contains("is disabled"), "{said:?}");
    drop(std::net::TcpStream::connect(format!("127.0.0.1:{port}")));
    let heard = heard.join().unwrap();
    assert_eq!(heard.iter().filter(|line| *line == "DATA").count(), 1, "one message, once");
}
