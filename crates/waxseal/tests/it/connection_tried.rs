//! `connection verify` against a server on loopback that the settings file lists as a private relay.

use super::program::{Said, finish, program};
use serde_json::json;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::thread::JoinHandle;

/// A server without TLS that answers each command with 250 and ends with QUIT; gives back what it heard.
fn server(sessions: usize) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = std::thread::spawn(move || {
        let mut heard = Vec::new();
        for _ in 0..sessions {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            stream.write_all(b"220 mail.test ESMTP\r\n").unwrap();
            while let Some(Ok(line)) = lines.next() {
                let is_last = line.starts_with("QUIT");
                let _ =
                    stream.write_all(if is_last { b"221 bye\r\n" } else { b"250 mail.test\r\n" });
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
