//! Rotation is crash-safe: the process is killed at every step, and every secret opens afterwards.
//!
//! The kill is real: the test starts its own binary, which aborts at the step named in its environment.

use std::path::Path;
use std::process::Command;

use waxseal_store::connections::Connections as _;
use waxseal_store::rotate::{self, RotationStep};
use waxseal_store::secrets::{SealedSecrets as _, SecretVault};
use waxseal_store::{KeyFile, Store, StoreError};

use crate::conformance::{new_connection, now, secret};

const FOLDER: &str = "WAXSEAL_TEST_ROTATION_FOLDER";
const STEP: &str = "WAXSEAL_TEST_ROTATION_STEP";
pub(crate) const NAMES: [&str; 3] = ["first", "second", "third"];

pub(crate) fn key_file(folder: &Path) -> KeyFile {
    KeyFile::at(folder.join(KeyFile::NAME))
}

pub(crate) async fn prepare(folder: &Path) {
    let store = Store::open(folder, now()).await.unwrap();
    let workspace = store.workspace("default").await.unwrap();
    let keys = key_file(folder).create().unwrap();
    let vault = SecretVault::open(store.clone(), keys, now()).await.unwrap();
    for name in NAMES {
        let new = new_connection(name);
        store.insert(workspace, std::slice::from_ref(&new), now()).await.unwrap();
        let sealed = vault.seal(new.id, &secret(&format!("password of {name}"))).unwrap();
        store.set_secret(workspace, &[sealed], now()).await.unwrap();
    }
    store.close().await;
}

/// Opens every secret with the key file on the disk, as the next start would.
pub(crate) async fn expect_all_readable(folder: &Path, at: &str) {
    let store = Store::open(folder, now()).await.unwrap();
    let workspace = store.workspace("default").await.unwrap();
    let keys = key_file(folder).load().unwrap();
    let vault = SecretVault::open(store.clone(), keys, now()).await.unwrap();
    for name in NAMES {
        let id = store.find(workspace, &crate::conformance::line(name)).await.unwrap().id;
        let opened = vault.for_sending(workspace, id).await.unwrap().unwrap();
        assert_eq!(opened.expose().as_str(), format!("password of {name}"), "{at}");
    }
    store.close().await;
}

#[tokio::test]
async fn child_that_is_killed() {
    let (Ok(folder), Ok(step)) = (std::env::var(FOLDER), std::env::var(STEP)) else {
        return;
    };
    let folder = Path::new(&folder);
    let store = Store::open(folder, now()).await.unwrap();
    let watch = |at: RotationStep| {
        if format!("{at:?}") == step {
            std::process::abort();
        }
        Ok(())
    };
    let done = rotate::rotate(&store, &key_file(folder), now(), &watch).await;
    assert!(done.is_ok(), "{done:?}");
}

fn run_child(folder: &Path, step: &str) -> bool {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "rotation::child_that_is_killed"])
        .env(FOLDER, folder)
        .env(STEP, step)
        .output()
        .unwrap()
        .status
        .success()
}

#[tokio::test]
async fn a_kill_at_any_step_leaves_every_secret_readable() {
    for step in RotationStep::ALL.map(|step| format!("{step:?}")) {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("data");
        prepare(&folder).await;
        let old = key_file(&folder).load().unwrap().current().clone();
        assert!(!run_child(&folder, &step), "the process was killed at {step}");
        expect_all_readable(&folder, &step).await;
        assert!(key_file(&folder).load().unwrap().holds(&old), "{step}");
        // The next rotation finishes what was left, and a step that never comes kills nothing.
        assert!(run_child(&folder, "none"), "after {step}");
        expect_all_readable(&folder, &step).await;
        let store = Store::open(&folder, now()).await.unwrap();
        let current = key_file(&folder).load().unwrap().current().clone();
        assert_eq!(store.keys_in_use().await.unwrap(), [(current, 3)], "{step}");
    }
}

#[tokio::test]
async fn a_key_is_retired_by_command_and_only_when_nothing_needs_it() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("data");
    prepare(&folder).await;
    let file = key_file(&folder);
    let store = Store::open(&folder, now()).await.unwrap();
    let old = file.load().unwrap().current().clone();
    let error = rotate::retire(&store, &file, &old).await.unwrap_err().to_string();
    assert!(error.contains("is the current master key"), "{error}");

    let stop = |at| {
        if at == RotationStep::Resealed { Err(StoreError::Stopped) } else { Ok(()) }
    };
    assert!(rotate::rotate(&store, &file, now(), &stop).await.is_err());
    let error = rotate::retire(&store, &file, &old).await.unwrap_err();
    assert!(matches!(error, StoreError::KeyInUse { secrets: 3, .. }), "{error:?}");

    let copy = store.backup(&root.path().join("copy.db")).await.unwrap();
    assert_eq!((copy.secrets, copy.key_ids), (3, vec![old.clone()]));

    let done = rotate::rotate(&store, &file, now(), &|_| Ok(())).await.unwrap();
    assert_eq!((done.secrets, done.older.len()), (3, 2));
    assert!(done.older.contains(&old));
    rotate::retire(&store, &file, &old).await.unwrap();
    assert!(!file.load().unwrap().holds(&old));
    let again = rotate::retire(&store, &file, &old).await.unwrap_err().to_string();
    assert_eq!(again, format!("there is no master key {old}"));
    store.close().await;
    expect_all_readable(&folder, "retired").await;
}

#[tokio::test]
async fn nothing_is_rotated_while_a_secret_cannot_be_opened() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("data");
    prepare(&folder).await;
    std::fs::remove_file(folder.join(KeyFile::NAME)).unwrap();
    let file = key_file(&folder);
    let foreign = file.create().unwrap();
    let store = Store::open(&folder, now()).await.unwrap();
    let error = rotate::rotate(&store, &file, now(), &|_| Ok(())).await.unwrap_err();
    assert!(error.to_string().contains("not among the master keys"), "{error}");
    assert_eq!(file.load().unwrap().current(), foreign.current());
}
