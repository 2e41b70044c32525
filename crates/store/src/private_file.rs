//! Files and folders that belong to one person alone: created 0600 and 0700, refused when wider, and
//! replaced so that a crash leaves the old file or the new one, never half of either.
//!
//! Nothing here knows what the files hold. Callers that wait should run it off the runtime's threads; the
//! files are small.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::error::StoreError;

/// Permission bits of a file with secrets or data.
pub(crate) const FILE_MODE: u32 = 0o600;
/// Permission bits of a folder with them.
pub(crate) const FOLDER_MODE: u32 = 0o700;
const PERMISSION_BITS: u32 = 0o777;
const OTHERS: u32 = 0o077;

fn mode_of(path: &Path) -> Result<u32, StoreError> {
    let metadata = path.metadata().map_err(StoreError::file("look at", path))?;
    Ok(metadata.permissions().mode() & PERMISSION_BITS)
}

/// Refuses a file or folder that others can reach.
pub(crate) fn require_private(path: &Path, wanted: u32) -> Result<(), StoreError> {
    let mode = mode_of(path)?;
    if mode & OTHERS == 0 {
        Ok(())
    } else {
        Err(StoreError::Permissions { path: path.to_owned(), mode, wanted })
    }
}

/// Makes the folder and its parents with mode 0700. A folder that is there already is narrowed when it is
/// empty or holds `ours`, and refused otherwise: it may be somebody's home.
pub(crate) fn ensure_folder(path: &Path, ours: &str) -> Result<(), StoreError> {
    if !path.exists() {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(FOLDER_MODE);
        return builder.create(path).map_err(StoreError::file("create the folder", path));
    }
    if mode_of(path)? & OTHERS == 0 {
        return Ok(());
    }
    let mut entries = path.read_dir().map_err(StoreError::file("read the folder", path))?;
    if path.join(ours).exists() || entries.next().is_none() {
        let narrow = std::fs::Permissions::from_mode(FOLDER_MODE);
        return std::fs::set_permissions(path, narrow)
            .map_err(StoreError::file("narrow the permissions of", path));
    }
    require_private(path, FOLDER_MODE)
}

/// Creates an empty file with mode 0600; it must not exist.
pub(crate) fn create_new(path: &Path) -> Result<File, StoreError> {
    OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path).map_err(|source| {
        if source.kind() == std::io::ErrorKind::AlreadyExists {
            StoreError::Exists { path: path.to_owned() }
        } else {
            StoreError::File { doing: "create", path: path.to_owned(), source }
        }
    })
}

/// Reads a private file of at most `octets_max` octets.
pub(crate) fn read(
    path: &Path,
    octets_max: u64,
) -> Result<zeroize::Zeroizing<Vec<u8>>, StoreError> {
    let file = File::open(path).map_err(StoreError::file("open", path))?;
    require_private(path, FILE_MODE)?;
    // One allocation, so that growing leaves no copies behind.
    let room = usize::try_from(octets_max).unwrap_or_default().saturating_add(1);
    let mut octets = zeroize::Zeroizing::new(Vec::with_capacity(room));
    let read = file.take(octets_max.saturating_add(1)).read_to_end(&mut octets);
    read.map_err(StoreError::file("read", path))?;
    if u64::try_from(octets.len()).unwrap_or(u64::MAX) > octets_max {
        return Err(StoreError::TooLarge {
            what: "the file",
            limit: format!("{octets_max} octets"),
        });
    }
    Ok(octets)
}

/// What a replacement is about to do; tests stop it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReplaceStep {
    /// The new content is written beside the old file, maybe only in memory.
    Written,
    /// The new content is on the disk.
    Synced,
    /// The new file has the name.
    Renamed,
    /// The name is on the disk.
    FolderSynced,
}

/// Puts `content` in the place of `path`: written beside it, synced, renamed, folder synced.
pub(crate) fn replace(
    path: &Path,
    content: &[u8],
    at: &dyn Fn(ReplaceStep) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let beside = beside(path, "new");
    // Only a crash leaves one behind, and the caller holds the lock.
    if beside.exists() {
        std::fs::remove_file(&beside).map_err(StoreError::file("remove", &beside))?;
    }
    let mut file = create_new(&beside)?;
    file.write_all(content).map_err(StoreError::file("write", &beside))?;
    at(ReplaceStep::Written)?;
    file.sync_all().map_err(StoreError::file("sync", &beside))?;
    at(ReplaceStep::Synced)?;
    std::fs::rename(&beside, path).map_err(StoreError::file("replace", path))?;
    at(ReplaceStep::Renamed)?;
    sync_folder_of(path)?;
    at(ReplaceStep::FolderSynced)
}

/// Gives `from` the name `to`, which must be free, and makes that durable.
pub(crate) fn publish(from: &Path, to: &Path) -> Result<(), StoreError> {
    let file = File::open(from).map_err(StoreError::file("open", from))?;
    file.sync_all().map_err(StoreError::file("sync", from))?;
    // A hard link fails when the name is taken; a rename would overwrite.
    std::fs::hard_link(from, to).map_err(|source| {
        if source.kind() == std::io::ErrorKind::AlreadyExists {
            StoreError::Exists { path: to.to_owned() }
        } else {
            StoreError::File { doing: "name", path: to.to_owned(), source }
        }
    })?;
    std::fs::remove_file(from).map_err(StoreError::file("remove", from))?;
    sync_folder_of(to)
}

/// `path` with another ending behind its name.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

fn sync_folder_of(path: &Path) -> Result<(), StoreError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let file = File::open(folder).map_err(StoreError::file("open", folder))?;
    file.sync_all().map_err(StoreError::file("sync", folder))
}

/// A lock that ends with the value or the process.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Drop for Lock {
    /// Closing alone is not enough: a child process between fork and exec still holds the file open.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

impl Lock {
    fn open(path: &Path) -> Result<File, StoreError> {
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(FILE_MODE)
            .open(path)
            .map_err(StoreError::file("open", path))
    }

    /// Takes the lock beside `path` as soon as it is free. Only for work that never keeps it long.
    pub(crate) fn wait(path: &Path) -> Result<Self, StoreError> {
        let path = beside(path, "lock");
        let file = Self::open(&path)?;
        file.lock().map_err(StoreError::file("lock", &path))?;
        Ok(Self(file))
    }

    /// Takes the lock beside `path`, or says that another process has it.
    pub(crate) fn take(path: &Path) -> Result<Self, StoreError> {
        let path = beside(path, "lock");
        let file = Self::open(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::Locked { path }),
            Err(std::fs::TryLockError::Error(source)) => {
                Err(StoreError::File { doing: "lock", path, source })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widen(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn folders_are_narrowed_only_when_they_are_ours() {
        let root = tempfile::tempdir().unwrap();
        let made = root.path().join("a/b");
        ensure_folder(&made, "x.db").unwrap();
        assert_eq!(mode_of(&made).unwrap(), 0o700);
        widen(&made, 0o755);
        ensure_folder(&made, "x.db").unwrap();
        assert_eq!(mode_of(&made).unwrap(), 0o700, "an empty folder is narrowed");
        std::fs::write(made.join("letter.txt"), "hello").unwrap();
        widen(&made, 0o755);
        let error = ensure_folder(&made, "x.db").unwrap_err().to_string();
        assert!(error.contains("mode 755") && error.contains("chmod 700"), "{error}");
        std::fs::write(made.join("x.db"), "").unwrap();
        ensure_folder(&made, "x.db").unwrap();
        assert_eq!(mode_of(&made).unwrap(), 0o700);
    }

    #[test]
    fn a_replacement_is_all_or_nothing_and_private() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("file");
        std::fs::write(&path, "old").unwrap();
        let stop =
            |wanted| move |step| if step == wanted { Err(StoreError::Stopped) } else { Ok(()) };
        for (step, content) in [(ReplaceStep::Written, "old"), (ReplaceStep::Synced, "old")] {
            assert!(replace(&path, b"new", &stop(step)).is_err());
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
        }
        replace(&path, b"new", &|_| Ok(())).unwrap();
        assert_eq!(read(&path, 10).unwrap().as_slice(), b"new");
        assert!(matches!(read(&path, 2), Err(StoreError::TooLarge { .. })));
        assert!(!beside(&path, "new").exists());
    }

    #[test]
    fn names_are_never_taken_from_others_and_locks_exclude() {
        let root = tempfile::tempdir().unwrap();
        let (from, to) = (root.path().join("from"), root.path().join("to"));
        create_new(&from).unwrap();
        std::fs::write(&to, "mine").unwrap();
        assert!(matches!(publish(&from, &to), Err(StoreError::Exists { .. })));
        assert_eq!(std::fs::read_to_string(&to).unwrap(), "mine");
        let lock = Lock::take(&to).unwrap();
        assert!(matches!(Lock::take(&to), Err(StoreError::Locked { .. })));
        drop(lock);
        assert!(Lock::take(&to).is_ok());
    }
}
