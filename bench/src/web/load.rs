//! wrk as a load: one run, and its figures read from what it prints.

use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

/// What one run of wrk measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Load {
    /// Requests in a second.
    pub(super) rate: f64,
    /// The median of the times of all requests, in milliseconds.
    pub(super) median_ms: f64,
    /// Their 99th percentile, in milliseconds.
    pub(super) p99_ms: f64,
}

/// Whether wrk can be started.
///
/// # Errors
/// Names the package that brings it.
pub(super) fn is_there() -> Result<()> {
    let said = Command::new("wrk").arg("-v").output();
    ensure!(said.is_ok(), "wrk is missing; install it with:\n  apt-get install -y wrk");
    Ok(())
}

/// One run: two threads, keep-alive.
///
/// # Errors
/// When wrk fails, or an answer was no success.
pub(super) fn run(address: &str, connections: usize, seconds: usize) -> Result<Load> {
    let said = Command::new("wrk")
        .args(["-t2", "--latency", &format!("-c{connections}"), &format!("-d{seconds}s"), address])
        .output()
        .context("starting wrk")?;
    ensure!(said.status.success(), "wrk failed: {}", String::from_utf8_lossy(&said.stderr));
    read(&String::from_utf8_lossy(&said.stdout))
}

fn read(text: &str) -> Result<Load> {
    for wrong in ["Non-2xx", "Socket errors"] {
        if let Some(line) = text.lines().find(|line| line.trim_start().starts_with(wrong)) {
            bail!("{}", line.trim());
        }
    }
    let field = |name: &str| {
        let found = text.lines().find_map(|line| line.trim().strip_prefix(name));
        found.map(str::trim).with_context(|| format!("wrk says nothing of {name}: {text}"))
    };
    Ok(Load {
        rate: field("Requests/sec:")?.parse()?,
        median_ms: milliseconds(field("50%")?)?,
        p99_ms: milliseconds(field("99%")?)?,
    })
}

/// `12.3us`, `1.2ms`, `1.20s`.
fn milliseconds(text: &str) -> Result<f64> {
    for (unit, factor) in [("us", 0.001), ("ms", 1.0), ("s", 1_000.0)] {
        if let Some(Ok(number)) = text.strip_suffix(unit).map(str::parse::<f64>) {
            return Ok(number * factor);
        }
    }
    bail!("no time: {text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "Running 2s test @ http://127.0.0.1:8025/\n  2 threads and 50 connections\n\
        \x20 Latency Distribution\n     50%  812.00us\n     75%    1.10ms\n     99%    1.25s \n\
        \x20 24936 requests in 2.01s, 61.25MB read\nRequests/sec:  12406.93\nTransfer/sec:     30.47MB\n";

    #[test]
    fn the_figures_of_wrk_are_read_with_their_units() {
        let load = Load { rate: 12_406.93, median_ms: 0.812, p99_ms: 1_250.0 };
        assert_eq!(read(SAID).unwrap(), load);
        let wrong = SAID.replace("Requests/sec", "  Non-2xx or 3xx responses: 7\nRequests/sec");
        assert!(read(&wrong).unwrap_err().to_string().contains("Non-2xx"));
        assert!(read("").is_err());
    }
}
