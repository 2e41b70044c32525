//! `waxseal connection` in words: what is offered for a known host, what a warning says, and which remedy stands
//! beside a field that is wrong.

use super::check_lab::terminate;
use super::program::{Said, program, run_with};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

const FROM: &str = "--from-address a@example.com";

fn connection(data: &Path, arguments: &str) -> Said {
    let folder = data.to_str().unwrap();
    let all = arguments.split_whitespace();
    let all: Vec<&str> = ["connection"].into_iter().chain(all).chain(["--data", folder]).collect();
    run_with(&all, b"")
}

#[test]
fn a_known_host_comes_with_its_repair() {
    let root = tempfile::tempdir().unwrap();
    let data = &root.path().join("data");
    let said = connection(
        data,
        &format!("add own --host smtp.fastmail.com --port 587 --security tls --user u {FROM}"),
    );
    assert_eq!(said.is_calm().status, 0, "{said:?}");
    for words in [
        "(--preset fastmail)",
        "warn input-mode-port-conflict: ",
        "chosen: port 587",
        "To use what is documented: waxseal connection edit own --preset fastmail\n",
        "No secret is stored yet: waxseal connection edit own --ask-secret",
    ] {
        assert!(said.stderr.contains(words), "{words}: {}", said.stderr);
    }
    assert!(!said.stderr.contains("  1. "), "the repair takes the place of steps: {}", said.stderr);
    let mended = connection(data, "edit own --preset fastmail");
    assert_eq!(mended.is_calm().status, 0);
    assert!(mended.stderr.contains("Connection own was changed."), "{mended:?}");
    assert!(
        !mended.stderr.contains("conflict") && !mended.stderr.contains("To use what"),
        "{mended:?}"
    );

    let unknown = connection(
        data,
        &format!("add b --host smtp.example.com --port 465 --security starttls {FROM}"),
    );
    assert!(unknown.stderr.contains("  1. "), "steps for a host nobody knows: {unknown:?}");
    let local =
        connection(data, &format!("add c --host localhost --port 2526 --security none {FROM}"));
    assert!(!local.stderr.contains("--preset"), "another program of this machine: {local:?}");
}

#[test]
fn an_edit_that_changes_nothing_does_not_say_changed() {
    let root = tempfile::tempdir().unwrap();
    let data = &root.path().join("data");
    connection(
        data,
        &format!("add own --host smtp.example.com --port 587 --security starttls {FROM}"),
    );
    let nothing = connection(data, "edit own");
    assert_eq!(nothing.is_calm().status, 2, "{nothing:?}");
    assert!(nothing.stderr.contains("nothing to change was given"), "{nothing:?}");
    let same = connection(data, "edit own --port 587");
    assert!(same.stderr.contains("was not changed"), "{same:?}");
    let renamed = connection(data, "edit own --name other");
    assert!(renamed.stderr.contains("Connection other was changed."), "{renamed:?}");
}

#[test]
fn a_wrong_field_comes_with_its_remedy() {
    let root = tempfile::tempdir().unwrap();
    let data = &root.path().join("data");
    let own = "--host smtp.example.com --port 587 --security starttls";
    for (arguments, words) in [
        (
            format!("add x --host smtp.example.com:587 --security starttls {FROM}"),
            "--host smtp.example.com --port 587",
        ),
        (
            format!("add x --host smtp..example --port 25 --security tls {FROM}"),
            "such as smtp.example.com",
        ),
        (
            format!("add x --host smtp.example.com --port 465 --security ssl {FROM}"),
            "--security tls",
        ),
        (
            format!("add x --host smtp.example.com --port 587 --security START-TLS {FROM}"),
            "--security starttls",
        ),
        (format!("add x --host smtp.example.com --port 587 --security on {FROM}"), "one of "),
        (format!("add x {own}"), "--from-address ADDR"),
        (format!("add x {own} --from-address nobody"), "such as news@example.com"),
        (
            format!("add x --host localhost --port 25 --security none --user u {FROM}"),
            "leave --user out",
        ),
        (format!("add x --preset fastmial {FROM}"), "near names: fastmail"),
        (format!("add x --service postmrak {FROM}"), "near names: postmark"),
        (format!("add x --service zzzz {FROM}"), "one of amazon-ses"),
    ] {
        let said = connection(data, &arguments);
        assert_eq!(said.is_calm().status, 2, "{arguments}: {said:?}");
        assert!(said.stderr.contains(words), "{arguments}: {}", said.stderr);
    }
    assert!(!data.exists(), "nothing was made for any of them");
}

#[test]
fn a_lab_says_how_its_delivery_service_is_used() {
    let mut up = program()
        .args(["lab", "up", "healthy-postmark"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(up.stderr.take().unwrap()).lines();
    let told: Vec<String> =
        lines.map(Result::unwrap).take_while(|line| !line.starts_with("Ctrl-C")).collect();
    terminate(&mut up);
    let told = told.join("\n");
    for words in [
        "Delivery service of healthy-postmark: postmark, server-token ",
        "-- connection add news --service postmark --setting message-stream=broadcast --from-address ",
        "-- connection test news --to ",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(!told.contains("-- check"), "there is no domain to check: {told}");
}
