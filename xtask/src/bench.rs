//! The benchmarks by name. Each is a function that measures and writes its own part of
//! `docs/benchmarks.md`; an unknown name is an error, never an empty success.

use anyhow::{Result, bail};

/// One benchmark: its name, what it measures, and the function that runs it.
struct Bench {
    name: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Result<bool>,
}

const BENCHES: &[Bench] = &[];

/// Runs the named benchmark, or all of them; without a name, lists them.
///
/// # Errors
/// When the name is unknown or a benchmark cannot do its work.
pub(crate) fn run(arguments: &[String]) -> Result<bool> {
    let Some((name, rest)) = arguments.split_first() else {
        for bench in BENCHES {
            println!("{:12} {}", bench.name, bench.about);
        }
        return Ok(true);
    };
    let chosen: Vec<&Bench> =
        BENCHES.iter().filter(|bench| name == "all" || name == bench.name).collect();
    if chosen.is_empty() {
        bail!("unknown bench '{name}'");
    }
    let mut good = true;
    for bench in chosen {
        good &= (bench.run)(rest)?;
    }
    Ok(good)
}
