//! Chromium from Debian, and the two libraries that drive and judge it, installed into `target/browser` by
//! npm in the versions that `xtask/browser` names.
//!
//! Nothing is installed unless `--install` says so. The way in is [`Installed::ready`]; a changed list of
//! versions makes an installation stale.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::command::Command;
use crate::tools::{self, Missing};
use crate::workspace;

const SCRIPTS: &str = "xtask/browser";
const MANIFEST: &str = "xtask/browser/package.json";
const LOCK: &str = "xtask/browser/package-lock.json";
const INSTALL: &str = "cargo xtask browser --install";

/// The folder with everything installed, and the browser.
#[derive(Debug)]
pub(super) struct Installed {
    folder: PathBuf,
    chromium: PathBuf,
}

impl Installed {
    /// Browser and libraries, installed before or now.
    ///
    /// # Errors
    /// Names what is missing and the command that installs it, or says why installing failed.
    pub(super) fn ready(missing: Missing) -> Result<Self> {
        tools::need(&["chromium", "node", "npm"], missing)?;
        let chromium = tools::find("chromium").context("chromium is not on the path")?;
        let installed = Self { folder: workspace::root().join("target/browser"), chromium };
        let wanted = [workspace::read(MANIFEST)?, workspace::read(LOCK)?].concat();
        let stamp = installed.folder.join("installed");
        if std::fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
            return Ok(installed);
        }
        match missing {
            Missing::Report => bail!(
                "the libraries that drive the browser are not installed; install them with:\n  \
                 {INSTALL}"
            ),
            Missing::Install => installed.install()?,
        }
        std::fs::write(stamp, wanted)?;
        Ok(installed)
    }

    fn install(&self) -> Result<()> {
        if self.folder.exists() {
            std::fs::remove_dir_all(&self.folder)?;
        }
        std::fs::create_dir_all(&self.folder)?;
        for file in [MANIFEST, LOCK] {
            let name = file.rsplit('/').next().unwrap_or(file);
            std::fs::copy(workspace::root().join(file), self.folder.join(name))?;
        }
        Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .folder(&self.folder)
            .output()?
            .success("installing the libraries that drive the browser")?;
        Ok(())
    }

    /// The browser.
    pub(super) fn chromium(&self) -> &Path {
        &self.chromium
    }

    /// Node.js with one of the scripts.
    ///
    /// # Errors
    /// When the scripts cannot be copied beside the libraries, which is where Node.js looks for them.
    pub(super) fn script(&self, name: &str) -> Result<Command> {
        let scripts = self.folder.join("scripts");
        if scripts.exists() {
            std::fs::remove_dir_all(&scripts)?;
        }
        for file in workspace::files(&[".mjs"])? {
            let Some(path) = file.path.strip_prefix(SCRIPTS) else { continue };
            let copy = scripts.join(path.trim_start_matches('/'));
            std::fs::create_dir_all(copy.parent().unwrap_or(&scripts))?;
            std::fs::write(copy, file.text)?;
        }
        Ok(Command::new("node").args([scripts.join(name)]))
    }
}
