//! Runs the program and keeps what it said.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What one run said and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// The one JSON object on standard output.
    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.stdout.lines().count(), 1, "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// No panic, and one harmless line at most on standard error for an error.
    pub(crate) fn is_calm(&self) -> &Self {
        assert!(!self.stderr.contains("panicked"), "{self:?}");
        let harmless = |c: char| c == '\n' || !c.is_control();
        assert!(self.stderr.chars().all(harmless), "{self:?}");
        assert!(self.stdout.chars().all(harmless), "{self:?}");
        self
    }
}

/// The program with no settings from outside.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waxseal"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("WAXSEAL_") {
            command.env_remove(name);
        }
    }
    command
        .env("COLUMNS", "100")
        .env("XDG_CONFIG_HOME", std::env::temp_dir().join("waxseal-tests-have-no-settings"))
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// Runs the program with these arguments.
pub(crate) fn run(arguments: &[&str]) -> Said {
    run_with(arguments, b"")
}

/// Runs the program with these arguments and this standard input.
pub(crate) fn run_with(arguments: &[&str], input: &[u8]) -> Said {
    finish(program().args(arguments), input)
}

/// Runs a prepared command.
pub(crate) fn finish(command: &mut Command, input: &[u8]) -> Said {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that does not read its input closes it; that is its right.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    Said {
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A file of this test run.
pub(crate) fn file(folder: &tempfile::TempDir, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    path
}
