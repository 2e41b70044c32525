//! The database of every released schema opens with this program, and its secret with its key.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use waxseal_store::connection::{ConnectionState, TrialOutcome};
use waxseal_store::connections::{Connections as _, Page, Recorded};
use waxseal_store::secrets::SecretVault;
use waxseal_store::{KeyFile, Store, backup};

use crate::conformance::{new_connection, now, trial};

fn fixture(schema: i64, ending: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    folder.join(format!("schema-{schema}.{ending}"))
}

fn place(from: &Path, to: &Path) {
    std::fs::copy(from, to).unwrap();
    std::fs::set_permissions(to, Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test]
async fn every_released_database_opens() {
    let root = tempfile::tempdir().unwrap();
    let newest =
        Store::open(&root.path().join("new"), now()).await.unwrap().schema().await.unwrap();
    for schema in 1..=newest {
        let folder = root.path().join(schema.to_string());
        let copy = backup::inspect(&fixture(schema, "db")).await.unwrap();
        assert_eq!((copy.schema, copy.secrets), (schema, 1));
        std::fs::create_dir(&folder).unwrap();
        place(&fixture(schema, "db"), &folder.join(Store::NAME));
        place(&fixture(schema, "key"), &folder.join(KeyFile::NAME));

        let store = Store::open(&folder, now()).await.unwrap();
        assert_eq!(store.schema().await.unwrap(), newest);
        let copied = folder.join(Store::BACKUPS).exists();
        assert_eq!(copied, schema < newest, "a copy is made when there is something to migrate");
        let workspace = store.workspace("default").await.unwrap();
        let read = store.list(workspace, Page::first(9)).await.unwrap();
        let name = format!("released with schema {schema}");
        assert_eq!(read.len(), 1);
        assert_eq!(
            (read[0].name.as_str(), read[0].state),
            (name.as_str(), ConnectionState::Untested)
        );
        assert_eq!(read[0].settings, new_connection(&name).settings);
        let tested = trial(&read[0], 1, TrialOutcome::Accepted);
        let recorded = store.record_test(workspace, &[tested]).await.unwrap();
        assert_eq!(recorded, [Recorded::Decides], "schema {schema}");
        let keys = KeyFile::at(folder.join(KeyFile::NAME)).load().unwrap();
        let vault = SecretVault::open(store, keys, now()).await.unwrap();
        let secret = vault.for_sending(workspace, read[0].id).await.unwrap().unwrap();
        assert_eq!(secret.expose().as_str(), format!("password of schema {schema}"));
    }
}
