//! Benchmarks of the product beside what people would use instead, on servers of this machine only.
//!
//! The ways in are `cargo xtask bench check`, `send` and `web`, which start this program with the same words; it
//! starts itself again as receiver (`receiver`), as contender (`waxseal`, `floor`, `dialogue`, `web-floor`) and as
//! the one who measures (`measure`). Invariant: every row of a table was measured in the same run, in turn with the others,
//! and a contender that did not finish all its hosts is an error, never a row.

mod arguments;
mod bare;
mod check;
mod contenders;
mod document;
mod machine;
mod measure;
mod pki;
mod postfix;
mod product;
mod receiver;
mod send;
mod statistics;
mod targets;
mod web;

use std::process::ExitCode;

use anyhow::{Result, bail};
use arguments::Arguments;

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: Vec<String>) -> Result<()> {
    let (arguments, command) = Arguments::parse(words)?;
    match arguments.name.as_str() {
        "check" => check::run(&arguments),
        "dialogue" => send::dialogue::run(&arguments),
        "floor" => bare::run(&arguments),
        "measure" => measure::run(&command),
        "receiver" => receiver::run(&arguments),
        "send" => send::run(&arguments),
        "waxseal" => product::run(&arguments),
        "web" => web::run(&arguments),
        "web-floor" => web::floor::run(&arguments),
        other => bail!("unknown command '{other}'; see `cargo xtask bench`"),
    }
}
