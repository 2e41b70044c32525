//! The lab scenarios: runs the built binary over all of them and reads its closing line.
//!
//! The contract is one line, `scenarios: N passed, N failed`, as the last of `waxseal lab run --all`.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::command::Command;
use crate::pipeline::Count;
use crate::workspace;

/// Where `cargo build` leaves the binary.
pub(crate) fn binary() -> PathBuf {
    workspace::root().join("target/debug/waxseal")
}

/// Runs every scenario and counts them.
///
/// # Errors
/// When the binary cannot be started or its last line is not the promised one.
pub(crate) fn run_all() -> Result<Count> {
    let done = Command::new(binary()).args(["lab", "run", "--all"]).shown()?;
    let last = done.stdout.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let mut count = parse(last)
        .with_context(|| format!("the last line should be 'scenarios: …', but is '{last}'"))?;
    if !done.status.success() && count.failed == 0 {
        count.failed = 1;
    }
    Ok(count)
}

fn parse(line: &str) -> Option<Count> {
    let (passed, failed) = line.strip_prefix("scenarios: ")?.split_once(", ")?;
    let passed = passed.strip_suffix(" passed")?.parse().ok()?;
    let failed = failed.strip_suffix(" failed")?.parse().ok()?;
    Some(Count { passed, failed, skipped: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_promised_line_is_understood() {
        let read = parse("scenarios: 131 passed, 2 failed").unwrap();
        assert_eq!((read.passed, read.failed, read.skipped), (131, 2, 0));
        assert!(parse("scenarios: all passed").is_none());
        assert!(parse("131 passed, 2 failed").is_none());
    }
}
