//! A lab of the built binary that is kept running for the libraries: where its services are, the roots to
//! trust, and what they were asked.
//!
//! The way in is [`Session::start`]; dropping the value ends the lab.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::command::Command;

/// A running lab.
#[derive(Debug)]
pub(super) struct Session {
    folder: PathBuf,
    binary: PathBuf,
    child: Child,
}

impl Session {
    /// Starts a lab with these scenarios.
    pub(super) fn start(binary: &Path, scenarios: &[String]) -> Result<Self> {
        let mut process = Command::new(binary).args(["lab", "up"]).args(scenarios).into_process();
        process.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = process.spawn().context("starting the lab")?;
        let pipe = child.stdout.take().context("a piped standard output")?;
        let mut line = String::new();
        BufReader::new(pipe).read_line(&mut line)?;
        let folder = PathBuf::from(line.trim());
        let session = Self { folder, binary: binary.to_owned(), child };
        session.file("ca.pem").context("the lab did not start")?;
        Ok(session)
    }

    fn file(&self, name: &str) -> Result<String> {
        let path = self.folder.join(name);
        std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
    }

    /// The file of trusted certificates.
    pub(super) fn roots(&self) -> String {
        self.folder.join("ca.pem").display().to_string()
    }

    /// The loopback socket behind port 443 of a name.
    pub(super) fn address(&self, host: &str) -> Result<String> {
        let hosts = self.file("hosts.txt")?;
        let published = hosts.lines().find_map(|line| line.strip_prefix(host)?.strip_prefix(' '));
        let published = published.with_context(|| format!("the lab has no {host}"))?;
        let routes = self.file("routes.txt")?;
        let start = format!("{published} 443 ");
        let socket = routes.lines().find_map(|line| line.strip_prefix(&start));
        socket.map(String::from).with_context(|| format!("no route leads to {host}"))
    }

    /// What the services were asked so far.
    pub(super) fn requests(&self) -> Result<Vec<Value>> {
        requests(&self.file("requests.jsonl")?)
    }

    /// Settings, secrets and message of a scenario.
    pub(super) fn task(&self, scenario: &str) -> Result<Value> {
        let shown = Command::new(&self.binary).args(["lab", "show", scenario]).output()?;
        let text = shown.success("showing a scenario")?.stdout;
        let text = text.replace("{domain}", &format!("{scenario}.test"));
        let table: toml::Table = toml::from_str(&text)?;
        let api = table.get("api").context("a scenario without [api]")?;
        let part = |name: &str| serde_json::to_value(api.get(name)).unwrap_or_default();
        Ok(json!({
            "settings": part("settings"),
            "secrets": part("secrets"),
            "message": part("message"),
        }))
    }
}

impl Drop for Session {
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

/// One request a line.
pub(super) fn requests(text: &str) -> Result<Vec<Value>> {
    text.lines().map(|line| serde_json::from_str(line).context("a kept request")).collect()
}
