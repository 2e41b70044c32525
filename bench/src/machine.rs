//! What a figure depends on: the machine, its kernel, the versions of everything that took part, the date.
//! What cannot be found out is said to be unknown, never guessed.

use std::path::Path;
use std::process::Command;

use jiff::Timestamp;

use crate::contenders::Tools;

/// One line for each thing a reader needs to judge the figures, as Markdown list items.
pub(crate) fn lines(tools: &Tools) -> Vec<String> {
    let cpu = field("/proc/cpuinfo", "model name").unwrap_or_else(unknown);
    let memory = field("/proc/meminfo", "MemTotal").unwrap_or_else(unknown);
    let kernel = read("/proc/sys/kernel/osrelease").unwrap_or_else(unknown);
    let cores = std::thread::available_parallelism().map_or_else(|_| unknown(), |n| n.to_string());
    let system = read("/etc/os-release").and_then(|text| {
        let name = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
        Some(name.trim_matches('"').to_owned())
    });
    vec![
        format!("- Date: {}", today()),
        format!("- Machine: {cpu}, {cores} processors, {memory} of memory"),
        format!("- System: {}, kernel {kernel}", system.unwrap_or_else(unknown)),
        format!("- Source: commit {}", commit()),
        format!(
            "- Rust: {}; {}",
            said("rustc", &["-V"]),
            locked(&["rustls", "aws-lc-rs", "tokio"])
        ),
        format!("- OpenSSL: {}", said("openssl", &["version"])),
        format!("- Postfix: {}", tools.postfix_version().unwrap_or_else(|| "not there".to_owned())),
    ]
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn today() -> String {
    let now = now().to_string();
    now.get(..10).unwrap_or_default().to_owned()
}

/// The time of the run.
#[expect(clippy::disallowed_methods, reason = "a run and its certificates have a date")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = read(path)?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.ok().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.filter(|text| !text.is_empty()).unwrap_or_else(unknown)
}

fn commit() -> String {
    let hash = said("git", &["rev-parse", "--short", "HEAD"]);
    let changed = said("git", &["status", "--porcelain", "--untracked-files=no"]);
    if changed == "unknown" { hash } else { format!("{hash}, with changes") }
}

/// Versions of crates as the lock file pins them.
fn locked(names: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    let text = std::fs::read_to_string(root).unwrap_or_default();
    let version = |name: &str| {
        let start = format!("name = \"{name}\"\nversion = \"");
        let rest = text.split_once(&start)?.1;
        Some(rest.split_once('"')?.0.to_owned())
    };
    let each = names.iter().map(|name| format!("{name} {}", version(name).unwrap_or_else(unknown)));
    each.collect::<Vec<_>>().join(", ")
}

/// Processor time of the whole machine that was not idle, in seconds.
pub(crate) fn busy_s() -> Option<f64> {
    // proc(5): in hundredths of a second; user, nice, system, idle, iowait, irq, softirq, steal.
    let text = read("/proc/stat")?;
    let ticks: Vec<f64> = text
        .lines()
        .next()?
        .split_whitespace()
        .skip(1)
        .take(8)
        .filter_map(|word| word.parse().ok())
        .collect();
    let idle = ticks.get(3)? + ticks.get(4)?;
    Some((ticks.iter().sum::<f64>() - idle) / 100.0)
}

/// TCP connections this network namespace has opened (RFC 4022, tcpActiveOpens).
pub(crate) fn opened_connections() -> Option<u64> {
    let text = read("/proc/net/snmp")?;
    let mut lines = text.lines().filter(|line| line.starts_with("Tcp:"));
    let at = lines.next()?.split(' ').position(|word| word == "ActiveOpens")?;
    lines.next()?.split(' ').nth(at)?.parse().ok()
}

/// Whether this network has no interface but loopback, so that nothing else can be reached and a server
/// may listen on every address.
pub(crate) fn is_private_network() -> bool {
    read("/proc/self/net/dev")
        .is_some_and(|text| text.lines().skip(2).all(|line| line.trim_start().starts_with("lo:")))
}
