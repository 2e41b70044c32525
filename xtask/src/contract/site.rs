//! The pages of a lab, kept running on a port of the system's choice, with a token of all scopes.
//!
//! The way in is [`Site::start`]; dropping the value ends the process.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Stdio};

use anyhow::{Context, Result};

use crate::command::Command;

/// Every scope of a token.
const SCOPES: [&str; 5] = ["read", "check", "add-connection", "connections", "test-send"];

/// The beginning of the line that names the folder of the lab.
const SESSION: &str = "Session folder";

/// A running site.
pub(super) struct Site {
    binary: PathBuf,
    child: Child,
    session: String,
    /// Held open, so that the process can go on writing.
    _notes: BufReader<ChildStderr>,
    /// Its address, with the scheme.
    pub(super) address: String,
}

impl Site {
    /// Starts the pages of a lab.
    pub(super) fn start(binary: &Path) -> Result<Self> {
        let arguments = ["lab", "serve", "--listen", "127.0.0.1:0", "--quiet"];
        let mut process = Command::new(binary).args(arguments).into_process();
        process.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = process.spawn().context("starting the pages of a lab")?;
        let said = child.stdout.take().context("a piped standard output")?;
        let notes = child.stderr.take().context("a piped standard error")?;
        let (mut address, mut session) = (String::new(), String::new());
        BufReader::new(said).read_line(&mut address)?;
        let mut notes = BufReader::new(notes);
        while !session.starts_with(SESSION) {
            session.clear();
            let read = notes.read_line(&mut session)?;
            anyhow::ensure!(read > 0, "the pages of a lab did not start");
        }
        let session = session.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        let address = address.trim().to_owned();
        Ok(Self { binary: binary.to_owned(), child, session, _notes: notes, address })
    }

    /// A new token that may do everything.
    pub(super) fn token(&self) -> Result<String> {
        let scopes = SCOPES.iter().flat_map(|scope| ["--scope", *scope]);
        let made = Command::new(&self.binary)
            .args(["lab", "exec", "--session", &self.session, "--"])
            .args(["token", "create", "--name", "contract"])
            .args(scopes)
            .output()?
            .success("making a token")?;
        Ok(made.stdout.trim().to_owned())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let id = self.child.id().to_string();
        // The lab removes its folder when it is asked to end.
        let asked = Command::new("kill").args(["-TERM", &id]).output();
        if asked.is_err() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}
