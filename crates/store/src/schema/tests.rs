//! From every released schema to the newest, with a copy first; newer ones are refused untouched.

use std::path::Path;

use super::*;
use crate::{Store, backup};

fn now() -> Timestamp {
    "2026-05-01T10:00:00Z".parse().unwrap()
}

/// A migration as a later release might have it.
const NEXT: Migration = Migration {
    version: 2,
    name: "next",
    sql: "ALTER TABLE connections ADD COLUMN note TEXT; CREATE TABLE later (id TEXT) STRICT;",
};

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
    let both = [MIGRATIONS[0], NEXT];
    let store = Store::open_with(folder, &both, now()).await.unwrap();
    assert_eq!(store.schema().await.unwrap(), 2);
    store.close().await;
    let copies = copies(folder);
    assert_eq!(copies.len(), 1);
    assert_eq!(backup::inspect(&copies[0]).await.unwrap().schema, 1);

    let file = folder.join(Store::NAME);
    let before = std::fs::read(&file).unwrap();
    let error = Store::open(folder, now()).await.unwrap_err().to_string();
    assert!(error.contains("has schema 2, this program knows up to 1"), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
    let error = backup::restore(&file, &folder.join("restored")).await.unwrap_err();
    assert!(matches!(error, StoreError::NewerSchema { found: 2, known: 1, .. }));
}

#[tokio::test]
async fn a_migration_that_fails_changes_nothing() {
    let root = tempfile::tempdir().unwrap();
    Store::open(root.path(), now()).await.unwrap().close().await;
    let broken = Migration { sql: "CREATE TABLE half (id TEXT) STRICT; SELECT nonsense;", ..NEXT };
    assert!(Store::open_with(root.path(), &[MIGRATIONS[0], broken], now()).await.is_err());
    let store = Store::open(root.path(), now()).await.unwrap();
    assert_eq!(store.schema().await.unwrap(), 1);
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
        assert_eq!(store.schema().await.unwrap(), 1);
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
