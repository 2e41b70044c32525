//! Starting other programs: quietly with their output kept, or with the output shown as it comes.
//!
//! Every command runs in the root of the workspace. Success is never assumed: [`Output::success`] turns
//! a failed command into an error with the last lines of what it wrote.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command as Process, ExitStatus, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};

use crate::workspace;

/// Lines of a failed command that an error repeats: enough for the reason, short enough to read.
const ERROR_LINES_MAX: usize = 30;

/// A program with its arguments.
#[derive(Debug)]
pub(crate) struct Command {
    name: String,
    process: Process,
}

/// What a finished program left behind.
#[derive(Debug)]
pub(crate) struct Output {
    name: String,
    /// Its exit status.
    pub(crate) status: ExitStatus,
    /// Standard output, with undecodable octets replaced.
    pub(crate) stdout: String,
    /// Standard error, likewise; empty when it was shown instead.
    pub(crate) stderr: String,
}

impl Command {
    /// A program by name or path.
    pub(crate) fn new(program: impl AsRef<std::ffi::OsStr>) -> Self {
        let mut process = Process::new(program.as_ref());
        process.current_dir(workspace::root()).stdin(Stdio::null());
        Self { name: program.as_ref().to_string_lossy().into_owned(), process }
    }

    /// The cargo that runs xtask.
    pub(crate) fn cargo() -> Self {
        Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// Adds arguments.
    pub(crate) fn args<S: AsRef<std::ffi::OsStr>>(
        mut self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Self {
        self.process.args(arguments);
        self
    }

    /// Sets one variable of the environment.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.process.env(name, value);
        self
    }

    /// Runs in another folder.
    pub(crate) fn folder(mut self, folder: &std::path::Path) -> Self {
        self.process.current_dir(folder);
        self
    }

    /// The process to start, for servers that keep running.
    pub(crate) fn into_process(self) -> Process {
        self.process
    }

    /// Runs to the end and keeps what it writes.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub(crate) fn output(mut self) -> Result<Output> {
        let done = self.process.output().with_context(|| format!("starting {}", self.name))?;
        Ok(Output {
            name: self.name,
            status: done.status,
            stdout: String::from_utf8_lossy(&done.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&done.stderr).into_owned(),
        })
    }

    /// Runs to the end, shows both streams as they come, and keeps standard output.
    ///
    /// # Errors
    /// When the program cannot be started or its output cannot be read.
    pub(crate) fn shown(mut self) -> Result<Output> {
        self.process.stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = self.process.spawn().with_context(|| format!("starting {}", self.name))?;
        let pipe = child.stdout.take().context("a piped standard output")?;
        let reader = thread::spawn(move || copy_lines(pipe));
        let status = child.wait()?;
        let stdout = match reader.join() {
            Ok(text) => text?,
            Err(_) => bail!("reading the output of {}", self.name),
        };
        Ok(Output { name: self.name, status, stdout, stderr: String::new() })
    }
}

impl Output {
    /// Passes a success on and turns a failure into an error that says what was being done.
    ///
    /// # Errors
    /// When the program ended with another status than 0.
    pub(crate) fn success(self, doing: &str) -> Result<Self> {
        if self.status.success() {
            return Ok(self);
        }
        let text = format!("{}{}", self.stdout, self.stderr);
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines.get(lines.len().saturating_sub(ERROR_LINES_MAX)..).unwrap_or_default();
        bail!("{doing}: {} ended with {}\n{}", self.name, self.status, tail.join("\n"))
    }
}

fn copy_lines(pipe: impl Read) -> std::io::Result<String> {
    let mut reader = BufReader::new(pipe);
    let mut kept = String::new();
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        print!("{text}");
        kept.push_str(&text);
        line.clear();
    }
    Ok(kept)
}
