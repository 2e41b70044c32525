//! The libraries, installed into `target/peers/sdks` by pip and npm from the versions that `xtask/sdks` names.
//!
//! Nothing is installed unless `--install` says so. The way in is [`Installed::ready`]; a changed list of
//! versions makes an installation stale.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::command::Command;
use crate::tools::Missing;
use crate::workspace;

const REQUIREMENTS: &str = "xtask/sdks/requirements.txt";
const LOCK: &str = "xtask/sdks/package-lock.json";
const MANIFEST: &str = "xtask/sdks/package.json";
const INSTALL: &str = "cargo xtask sdks --install";

/// What a library is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    JavaScript,
    Python,
}

/// The folder with everything installed.
#[derive(Debug)]
pub(super) struct Installed {
    folder: PathBuf,
}

impl Installed {
    /// The libraries, installed before or now.
    ///
    /// # Errors
    /// Names what is missing and the command that installs it, or says why installing failed.
    pub(super) fn ready(missing: Missing) -> Result<Self> {
        let installed = Self { folder: workspace::root().join("target/peers/sdks") };
        let wanted = [REQUIREMENTS, MANIFEST, LOCK].map(workspace::read);
        let wanted = wanted.into_iter().collect::<Result<Vec<_>>>()?.concat();
        let stamp = installed.folder.join("installed");
        if std::fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
            return Ok(installed);
        }
        match missing {
            Missing::Report => {
                bail!(
                    "the services' own libraries are not installed; install them with:\n  {INSTALL}"
                )
            }
            Missing::Install => installed.install()?,
        }
        std::fs::write(stamp, wanted)?;
        Ok(installed)
    }

    fn install(&self) -> Result<()> {
        if self.folder.exists() {
            std::fs::remove_dir_all(&self.folder)?;
        }
        let node = self.folder.join("node");
        std::fs::create_dir_all(&node)?;
        for file in [MANIFEST, LOCK] {
            let name = file.rsplit('/').next().unwrap_or(file);
            std::fs::copy(workspace::root().join(file), node.join(name))?;
        }
        Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .folder(&node)
            .output()?
            .success("installing libraries for Node.js")?;
        Command::new("python3")
            .args(["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"])
            .args(["--requirement", REQUIREMENTS, "--target"])
            .args([self.folder.join("python")])
            .output()?
            .success("installing libraries for Python")?;
        Ok(())
    }

    /// Runs a script with `task` as its input and `roots` as the only trusted certificates; gives what it
    /// printed.
    pub(super) fn run(
        &self,
        language: Language,
        script: &str,
        (task, roots): (&Value, &str),
    ) -> Result<String> {
        let source = workspace::root().join("xtask/sdks").join(script);
        let command = match language {
            Language::Python => Command::new("python3")
                .args([source])
                .env("PYTHONPATH", self.folder.join("python"))
                .env("PYTHONDONTWRITEBYTECODE", "1")
                .env("AWS_CA_BUNDLE", roots)
                .env("REQUESTS_CA_BUNDLE", roots)
                .env("SSL_CERT_FILE", roots),
            Language::JavaScript => {
                // Modules are looked for beside the script.
                let beside = self.folder.join("node").join(script);
                std::fs::copy(source, &beside)?;
                Command::new("node").args([beside]).env("NODE_EXTRA_CA_CERTS", roots)
            }
        };
        // A proxy that the machine has set up leads away from loopback.
        let command = command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
        let mut process = command.into_process();
        let streams = process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = streams.spawn().with_context(|| format!("starting {script}"))?;
        let mut input = child.stdin.take().context("a piped standard input")?;
        input.write_all(task.to_string().as_bytes())?;
        drop(input);
        let done = child.wait_with_output()?;
        if done.status.success() {
            return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
        }
        let wrote = String::from_utf8_lossy(&done.stderr).into_owned();
        let lines: Vec<&str> = wrote.lines().collect();
        let tail = lines.get(lines.len().saturating_sub(12)..).unwrap_or_default();
        bail!("{script} ended with {}\n{}", done.status, tail.join("\n"))
    }
}

/// The version of a library that the lists name.
#[cfg(test)]
pub(super) fn version(language: Language, library: &str) -> Result<String> {
    let found = match language {
        Language::Python => {
            let start = format!("{library}==");
            let lines = workspace::read(REQUIREMENTS)?;
            lines.lines().find_map(|line| line.strip_prefix(&start)).map(String::from)
        }
        Language::JavaScript => {
            let manifest: Value = serde_json::from_str(&workspace::read(MANIFEST)?)?;
            manifest["dependencies"][library].as_str().map(String::from)
        }
    };
    found.with_context(|| format!("{library} has no version"))
}
