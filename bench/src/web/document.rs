//! The part of `docs/benchmarks.md` about pages: what was run, where, and the tables.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};

use super::single::Single;
use super::{CONNECTIONS, Contender, Extent, Row};
use crate::statistics::Spread;

const BEGIN: &str = "<!-- bench web: begin -->";
const END: &str = "<!-- bench web: end -->";
const NOTES: &str = include_str!("notes.md");

/// The whole part. `first` is the slowest first answer of a fresh process, in milliseconds.
pub(super) fn document(
    rows: &[Row],
    (weights, first): (&[Single], f64),
    extent: Extent,
    machine: &[String],
) -> String {
    let Extent { seconds, rounds, requests } = extent;
    // What took no part is not named.
    let machine: Vec<&str> = machine
        .iter()
        .map(String::as_str)
        .filter(|line| !line.starts_with("- OpenSSL") && !line.starts_with("- Postfix"))
        .collect();
    let mut text = format!("{BEGIN}\n{NOTES}\n### Run\n\n{}\n", machine.join("\n"));
    // Writing into a string does not fail.
    let _ = writeln!(
        text,
        "- Command: `cargo xtask bench web`; wrk for {seconds} s at {CONNECTIONS} connections, median \
         (least..most) of {rounds} counted rounds after one that is not"
    );
    text.push_str(
        "\n#### Under load\n\n| page | contender | requests/s | of the floor | median, ms | p99, ms |\n\
         |---|---|---|---|---|---|\n",
    );
    for row in rows {
        let floor = rows
            .iter()
            .find(|other| other.page == row.page && other.contender == Contender::Floor)
            .and_then(rate);
        load(&mut text, row, floor);
    }
    let _ = write!(
        text,
        "\n#### One request at a time\n\nFrom connect to the last octet, {requests} requests of each page; the \
         slowest first answer of five fresh processes took {first:.1} ms. The aim is 20 ms, and 100,000 octets \
         with everything a page loads.\n\n\
         | page | p50, ms | p99, ms | octets of the page | with style, scripts and pictures |\n\
         |---|---|---|---|---|\n"
    );
    for single in weights {
        let Single { title, p50_ms, p99_ms, page, octets } = single;
        let _ = writeln!(text, "| {title} | {p50_ms:.2} | {p99_ms:.2} | {page} | {octets} |");
    }
    text.push_str(END);
    text
}

fn rate(row: &Row) -> Option<Spread> {
    Spread::of(row.loads.iter().map(|load| load.rate))
}

fn load(text: &mut String, row: &Row, floor: Option<Spread>) {
    let spread = |field: fn(&super::Load) -> f64, decimals| {
        let spread = Spread::of(row.loads.iter().map(field));
        spread.map_or_else(|| "-".to_owned(), |spread| spread.shown(decimals))
    };
    let share = rate(row).zip(floor).map_or_else(
        || "-".to_owned(),
        |(own, floor)| format!("{:.0} %", own.median / floor.median * 100.0),
    );
    let cells = [
        row.page.to_owned(),
        row.contender.label().to_owned(),
        spread(|load| load.rate, 0),
        share,
        spread(|load| load.median_ms, 2),
        spread(|load| load.p99_ms, 2),
    ];
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}

/// Replaces this part of the document, or adds it at the end.
///
/// # Errors
/// When the document cannot be read or written.
pub(super) fn write(path: &Path, part: &str) -> Result<()> {
    let old = std::fs::read_to_string(path).unwrap_or_else(|_| "# Benchmarks\n".to_owned());
    let new = match (old.split_once(BEGIN), old.split_once(END)) {
        (Some((before, _)), Some((_, after))) => format!("{before}{part}{after}"),
        _ => format!("{}\n\n{part}\n", old.trim_end()),
    };
    std::fs::write(path, new).with_context(|| format!("writing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::Load;

    #[test]
    fn a_row_holds_medians_and_the_share_of_the_floor() {
        let row = |contender, rates: &[f64]| Row {
            page: "guide page",
            contender,
            loads: rates
                .iter()
                .map(|rate| Load { rate: *rate, median_ms: 2.0, p99_ms: 9.0 })
                .collect(),
        };
        let rows = [
            row(Contender::Waxseal, &[100.0, 300.0, 200.0]),
            row(Contender::Floor, &[400.0, 400.0, 400.0]),
        ];
        let extent = Extent { seconds: 1, rounds: 3, requests: 1 };
        let text = document(&rows, (&[], 1.0), extent, &["- Machine: M".to_owned()]);
        let line = "| guide page | waxseal | 200 (100..300) | 50 % | 2.00 (2.00..2.00) | 9.00 (9.00..9.00) |";
        assert!(text.lines().any(|each| each == line), "{text}");
        assert!(text.starts_with(BEGIN) && text.ends_with(END));
    }
}
