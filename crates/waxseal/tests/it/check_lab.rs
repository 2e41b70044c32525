//! Commands inside a lab: the main job, the formats, the session folder.

use super::program::{finish, program, run};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

#[test]
fn the_demo_ends_well_and_shows_checks_and_connections() {
    let said = run(&["demo"]);
    assert_eq!(said.status, 0, "{said:?}");
    for words in [
        "PASS",
        "cert-expired",
        "NOTHING TO TEST",
        "should dns-no-mail-records.test receive mail",
        "$ waxseal connection add own",
        "FAIL greet-plain-port-with-tls",
        "$ waxseal connection edit own --security starttls",
        "the server's id: ok: queued as lab-0001",
        "encrypted with TLS 1.3",
        "What it does not prove",
        "$ waxseal connection verify news",
        "info api-accepted-only",
    ] {
        assert!(said.stdout.contains(words), "{words}");
    }
    assert!(said.stderr.contains("Everything came out as expected"), "{said:?}");
    assert!(!said.stdout.contains('\u{1b}'), "no colour outside of a terminal");
    assert!(!said.stdout.contains("lab-only-9fK2"), "no password is shown");
}

#[test]
fn the_demo_as_json_lines_has_reports_and_answers_of_commands_and_leaves_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let said = finish(program().args(["demo", "--json"]).env("TMPDIR", temporary.path()), b"");
    assert_eq!(said.status, 0, "{said:?}");
    let lines: Vec<serde_json::Value> =
        said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines[..3].iter().all(|line| line["schema"] == "waxseal.report/1"), "{said:?}");
    let outcomes: Vec<_> =
        lines[3..].iter().filter_map(|line| line["result"]["outcome"].as_str()).collect();
    assert_eq!(outcomes, ["failed", "accepted", "ready", "accepted"]);
    assert_eq!(lines[4]["result"]["findings"][0]["code"], "greet-plain-port-with-tls");
    assert_eq!(lines.len(), 3 + 8, "{said:?}");
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0, "folders are removed");
}

#[test]
fn scenarios_run_and_the_last_line_counts_them() {
    let said = run(&["lab", "run", "healthy-one-mx", "starttls-not-advertised", "tcp-refused"]);
    assert_eq!(said.status, 0, "{said:?}");
    assert_eq!(said.stdout.lines().last(), Some("scenarios: 3 passed, 0 failed"));
    let said = run(&["lab", "run", "healthy-one-mx", "--json"]);
    assert_eq!(said.json()["scenarios"][0]["verdict"], "pass");
    let said = run(&["lab", "run", "no-such-scenario"]);
    assert_eq!(said.status, 2, "{said:?}");
}

#[test]
fn a_session_folder_serves_other_processes_and_goes_away() {
    let mut up = program()
        .args(["lab", "up", "healthy-one-mx", "cert-expired"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(up.stdout.take().unwrap()).lines();
    let folder = lines.next().unwrap().unwrap();
    let folder = folder.as_str();
    assert!(std::path::Path::new(folder).join("ca.pem").is_file(), "{folder}");
    let inside = |arguments: &[&str]| {
        let mut command = program();
        command.args(["lab", "exec", "--session", folder, "--"]).args(arguments);
        finish(&mut command, b"")
    };
    let said = inside(&["check", "cert-expired.test", "--json"]);
    let report = said.json();
    assert_eq!((said.status, &report["verdict"]), (1, &"fail".into()), "{said:?}");
    assert_eq!(report["simulated"], true);
    assert_eq!(report["mx"][0]["addresses"][0]["certificate"]["error"], "expired");
    let said = inside(&[
        "tool",
        "tls",
        "probe",
        "mx1.healthy-one-mx.test",
        "--starttls",
        "smtp",
        "--json",
    ]);
    let probed = said.json();
    assert_eq!(said.status, 0, "{said:?}");
    assert_eq!(probed["versions"], serde_json::json!(["1.3"]));
    assert_eq!(probed["sessions_used"], 1);
    assert_eq!(probed["groups"], serde_json::json!(["X25519MLKEM768"]));
    let said = inside(&["check", "--allow-private", "cert-expired.test"]);
    assert_eq!(said.status, 2, "a lab has its own world: {said:?}");
    let said = inside(&["doctor", "--control", "mx1.healthy-one-mx.test:25", "--json"]);
    let doctor = said.json();
    assert_eq!(doctor["port_25"], "open", "{said:?}");
    assert_eq!(doctor["resolver"], "passes-dnssec", "{said:?}");
    terminate(&mut up);
    assert!(!std::path::Path::new(folder).exists(), "the folder is removed with its lab");
    let said = inside(&["check", "cert-expired.test"]);
    assert_eq!(said.status, 2, "{said:?}");
}

/// Asks a process of ours to end, by its own id, and waits for it.
pub(crate) fn terminate(child: &mut std::process::Child) {
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_bar_can_be_lowered_to_warnings() {
    for (arguments, status) in [(&[][..], 0), (&["--fail-on", "warn"], 1)] {
        let mut command = program();
        command.args(["lab", "exec", "--", "check", "cert-expiring-soon.test"]).args(arguments);
        let said = finish(&mut command, b"");
        assert_eq!(said.status, status, "{said:?}");
        assert!(said.stdout.contains("WARN cert-expiring-soon"), "{said:?}");
    }
}

#[test]
fn a_hostile_certificate_comes_out_harmless() {
    for format in ["text", "markdown", "html", "junit", "json"] {
        let arguments =
            ["lab", "exec", "--", "check", "--format", format, "cert-hostile-subject.test"];
        let said = run(&arguments);
        said.is_calm();
        let hidden = |c: char| {
            ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c)
        };
        assert!(!said.stdout.contains(hidden), "{format}");
        if matches!(format, "markdown" | "html" | "junit") {
            assert!(!said.stdout.contains("<script"), "{format}");
        }
    }
}

#[test]
fn a_report_goes_to_a_file_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    for (format, start) in [
        ("html", "<!doctype html>"),
        ("markdown", "# Waxseal report"),
        ("junit", "<?xml"),
        ("json", "{\"schema\":\"waxseal.report/1\""),
        ("text", "dns-null-mx.test"),
    ] {
        let path = folder.path().join(format);
        let mut command = program();
        command.args(["lab", "exec", "--", "check", "--format", format, "--output"]);
        let said = finish(command.arg(&path).arg("dns-null-mx.test"), b"");
        assert_eq!((said.status, said.stdout.as_str()), (0, ""), "{said:?}");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(start), "{format}: {text}");
    }
}

#[test]
fn a_scenario_that_needs_its_own_lab_is_not_mixed_with_others() {
    let listed = run(&["lab", "exec", "--", "check", "healthy-one-mx.test", "cert-ip-only.test"]);
    assert_eq!((listed.status, listed.stdout.as_str()), (2, ""), "{listed:?}");
    assert!(listed.stderr.contains("cannot share a lab"), "{listed:?}");
}
