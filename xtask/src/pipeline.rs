//! `cargo xtask test`: every part that CI runs, one after the other, and one line that sums them up.
//!
//! A failing part does not stop the others; only parts that need the built binary wait for the build.
//! The last line is a contract: `total: N passed, N failed, N skipped`. Skipped means "did not run",
//! and a run with anything skipped is a failure.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::arguments::Arguments;
use crate::clock::Stopwatch;
use crate::command::Command;
use crate::tools::Missing;
use crate::{browser, contract, diagnosis, fuzz, lab, licences, peers, sdks, tidy, tools};

/// How many checks of a part passed, failed, and did not run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Ran and held.
    pub(crate) passed: usize,
    /// Ran and did not hold.
    pub(crate) failed: usize,
    /// Did not run.
    pub(crate) skipped: usize,
}

impl Count {
    /// One check that held or did not.
    pub(crate) fn of(held: bool) -> Self {
        Self { passed: usize::from(held), failed: usize::from(!held), skipped: 0 }
    }

    /// Adds what another part counted.
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// One part of the run.
struct Part {
    name: &'static str,
    needs_binary: bool,
    run: fn(Missing) -> Result<Count>,
}

const PARTS: &[Part] = &[
    Part {
        name: "tools",
        needs_binary: false,
        run: |missing| tools::check(missing).map(|()| Count::of(true)),
    },
    Part { name: "format", needs_binary: false, run: |_| cargo(&["fmt", "--all", "--check"]) },
    Part { name: "lints", needs_binary: false, run: |_| cargo(LINTS) },
    Part { name: "tidy", needs_binary: false, run: |_| tidy::count() },
    Part { name: "licences", needs_binary: false, run: |_| licences::run(&[]).map(Count::of) },
    Part { name: "build", needs_binary: false, run: |_| cargo(BUILD) },
    Part {
        name: "tests",
        needs_binary: false,
        run: |_| cargo_test(&["--lib", "--bins", "--tests"]),
    },
    Part { name: "doc tests", needs_binary: false, run: |_| cargo_test(&["--doc"]) },
    Part { name: "scenarios", needs_binary: true, run: |_| lab::run_all() },
    Part { name: "diagnosis", needs_binary: true, run: |_| diagnosis::check() },
    Part { name: "peers", needs_binary: true, run: peers::count },
    Part { name: "sdks", needs_binary: true, run: sdks::count },
    Part { name: "browser", needs_binary: true, run: browser::count },
    Part { name: "contract", needs_binary: true, run: contract::count },
    Part { name: "fuzz", needs_binary: true, run: |_| fuzz::run(&[]).map(Count::of) },
];

const BUILD: &[&str] = &["build", "--workspace", "--locked"];
const LINTS: &[&str] =
    &["clippy", "--workspace", "--all-targets", "--locked", "--quiet", "--", "-D", "warnings"];

/// Runs all parts and prints the summary.
///
/// # Errors
/// When the flags are wrong.
pub(crate) fn run(arguments: &[String]) -> Result<bool> {
    let mut arguments = Arguments::new(arguments);
    let missing = if arguments.flag("--install") { Missing::Install } else { Missing::Report };
    arguments.finish()?;
    let mut results = Vec::new();
    let mut built = false;
    for part in PARTS {
        println!("\n== {} ==", part.name);
        let watch = Stopwatch::start();
        let count = if part.needs_binary && !built {
            println!("not run: the build failed");
            Count { skipped: 1, ..Count::default() }
        } else {
            run_part(part, missing)
        };
        if part.name == "build" {
            built = count.failed == 0;
        }
        results.push((part.name, count, watch.elapsed()));
        println!("-- {}: {}", part.name, line(count, watch.elapsed()));
    }
    Ok(summary(&results))
}

fn run_part(part: &Part, missing: Missing) -> Count {
    (part.run)(missing).unwrap_or_else(|error| {
        println!("{error:#}");
        Count::of(false)
    })
}

fn summary(results: &[(&str, Count, Duration)]) -> bool {
    let mut total = Count::default();
    println!("\n== summary ==");
    for (name, count, took) in results {
        println!("{name:10} {}", line(*count, *took));
        total.add(*count);
    }
    println!("{}", closing_line(total));
    total.failed == 0 && total.skipped == 0
}

fn closing_line(total: Count) -> String {
    format!("total: {} passed, {} failed, {} skipped", total.passed, total.failed, total.skipped)
}

fn line(count: Count, took: Duration) -> String {
    let Count { passed, failed, skipped } = count;
    format!("{passed:5} passed {failed:4} failed {skipped:4} not run  {:7.1} s", took.as_secs_f64())
}

fn cargo(arguments: &[&str]) -> Result<Count> {
    Ok(Count::of(Command::cargo().args(arguments).shown()?.status.success()))
}

fn cargo_test(which: &[&str]) -> Result<Count> {
    let arguments = ["test", "--workspace", "--locked", "--no-fail-fast"];
    let done = Command::cargo().args(arguments).args(which).shown()?;
    let mut count = test_results(&done.stdout);
    if count == Count::default() && !done.status.success() {
        bail!("the tests did not build");
    }
    if !done.status.success() && count.failed == 0 {
        count.failed = 1;
    }
    Ok(count)
}

/// Sums the lines `test result: ok. 7 passed; 0 failed; 0 ignored; …`; ignored tests did not run.
fn test_results(output: &str) -> Count {
    let mut count = Count::default();
    for line in output.lines().filter(|line| line.starts_with("test result: ")) {
        let number = |what: &str| {
            let before = line.split(what).next().unwrap_or_default();
            before.split_whitespace().last().and_then(|word| word.parse().ok()).unwrap_or(0)
        };
        count.add(Count {
            passed: number(" passed"),
            failed: number(" failed"),
            skipped: number(" ignored"),
        });
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_several_binaries_are_summed() {
        let output = "running 3 tests\ntest result: ok. 3 passed; 0 failed; 0 ignored; 0 measured\n\
            noise\ntest result: FAILED. 4 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out\n";
        assert_eq!(test_results(output), Count { passed: 7, failed: 1, skipped: 2 });
        assert_eq!(test_results("no tests ran"), Count::default());
    }

    #[test]
    fn the_closing_line_has_its_promised_form() {
        let total = Count { passed: 12, failed: 0, skipped: 1 };
        assert_eq!(closing_line(total), "total: 12 passed, 0 failed, 1 skipped");
        assert!(!summary(&[("part", total, Duration::ZERO)]));
    }
}
