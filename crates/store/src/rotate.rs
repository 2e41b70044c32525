//! Changing the master key: add the new one to the key file and make that durable, seal every secret anew
//! in one transaction, read all of them back. The old key stays until [`retire`] is asked for.
//!
//! The ways in are [`rotate`] for a key file and [`reseal`] for keys from elsewhere. Keep this order: at
//! every point the key file on the disk holds each key that an envelope in the database needs.

use jiff::Timestamp;

use crate::error::StoreError;
use crate::key_file::KeyFile;
use crate::keys::{KeyId, MasterKeys};
use crate::private_file::ReplaceStep;
use crate::secrets::{SealedSecrets, StoredEnvelope};

/// A point of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationStep {
    /// Every secret was opened with the present keys.
    Opened,
    /// The new key file is written beside the old one.
    KeyFileWritten,
    /// The new key file is on the disk, under another name.
    KeyFileSynced,
    /// The new key file has the name.
    KeyFileRenamed,
    /// The name is on the disk.
    KeyFileDurable,
    /// One more secret was sealed anew, inside the transaction.
    Resealed,
    /// The transaction is on the disk.
    Committed,
    /// Everything was read back with the new key.
    ReadBack,
}

impl RotationStep {
    /// Every step in its order.
    pub const ALL: [Self; 8] = [
        Self::Opened,
        Self::KeyFileWritten,
        Self::KeyFileSynced,
        Self::KeyFileRenamed,
        Self::KeyFileDurable,
        Self::Resealed,
        Self::Committed,
        Self::ReadBack,
    ];
}

/// Is told of every step; an error stops the work there.
pub type Watch<'a> = &'a (dyn Fn(RotationStep) -> Result<(), StoreError> + Send + Sync);

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The key that everything is sealed with now.
    pub current: KeyId,
    /// The keys that are still in the file. Backups may need them.
    pub older: Vec<KeyId>,
    /// How many secrets were sealed anew.
    pub secrets: usize,
}

/// Makes a new current key in the key file and seals every secret with it.
///
/// # Errors
/// A secret that cannot be opened: then nothing was changed. Any later error leaves everything readable
/// with the key file, and rotating again finishes the work.
pub async fn rotate(
    secrets: &dyn SealedSecrets,
    file: &KeyFile,
    now: Timestamp,
    watch: Watch<'_>,
) -> Result<Rotation, StoreError> {
    let _lock = file.lock()?;
    let keys = file.load()?;
    open_all(secrets, &keys).await?;
    watch(RotationStep::Opened)?;
    let next = keys.with_new_current()?;
    file.replace(&next, &|step| {
        watch(match step {
            ReplaceStep::Written => RotationStep::KeyFileWritten,
            ReplaceStep::Synced => RotationStep::KeyFileSynced,
            ReplaceStep::Renamed => RotationStep::KeyFileRenamed,
            ReplaceStep::FolderSynced => RotationStep::KeyFileDurable,
        })
    })?;
    // From the disk, so that what is proven is what the next start will read.
    reseal(secrets, &file.load()?, now, watch).await
}

/// Seals every secret with the current key of `keys`, which also hold the older ones.
///
/// # Errors
/// A secret that cannot be opened: then nothing was changed.
pub async fn reseal(
    secrets: &dyn SealedSecrets,
    keys: &MasterKeys,
    now: Timestamp,
    watch: Watch<'_>,
) -> Result<Rotation, StoreError> {
    let anew = |stored: &StoredEnvelope| {
        let secret = stored.open(keys)?;
        let envelope = keys.seal(&stored.place(), &secret)?;
        watch(RotationStep::Resealed)?;
        Ok(envelope)
    };
    let count = secrets.reseal_all(keys.current(), now, &anew).await?;
    watch(RotationStep::Committed)?;
    open_all(secrets, keys).await?;
    watch(RotationStep::ReadBack)?;
    let older = keys.ids().filter(|id| *id != keys.current()).cloned().collect();
    Ok(Rotation { current: keys.current().clone(), older, secrets: count })
}

/// Takes an older key out of the file. Backups that name it can no longer be opened with this file.
///
/// # Errors
/// [`StoreError::KeyInUse`] when a stored secret needs it, or when it is the current one or not there.
pub async fn retire(
    secrets: &dyn SealedSecrets,
    file: &KeyFile,
    key: &KeyId,
) -> Result<(), StoreError> {
    let _lock = file.lock()?;
    let rest = file.load()?.without(key)?;
    // The database first: from here on nothing can be sealed with it any more.
    secrets.forget_key(key).await?;
    file.replace(&rest, &|_| Ok(()))
}

async fn open_all(secrets: &dyn SealedSecrets, keys: &MasterKeys) -> Result<(), StoreError> {
    for stored in secrets.all_envelopes().await? {
        stored.open(keys)?;
    }
    Ok(())
}
