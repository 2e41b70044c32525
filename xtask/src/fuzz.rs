//! `cargo xtask fuzz`: starts the runner of the fuzz crate for a bounded time.
//!
//! The targets and the mutator live in `fuzz/`; this only passes the flags on.

use anyhow::Result;

use crate::arguments::Arguments;
use crate::command::Command;

/// Seconds of fuzzing when none are given: a few hundred thousand inputs over all targets.
pub(crate) const SECONDS_DEFAULT: u64 = 20;

/// Builds and runs the fuzz runner.
///
/// # Errors
/// When the flags are wrong or the runner cannot be started.
pub(crate) fn run(arguments: &[String]) -> Result<bool> {
    let mut arguments = Arguments::new(arguments);
    let seconds = arguments.number("--seconds")?.unwrap_or(SECONDS_DEFAULT);
    let seed = arguments.number("--seed")?;
    let target = arguments.word();
    arguments.finish()?;
    let mut flags = vec![String::from("--seconds"), seconds.to_string()];
    if let Some(seed) = seed {
        flags.extend([String::from("--seed"), seed.to_string()]);
    }
    flags.extend(target);
    let run = ["run", "--quiet", "--package", "waxseal-fuzz", "--bin", "waxseal-fuzz", "--"];
    let done = Command::cargo().args(run).args(flags).shown()?;
    Ok(done.status.success())
}
