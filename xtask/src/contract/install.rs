//! schemathesis, installed into `target/peers/contract` by pip from the versions that `xtask/contract` names.
//!
//! Nothing is installed unless `--install` says so. The way in is [`Installed::ready`]; a changed list of versions
//! makes an installation stale.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::command::Command;
use crate::tools::Missing;
use crate::workspace;

const REQUIREMENTS: &str = "xtask/contract/requirements.txt";
const INSTALL: &str = "cargo xtask contract --install";

/// The folder with the tool.
#[derive(Debug)]
pub(super) struct Installed {
    folder: PathBuf,
}

impl Installed {
    /// The tool, installed before or now.
    ///
    /// # Errors
    /// Names what is missing and the command that installs it, or says why installing failed.
    pub(super) fn ready(missing: Missing) -> Result<Self> {
        let installed = Self { folder: workspace::root().join("target/peers/contract") };
        let wanted = workspace::read(REQUIREMENTS)?;
        let stamp = installed.folder.join("installed");
        if std::fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
            return Ok(installed);
        }
        match missing {
            Missing::Report => {
                bail!("schemathesis is not installed; install it with:\n  {INSTALL}")
            }
            Missing::Install => installed.install()?,
        }
        std::fs::write(stamp, wanted)?;
        Ok(installed)
    }

    /// Where it is installed.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The program.
    pub(super) fn program(&self) -> PathBuf {
        self.folder.join("venv/bin/schemathesis")
    }

    fn install(&self) -> Result<()> {
        if self.folder.exists() {
            std::fs::remove_dir_all(&self.folder)?;
        }
        let venv = self.folder.join("venv");
        Command::new("python3")
            .args(["-m", "venv"])
            .args([&venv])
            .output()?
            .success("making a virtual environment (Debian: apt-get install python3-venv)")?;
        Command::new(venv.join("bin/pip"))
            .args(["install", "--quiet", "--no-deps", "--only-binary", ":all:"])
            .args(["--requirement", REQUIREMENTS])
            .folder(&workspace::root())
            .output()?
            .success("installing schemathesis")?;
        Ok(())
    }
}
