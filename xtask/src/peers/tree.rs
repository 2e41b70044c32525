//! The unpacked Debian packages: one folder tree with the programs of all peers and their libraries.
//!
//! Packages come from the machine's own Debian sources through `apt-get download`; nothing is installed
//! and no script of a package runs. The way in is [`Tree::ready`].

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command::Command;
use crate::tools::{self, Missing};
use crate::workspace;

/// What is unpacked: the servers, the signer, and the libraries that a plain Debian lacks.
const PACKAGES: &[&str] = &[
    "dovecot-core",
    "exim4-base",
    "exim4-daemon-light",
    "ldnsutils",
    "libfstrm0",
    "libidn12",
    "libldns3",
    "libnss-wrapper",
    "libprotobuf-c1",
    "libsodium23",
    "libunwind8",
    "nsd",
    "postfix",
    "swaks",
];

/// The programs whose libraries must all be found.
const PROGRAMS: &[&str] = &[
    "usr/bin/doveconf",
    "usr/bin/drill",
    "usr/bin/ldns-keygen",
    "usr/bin/ldns-signzone",
    "usr/lib/dovecot/auth",
    "usr/lib/postfix/sbin/master",
    "usr/lib/postfix/sbin/smtpd",
    "usr/sbin/dovecot",
    "usr/sbin/exim4",
    "usr/sbin/nsd",
];

/// The folder with everything unpacked.
#[derive(Debug)]
pub(crate) struct Tree {
    root: PathBuf,
}

impl Tree {
    /// The tree, unpacked before or now.
    ///
    /// # Errors
    /// Names what is missing and the command that fetches it, or says why fetching failed.
    pub(crate) fn ready(missing: Missing) -> Result<Self> {
        let folder = workspace::root().join("target/peers");
        let tree = Self { root: folder.join("root") };
        if tree.lacks().is_empty() {
            return Ok(tree);
        }
        match missing {
            Missing::Report => bail!(
                "peers are not unpacked (Debian packages {}); fetch them with:\n  cargo xtask peers --install",
                PACKAGES.join(", ")
            ),
            Missing::Install => fetch(&folder)?,
        }
        let lacks = tree.lacks();
        if lacks.is_empty() {
            Ok(tree)
        } else {
            bail!("after unpacking, still missing: {}", lacks.join(", "))
        }
    }

    /// A file of the tree, by its path on an installed system without the first `/`.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The value of LD_LIBRARY_PATH under which the programs of the tree run.
    pub(crate) fn library_path(&self) -> Result<String> {
        let own = ["usr/lib/postfix", "usr/lib/dovecot", "usr/lib/dovecot/modules/old-stats"];
        let mut folders = own.map(|folder| self.root.join(folder)).to_vec();
        let libraries =
            std::fs::read_dir(self.root.join("usr/lib")).context("unpacked libraries")?;
        for entry in libraries {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().ends_with("-linux-gnu")) {
                folders.push(path);
            }
        }
        let joined = std::env::join_paths(folders)?;
        joined.into_string().ok().context("a readable library path")
    }

    /// One library of the tree by its file name.
    ///
    /// # Errors
    /// When no library folder holds it.
    pub(crate) fn library(&self, name: &str) -> Result<PathBuf> {
        let path = self.library_path()?;
        let found =
            std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.exists());
        found.with_context(|| format!("no {name} in the unpacked packages"))
    }

    /// A program of the tree, with its libraries found.
    ///
    /// # Errors
    /// When the tree has no libraries.
    pub(crate) fn command(&self, path: &str) -> Result<Command> {
        Ok(Command::new(self.path(path)).env("LD_LIBRARY_PATH", self.library_path()?))
    }

    /// Programs and libraries that are not there.
    fn lacks(&self) -> Vec<String> {
        let mut lacks = Vec::new();
        for program in PROGRAMS {
            if !self.path(program).exists() {
                lacks.push((*program).to_string());
            } else if let Ok(missing) = self.missing_libraries(program) {
                lacks.extend(missing);
            }
        }
        lacks
    }

    fn missing_libraries(&self, program: &str) -> Result<Vec<String>> {
        let listed = Command::new("ldd")
            .args([self.path(program)])
            .env("LD_LIBRARY_PATH", self.library_path()?)
            .output()?;
        let missing = listed.stdout.lines().filter(|line| line.contains("not found"));
        Ok(missing.map(|line| line.trim().to_string()).collect())
    }
}

fn fetch(folder: &Path) -> Result<()> {
    let packages = folder.join("packages");
    std::fs::create_dir_all(&packages)?;
    std::fs::create_dir_all(folder.join("root"))?;
    if download(&packages).is_err() {
        tools::apt_update()?;
        download(&packages)?;
    }
    for entry in std::fs::read_dir(&packages)? {
        let package = entry?.path();
        if package.extension().is_some_and(|extension| extension == "deb") {
            Command::new("dpkg")
                .args(["-x".as_ref(), package.as_os_str(), folder.join("root").as_os_str()])
                .output()?
                .success("unpacking a Debian package")?;
        }
    }
    Ok(())
}

fn download(folder: &Path) -> Result<()> {
    let get = Command::new("apt-get").args(["download"]).args(PACKAGES).folder(folder);
    get.output()?.success("downloading Debian packages")?;
    Ok(())
}
