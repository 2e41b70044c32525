//! The benchmarks by name. Each is a function that measures and writes its own part of
//! `docs/benchmarks.md`; an unknown name is an error, never an empty success.

use anyhow::{Result, bail};

use crate::command::Command;
use crate::workspace;

/// One benchmark: its name, what it measures, and the function that runs it.
struct Bench {
    name: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Result<bool>,
}

const BENCHES: &[Bench] = &[
    Bench {
        name: "check",
        about: "1,000 lab domains: the check beside s_client, posttls-finger and a bare loop [--quick]",
        run: check,
    },
    Bench {
        name: "send",
        about: "one test message: wall time and round trips beside s_client, curl and swaks [--quick]",
        run: send,
    },
    Bench {
        name: "web",
        about: "guide and report page with wrk at 50 connections, beside bare hyper and nginx [--quick]",
        run: web,
    },
];

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

/// As root in a network of its own with nothing but loopback, so that a real mail server can take part.
fn check(arguments: &[String]) -> Result<bool> {
    start("check", &[], arguments)
}

fn send(arguments: &[String]) -> Result<bool> {
    with_binary("send", arguments)
}

fn web(arguments: &[String]) -> Result<bool> {
    with_binary("web", arguments)
}

/// A benchmark of the program as it is released.
fn with_binary(name: &str, arguments: &[String]) -> Result<bool> {
    let build = ["build", "--release", "--package", "waxseal"];
    Command::cargo().args(build).shown()?.success("building the binary")?;
    let binary = workspace::root().join("target/release/waxseal").display().to_string();
    start(name, &["--waxseal", &binary], arguments)
}

/// Builds the benchmark program and runs it. `--quick` measures less and leaves the document alone.
fn start(name: &str, own: &[&str], arguments: &[String]) -> Result<bool> {
    let build = ["build", "--release", "--package", "waxseal-bench"];
    Command::cargo().args(build).shown()?.success("building the benchmark")?;
    let program = workspace::root().join("target/release/waxseal-bench");
    let peers = workspace::root().join("target/peers/root");
    let own_network = Command::new("unshare").args(["--net", "true"]).output();
    let mut command = if own_network.is_ok_and(|output| output.status.success()) {
        let loopback = "ip link set lo up && exec \"$@\"";
        Command::new("unshare").args(["--net", "sh", "-c", loopback, "sh"]).args([program])
    } else {
        Command::new(program)
    };
    command = command.args([name, "--peers"]).args([peers]).args(own).args(arguments);
    if !arguments.iter().any(|word| word == "--quick") {
        command = command.args(["--out", "docs/benchmarks.md"]);
    }
    Ok(command.shown()?.status.success())
}
