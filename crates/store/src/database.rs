//! The SQLite database of an installation: opened, checked, migrated; one connection that writes and some
//! that read beside it (WAL).
//!
//! The way in is [`Store::open`]. A database of a newer program is refused untouched, and before an older
//! one is migrated a copy is made. Keep: every write goes through [`Store::write`], which takes the lock of
//! the database first, so that several processes can share it.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _, Row as _, Sqlite, SqliteConnection, Transaction};

use crate::backup;
use crate::error::StoreError;
use crate::id::WorkspaceId;
use crate::limits::{BUSY_WAIT_MAX, READERS_MAX};
use crate::private_file;
use crate::schema::{self, MIGRATIONS, Migration};

/// The name of the workspace that every database has from the start.
pub const DEFAULT_WORKSPACE: &str = "default";

/// An open database.
#[derive(Clone, Debug)]
pub struct Store {
    path: PathBuf,
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Store {
    /// The name of the database in a data folder.
    pub const NAME: &'static str = "waxseal.db";
    /// The folder in a data folder where copies go that are made before a migration.
    pub const BACKUPS: &'static str = "backups";

    /// Opens the database in `folder`, creating both where there is none.
    ///
    /// # Errors
    /// A folder that others can reach, a file that is no database of ours or of a newer program, or
    /// whatever the system says.
    pub async fn open(folder: &Path, now: Timestamp) -> Result<Self, StoreError> {
        Self::open_with(folder, MIGRATIONS, now).await
    }

    pub(crate) async fn open_with(
        folder: &Path,
        migrations: &[Migration],
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        private_file::ensure_folder(folder, Self::NAME)?;
        let path = folder.join(Self::NAME);
        match private_file::create_new(&path) {
            Ok(_) | Err(StoreError::Exists { .. }) => {}
            Err(other) => return Err(other),
        }
        private_file::require_private(&path, private_file::FILE_MODE)?;
        prepare(&path, migrations, now).await?;
        let failed = || StoreError::database("be opened");
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options(&path))
            .await
            .map_err(failed())?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS_MAX)
            .connect_with(options(&path).read_only(true))
            .await
            .map_err(failed())?;
        let store = Self { path, writer, readers };
        store.ensure_workspace(DEFAULT_WORKSPACE, now).await?;
        Ok(store)
    }

    /// Where the database is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Finishes what is under way and closes the files.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// The schema of the database.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn schema(&self) -> Result<i64, StoreError> {
        let failed = || StoreError::database("tell its schema");
        let mut reader = self.readers.acquire().await.map_err(failed())?;
        Ok(schema::version(&mut reader).await.map_err(failed())?.unwrap_or_default())
    }

    /// The workspace of that name.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none.
    pub async fn workspace(&self, name: &str) -> Result<WorkspaceId, StoreError> {
        let row = sqlx::query("SELECT id FROM workspaces WHERE name = ?")
            .bind(name)
            .fetch_optional(&self.readers)
            .await
            .map_err(StoreError::database("read the workspaces"))?;
        let Some(row) = row else {
            return Err(StoreError::NotFound { what: "workspace", id: name.to_owned() });
        };
        let id: String = row.try_get(0).map_err(StoreError::database("read the workspaces"))?;
        WorkspaceId::parse(&id)
            .map_err(|error| StoreError::Row { table: "workspaces", problem: error.to_string() })
    }

    /// The name of a workspace.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn workspace_name(&self, id: WorkspaceId) -> Result<String, StoreError> {
        let row = sqlx::query("SELECT name FROM workspaces WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(StoreError::database("read the workspaces"))?;
        let Some(row) = row else {
            return Err(StoreError::NotFound { what: "workspace", id: id.to_string() });
        };
        row.try_get(0).map_err(StoreError::database("read the workspaces"))
    }

    /// The workspace of that name, created where there is none.
    ///
    /// # Errors
    /// Whatever the database says.
    pub async fn ensure_workspace(
        &self,
        name: &str,
        now: Timestamp,
    ) -> Result<WorkspaceId, StoreError> {
        if let Ok(found) = self.workspace(name).await {
            return Ok(found);
        }
        let mut transaction = self.write().await?;
        let failed = || StoreError::database("create a workspace");
        sqlx::query(
            "INSERT INTO workspaces (id, name, created_at_us) VALUES (?, ?, ?)
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(WorkspaceId::new(now)?.to_string())
        .bind(name)
        .bind(now.as_microsecond())
        .execute(&mut *transaction)
        .await
        .map_err(failed())?;
        transaction.commit().await.map_err(failed())?;
        self.workspace(name).await
    }

    /// Begins a transaction that may write.
    pub(crate) async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.writer
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(StoreError::database("begin a transaction"))
    }

    /// The connections that read.
    pub(crate) const fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    /// The connection that writes, for statements that cannot run in a transaction.
    pub(crate) const fn writer(&self) -> &SqlitePool {
        &self.writer
    }
}

/// How every connection is opened. Deleted content is overwritten, and nothing is spilled to files of the
/// system's temporary folder.
fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_WAIT_MAX)
        .pragma("secure_delete", "ON")
        .pragma("temp_store", "MEMORY")
        .pragma("trusted_schema", "OFF")
}

/// Opens a database file as it is: the journal mode is not touched.
pub(crate) async fn look(path: &Path) -> Result<SqliteConnection, StoreError> {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(BUSY_WAIT_MAX)
        .connect()
        .await
        .map_err(StoreError::database("be opened"))
}

/// The schema of the file, which must be ours and not newer than `known`.
pub(crate) async fn schema_of(path: &Path, known: i64) -> Result<i64, StoreError> {
    let mut connection = look(path).await?;
    let found = match schema::version(&mut connection).await {
        Ok(found) => found,
        Err(error) if is_no_database(&error) => None,
        Err(source) => return Err(StoreError::Database { doing: "tell its schema", source }),
    };
    connection.close().await.map_err(StoreError::database("be closed"))?;
    match found {
        None => Err(StoreError::NotOurs { path: path.to_owned() }),
        Some(found) if found > known => {
            Err(StoreError::NewerSchema { path: path.to_owned(), found, known })
        }
        Some(found) => Ok(found),
    }
}

/// SQLITE_NOTADB: the file has content and it is no database.
fn is_no_database(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() == Some("26")
}

/// Brings the file to the newest schema, with a copy first where there is something to lose.
async fn prepare(path: &Path, migrations: &[Migration], now: Timestamp) -> Result<(), StoreError> {
    let known = schema::newest(migrations);
    let present = schema_of(path, known).await?;
    if present == known {
        return Ok(());
    }
    if present > 0 {
        backup::before_migration(path, present, now).await?;
    }
    let failed = || StoreError::database("be opened");
    let mut connection = options(path).connect().await.map_err(failed())?;
    schema::migrate(&mut connection, migrations, now).await?;
    connection.close().await.map_err(failed())
}
