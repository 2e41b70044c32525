//! From every released schema to the newest, with a copy first; newer ones are refused untouched.

use std::path::Path;

use super::*;
use crate::{Store, backup};

fn now() -> Timestamp {
    "2026-05-01T10:00:00Z".parse().unwrap()
}

/// The newest schema of this program.
fn known() -> i64 {
    newest(MIGRATIONS)
}

/// The migrations as a later release might have them, with this one as the last.
fn and_next(sql: &'static str) -> Vec<Migration> {
    let next = Migration { version: known() + 1, name: "next", sql };
    MIGRATIONS.iter().copied().chain([next]).collect()
}

const NEXT: &str =
    "ALTER TABLE connections ADD COLUMN note TEXT; CREATE TABLE later (id TEXT) STRICT;";

fn copies(folder: &Path) -> Vec<std::path::PathBuf> {
    let backups = folder.join(Store::BACKUPS);
    if !backups.exists() {
        return Vec::new();
    }
    backups.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn versions_have_no_gaps() {
    for (at, migration) in MIGRATIONS.iter().enumerate() {
        assert_eq!(migration.version, i64::try_from(at).unwrap() + 1, "{}", migration.name);
    }
}

#[tokio::test]
async fn an_older_database_is_copied_before_it_is_migrated() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path();
    Store::open(folder, now()).await.unwrap().close().await;
    assert!(copies(folder).is_empty(), "nothing to lose, nothing to copy");
    let store = Store::open_with(folder, &and_next(NEXT), now()).await.unwrap();
    assert_eq!(store.schema().await.unwrap(), known() + 1);
    store.close().await;
    let copies = copies(folder);
    assert_eq!(copies.len(), 1);
    assert_eq!(backup::inspect(&copies[0]).await.unwrap().schema, known());

    let file = folder.join(Store::NAME);
    let before = std::fs::read(&file).unwrap();
    let error = Store::open(folder, now()).await.unwrap_err().to_string();
    let expected = format!("has schema {}, this program knows up to {}", known() + 1, known());
    assert!(error.contains(&expected), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
    let error = backup::restore(&file, &folder.join("restored")).await.unwrap_err();
    let StoreError::NewerSchema { found, known: at_most, .. } = error else { panic!("{error:?}") };
    assert_eq!((found, at_most), (known() + 1, known()));
}

#[tokio::test]
async fn a_migration_that_fails_changes_nothing() {
    let root = tempfile::tempdir().unwrap();
    Store::open(root.path(), now()).await.unwrap().close().await;
    let broken = and_next("CREATE TABLE half (id TEXT) STRICT; SELECT nonsense;");
    assert!(Store::open_with(root.path(), &broken, now()).await.is_err());
    let store = Store::open(root.path(), now()).await.unwrap();
    assert_eq!(store.schema().await.unwrap(), known());
    let half = sqlx::query("SELECT 1 FROM sqlite_schema WHERE name = 'half'")
        .fetch_optional(store.readers())
        .await
        .unwrap();
    assert!(half.is_none());
}

#[tokio::test]
async fn processes_that_open_at_once_migrate_once() {
    let root = tempfile::tempdir().unwrap();
    let opened = tokio::join!(
        Store::open(root.path(), now()),
        Store::open(root.path(), now()),
        Store::open(root.path(), now()),
    );
    for store in [opened.0.unwrap(), opened.1.unwrap(), opened.2.unwrap()] {
        assert_eq!(store.schema().await.unwrap(), known());
    }
}

#[tokio::test]
async fn every_table_of_content_has_a_workspace_and_is_strict() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path(), now()).await.unwrap();
    let rows = sqlx::query("SELECT name, sql FROM sqlite_schema WHERE type = 'table'")
        .fetch_all(store.readers())
        .await
        .unwrap();
    for row in rows {
        let (name, sql): (String, String) = (row.get(0), row.get(1));
        assert!(sql.trim_end().ends_with("STRICT"), "{name}");
        let installation = ["schema_versions", "workspaces", "master_keys"];
        if !installation.contains(&name.as_str()) {
            assert!(sql.contains("workspace_id TEXT NOT NULL"), "{name}");
        }
    }
}
