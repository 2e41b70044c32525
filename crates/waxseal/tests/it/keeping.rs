//! `waxseal key`, `backup`, `restore` and what `config show` says about data: each on its own folder.

use super::program::{Said, finish, program, run_with};
use serde_json::json;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

const SECRET: &str = "Hq3-lorem-ipsum-dolor-sit-W8";

fn waxseal(arguments: &[&str], data: &Path) -> Said {
    let all: Vec<&str> = [arguments, &["--data", data.to_str().unwrap()]].concat();
    run_with(&all, SECRET.as_bytes())
}

fn add(data: &Path, name: &str) -> Said {
    let arguments = ["connection", "add", name, "--service", "brevo", "--from-address"];
    waxseal(&[&arguments[..], &["a@example.com", "--secret-file", "-", "--json"]].concat(), data)
}

#[test]
fn a_key_is_made_once_rotated_and_retired() {
    let root = tempfile::tempdir().unwrap();
    let data = &root.path().join("data");
    let said = waxseal(&["key", "status"], data);
    assert!(said.status == 2 && said.stderr.contains("there is no database"), "{said:?}");
    let made = waxseal(&["key", "init", "--json"], data);
    let first = made.is_calm().json()["current"].as_str().unwrap().to_owned();
    let again = waxseal(&["key", "init"], data);
    assert!(again.status == 2 && again.stderr.contains("exists already"), "{again:?}");
    assert_eq!(add(data, "one").json()["key_file_made"], serde_json::Value::Null);
    let status = waxseal(&["key", "status", "--json"], data).json();
    assert_eq!(status["in_use"], json!([{"id": first, "secrets": 1}]));
    let rotated = waxseal(&["key", "rotate", "--json"], data);
    let rotated = rotated.is_calm().json();
    assert_eq!((&rotated["older"], &rotated["secrets"]), (&json!([first]), &json!(1)));
    let current = rotated["current"].as_str().unwrap();
    assert_ne!(current, first);
    let status = waxseal(&["key", "status", "--json"], data).json();
    assert_eq!(status["in_use"], json!([{"id": current, "secrets": 1}]));
    for (id, status, words) in [
        ("x", 2, "is not the id of a master key"),
        (current, 2, "is the current master key"),
        (first.as_str(), 0, "was taken out"),
        (first.as_str(), 2, "there is no master key"),
    ] {
        let said = waxseal(&["key", "retire", id], data);
        assert_eq!(said.is_calm().status, status, "{said:?}");
        assert!(said.stderr.contains(words), "{said:?}");
    }
    let text = waxseal(&["key", "status"], data);
    assert!(text.stdout.contains(&format!("{current}: 1 secret\n")), "{text:?}");
    let key = std::fs::read_to_string(data.join("master.key")).unwrap();
    let octets = key.lines().nth(1).unwrap().rsplit(' ').next().unwrap();
    assert!(!format!("{text:?}{made:?}").contains(octets));
}

#[test]
fn a_copy_is_written_and_restored_on_an_empty_machine() {
    let root = tempfile::tempdir().unwrap();
    let (data, other) = (&root.path().join("data"), &root.path().join("other"));
    add(data, "one");
    let copy = root.path().join("copy.db");
    let copy = copy.to_str().unwrap();
    let written = waxseal(&["backup", copy, "--json"], data);
    assert!(written.stderr.contains("The master key is not part of the copy"), "{written:?}");
    let ids = written.is_calm().json()["key_ids"].clone();
    let again = waxseal(&["backup", copy], data);
    assert!(again.status == 2 && again.stderr.contains("exists already"), "{again:?}");

    let restored = waxseal(&["restore", copy, "--json"], other);
    assert_eq!(restored.is_calm().status, 1, "{restored:?}");
    assert!(restored.stderr.contains("The master key is separate"), "{restored:?}");
    assert_eq!(restored.json()["missing_key_ids"], ids);
    let list = waxseal(&["connection", "list"], other);
    assert!(list.stdout.contains("one  untested  brevo (https)"), "{list:?}");
    let edit = ["connection", "edit", "one", "--secret-file", "-"];
    let refused = waxseal(&edit, other);
    assert!(refused.status == 2 && refused.stderr.contains("is missing"), "{refused:?}");
    std::fs::copy(data.join("master.key"), other.join("master.key")).unwrap();
    assert_eq!(waxseal(&edit, other).is_calm().status, 0);
    let over = waxseal(&["restore", copy], other);
    assert!(over.status == 2 && over.stderr.contains("exists already"), "{over:?}");

    let third = &root.path().join("third");
    std::fs::create_dir(third).unwrap();
    std::fs::set_permissions(third, std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::copy(data.join("master.key"), third.join("master.key")).unwrap();
    let whole = waxseal(&["restore", copy], third);
    assert_eq!((whole.is_calm().status, whole.stderr.as_str()), (0, ""), "{whole:?}");

    let damaged = root.path().join("damaged.db");
    let octets = std::fs::read(copy).unwrap();
    std::fs::write(&damaged, &octets[..octets.len() / 2]).unwrap();
    for bad in [damaged.to_str().unwrap(), "/nothing/here.db", file!()] {
        let said = waxseal(&["restore", bad], &root.path().join("fourth"));
        assert_eq!((said.is_calm().status, said.stderr.lines().count()), (2, 1), "{bad}: {said:?}");
        assert!(!root.path().join("fourth/waxseal.db").exists(), "{bad}");
    }
}

#[test]
fn settings_of_data_are_shown_without_a_secret() {
    let root = tempfile::tempdir().unwrap();
    let settings = root.path().join("waxseal.toml");
    std::fs::write(&settings, "data = '/var/lib/waxseal'\nkey_command = 'print-key --token abc'\n")
        .unwrap();
    let mut command = program();
    let shown = |command: &mut std::process::Command| {
        finish(command.args(["config", "show", "--json", "--config"]).arg(&settings), b"").json()
    };
    let value = shown(&mut command);
    let source = format!("file {}", settings.display());
    assert_eq!(value["data"], json!({"value": "/var/lib/waxseal", "source": source}));
    assert_eq!(value["master_key"], json!({"value": "a command (not shown)", "source": source}));
    assert_eq!(value["workspace"], json!({"value": "default", "source": "default"}));
    let mut command = program();
    let value = shown(command.env("WAXSEAL_MASTER_KEY", SECRET).env("WAXSEAL_DATA", "/elsewhere"));
    assert!(!value.to_string().contains(SECRET));
    assert_eq!(value["data"]["source"], "environment WAXSEAL_DATA");
    let mut command = program();
    command.args(["config", "show"]).current_dir(root.path());
    std::fs::remove_file(&settings).unwrap();
    std::fs::create_dir(&settings).unwrap();
    let said = finish(&mut command, b"");
    assert_eq!((said.is_calm().status, said.stderr.lines().count()), (2, 1), "{said:?}");
    assert!(said.stderr.contains("waxseal.toml: "), "{said:?}");
}
