//! The file of the master keys: mode 0600, created once, replaced as a whole.
//!
//! The way in is [`KeyFile::create`] and [`KeyFile::load`]; rotation is in `rotate`. Keep: a wider file is
//! refused before its content is used, and an existing one is never overwritten by `create`.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::error::StoreError;
use crate::keys::MasterKeys;
use crate::limits::KEY_FILE_OCTETS_MAX;
use crate::private_file::{self, Lock, ReplaceStep};

/// Where the master keys are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile {
    path: PathBuf,
}

impl KeyFile {
    /// The name of the file in a data folder.
    pub const NAME: &'static str = "master.key";

    /// A key file at this path, there or not.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Creates the file with one new key (`key init`), and its folder where there is none.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when there is a file already.
    pub fn create(&self) -> Result<MasterKeys, StoreError> {
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            private_file::ensure_folder(folder, Self::NAME)?;
        }
        // Two first commands at once: the second one waits and finds the file of the first.
        let _lock = Lock::wait(&self.path)?;
        if self.path.exists() {
            return Err(StoreError::Exists { path: self.path.clone() });
        }
        let keys = MasterKeys::generate()?;
        // Written beside and then named: a crash leaves no half key file.
        let beside = private_file::beside(&self.path, "new");
        if beside.exists() {
            std::fs::remove_file(&beside).map_err(StoreError::file("remove", &beside))?;
        }
        let mut file = private_file::create_new(&beside)?;
        file.write_all(keys.to_text().as_bytes()).map_err(StoreError::file("write", &beside))?;
        private_file::publish(&beside, &self.path)?;
        Ok(keys)
    }

    /// Reads the keys.
    ///
    /// # Errors
    /// A missing file, wider permissions than 0600, or a text that is no key text.
    pub fn load(&self) -> Result<MasterKeys, StoreError> {
        let text = private_file::read(&self.path, KEY_FILE_OCTETS_MAX)?;
        Ok(MasterKeys::parse(&text)?)
    }

    pub(crate) fn lock(&self) -> Result<Lock, StoreError> {
        Lock::take(&self.path)
    }

    /// Replaces the whole file.
    pub(crate) fn replace(
        &self,
        keys: &MasterKeys,
        at: &dyn Fn(ReplaceStep) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        private_file::replace(&self.path, keys.to_text().as_bytes(), at)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_file_is_private_and_made_once() {
        let root = tempfile::tempdir().unwrap();
        let file = KeyFile::at(root.path().join("data/master.key"));
        let made = file.create().unwrap();
        assert_eq!(file.load().unwrap().current(), made.current());
        let permissions = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(permissions(file.path()), 0o600);
        assert_eq!(permissions(file.path().parent().unwrap()), 0o700);
        assert!(matches!(file.create(), Err(StoreError::Exists { .. })));
        assert_eq!(file.load().unwrap().current(), made.current());
        for wide in [0o640, 0o604, 0o620, 0o666] {
            std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(wide)).unwrap();
            let error = file.load().unwrap_err();
            assert!(matches!(error, StoreError::Permissions { wanted: 0o600, .. }), "{wide:o}");
        }
    }

    #[test]
    fn a_missing_or_large_key_file_is_named() {
        let root = tempfile::tempdir().unwrap();
        let file = KeyFile::at(root.path().join("master.key"));
        let error = file.load().unwrap_err().to_string();
        assert!(error.contains("cannot open") && error.contains("master.key"), "{error}");
        std::fs::write(file.path(), "x".repeat(70_000)).unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(file.load(), Err(StoreError::TooLarge { .. })));
    }
}
