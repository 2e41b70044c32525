//! Opening: permissions, foreign and newer databases, copies and restoring on an empty machine.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use jiff::Timestamp;
use waxseal_store::{DEFAULT_WORKSPACE, Store, StoreError, backup};

fn now() -> Timestamp {
    "2026-05-01T10:00:00Z".parse().unwrap()
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_new_database_is_private_and_has_one_workspace() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("data");
    let store = Store::open(&folder, now()).await.unwrap();
    assert!(store.schema().await.unwrap() > 0);
    let workspace = store.workspace(DEFAULT_WORKSPACE).await.unwrap();
    assert_eq!(mode(&folder), 0o700);
    for entry in folder.read_dir().unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    store.close().await;
    let again = Store::open(&folder, now()).await.unwrap();
    assert_eq!(again.workspace(DEFAULT_WORKSPACE).await.unwrap(), workspace);
    let error = again.workspace("elsewhere").await.unwrap_err().to_string();
    assert_eq!(error, "there is no workspace 'elsewhere'");
    assert_ne!(again.ensure_workspace("elsewhere", now()).await.unwrap(), workspace);
}

#[tokio::test]
async fn databases_that_others_can_read_are_refused() {
    let root = tempfile::tempdir().unwrap();
    Store::open(root.path(), now()).await.unwrap().close().await;
    let file = root.path().join(Store::NAME);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = Store::open(root.path(), now()).await.unwrap_err();
    assert!(matches!(error, StoreError::Permissions { mode: 0o644, wanted: 0o600, .. }), "{error}");
}

#[tokio::test]
async fn what_is_no_database_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join(Store::NAME);
    std::fs::write(&file, "not a database, and longer than one header of SQLite ".repeat(40))
        .unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let before = std::fs::read(&file).unwrap();
    let error = Store::open(root.path(), now()).await.unwrap_err();
    assert!(matches!(error, StoreError::NotOurs { .. }), "{error:?}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[tokio::test]
async fn a_copy_restores_on_an_empty_machine_and_overwrites_nothing() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(&root.path().join("data"), now()).await.unwrap();
    let workspace = store.ensure_workspace("second", now()).await.unwrap();
    let target = root.path().join("copy.db");
    let summary = store.backup(&target).await.unwrap();
    let schema = store.schema().await.unwrap();
    assert_eq!((summary.schema, summary.secrets, summary.key_ids.len()), (schema, 0, 0));
    assert_eq!(mode(&target), 0o600);
    let again = store.backup(&target).await.unwrap_err();
    assert!(matches!(again, StoreError::Exists { .. }));

    let elsewhere = root.path().join("new-machine/data");
    backup::restore(&target, &elsewhere).await.unwrap();
    let restored = Store::open(&elsewhere, now()).await.unwrap();
    assert_eq!(restored.workspace("second").await.unwrap(), workspace);
    let twice = backup::restore(&target, &elsewhere).await.unwrap_err();
    assert!(matches!(twice, StoreError::Exists { .. }), "{twice:?}");
}

#[tokio::test]
async fn damaged_and_foreign_copies_are_not_restored() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(&root.path().join("data"), now()).await.unwrap();
    let good = root.path().join("copy.db");
    store.backup(&good).await.unwrap();
    let mut octets = std::fs::read(&good).unwrap();
    let middle = octets.len() / 2;
    octets[middle..middle + 4096].fill(0xff);
    let cases =
        [("damaged.db", octets), ("empty.db", Vec::new()), ("text.db", b"hello ".repeat(1_000))];
    for (name, content) in cases {
        let copy = root.path().join(name);
        std::fs::write(&copy, content).unwrap();
        let folder = root.path().join("target").join(name);
        assert!(backup::restore(&copy, &folder).await.is_err(), "{name}");
        assert!(!folder.join(Store::NAME).exists(), "{name}");
    }
    assert!(backup::restore(&root.path().join("none.db"), &root.path().join("x")).await.is_err());
}
