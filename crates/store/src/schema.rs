//! The schemas of the database, one SQL file each, applied in order inside one transaction.
//!
//! The table `schema_versions` says which were applied. A released file is never edited: add the next one
//! and a copy of the database before it to `fixtures/`. Nothing here goes back to an older schema.

use jiff::Timestamp;
use sqlx::{Connection as _, Row as _, SqliteConnection};

use crate::error::StoreError;

/// One step from the schema before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Migration {
    /// The schema that it makes, from 1 without gaps.
    pub(crate) version: i64,
    /// What it is about.
    pub(crate) name: &'static str,
    /// The statements.
    pub(crate) sql: &'static str,
}

/// Every released schema.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "first", sql: include_str!("schema/0001_first.sql") },
    Migration { version: 2, name: "results", sql: include_str!("schema/0002_results.sql") },
    Migration { version: 3, name: "people", sql: include_str!("schema/0003_people.sql") },
    Migration { version: 4, name: "tokens", sql: include_str!("schema/0004_tokens.sql") },
    Migration { version: 5, name: "starts", sql: include_str!("schema/0005_starts.sql") },
];

/// SQLite's `application_id` of our databases: "WXSL".
pub(crate) const APPLICATION_ID: i64 = 0x5758_534c;

/// The newest schema of a list.
pub(crate) fn newest(migrations: &[Migration]) -> i64 {
    migrations.iter().map(|migration| migration.version).max().unwrap_or_default()
}

/// The schema of an open database; 0 when it is empty, `None` when it is not ours.
pub(crate) async fn version(connection: &mut SqliteConnection) -> Result<Option<i64>, sqlx::Error> {
    // In this order: whoever makes the database meanwhile writes both at once, so tables that are seen have
    // their identifier.
    let tables: i64 = sqlx::query("SELECT count(*) FROM sqlite_schema")
        .fetch_one(&mut *connection)
        .await?
        .try_get(0)?;
    let application: i64 =
        sqlx::query("PRAGMA application_id").fetch_one(&mut *connection).await?.try_get(0)?;
    if tables == 0 {
        return Ok(matches!(application, 0 | APPLICATION_ID).then_some(0));
    }
    if application != APPLICATION_ID {
        return Ok(None);
    }
    let row = sqlx::query("SELECT coalesce(max(version), 0) FROM schema_versions")
        .fetch_one(&mut *connection)
        .await?;
    Ok(Some(row.try_get(0)?))
}

/// Applies what is missing. Several processes may do this at once: the first one works, the others wait
/// and find nothing left to do.
pub(crate) async fn migrate(
    connection: &mut SqliteConnection,
    migrations: &[Migration],
    now: Timestamp,
) -> Result<(), StoreError> {
    let failed = || StoreError::database("apply its schema");
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed())?;
    let present = version(&mut transaction).await.map_err(failed())?.unwrap_or_default();
    if present == 0 {
        let start = sqlx::AssertSqlSafe(format!(
            "PRAGMA application_id = {APPLICATION_ID};
             CREATE TABLE schema_versions (
                 version INTEGER NOT NULL PRIMARY KEY,
                 name TEXT NOT NULL,
                 applied_at_us INTEGER NOT NULL
             ) STRICT;"
        ));
        sqlx::raw_sql(start).execute(&mut *transaction).await.map_err(failed())?;
    }
    for migration in migrations.iter().filter(|migration| migration.version > present) {
        sqlx::raw_sql(migration.sql).execute(&mut *transaction).await.map_err(failed())?;
        sqlx::query("INSERT INTO schema_versions (version, name, applied_at_us) VALUES (?, ?, ?)")
            .bind(migration.version)
            .bind(migration.name)
            .bind(now.as_microsecond())
            .execute(&mut *transaction)
            .await
            .map_err(failed())?;
    }
    transaction.commit().await.map_err(failed())
}

#[cfg(test)]
mod tests;
