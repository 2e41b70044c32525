//! What the server says while it runs: JSON Lines on standard error. An event has named fields and no free
//! text from a visitor: no path, no query, no header, no body, no address.

use crate::clock;
use crate::escape;
use serde::Serialize;
use std::io::Write as _;
use std::time::Duration;

/// Something worth a line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event<'a> {
    /// A request was answered.
    Request {
        /// GET and so on.
        method: &'a str,
        /// The pattern of the address, never the address.
        route: &'a str,
        /// The status.
        status: u16,
        /// How long it took until the head of the answer stood.
        took: Duration,
    },
    /// This program could not do its own job.
    Fault {
        /// At what.
        doing: &'a str,
        /// Why, without secrets.
        problem: &'a str,
    },
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    level: &'static str,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    took_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    doing: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a str>,
}

/// Where lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Log {
    /// Everything.
    All,
    /// What went wrong here.
    Faults,
}

impl Log {
    /// Writes a line. Where it cannot be written, nobody is there to be told.
    pub(crate) fn write(self, event: &Event<'_>) {
        let line = match (self, event) {
            (Self::Faults, Event::Request { .. }) => return,
            (Self::All | Self::Faults, _) => line(event, clock::now().to_string()),
        };
        if let Ok(text) = serde_json::to_string(&line) {
            let _ = writeln!(std::io::stderr().lock(), "{}", escape::json(&text));
        }
    }
}

fn line<'a>(event: &Event<'a>, time: String) -> Line<'a> {
    let empty = Line {
        time,
        level: "info",
        event: "request",
        method: None,
        route: None,
        status: None,
        took_ms: None,
        doing: None,
        problem: None,
    };
    match *event {
        Event::Request { method, route, status, took } => Line {
            method: Some(method),
            route: Some(route),
            status: Some(status),
            took_ms: Some((took.as_secs_f64() * 10_000.0).round() / 10.0),
            ..empty
        },
        Event::Fault { doing, problem } => Line {
            level: "error",
            event: "fault",
            doing: Some(doing),
            problem: Some(problem),
            ..empty
        },
    }
}
