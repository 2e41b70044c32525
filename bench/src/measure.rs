//! Runs one command and says what it cost: wall time, CPU time of it and everything it waited for, and
//! the largest single process (getrusage of the children). A process of its own for every run, because
//! these numbers only ever grow. The ways in are [`run`] and, from outside, [`measured`].

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use nix::sys::resource::{Usage, UsageWho, getrusage};
use serde::{Deserialize, Serialize};

/// What one run cost.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// Wall time in seconds.
    pub(crate) wall_s: f64,
    /// User and system time in seconds.
    pub(crate) cpu_s: f64,
    /// Resident memory of the largest process in KiB.
    pub(crate) memory_kib: u64,
}

/// Runs the command behind `--` and prints its cost as JSON.
///
/// # Errors
/// When it cannot be started or fails.
#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
pub(crate) fn run(command: &[String]) -> Result<()> {
    let (program, arguments) = command.split_first().context("no command to measure")?;
    let began = Instant::now();
    let mut process = Command::new(program);
    process.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    let status = process.status().with_context(|| format!("starting {program}"))?;
    let wall_s = began.elapsed().as_secs_f64();
    if !status.success() {
        bail!("{program} ended with {status}");
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let memory_kib = u64::try_from(usage.max_rss())?;
    println!("{}", serde_json::to_string(&Cost { wall_s, cpu_s: cpu_s(&usage), memory_kib })?);
    Ok(())
}

/// User and system time of a process in seconds.
pub(crate) fn cpu_s(usage: &Usage) -> f64 {
    [usage.user_time(), usage.system_time()]
        .iter()
        .map(|time| {
            let microseconds = i32::try_from(time.tv_usec()).unwrap_or_default();
            // A run lasts some minutes at most.
            f64::from(i32::try_from(time.tv_sec()).unwrap_or(i32::MAX))
                + f64::from(microseconds) / 1e6
        })
        .sum()
}

/// Measures a command from a fresh process of this program; what the command complains about goes to
/// the file `complaints`.
///
/// # Errors
/// When the command fails; the error holds its last words.
pub(crate) fn measured(command: &mut Command, complaints: &Path) -> Result<Cost> {
    let mut process = Command::new(std::env::current_exe()?);
    process.args(["measure", "--"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            process.env(name, value);
        }
    }
    process.stderr(std::fs::File::create(complaints)?);
    let output = process.stdin(Stdio::null()).stdout(Stdio::piped()).output()?;
    if !output.status.success() {
        let text = std::fs::read_to_string(complaints).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let last = lines.get(lines.len().saturating_sub(10)..).unwrap_or_default();
        bail!("{command:?} failed:\n{}", last.join("\n"));
    }
    serde_json::from_slice(&output.stdout).context("the cost of a run")
}
