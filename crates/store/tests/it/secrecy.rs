//! What stands in the files after a run: no secret in any spelling; and what damage to an envelope says.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use sqlx::{ConnectOptions as _, Connection as _};
use waxseal_store::connections::Connections as _;
use waxseal_store::id::{ConnectionId, WorkspaceId};
use waxseal_store::rotate;
use waxseal_store::secrets::SecretVault;
use waxseal_store::{KeyFile, Store};

use crate::conformance::{new_connection, now, secret};

const CANARY: &str = "kanarie/7f+Zq19%vogel=Xw&2~";

/// The secret as it might stand somewhere: plain, hexadecimal, URL-encoded, and base64 at each offset.
fn spellings(secret: &str) -> Vec<Vec<u8>> {
    let hex = secret.bytes().fold(String::new(), |hex, octet| hex + &format!("{octet:02x}"));
    let url = |upper: bool| -> String {
        secret
            .bytes()
            .map(|octet| match octet {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    char::from(octet).to_string()
                }
                other if upper => format!("%{other:02X}"),
                other => format!("%{other:02x}"),
            })
            .collect()
    };
    let mut found = vec![
        secret.as_bytes().to_vec(),
        hex.clone().into_bytes(),
        hex.to_uppercase().into_bytes(),
        url(true).into_bytes(),
        url(false).into_bytes(),
    ];
    for offset in 0..3 {
        let shifted = [vec![0; offset], secret.as_bytes().to_vec()].concat();
        for engine in [STANDARD, URL_SAFE] {
            let text = engine.encode(&shifted);
            // The first and last group mix with what stands beside the secret.
            found.push(text.as_bytes()[4..text.len() - 4].to_vec());
        }
    }
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

fn holds(path: &Path, needle: &[u8]) -> bool {
    std::fs::read(path).unwrap().windows(needle.len()).any(|window| window == needle)
}

async fn sealed_pair(folder: &Path) -> (Store, SecretVault<Store>, WorkspaceId, [ConnectionId; 2]) {
    let store = Store::open(folder, now()).await.unwrap();
    let workspace = store.workspace("default").await.unwrap();
    let keys = KeyFile::at(folder.join(KeyFile::NAME)).create().unwrap();
    let vault = SecretVault::open(store.clone(), keys, now()).await.unwrap();
    let new = [new_connection("one"), new_connection("two")];
    store.insert(workspace, &new, now()).await.unwrap();
    let ids = [new[0].id, new[1].id];
    for (id, text) in ids.iter().zip([CANARY, "another password"]) {
        let sealed = vault.seal(*id, &secret(text)).unwrap();
        store.set_secret(workspace, &[sealed], now()).await.unwrap();
    }
    (store, vault, workspace, ids)
}

#[tokio::test]
async fn no_file_holds_a_secret_in_any_spelling() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("data");
    let (store, vault, workspace, ids) = sealed_pair(&folder).await;
    assert_eq!(
        vault.for_sending(workspace, ids[0]).await.unwrap().unwrap().expose().as_str(),
        CANARY
    );
    store.backup(&root.path().join("copy.db")).await.unwrap();
    let key_file = KeyFile::at(folder.join(KeyFile::NAME));
    rotate::rotate(&store, &key_file, now(), &|_| Ok(())).await.unwrap();
    store.remove_secret(workspace, &[ids[1]], now()).await.unwrap();
    let look = |open: bool| {
        let files = files(root.path());
        assert!(files.len() > 3, "{files:?}");
        assert_eq!(files.iter().any(|path| path.to_string_lossy().ends_with("-wal")), open);
        for (path, needle) in
            files.iter().flat_map(|path| spellings(CANARY).into_iter().map(move |n| (path, n)))
        {
            assert!(!holds(path, &needle), "{}: {needle:?}", path.display());
        }
    };
    look(true);
    let debug = format!("{vault:?} {store:?}");
    assert!(!debug.contains(CANARY));
    store.close().await;
    drop(vault);
    look(false);
    // The search itself finds what is there.
    let text = STANDARD.encode(format!("x{CANARY}"));
    std::fs::write(root.path().join("leak"), text).unwrap();
    let leak = root.path().join("leak");
    assert!(spellings(CANARY).iter().any(|needle| holds(&leak, needle)));
}

#[tokio::test]
async fn keys_are_in_the_key_file_and_nowhere_else() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("data");
    let (store, _vault, _, _) = sealed_pair(&folder).await;
    store.backup(&root.path().join("copy.db")).await.unwrap();
    let text = std::fs::read_to_string(folder.join(KeyFile::NAME)).unwrap();
    let key = text.trim().rsplit(' ').next().unwrap();
    let raw = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(key).unwrap();
    for path in files(root.path()).iter().filter(|path| !path.ends_with(KeyFile::NAME)) {
        assert!(!holds(path, key.as_bytes()) && !holds(path, &raw), "{}", path.display());
    }
}

/// Changes the database behind the store's back.
async fn meddle(folder: &Path, statement: &'static str) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join(Store::NAME));
    let mut connection = options.connect().await.unwrap();
    sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn changed_and_moved_envelopes_are_told_apart() {
    let cases = [
        (
            "UPDATE connection_secrets SET envelope = (SELECT envelope FROM connection_secrets
             ORDER BY connection_id DESC LIMIT 1)",
            "was moved there from connection_secrets/",
        ),
        (
            "UPDATE connection_secrets SET envelope =
                 substr(envelope, 1, length(envelope) - 4) || 'AAAA'",
            "was changed after it was sealed",
        ),
        (
            "UPDATE connection_secrets SET envelope = 'v9' || envelope",
            "not an envelope of version v1",
        ),
        (
            "UPDATE connection_secrets SET envelope =
                 'v1:0123456789abcdef:' || substr(envelope, 21)",
            "key 0123456789abcdef, which is not among the master keys",
        ),
    ];
    for (statement, expected) in cases {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("data");
        let (_store, vault, workspace, mut ids) = sealed_pair(&folder).await;
        ids.sort();
        meddle(&folder, statement).await;
        let error = vault.for_sending(workspace, ids[0]).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(error.contains(&ids[0].to_string()) && !error.contains("password"), "{error}");
    }
}

#[tokio::test]
async fn the_database_itself_refuses_a_sign_in_beside_mode_none() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("data");
    let (store, _, _, _) = sealed_pair(&folder).await;
    store.close().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join(Store::NAME));
    let mut connection = options.connect().await.unwrap();
    for statement in [
        "UPDATE connections SET settings = json_set(settings, '$.mode', 'none')",
        "UPDATE connections SET settings = json_set(settings, '$.mode', 'auto')",
        "UPDATE connections SET settings = json_remove(settings, '$.mode')",
    ] {
        let refused = sqlx::query(statement).execute(&mut connection).await;
        assert!(refused.unwrap_err().to_string().contains("CHECK constraint"), "{statement}");
    }
}
