//! The sealed secrets as a database keeps them, and the vault that opens one for sending.
//!
//! [`SealedSecrets`] is the trait that every database implements; it handles envelopes and never a secret.
//! [`SecretVault`] has the keys. Keep: [`SecretVault::for_sending`] is the only way from the database to a
//! secret, and its only callers are those that sign in to the connection's own service.

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use waxseal_proto::secret::Secret;
use zeroize::Zeroizing;

use crate::connections::{SealedSecret, secret_place};
use crate::database::Store;
use crate::error::StoreError;
use crate::id::{ConnectionId, WorkspaceId};
use crate::keys::{KeyId, MasterKeys};
use crate::rows;
use crate::sealed::{Envelope, Place, SealError};

const SECRETS: &str = "connection_secrets";

/// An envelope as it stands in the database, not yet read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEnvelope {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The connection.
    pub connection: ConnectionId,
    /// The text.
    pub text: String,
}

impl StoredEnvelope {
    /// Where it is stored.
    pub const fn place(&self) -> Place {
        secret_place(self.connection)
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`SealError`] naming the place.
    pub fn open(&self, keys: &MasterKeys) -> Result<Secret<Zeroizing<String>>, SealError> {
        keys.open(&self.place(), &Envelope::parse(&self.text, &self.place())?)
    }
}

/// Seals an opened envelope anew.
pub type Reseal<'a> = &'a (dyn Fn(&StoredEnvelope) -> Result<Envelope, StoreError> + Send + Sync);

/// The sealed secrets of all workspaces.
#[async_trait]
pub trait SealedSecrets: Send + Sync {
    /// Notes that secrets may be sealed with this key.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn know_key(&self, key: &KeyId, now: Timestamp) -> Result<(), StoreError>;

    /// Notes that secrets may no longer be sealed with this key.
    ///
    /// # Errors
    /// [`StoreError::KeyInUse`] when it still opens some.
    async fn forget_key(&self, key: &KeyId) -> Result<(), StoreError>;

    /// The keys that are needed, each with the number of its secrets.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn keys_in_use(&self) -> Result<Vec<(KeyId, i64)>, StoreError>;

    /// The envelopes of these connections; those without a secret are left out.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn envelopes(
        &self,
        workspace: WorkspaceId,
        connections: &[ConnectionId],
    ) -> Result<Vec<StoredEnvelope>, StoreError>;

    /// The envelopes of all workspaces.
    ///
    /// # Errors
    /// Whatever the database says.
    async fn all_envelopes(&self) -> Result<Vec<StoredEnvelope>, StoreError>;

    /// Replaces every envelope by what `reseal` makes of it, all of them or none, and notes the key.
    /// Says how many there were.
    ///
    /// # Errors
    /// The first of `reseal`.
    async fn reseal_all(
        &self,
        key: &KeyId,
        now: Timestamp,
        reseal: Reseal<'_>,
    ) -> Result<usize, StoreError>;
}

#[async_trait]
impl SealedSecrets for Store {
    async fn know_key(&self, key: &KeyId, now: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        know(&mut transaction, key, now).await?;
        transaction.commit().await.map_err(failed())
    }

    async fn forget_key(&self, key: &KeyId) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        let row =
            sqlx::query("SELECT count(*) AS secrets FROM connection_secrets WHERE key_id = ?")
                .bind(key.as_str())
                .fetch_one(&mut *transaction)
                .await
                .map_err(failed())?;
        let secrets: i64 = rows::column(SECRETS, &row, "secrets")?;
        if secrets > 0 {
            return Err(StoreError::KeyInUse { id: key.clone(), secrets });
        }
        sqlx::query("DELETE FROM master_keys WHERE id = ?")
            .bind(key.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(failed())?;
        transaction.commit().await.map_err(failed())
    }

    async fn keys_in_use(&self) -> Result<Vec<(KeyId, i64)>, StoreError> {
        let found = sqlx::query(
            "SELECT key_id, count(*) AS secrets FROM connection_secrets
             GROUP BY key_id ORDER BY key_id",
        )
        .fetch_all(self.readers())
        .await
        .map_err(failed())?;
        found
            .iter()
            .map(|row| {
                let id: String = rows::column(SECRETS, row, "key_id")?;
                let id = KeyId::parse(&id).ok_or_else(|| damaged("bad key id"))?;
                Ok((id, rows::column(SECRETS, row, "secrets")?))
            })
            .collect()
    }

    async fn envelopes(
        &self,
        workspace: WorkspaceId,
        connections: &[ConnectionId],
    ) -> Result<Vec<StoredEnvelope>, StoreError> {
        let ids = connections.iter().map(ToString::to_string).collect::<serde_json::Value>();
        let found = sqlx::query(
            "SELECT workspace_id, connection_id, envelope FROM connection_secrets
             WHERE workspace_id = ? AND connection_id IN (SELECT value FROM json_each(?))",
        )
        .bind(workspace.to_string())
        .bind(ids.to_string())
        .fetch_all(self.readers())
        .await
        .map_err(failed())?;
        found.iter().map(stored).collect()
    }

    async fn all_envelopes(&self) -> Result<Vec<StoredEnvelope>, StoreError> {
        let found = sqlx::query(ALL).fetch_all(self.readers()).await.map_err(failed())?;
        found.iter().map(stored).collect()
    }

    async fn reseal_all(
        &self,
        key: &KeyId,
        now: Timestamp,
        reseal: Reseal<'_>,
    ) -> Result<usize, StoreError> {
        let mut transaction = self.write().await?;
        know(&mut transaction, key, now).await?;
        // Read inside the transaction: nobody seals another one meanwhile.
        let found = sqlx::query(ALL).fetch_all(&mut *transaction).await.map_err(failed())?;
        for row in &found {
            let old = stored(row)?;
            let new = reseal(&old)?;
            sqlx::query(
                "UPDATE connection_secrets SET key_id = ?, envelope = ?
                 WHERE workspace_id = ? AND connection_id = ?",
            )
            .bind(new.key_id().as_str())
            .bind(new.to_text())
            .bind(old.workspace.to_string())
            .bind(old.connection.to_string())
            .execute(&mut *transaction)
            .await
            .map_err(failed())?;
        }
        transaction.commit().await.map_err(failed())?;
        Ok(found.len())
    }
}

const ALL: &str = "SELECT workspace_id, connection_id, envelope FROM connection_secrets
     ORDER BY workspace_id, connection_id";

fn failed() -> impl Fn(sqlx::Error) -> StoreError {
    StoreError::database("handle the sealed secrets")
}

fn damaged(problem: &str) -> StoreError {
    StoreError::Row { table: SECRETS, problem: problem.to_owned() }
}

fn stored(row: &SqliteRow) -> Result<StoredEnvelope, StoreError> {
    let get = |name| rows::column::<String>(SECRETS, row, name);
    let workspace =
        WorkspaceId::parse(&get("workspace_id")?).map_err(|error| damaged(&error.to_string()))?;
    let connection =
        ConnectionId::parse(&get("connection_id")?).map_err(|error| damaged(&error.to_string()))?;
    Ok(StoredEnvelope { workspace, connection, text: get("envelope")? })
}

async fn know(
    transaction: &mut sqlx::SqliteConnection,
    key: &KeyId,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO master_keys (id, known_since_us) VALUES (?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(key.as_str())
    .bind(now.as_microsecond())
    .execute(transaction)
    .await
    .map_err(failed())?;
    Ok(())
}

/// The sealed secrets together with the keys that open them.
#[derive(Clone, Debug)]
pub struct SecretVault<S> {
    secrets: S,
    keys: MasterKeys,
}

impl<S: SealedSecrets> SecretVault<S> {
    /// A vault whose keys open everything that is stored.
    ///
    /// # Errors
    /// [`StoreError::KeyMissing`] when a secret needs a key that is not there: the wrong key file, or one
    /// that is too old.
    pub async fn open(secrets: S, keys: MasterKeys, now: Timestamp) -> Result<Self, StoreError> {
        for (id, count) in secrets.keys_in_use().await? {
            if !keys.holds(&id) {
                return Err(StoreError::KeyMissing { id, secrets: count });
            }
        }
        secrets.know_key(keys.current(), now).await?;
        Ok(Self { secrets, keys })
    }

    /// Seals a secret for a connection, to be given to
    /// [`Connections::set_secret`](crate::connections::Connections::set_secret).
    ///
    /// # Errors
    /// A secret of no or too many octets.
    pub fn seal(
        &self,
        connection: ConnectionId,
        secret: &Secret<Zeroizing<String>>,
    ) -> Result<SealedSecret, StoreError> {
        Ok(SealedSecret::seal(&self.keys, connection, secret)?)
    }

    /// The secret of a connection, for signing in to its service and for nothing else; `None` when none
    /// is stored.
    ///
    /// # Errors
    /// [`SealError`], each kind of damage with its own.
    pub async fn for_sending(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
    ) -> Result<Option<Secret<Zeroizing<String>>>, StoreError> {
        let mut found = self.secrets.envelopes(workspace, &[connection]).await?;
        let Some(stored) = found.pop() else {
            return Ok(None);
        };
        match stored.open(&self.keys) {
            Ok(secret) => Ok(Some(secret)),
            Err(SealError::Tampered { place }) => {
                Err(self.moved_or_tampered(&stored, place).await?)
            }
            Err(other) => Err(other.into()),
        }
    }

    /// Tells an envelope that was put in another row from one whose content was changed: the first still
    /// opens as what it was.
    async fn moved_or_tampered(
        &self,
        stored: &StoredEnvelope,
        place: String,
    ) -> Result<StoreError, StoreError> {
        let envelope = Envelope::parse(&stored.text, &stored.place())?;
        let everywhere = self.secrets.all_envelopes().await?;
        let places: Vec<Place> = everywhere.iter().map(StoredEnvelope::place).collect();
        let error = match self.keys.sealed_for(&envelope, &places) {
            Some(belongs) => SealError::Moved { place, sealed_for: belongs.to_string() },
            None => SealError::Tampered { place },
        };
        Ok(error.into())
    }
}
