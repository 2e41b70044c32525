//! Opens what an installation keeps: the folder with the database, one workspace of it, and the master
//! keys, which come from a file of mode 0600, from a text, or from a command.
//!
//! The ways in are [`Data::open`] and [`Data::vault`]. Keep: no error holds a part of a key, and a missing
//! key file is never replaced by a new one while a stored secret needs it.

mod keys;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use waxseal_store::connection::{FieldError, OneLine};
use waxseal_store::id::WorkspaceId;
use waxseal_store::keys::{KeysError, MasterKeys};
use waxseal_store::rotate::{self, Rotation};
use waxseal_store::secrets::{SealedSecrets as _, SecretVault};
use waxseal_store::{DatabaseTrouble, backup};

pub use keys::KeySource;
pub use waxseal_proto::secret::Secret;
pub use waxseal_store::backup::BackupSummary;
pub use waxseal_store::keys::KeyId;
pub use waxseal_store::{DEFAULT_WORKSPACE, KeyFile, Store, StoreError};
pub use zeroize::Zeroizing;

/// Where the data of an installation is.
#[derive(Clone, Debug)]
pub struct DataSettings {
    /// The folder with the database.
    pub folder: PathBuf,
    /// The name of the workspace.
    pub workspace: String,
    /// Where the master keys come from.
    pub keys: KeySource,
}

/// Whether what is not there yet is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// The folder, the database and the workspace are made where there are none.
    Create,
    /// They must be there.
    Existing,
}

/// Why the data could not be opened or used. Texts name the thing; [`DataError::hint`] says what to do.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A folder without a database.
    #[error("there is no database in {}", folder.display())]
    NothingThere {
        /// The folder.
        folder: PathBuf,
    },
    /// The name of a workspace cannot be one.
    #[error(transparent)]
    Workspace(FieldError),
    /// The key file is gone while secrets need it.
    #[error("the master key file {} is missing, and {secrets} stored secrets need it", path.display())]
    KeyFileMissing {
        /// The file.
        path: PathBuf,
        /// How many secrets.
        secrets: i64,
    },
    /// There is no key file yet.
    #[error("there is no master key file {}", path.display())]
    NoKeyFile {
        /// The file.
        path: PathBuf,
    },
    /// A key file is asked for while the keys come from elsewhere.
    #[error("the master keys come from {from}, not from a file")]
    NotAFile {
        /// The source.
        from: String,
    },
    /// The text of the keys cannot be read.
    #[error("{from}")]
    KeyText {
        /// The source.
        from: String,
        /// What is wrong with it.
        #[source]
        source: KeysError,
    },
    /// The command that prints the keys did not.
    #[error("the command for the master keys {problem}")]
    KeyCommand {
        /// How it ended.
        problem: String,
    },
    /// A key that is no identifier of one.
    #[error("{text:?} is not the id of a master key: 16 hexadecimal digits")]
    KeyId {
        /// What was given.
        text: String,
    },
    /// Files or database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DataError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::NothingThere { .. } => {
                "connection add makes one; --data DIR names another folder"
            }
            Self::KeyFileMissing { .. } => {
                "put the file back from where it is kept apart from backups"
            }
            Self::NoKeyFile { .. } => "make one with: waxseal key init",
            Self::NotAFile { .. } => {
                "make the new key there, as a further line, and run: waxseal key rotate"
            }
            Self::KeyText { .. } => "the first line is 'waxseal-keys 1', then 'current ID KEY'",
            Self::KeyCommand { .. } => "run it by hand: it must print what a key file holds",
            Self::KeyId { .. } => "waxseal key status lists them",
            Self::Workspace(_) => "name one that exists with --workspace, or leave it out",
            Self::Store(error) => return store_hint(error),
        };
        Some(text.to_owned())
    }

    /// Whether it is the machine's trouble and not what was asked for: trying again later may help.
    pub fn is_of_the_machine(&self) -> bool {
        match self {
            Self::KeyCommand { .. } => true,
            Self::Store(error) => is_of_the_machine(error),
            Self::NothingThere { .. }
            | Self::Workspace(_)
            | Self::KeyFileMissing { .. }
            | Self::NoKeyFile { .. }
            | Self::NotAFile { .. }
            | Self::KeyText { .. }
            | Self::KeyId { .. } => false,
        }
    }
}

/// What to do about an error of the store.
pub(crate) fn store_hint(error: &StoreError) -> Option<String> {
    let text = match (error, error.trouble()) {
        (_, Some(DatabaseTrouble::Busy)) | (StoreError::Locked { .. }, _) => {
            "another waxseal command is at work; try again"
        }
        (_, Some(DatabaseTrouble::Full)) => {
            "nothing was changed; make room on the disk and try again"
        }
        (_, Some(DatabaseTrouble::ReadOnly)) => "nothing was changed; look at the permissions",
        (_, Some(DatabaseTrouble::Damaged))
        | (StoreError::Damaged { .. } | StoreError::NotOurs { .. } | StoreError::Row { .. }, _) => {
            "keep the file, and restore a backup into an empty folder: waxseal restore FILE --data DIR"
        }
        (StoreError::KeyMissing { .. }, _) => {
            "give the key file that has this key; backups name the keys they need"
        }
        (StoreError::Keys(_), _) => "the key file must be the one that waxseal key init made",
        (StoreError::NotFound { what: "workspace", .. }, _) => {
            "leave --workspace out, or name one that exists"
        }
        _ => return None,
    };
    Some(text.to_owned())
}

/// Whether a later attempt could succeed without anything else being asked for.
pub(crate) fn is_of_the_machine(error: &StoreError) -> bool {
    let is_damage = error.trouble() == Some(DatabaseTrouble::Damaged);
    let kind = matches!(
        error,
        StoreError::Database { .. } | StoreError::Locked { .. } | StoreError::Randomness(_)
    );
    kind && !is_damage
}

/// A vault, and whether its key file was made for it.
#[derive(Debug)]
pub struct Vault {
    /// The secrets with the keys that open them.
    pub vault: SecretVault<Store>,
    /// The key file that was made just now.
    pub made: Option<PathBuf>,
}

/// What to do where there is no key file and no secret needs one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoKeyYet {
    /// A key file is made.
    Make,
    /// It is an error.
    Refuse,
}

/// What `key status` says. No key is among it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyStatus {
    /// Where the keys come from.
    pub source: String,
    /// The key that seals.
    pub current: KeyId,
    /// Every other key of the source.
    pub older: Vec<KeyId>,
    /// The keys that stored secrets need, with the number of secrets.
    pub in_use: Vec<(KeyId, i64)>,
}

/// The open data of an installation.
#[derive(Clone, Debug)]
pub struct Data {
    store: Store,
    workspace: WorkspaceId,
    name: OneLine,
    settings: DataSettings,
}

impl Data {
    /// Opens the database and one workspace.
    ///
    /// # Errors
    /// [`DataError`] for whatever is in the way.
    pub async fn open(
        settings: DataSettings,
        opening: Opening,
        now: Timestamp,
    ) -> Result<Self, DataError> {
        let name =
            OneLine::parse("workspace", &settings.workspace).map_err(DataError::Workspace)?;
        if opening == Opening::Existing && !database_in(&settings.folder) {
            return Err(DataError::NothingThere { folder: settings.folder });
        }
        let store = Store::open(&settings.folder, now).await?;
        let workspace = match opening {
            Opening::Create => store.ensure_workspace(name.as_str(), now).await?,
            Opening::Existing => store.workspace(name.as_str()).await?,
        };
        Ok(Self { store, workspace, name, settings })
    }

    /// The same data, for another workspace of it.
    #[must_use]
    pub fn in_workspace(&self, workspace: WorkspaceId, name: OneLine) -> Self {
        Self { workspace, name, ..self.clone() }
    }

    /// The same data, for the workspace of that identifier.
    ///
    /// # Errors
    /// There is none.
    pub async fn of_workspace(&self, workspace: WorkspaceId) -> Result<Self, DataError> {
        let name = self.store.workspace_name(workspace).await?;
        let name = OneLine::parse("workspace", &name).map_err(DataError::Workspace)?;
        Ok(self.in_workspace(workspace, name))
    }

    /// The database.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The workspace.
    pub const fn workspace(&self) -> WorkspaceId {
        self.workspace
    }

    /// The name of the workspace.
    pub const fn workspace_name(&self) -> &OneLine {
        &self.name
    }

    /// The folder of the database.
    pub fn folder(&self) -> &Path {
        &self.settings.folder
    }

    /// Finishes what is under way and closes the files.
    pub async fn close(&self) {
        self.store.close().await;
    }

    /// The secrets with the keys that open them.
    ///
    /// # Errors
    /// Keys that are missing or cannot be read, or that do not open what is stored.
    pub async fn vault(&self, missing: NoKeyYet, now: Timestamp) -> Result<Vault, DataError> {
        let (keys, made) = self.keys(missing).await?;
        let vault = SecretVault::open(self.store.clone(), keys, now).await?;
        Ok(Vault { vault, made })
    }

    async fn keys(&self, missing: NoKeyYet) -> Result<(MasterKeys, Option<PathBuf>), DataError> {
        let KeySource::File(file) = &self.settings.keys else {
            return Ok((self.settings.keys.read().await?, None));
        };
        if file.path().exists() {
            return Ok((file.load()?, None));
        }
        let secrets: i64 = self.store.keys_in_use().await?.iter().map(|(_, secrets)| secrets).sum();
        let path = file.path().to_owned();
        match missing {
            _ if secrets > 0 => Err(DataError::KeyFileMissing { path, secrets }),
            NoKeyYet::Refuse => Err(DataError::NoKeyFile { path }),
            NoKeyYet::Make => match file.create() {
                Ok(keys) => Ok((keys, Some(path))),
                // Another command made it meanwhile.
                Err(StoreError::Exists { .. }) => Ok((file.load()?, None)),
                Err(other) => Err(other.into()),
            },
        }
    }

    /// Which keys there are and which are needed.
    ///
    /// # Errors
    /// Keys that are missing or cannot be read.
    pub async fn key_status(&self) -> Result<KeyStatus, DataError> {
        let (keys, _) = self.keys(NoKeyYet::Refuse).await?;
        Ok(KeyStatus {
            source: self.settings.keys.to_string(),
            current: keys.current().clone(),
            older: keys.ids().filter(|id| *id != keys.current()).cloned().collect(),
            in_use: self.store.keys_in_use().await?,
        })
    }

    /// Makes the key file.
    ///
    /// # Errors
    /// There is one already, or stored secrets need another one, or the keys come from elsewhere.
    pub async fn key_init(&self) -> Result<(KeyId, PathBuf), DataError> {
        let file = self.key_file()?;
        if file.path().exists() {
            return Err(StoreError::Exists { path: file.path().to_owned() }.into());
        }
        match self.keys(NoKeyYet::Make).await? {
            (keys, Some(path)) => Ok((keys.current().clone(), path)),
            (_, None) => Err(StoreError::Exists { path: file.path().to_owned() }.into()),
        }
    }

    /// Seals every secret anew: with a new key in the key file, or, where the keys come from elsewhere, with
    /// the one that is current there.
    ///
    /// # Errors
    /// A secret that cannot be opened: then nothing was changed. Anything later leaves all readable.
    pub async fn key_rotate(&self, now: Timestamp) -> Result<Rotation, DataError> {
        // Also refuses keys that do not open everything, and a file that is not there.
        let (keys, _) = self.keys(NoKeyYet::Refuse).await?;
        SecretVault::open(self.store.clone(), keys.clone(), now).await?;
        Ok(match &self.settings.keys {
            KeySource::File(file) => rotate::rotate(&self.store, file, now, &|_| Ok(())).await?,
            KeySource::Text { .. } | KeySource::Command(_) => {
                rotate::reseal(&self.store, &keys, now, &|_| Ok(())).await?
            }
        })
    }

    /// Takes an older key out of the key file.
    ///
    /// # Errors
    /// A key that is needed, current, or not there.
    pub async fn key_retire(&self, id: &str) -> Result<KeyId, DataError> {
        let key = KeyId::parse(id).ok_or_else(|| DataError::KeyId { text: id.to_owned() })?;
        rotate::retire(&self.store, self.key_file()?, &key).await?;
        Ok(key)
    }

    fn key_file(&self) -> Result<&KeyFile, DataError> {
        match &self.settings.keys {
            KeySource::File(file) => Ok(file),
            other @ (KeySource::Text { .. } | KeySource::Command(_)) => {
                Err(DataError::NotAFile { from: other.to_string() })
            }
        }
    }

    /// Writes a copy of the live database to a file that must not exist. The keys are not part of it.
    ///
    /// # Errors
    /// Whatever the system says; then there is no file.
    pub async fn backup(&self, target: &Path) -> Result<BackupSummary, DataError> {
        Ok(self.store.backup(target).await?)
    }
}

/// Whether a folder holds a database.
pub fn database_in(folder: &Path) -> bool {
    folder.join(Store::NAME).exists()
}

/// What a restored folder holds, and which of the keys it needs are missing in the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What was restored.
    pub summary: BackupSummary,
    /// The keys that are needed and that the source of the keys does not have.
    pub missing: Vec<KeyId>,
}

/// Makes the database of an empty folder from a copy.
///
/// # Errors
/// There is a database already, or what is wrong with the copy.
pub async fn restore(copy: &Path, settings: &DataSettings) -> Result<Restored, DataError> {
    let summary = backup::restore(copy, &settings.folder).await?;
    // The database is in place whatever the keys are like; they can be put there later.
    let keys = settings.keys.read().await.ok();
    let holds = |id: &&KeyId| keys.as_ref().is_some_and(|keys| keys.holds(id));
    let missing = summary.key_ids.iter().filter(|id| !holds(id)).cloned().collect();
    Ok(Restored { summary, missing })
}
