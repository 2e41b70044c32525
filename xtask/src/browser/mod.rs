//! The pages in a real browser: Debian's Chromium, driven by the scripts in `xtask/browser` against
//! `waxseal lab serve` of the built binary, and judged by axe-core.
//!
//! The ways in are [`run`], [`count`] and [`screens`]. A script starts its own sites and ends them. Invariant: the
//! browser resolves no name, so that nothing but loopback is contacted.

mod install;

use anyhow::{Context, Result};

use crate::arguments::Arguments;
use crate::command::Command;
use crate::lab;
use crate::pipeline::Count;
use crate::tools::Missing;
use install::Installed;

/// Builds the binary and runs the tests; `--only NAME` takes those whose name starts so.
///
/// # Errors
/// When the flags are wrong, Chromium or a library is missing, or the build fails.
pub(crate) fn run(arguments: &[String]) -> Result<bool> {
    let mut arguments = Arguments::new(arguments);
    let missing = if arguments.flag("--install") { Missing::Install } else { Missing::Report };
    let only = arguments.text("--only")?.unwrap_or_default();
    arguments.finish()?;
    let installed = Installed::ready(missing)?;
    Command::cargo().args(["build", "--bin", "waxseal"]).shown()?.success("building")?;
    let count = tests(&installed, &only)?;
    Ok(count.failed == 0 && count.skipped == 0)
}

/// Where the pictures of the pages are kept.
const SCREENS: &str = "docs/screens";

/// Builds the binary and takes all pictures of the pages again.
///
/// # Errors
/// When the flags are wrong, Chromium or a library is missing, or the build fails.
pub(crate) fn screens(arguments: &[String]) -> Result<bool> {
    let mut arguments = Arguments::new(arguments);
    let missing = if arguments.flag("--install") { Missing::Install } else { Missing::Report };
    arguments.finish()?;
    let installed = Installed::ready(missing)?;
    Command::cargo().args(["build", "--bin", "waxseal"]).shown()?.success("building")?;
    let command = installed.script("screens.mjs")?.args([lab::binary()]);
    let done = command.args([installed.chromium()]).args([SCREENS]).shown()?;
    Ok(done.status.success())
}

/// Runs all tests against the binary that was built before.
///
/// # Errors
/// When Chromium or a library is missing, or the run has no last line.
pub(crate) fn count(missing: Missing) -> Result<Count> {
    tests(&Installed::ready(missing)?, "")
}

fn tests(installed: &Installed, only: &str) -> Result<Count> {
    let done = installed.script("run.mjs")?.args([lab::binary()]).args([installed.chromium()]);
    let done = done.args([only]).shown()?;
    let last = done.stdout.lines().next_back().unwrap_or_default();
    let mut count = parse(last)
        .with_context(|| format!("the last line should be 'browser: …', but is '{last}'"))?;
    if !done.status.success() && count.failed == 0 {
        count.failed = 1;
    }
    Ok(count)
}

fn parse(line: &str) -> Option<Count> {
    let (passed, failed) = line.strip_prefix("browser: ")?.split_once(", ")?;
    let passed = passed.strip_suffix(" passed")?.parse().ok()?;
    let failed = failed.strip_suffix(" failed")?.parse().ok()?;
    Some(Count { passed, failed, skipped: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_promised_line_is_understood() {
        let read = parse("browser: 26 passed, 1 failed").unwrap();
        assert_eq!((read.passed, read.failed, read.skipped), (26, 1, 0));
        assert!(parse("browser guides: the services: ok (2.0 s)").is_none());
        assert!(parse("26 passed, 1 failed").is_none());
    }
}
