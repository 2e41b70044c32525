//! `waxseal connection`: what is kept and shown, what is refused, and that no secret comes out again.

use super::program::{Said, file, program, run_with};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

const SECRET: &str = "Zx7-correct-horse-battery-Q9";

/// Runs `connection …` on a data folder.
fn connection(data: &Path, arguments: &[&str], input: &[u8]) -> Said {
    let folder = data.to_str().unwrap();
    let all: Vec<&str> =
        [&["connection"], arguments, &["--data", folder]].into_iter().flatten().copied().collect();
    run_with(&all, input)
}

/// Adds the connection that most tests begin with.
fn add_own(data: &Path) -> Said {
    let arguments = "add own --host smtp.example.com --port 587 --security starttls --user sender \
                     --from-address news@example.com --from-name News --secret-file - --json";
    connection(data, &arguments.split_whitespace().collect::<Vec<_>>(), SECRET.as_bytes())
}

fn shown(data: &Path, name: &str) -> Value {
    let said = connection(data, &["show", name, "--json"], b"");
    said.is_calm().json()["connection"].clone()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn a_connection_is_added_shown_changed_and_removed() {
    let root = tempfile::tempdir().unwrap();
    let data = &root.path().join("data");
    let said = add_own(data);
    assert_eq!((said.is_calm().status, said.stderr.as_str()), (0, ""), "{said:?}");
    let added = said.json();
    assert_eq!(keys(&added), ["connection", "key_file_made", "offer", "simulated", "warnings"]);
    assert!(added["key_file_made"].as_str().unwrap().ends_with("master.key"));
    let first = &added["connection"];
    for (key, value) in [
        ("kind", json!("smtp")),
        ("port", json!(587)),
        ("security", json!("starttls")),
        ("encrypted", json!(true)),
        ("sign_in", json!({"mechanism": "automatic", "user": "sender"})),
        ("trust", json!({"kind": "public-roots", "certificates": [], "pins": []})),
        ("state", json!("untested")),
        ("service", Value::Null),
        ("last_test", Value::Null),
        ("exception", Value::Null),
    ] {
        assert_eq!(first[key], value, "{key}");
    }
    assert_eq!(first["secret"]["stored"], true);
    assert_eq!(*first, shown(data, "own"));
    assert_eq!(*first, shown(data, first["id"].as_str().unwrap()));

    let edit = ["edit", "own", "--port", "465", "--security", "tls", "--name", "other", "--json"];
    let edited = connection(data, &edit, b"").json();
    assert_eq!(
        (&edited["connection"]["port"], &edited["key_file_made"]),
        (&json!(465), &Value::Null)
    );
    assert!(edited["connection"]["revision"].as_u64() > first["revision"].as_u64());
    let disabled = connection(data, &["disable", "other", "--json"], b"").json();
    assert_eq!(disabled["connection"]["enabled"], false);
    let list = connection(data, &["list"], b"");
    assert!(list.stdout.contains("other  untested  smtp.example.com:465 tls"), "{list:?}");
    assert!(list.stdout.contains("disabled"), "{list:?}");
    connection(data, &["enable", "other"], b"");
    assert_eq!(shown(data, "other")["enabled"], true);
    assert_eq!(connection(data, &["remove", "other"], b"").is_calm().status, 0);
    let list = connection(data, &["list", "--json"], b"").json();
    assert_eq!(list, json!({"connections": [], "workspace": "default", "simulated": false}));
}

#[test]
fn what_is_known_of_a_host_is_offered_and_contradictions_are_told() {
    let root = tempfile::tempdir().unwrap();
    let data = &root.path().join("data");
    let add = |name: &str, more: &str| {
        let all = format!("add {name} {more} --from-address a@example.com --json");
        let said = connection(data, &all.split_whitespace().collect::<Vec<_>>(), b"");
        assert_eq!(said.is_calm().status, 0, "{said:?}");
        said.json()
    };
    let known = add("a", "--host smtp.sendgrid.net --port 587 --security tls");
    assert_eq!(known["offer"]["service"], "sendgrid");
    assert_eq!(known["offer"]["presets"][0]["port"], 465);
    assert_eq!(known["connection"]["port"], 587, "nothing is filled in or changed by itself");
    let codes = |value: &Value| {
        let list = value["warnings"].as_array().unwrap().iter();
        list.map(|each| each["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(codes(&known), ["input-mode-port-conflict", "api-smtp-instead"]);
    let preset = add("b", "--preset sendgrid --user apikey");
    assert_eq!(preset["connection"]["host"], "smtp.sendgrid.net");
    assert_eq!(
        (&preset["connection"]["port"], codes(&preset)),
        (&json!(465), vec!["api-smtp-instead".to_owned()])
    );
    let unknown = add("c", "--host smtp.example.com --port 465 --security starttls");
    assert_eq!(unknown["offer"], json!({"service": null, "presets": []}));
    assert_eq!(codes(&unknown), ["input-mode-port-conflict"]);
    let clear = add("d", "--host localhost --port 2525 --security none");
    assert_eq!(codes(&clear), ["input-mode-none"]);
}

#[test]
fn what_is_wrong_is_named_with_what_to_do() {
    let root = tempfile::tempdir().unwrap();
    let data = &root.path().join("data");
    let from = "--from-address a@example.com";
    let own = "--host smtp.example.com --port 587 --security starttls";
    for (arguments, words) in [
        (format!("add x {own}"), "from-address: is missing"),
        (format!("add x {own} --from-address a@@b"), "from-address:"),
        (format!("add x --host smtp.example.com --port 587 {from}"), "security: is missing"),
        (format!("add x --host smtp.sendgrid.net {from}"), "--service sendgrid for its HTTPS API"),
        (format!("add x --host smtp.example.com --security tls {from}"), "port: is missing"),
        (format!("add x {own} {from} --port 0"), "cannot be used multiple times"),
        (format!("add x --host a --port 0 --security tls {from}"), "port: is not a number"),
        (format!("add x --host a --port 25 --security ssl {from}"), "one of starttls, tls, none"),
        (format!("add x {own} {from} --auth plain"), "auth: needs a user name"),
        (format!("add x {own} {from} --auth xyz --user u"), "auth: has a value"),
        (format!("add x {own} {from} --pin abc"), "pin: is not a SHA-256"),
        (format!("add x {own} {from} --minimum-tls 1.1"), "one of 1.2, 1.3"),
        (format!("add x {own} {from} --ip v4"), "ip: has a value"),
        (format!("add x {own} {from} --setting a=b"), "setting:"),
        (format!("add x {own} {from} --exception-page https://a.example/"), "exception-reason:"),
        (format!("add x --preset nothing {from}"), "no preset is called"),
        (format!("add x --service postmark {from} --host a"), "host: belongs to SMTP"),
        (format!("add x --service nothing {from}"), "service: is not built in"),
        (format!("add x --service postmark {from} --setting stream=a"), "no such setting"),
        (format!("add x --service mailgun {from}"), "domain: is missing"),
        (
            format!("add x --service mailgun {from} --setting domain=a.example --setting region=x"),
            "one of us, eu",
        ),
        (format!("add x --service postmark {from} --setting server-token={SECRET}"), "is a secret"),
        (format!("add x {own} {from} --password {SECRET}"), "never an argument"),
        (format!("add x {own} {from} --secret={SECRET}"), "never an argument"),
        (format!("add x {own} {from} --roots ca.pem"), "unexpected argument '--roots'"),
        (format!("add x {own} {from} --allow-private"), "unexpected argument '--allow-private'"),
        (format!("add x {own} {from} --ca - --secret-file -"), "named twice"),
    ] {
        let all: Vec<&str> = arguments.split_whitespace().collect();
        let said = connection(data, &all, b"");
        assert_eq!((said.is_calm().status, said.stdout.as_str()), (2, ""), "{arguments}: {said:?}");
        assert!(said.stderr.contains(words), "{arguments}: {said:?}");
        assert!(!said.stderr.contains(SECRET), "{said:?}");
        assert!(!data.exists(), "nothing is made for what is refused: {arguments}");
    }
    assert_eq!(connection(data, &["list", "--json"], b"").json()["connections"], json!([]));
    for arguments in [&["show", "x"][..], &["edit", "x", "--port", "1"], &["remove", "x"]] {
        let said = connection(&root.path().join("nothing"), arguments, b"");
        assert!(said.status == 2 && said.stderr.contains("there is no database"), "{said:?}");
    }
    add_own(data);
    for (arguments, words) in [
        (
            &["show", "nothing"][..],
            "there is no connection \"nothing\" (hint: waxseal connection list",
        ),
        (&["edit", "own", "--service", "postmark"], "keeps its kind"),
        (&["edit", "own", "--security", "none", "--host", "localhost"], "has a stored secret"),
        (&["edit", "own", "--security", "none", "--user", "x"], "never signs in"),
        (&["list", "--workspace", "other"], "there is no workspace 'other'"),
    ] {
        let said = connection(data, arguments, b"");
        assert_eq!((said.is_calm().status, said.stderr.lines().count()), (2, 1), "{said:?}");
        assert!(said.stderr.contains(words), "{arguments:?}: {said:?}");
    }
    let again = add_own(data);
    assert_eq!(again.status, 2);
    assert!(again.stderr.contains("already a connection called 'own'"), "{again:?}");
}

#[test]
fn mode_none_is_marked_and_needs_an_exception_off_loopback() {
    let root = tempfile::tempdir().unwrap();
    let data = &root.path().join("data");
    let add = |name: &str, host: &str, more: &[&str]| {
        let fixed = ["add", name, "--host", host, "--port", "25", "--security", "none"];
        let all = [&fixed, &["--from-address", "a@example.com", "--json"][..], more].concat();
        connection(data, &all, b"")
    };
    for host in ["mail.example.com", "192.0.2.1", "10.0.0.1", "::ffff:192.0.2.1"] {
        let said = add("x", host, &[]);
        assert_eq!(said.status, 2, "{said:?}");
        assert!(said.stderr.contains("needs the owner's exception"), "{said:?}");
    }
    for host in ["localhost", "127.0.0.1", "::1"] {
        let said = add(host, host, &[]);
        assert_eq!((said.status, &said.json()["connection"]["encrypted"]), (0, &json!(false)));
    }
    let page = ["--exception-page", "https://docs.example.com/relay"];
    let reason = ["--exception-reason", "the device speaks no TLS"];
    for (until, words) in [
        ("2020-01-01", "ends before it begins"),
        ("2999-01-01", "more than 90 days"),
        ("soon", "neither a date nor a time"),
    ] {
        let said = add(
            "x",
            "mail.example.com",
            &[&page[..], &reason, &["--exception-until", until]].concat(),
        );
        assert!(said.status == 2 && said.stderr.contains(words), "{until}: {said:?}");
    }
    let http = ["--exception-page", "http://docs.example.com/relay"];
    let now: jiff::Timestamp =
        shown(data, "localhost")["created_at"].as_str().unwrap().parse().unwrap();
    let soon = now + jiff::SignedDuration::from_hours(24 * 30);
    let until = ["--exception-until", &soon.to_string()];
    let said = add("x", "mail.example.com", &[&http[..], &reason, &until].concat());
    assert!(said.stderr.contains("exception-page: is not an address"), "{said:?}");
    let said = add("x", "mail.example.com", &[&page[..], &reason, &until].concat());
    let exception = said.is_calm().json()["connection"]["exception"].clone();
    assert_eq!((&exception["in_force"], said.status), (&json!(true), 0));
    let list = connection(data, &["list"], b"");
    assert_eq!(list.stdout.matches("NOT ENCRYPTED").count(), 4, "{list:?}");
    let show = connection(data, &["show", "x"], b"");
    assert!(show.stdout.contains("NOT ENCRYPTED"), "{show:?}");
    let refused = connection(data, &["edit", "x", "--secret-file", "-"], SECRET.as_bytes());
    assert!(refused.status == 2 && refused.stderr.contains("never signs in"), "{refused:?}");
    let moved = connection(data, &["edit", "x", "--host", "other.example.com"], b"");
    assert!(moved.status == 2 && moved.stderr.contains("exception"), "{moved:?}");
}

#[test]
fn a_secret_goes_in_and_never_comes_out() {
    let root = tempfile::tempdir().unwrap();
    let data = &root.path().join("data");
    let mut said = vec![add_own(data)];
    let token = file(&root, "token", format!("{SECRET}\n"));
    let token = token.to_str().unwrap();
    let named = format!("secret-access-key={token}");
    for arguments in [
        &[
            "add",
            "pm",
            "--service",
            "postmark",
            "--from-address",
            "a@example.com",
            "--secret-file",
            token,
        ][..],
        &[
            "add",
            "ses",
            "--service",
            "amazon-ses",
            "--setting",
            "region=eu-west-1",
            "--setting",
            "access-key-id=AKIAIOSFODNN7EXAMPLE",
            "--from-address",
            "a@example.com",
            "--secret-file",
            &named,
        ],
        &["edit", "own", "--secret-file", token],
        &["edit", "own", "--remove-secret"],
        &["edit", "own", "--secret-file", token],
        &["show", "own"],
        &["show", "pm", "--json"],
        &["list"],
        &["list", "--json"],
    ] {
        said.push(connection(data, arguments, b""));
    }
    for each in &said {
        assert_eq!(each.is_calm().status, 0, "{each:?}");
    }
    assert_eq!(shown(data, "own")["secret"]["stored"], true);
    let mut places: Vec<(String, Vec<u8>)> = said
        .iter()
        .map(|each| (format!("{each:?}"), format!("{}{}", each.stdout, each.stderr).into_bytes()))
        .collect();
    for entry in std::fs::read_dir(data).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
        places.push((path.display().to_string(), std::fs::read(&path).unwrap()));
    }
    let hex = SECRET.bytes().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().concat();
    // What base64 makes of it, without the ends that depend on what stands beside it.
    let base64 =
        ["Wng3LWNvcnJlY3QtaG9yc2Ut", "p4Ny1jb3JyZWN0LWhvcnNlLW", "aeDctY29ycmVjdC1ob3JzZS1"];
    for (place, octets) in places {
        let text = String::from_utf8_lossy(&octets);
        let forms = [SECRET, hex.as_str(), &SECRET[4..20]];
        assert!(forms.iter().chain(&base64).all(|form| !text.contains(form)), "{place}");
    }
}

#[test]
fn secrets_that_cannot_be_one_are_refused_and_nothing_is_added() {
    let root = tempfile::tempdir().unwrap();
    let data = &root.path().join("data");
    let large = "x".repeat(20_000);
    for (secret, words) in [
        ("", "is empty"),
        ("\n", "is empty"),
        ("a\nb\n", "line end or another control character"),
        (large.as_str(), "larger than"),
    ] {
        let arguments = "add x --host a.example --port 465 --security tls --user u \
                         --from-address a@example.com --secret-file -";
        let all: Vec<&str> = arguments.split_whitespace().collect();
        let said = connection(data, &all, secret.as_bytes());
        assert_eq!((said.is_calm().status, said.stderr.lines().count()), (2, 1), "{said:?}");
        assert!(said.stderr.contains(words), "{said:?}");
        assert!(!data.exists(), "nothing is made for what is refused: {said:?}");
    }
    assert_eq!(connection(data, &["list", "--json"], b"").json()["connections"], json!([]));
}

#[test]
fn trouble_with_key_and_database_is_named_and_loses_nothing() {
    let root = tempfile::tempdir().unwrap();
    let data = &root.path().join("data");
    add_own(data);
    let key = data.join("master.key");
    let kept = root.path().join("kept.key");
    std::fs::rename(&key, &kept).unwrap();
    let edit = ["edit", "own", "--secret-file", "-"];
    let said = connection(data, &edit, SECRET.as_bytes());
    assert_eq!(said.is_calm().status, 2, "{said:?}");
    assert!(said.stderr.contains("is missing, and 1 stored secrets need it"), "{said:?}");
    assert!(!key.exists(), "a lost key is never replaced by a new one");
    assert_eq!(connection(data, &["list"], b"").status, 0, "listing needs no key");

    std::fs::copy(&kept, &key).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let said = connection(data, &edit, SECRET.as_bytes());
    assert!(said.status == 2 && said.stderr.contains("chmod 600"), "{said:?}");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&key, "waxseal-keys 1\ncurrent nonsense\n").unwrap();
    let said = connection(data, &edit, SECRET.as_bytes());
    assert!(said.status == 2 && said.stderr.contains("line 2 of the master keys"), "{said:?}");
    std::fs::copy(&kept, &key).unwrap();
    assert_eq!(connection(data, &edit, SECRET.as_bytes()).is_calm().status, 0);

    let database = data.join("waxseal.db");
    std::fs::write(&database, "this is no database, and longer than a header of one".repeat(40))
        .unwrap();
    for name in ["waxseal.db-wal", "waxseal.db-shm"] {
        let _ = std::fs::remove_file(data.join(name));
    }
    let before = std::fs::read(&database).unwrap();
    let said = connection(data, &["list"], b"");
    assert_eq!(said.is_calm().status, 2, "{said:?}");
    assert!(said.stderr.contains("is not a Waxseal database"), "{said:?}");
    assert_eq!(std::fs::read(&database).unwrap(), before, "what is there stays");
}

#[test]
fn several_commands_at_once_lose_nothing() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    let running: Vec<_> = (0..6)
        .map(|at| {
            let mut command = program();
            command
                .args(["connection", "add", &format!("c{at}"), "--service", "resend"])
                .args(["--from-address", "a@example.com", "--secret-file"])
                .arg(file(&root, &format!("s{at}"), SECRET))
                .args(["--data", data.to_str().unwrap()]);
            std::thread::spawn(move || super::program::finish(&mut command, b""))
        })
        .collect();
    for each in running {
        let said = each.join().unwrap();
        assert_eq!(said.is_calm().status, 0, "{said:?}");
    }
    let list = connection(&data, &["list", "--json"], b"").json();
    let stored = list["connections"].as_array().unwrap();
    assert_eq!(stored.len(), 6);
    assert!(stored.iter().all(|each| each["secret"]["stored"] == true), "{list}");
}

#[test]
fn the_keys_may_come_from_a_variable_or_a_command() {
    let root = tempfile::tempdir().unwrap();
    let data = &root.path().join("data");
    add_own(data);
    let key = std::fs::read_to_string(data.join("master.key")).unwrap();
    std::fs::remove_file(data.join("master.key")).unwrap();
    let elsewhere = file(&root, "elsewhere", &key);
    let edit = |name: &str, value: &str| {
        let mut command = program();
        command.env(name, value).args(["connection", "edit", "own", "--secret-file", "-"]);
        super::program::finish(command.arg("--data").arg(data), SECRET.as_bytes())
    };
    let line = key.trim().replace('\n', ";");
    assert_eq!(edit("WAXSEAL_MASTER_KEY", &line).is_calm().status, 0);
    let cat = format!("cat {}", elsewhere.display());
    assert_eq!(edit("WAXSEAL_KEY_COMMAND", &cat).is_calm().status, 0);
    for (name, value, status, words) in [
        ("WAXSEAL_MASTER_KEY", "nonsense", 2, "must begin with"),
        ("WAXSEAL_KEY_COMMAND", "exit 7", 3, "ended with status 7"),
        ("WAXSEAL_KEY_COMMAND", "echo nonsense", 2, "must begin with"),
    ] {
        let said = edit(name, value);
        assert_eq!((said.is_calm().status, said.stderr.lines().count()), (status, 1), "{said:?}");
        assert!(said.stderr.contains(words), "{said:?}");
    }
    assert!(!data.join("master.key").exists());
}

#[test]
fn a_lab_keeps_its_own_data() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    add_own(&data);
    let mut command = program();
    command.env("WAXSEAL_DATA", &data).args(["lab", "exec", "--", "connection", "list", "--json"]);
    let said = super::program::finish(&mut command, b"");
    let expected = json!({"connections": [], "workspace": "default", "simulated": true});
    assert_eq!((said.is_calm().json(), said.status), (expected, 0));
    let arguments = ["lab", "exec", "--", "connection", "list", "--data", data.to_str().unwrap()];
    let said = run_with(&arguments, b"");
    assert!(said.status == 2 && said.stderr.contains("inside a lab"), "{said:?}");
}

#[test]
fn a_secret_typed_for_a_file_name_is_not_echoed() {
    let root = tempfile::tempdir().unwrap();
    let data = &root.path().join("data");
    let typed = "typed-by-mistake";
    let add = ["add", "a", "--host", "smtp.example.com", "--port", "587", "--security", "starttls"];
    let rest = ["--user", "u", "--from-address", "a@example.com", "--secret-file", typed];
    let refused = connection(data, &[&add[..], &rest[..]].concat(), b"");
    assert!(refused.status == 2 && refused.stderr.contains("--secret-file"), "{refused:?}");
    assert!(!refused.stderr.contains(typed) && !refused.stdout.contains(typed), "{refused:?}");
}
