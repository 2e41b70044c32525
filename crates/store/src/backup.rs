//! Copies of a live database, and a database from a copy.
//!
//! `VACUUM INTO` writes one consistent file while others read and write. A copy names the keys that its
//! secrets need and holds none of them: the master keys are kept elsewhere. The ways in are
//! [`Store::backup`], [`inspect`] and [`restore`]. Keep: nothing that exists is overwritten.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sqlx::{Connection as _, Row as _, SqliteConnection};

use crate::database::{self, Store};
use crate::error::StoreError;
use crate::keys::KeyId;
use crate::private_file;
use crate::schema::{self, MIGRATIONS};

/// What a copy holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupSummary {
    /// The copy.
    pub path: PathBuf,
    /// Its size in octets.
    pub octets: u64,
    /// Its schema.
    pub schema: i64,
    /// How many secrets are sealed in it.
    pub secrets: i64,
    /// The keys that are needed to open them. The copy does not hold them.
    pub key_ids: Vec<KeyId>,
}

impl Store {
    /// Writes a copy of the whole database to `target`, which must not exist. Others may go on working.
    ///
    /// # Errors
    /// [`StoreError::Exists`], or whatever the system says.
    pub async fn backup(&self, target: &Path) -> Result<BackupSummary, StoreError> {
        let mut writer =
            self.writer().acquire().await.map_err(StoreError::database("be copied"))?;
        copy(&mut writer, target).await?;
        drop(writer);
        inspect(target).await
    }
}

/// Looks at a copy: whole, ours, of a schema that this program knows, and which keys it needs.
///
/// # Errors
/// What is wrong with it.
pub async fn inspect(path: &Path) -> Result<BackupSummary, StoreError> {
    let metadata = path.metadata().map_err(StoreError::file("open", path))?;
    let schema = database::schema_of(path, schema::newest(MIGRATIONS)).await?;
    if schema == 0 {
        return Err(StoreError::NotOurs { path: path.to_owned() });
    }
    let failed = || StoreError::database("be read");
    let mut connection = database::look(path).await?;
    let verdict: String = sqlx::query("PRAGMA integrity_check(1)")
        .fetch_one(&mut connection)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(failed())?;
    if verdict != "ok" {
        return Err(StoreError::Damaged { path: path.to_owned(), problem: verdict });
    }
    let rows = sqlx::query(
        "SELECT key_id, count(*) FROM connection_secrets GROUP BY key_id ORDER BY key_id",
    )
    .fetch_all(&mut connection)
    .await
    .map_err(failed())?;
    connection.close().await.map_err(failed())?;
    let mut summary = BackupSummary {
        path: path.to_owned(),
        octets: metadata.len(),
        schema,
        secrets: 0,
        key_ids: Vec::new(),
    };
    for row in rows {
        let id: String = row.try_get(0).map_err(failed())?;
        let secrets: i64 = row.try_get(1).map_err(failed())?;
        let key_id = KeyId::parse(&id).ok_or_else(|| StoreError::Row {
            table: "connection_secrets",
            problem: "bad key id".to_owned(),
        })?;
        summary.secrets += secrets;
        summary.key_ids.push(key_id);
    }
    Ok(summary)
}

/// Makes the database of an empty data folder from a copy. The master keys are not part of it: put their
/// file in place as well, the summary says which keys are needed.
///
/// # Errors
/// [`StoreError::Exists`] when the folder has a database, or what is wrong with the copy.
pub async fn restore(copy: &Path, folder: &Path) -> Result<BackupSummary, StoreError> {
    let mut summary = inspect(copy).await?;
    private_file::ensure_folder(folder, Store::NAME)?;
    let target = folder.join(Store::NAME);
    for path in [target.clone(), folder.join("waxseal.db-wal")] {
        if path.exists() {
            return Err(StoreError::Exists { path });
        }
    }
    let mut connection = database::look(copy).await?;
    self::copy(&mut connection, &target).await?;
    connection.close().await.map_err(StoreError::database("be closed"))?;
    summary.path = target;
    Ok(summary)
}

/// The copy that is made before the schema of an existing database is changed.
pub(crate) async fn before_migration(
    path: &Path,
    schema: i64,
    now: Timestamp,
) -> Result<PathBuf, StoreError> {
    let folder = path.parent().unwrap_or(Path::new(".")).join(Store::BACKUPS);
    private_file::ensure_folder(&folder, Store::NAME)?;
    let time = now.strftime("%Y%m%dT%H%M%S%6fZ");
    let target = folder.join(format!("before-migration-from-{schema}-{time}.db"));
    let mut connection = database::look(path).await?;
    copy(&mut connection, &target).await?;
    connection.close().await.map_err(StoreError::database("be closed"))?;
    Ok(target)
}

/// Writes the copy beside its target and gives it the name when it is whole.
async fn copy(from: &mut SqliteConnection, target: &Path) -> Result<(), StoreError> {
    if target.exists() {
        return Err(StoreError::Exists { path: target.to_owned() });
    }
    let mark: [u8; 4] = crate::id::random()?;
    let beside = private_file::beside(target, &format!("{:08x}.part", u32::from_be_bytes(mark)));
    // SQLite fills an empty file that exists, so the permissions are right from the start.
    private_file::create_new(&beside)?;
    let written =
        write_copy(from, &beside).await.and_then(|()| private_file::publish(&beside, target));
    if written.is_err() && beside.exists() {
        std::fs::remove_file(&beside).map_err(StoreError::file("remove", &beside))?;
    }
    written
}

async fn write_copy(from: &mut SqliteConnection, beside: &Path) -> Result<(), StoreError> {
    let Some(name) = beside.to_str() else {
        return Err(StoreError::File {
            doing: "name",
            path: beside.to_owned(),
            source: std::io::Error::new(std::io::ErrorKind::InvalidInput, "the path is not UTF-8"),
        });
    };
    sqlx::query("VACUUM INTO ?")
        .bind(name)
        .execute(from)
        .await
        .map_err(StoreError::database("be copied"))?;
    Ok(())
}
