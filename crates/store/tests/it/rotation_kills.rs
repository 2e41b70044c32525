//! The process that changes the master key is killed before each single change it makes to a file: every
//! write, truncation, sync, rename and removal, those of the database included. Every secret opens after
//! each of them. Unlike the named steps of [`crate::rotation`], nothing in the product knows of these.
//!
//! A small library, preloaded into the child, counts the changes; it is compiled here, as the database is.

use std::collections::BTreeSet;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use waxseal_store::keys::KeyId;
use waxseal_store::rotate;
use waxseal_store::{KeyFile, Store};

use crate::conformance::now;
use crate::rotation::{NAMES, expect_all_readable, key_file, prepare};

const FOLDER: &str = "WAXSEAL_TEST_KILLS_FOLDER";
const RETIRED: &str = "WAXSEAL_TEST_KILLS_RETIRED";
/// More changes than a change of the key makes; a child that outlives them is a mistake in the test.
const CHANGES_MAX: usize = 500;
const KILLED: i32 = 9;

#[tokio::test]
async fn child_that_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let folder = Path::new(&folder);
    let store = Store::open(folder, now()).await.unwrap();
    let file = key_file(folder);
    match std::env::var(RETIRED) {
        Ok(id) => rotate::retire(&store, &file, &KeyId::parse(&id).unwrap()).await.unwrap(),
        Err(_) => {
            rotate::rotate(&store, &file, now(), &|_| Ok(())).await.unwrap();
        }
    }
    store.close().await;
}

fn compile(into: &Path) -> PathBuf {
    let library = into.join("libkill_at.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/kill_at.c");
    let done = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([library.as_os_str(), source.as_os_str()])
        .arg("-ldl")
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    library
}

fn copy(from: &Path, to: &Path) {
    std::fs::DirBuilder::new().mode(0o700).create(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// Whether the child ended well; one that did not was killed by the library and nothing else.
fn outlives(library: &Path, folder: &Path, retired: Option<&KeyId>, change: usize) -> bool {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "rotation_kills::child_that_is_killed"]);
    child.env(FOLDER, folder).env("LD_PRELOAD", library);
    child.env("WAXSEAL_TEST_KILL_AT", change.to_string());
    if let Some(id) = retired {
        child.env(RETIRED, id.as_str());
    }
    let done = child.output().unwrap();
    let text = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() || done.status.signal() == Some(KILLED), "{change}: {text}");
    done.status.success()
}

/// Kills a child before its first, second, … change until one outlives them all; returns how many there
/// were and which keys were current in the file after a kill.
async fn kill_everywhere(template: &Path, retired: Option<&KeyId>) -> (usize, BTreeSet<KeyId>) {
    let root = tempfile::tempdir().unwrap();
    let library = compile(root.path());
    let mut current = BTreeSet::new();
    for change in 1..CHANGES_MAX {
        let folder = root.path().join(change.to_string());
        copy(template, &folder);
        let whole = outlives(&library, &folder, retired, change);
        expect_all_readable(&folder, &format!("killed before change {change}")).await;
        if whole {
            return (change - 1, current);
        }
        current.insert(key_file(&folder).load().unwrap().current().clone());
    }
    panic!("the child makes more than {CHANGES_MAX} changes");
}

#[tokio::test]
async fn a_kill_before_any_change_of_a_file_leaves_every_secret_readable() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("data");
    prepare(&folder).await;
    let old = key_file(&folder).load().unwrap().current().clone();
    let (changes, current) = kill_everywhere(&folder, None).await;
    assert!(changes >= 10, "{changes} changes of files are too few to be all");
    assert!(current.contains(&old), "some kills came before the new key");
    assert!(current.len() > 1, "and some after it");
}

#[tokio::test]
async fn a_kill_while_an_old_key_is_retired_leaves_every_secret_readable() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("data");
    prepare(&folder).await;
    let file: KeyFile = key_file(&folder);
    let old = file.load().unwrap().current().clone();
    let store = Store::open(&folder, now()).await.unwrap();
    let done = rotate::rotate(&store, &file, now(), &|_| Ok(())).await.unwrap();
    assert_eq!(done.secrets, NAMES.len());
    store.close().await;
    let (changes, current) = kill_everywhere(&folder, Some(&old)).await;
    assert!(changes >= 4, "{changes} changes of files are too few to be all");
    assert_eq!(current, BTreeSet::from([done.current]));
}
