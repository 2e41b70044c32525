//! `cargo xtask`: the tasks of development, from the full test run to generated documents.
//!
//! Depends on none of the workspace's crates, so that it builds in seconds; whatever needs the product
//! starts its binary. The way in is [`run`], one arm for each command. Invariant: a part that did not
//! run is never counted as passed.

mod arguments;
mod bench;
mod browser;
mod clock;
mod command;
mod contract;
mod diagnosis;
mod dist;
mod fuzz;
mod lab;
mod ledger;
mod licences;
mod metadata;
mod peers;
mod pipeline;
mod sdks;
mod third_party;
mod tidy;
mod tools;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
cargo xtask COMMAND

  test [--install]            everything CI runs; --install fetches missing tools (Debian, as root)
  tidy                        checks of the source tree that the compiler does not make
  licences                    licences, banned crates and sources by deny.toml
  peers [--install] [--keep] [--binary PATH]
                              check real mail and name servers, unpacked from Debian packages
  sdks [--install]            delivery services' own libraries against the lab's services, and our requests
                              beside theirs
  contract [--install]        the HTTP interface against its description, with schemathesis
  browser [--install] [--only NAME]
                              the pages in Chromium: what people do on them, and axe-core on every page
  fuzz [--seconds N] [--seed S] [TARGET]
                              seeded fuzzing of every parser of foreign bytes
  third-party [--check]       write THIRD-PARTY.md (or compare it)
  rfc                         the standards of docs/rfc.toml with mentions in code and tests
  screens [--install]         take the pictures in docs/screens again
  scenarios [--table]         every scenario of the lab; --table writes docs/diagnosis.md (path A)
  dist [--binary PATH]        the release as an archive in target/dist, with its SHA-256
  bench NAME [ARGS]           a benchmark; `bench` alone lists them
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Runs one command; `false` means that it ran and found something wrong.
fn run(arguments: &[String]) -> Result<bool> {
    let (name, rest) = match arguments.split_first() {
        Some((name, rest)) => (name.as_str(), rest),
        None => ("help", arguments),
    };
    match name {
        "bench" => bench::run(rest),
        "browser" => browser::run(rest),
        "contract" => contract::run(rest),
        "dist" => dist::run(rest),
        "fuzz" => fuzz::run(rest),
        "licences" => licences::run(rest),
        "peers" => peers::run(rest),
        "rfc" => ledger::run(rest),
        "scenarios" => diagnosis::run(rest),
        "screens" => browser::screens(rest),
        "sdks" => sdks::run(rest),
        "test" => pipeline::run(rest),
        "third-party" => third_party::run(rest),
        "tidy" => tidy::run(rest),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(true)
        }
        other => bail!("unknown command '{other}'; `cargo xtask help` lists them"),
    }
}
