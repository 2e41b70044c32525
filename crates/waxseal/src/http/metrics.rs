//! Counters for Prometheus, in its text format. Labels come from fixed sets (patterns of addresses, status
//! codes, verdicts), so that no visitor can grow them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The counters of one process.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    requests: Mutex<BTreeMap<(String, u16), Requests>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Requests {
    count: u64,
    took: Duration,
}

/// A number that is looked up when the metrics are read.
pub(crate) struct Gauge {
    /// Its name, without the prefix.
    pub(crate) name: &'static str,
    /// What it is.
    pub(crate) help: &'static str,
    /// `counter` or `gauge`.
    pub(crate) kind: &'static str,
    /// Now.
    pub(crate) value: u64,
}

impl Metrics {
    /// Counts an answered request.
    pub(crate) fn request(&self, route: &str, status: u16, took: Duration) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = requests.entry((route.to_owned(), status)).or_default();
        counted.count += 1;
        counted.took += took;
    }

    /// The text that is served.
    pub(crate) fn text(&self, gauges: &[Gauge]) -> String {
        let mut out = String::new();
        head(&mut out, "build_info", "gauge", "Version of this program.");
        let _ = writeln!(out, "waxseal_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"));
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone();
        head(&mut out, "http_requests_total", "counter", "Answered requests.");
        for ((route, status), counted) in &requests {
            let _ = writeln!(
                out,
                "waxseal_http_requests_total{{route=\"{route}\",status=\"{status}\"}} {}",
                counted.count
            );
        }
        head(
            &mut out,
            "http_request_seconds_total",
            "counter",
            "Time until the head of the answer stood, added up.",
        );
        for ((route, status), counted) in &requests {
            let _ = writeln!(
                out,
                "waxseal_http_request_seconds_total{{route=\"{route}\",status=\"{status}\"}} {:.6}",
                counted.took.as_secs_f64()
            );
        }
        for gauge in gauges {
            head(&mut out, gauge.name, gauge.kind, gauge.help);
            let _ = writeln!(out, "waxseal_{} {}", gauge.name, gauge.value);
        }
        out
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP waxseal_{name} {help}\n# TYPE waxseal_{name} {kind}");
}
