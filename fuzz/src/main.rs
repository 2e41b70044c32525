//! Runs fuzz targets for a bounded time: `waxseal-fuzz [--seconds N] [--seed S] [--input HEX] [TARGET]`.
//!
//! Every input comes from the seed and its number, so a failure replays: the report gives the seed, the
//! number and the input in hex. Exit status 1 when an input failed, 2 on bad usage.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use waxseal_fuzz::mutate::Mutator;
use waxseal_fuzz::{TARGETS, Target};

/// Seconds over all targets when none are given.
const SECONDS_DEFAULT: u64 = 20;
/// The seed when none is given: the same inputs in every run of CI.
const SEED_DEFAULT: u64 = 1;

struct Options {
    seconds: u64,
    seed: u64,
    input: Option<Vec<u8>>,
    targets: Vec<Target>,
}

/// An input that made a target panic.
struct Failure {
    number: u64,
    input: Vec<u8>,
    message: String,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let options = match options(&arguments) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("waxseal-fuzz: {error}");
            return ExitCode::from(2);
        }
    };
    let message = keep_panic_message();
    let share =
        Duration::from_secs(options.seconds) / u32::try_from(options.targets.len()).unwrap_or(1);
    let mut failed = 0;
    for target in &options.targets {
        let (runs, failure) = match &options.input {
            Some(input) => (1, run_one(target, 0, input, &message)),
            None => run_for(target, share, options.seed, &message),
        };
        println!(
            "fuzz {:16} {runs:8} inputs  {}",
            target.name,
            if failure.is_some() { "FAILED" } else { "ok" }
        );
        if let Some(failure) = failure {
            failed += 1;
            println!("  {}", failure.message);
            println!(
                "  seed {} number {} input {}",
                options.seed,
                failure.number,
                hex(&failure.input)
            );
        }
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn options(arguments: &[String]) -> Result<Options, String> {
    let mut options =
        Options { seconds: SECONDS_DEFAULT, seed: SEED_DEFAULT, input: None, targets: Vec::new() };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().ok_or_else(|| format!("{argument} needs a value"));
        let number = |text: &String| text.parse().map_err(|_| format!("'{text}' is not a number"));
        match argument.as_str() {
            "--seconds" => options.seconds = number(value()?)?,
            "--seed" => options.seed = number(value()?)?,
            "--input" => options.input = Some(unhex(value()?)?),
            name => {
                let found = TARGETS.iter().find(|target| target.name == name);
                options.targets.push(*found.ok_or_else(|| unknown(name))?);
            }
        }
    }
    if options.targets.is_empty() {
        options.targets = TARGETS.to_vec();
    }
    Ok(options)
}

fn unknown(name: &str) -> String {
    let known: Vec<String> =
        TARGETS.iter().map(|target| format!("  {:16} {}", target.name, target.about)).collect();
    format!("unknown target '{name}'; targets are:\n{}", known.join("\n"))
}

/// Keeps the message of the last panic instead of printing every one.
fn keep_panic_message() -> Arc<Mutex<String>> {
    let message = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&message);
    std::panic::set_hook(Box::new(move |panic| {
        if let Ok(mut kept) = kept.lock() {
            *kept = panic.to_string();
        }
    }));
    message
}

#[expect(clippy::disallowed_methods, reason = "the run is bounded by time, its inputs are not")]
fn run_for(
    target: &Target,
    share: Duration,
    seed: u64,
    message: &Mutex<String>,
) -> (u64, Option<Failure>) {
    let seeds = (target.seeds)();
    let mut mutator = Mutator::new(seed);
    let start = Instant::now();
    let mut number = 0;
    while start.elapsed() < share {
        number += 1;
        let input = mutator.next(&seeds);
        if let Some(failure) = run_one(target, number, &input, message) {
            return (number, Some(failure));
        }
    }
    (number, None)
}

fn run_one(target: &Target, number: u64, input: &[u8], message: &Mutex<String>) -> Option<Failure> {
    let result = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    result.is_err().then(|| Failure {
        number,
        input: input.to_vec(),
        message: message.lock().map(|message| message.clone()).unwrap_or_default(),
    })
}

fn hex(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len() * 2);
    for octet in octets {
        let _ = write!(text, "{octet:02x}");
    }
    text
}

fn unhex(text: &str) -> Result<Vec<u8>, String> {
    let wrong = || String::from("--input needs hex digits, two for each octet");
    let digits: Vec<u32> =
        text.chars().map(|c| c.to_digit(16)).collect::<Option<_>>().ok_or_else(wrong)?;
    let pair = |pair: &[u32]| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    };
    digits.chunks(2).map(pair).collect::<Option<_>>().ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_input_is_reported_with_its_number() {
        let target = Target {
            name: "test",
            about: "fails on a line end",
            run: |data| assert!(!data.contains(&b'\n'), "found one"),
            seeds: || vec![b"a".to_vec()],
        };
        let message = Mutex::new(String::new());
        let (number, failure) = run_for(&target, Duration::from_mins(1), 3, &message);
        let failure = failure.unwrap();
        assert_eq!(failure.number, number);
        assert!(run_one(&target, 0, &failure.input, &message).is_some());
        assert_eq!(unhex(&hex(&failure.input)).unwrap(), failure.input);
    }

    #[test]
    fn wrong_usage_is_named() {
        let read = |text: &str| {
            let arguments: Vec<String> = text.split(' ').map(String::from).collect();
            options(&arguments).err().unwrap()
        };
        assert!(read("repy").starts_with("unknown target 'repy'"));
        assert_eq!(read("--seconds"), "--seconds needs a value");
        assert!(read("--input 0g").contains("hex"));
    }
}
