//! The part of `docs/benchmarks.md` about `send`: tables, the run, and what can be compared with what.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};

use super::contenders::Contender;
use super::{Line, Mode, ONE_WAY, Row};
use crate::statistics::percentile;

const BEGIN: &str = "<!-- bench send: begin -->";
const END: &str = "<!-- bench send: end -->";
const NOTES: &str = include_str!("notes.md");

/// The whole part, marks included.
pub(super) fn document(rows: &[Row], machine: &[String], runs: usize) -> String {
    let mut text = format!("{BEGIN}\n{NOTES}\n### Run\n\n{}\n", machine.join("\n"));
    // Writing into a string does not fail.
    let _ = writeln!(
        text,
        "- Command: `cargo xtask bench send`; {runs} counted runs of each after one that is not, in turn"
    );
    for mode in Mode::ALL {
        for line in [Line::Loopback, Line::Slow] {
            let chosen: Vec<&Row> =
                rows.iter().filter(|row| row.mode == mode && row.line == line).collect();
            table(&mut text, &chosen, (mode, line));
        }
    }
    text.push_str(END);
    text
}

fn table(text: &mut String, rows: &[&Row], (mode, line): (Mode, Line)) {
    let way = match line {
        Line::Loopback => "loopback".to_owned(),
        Line::Slow => format!("{} ms each way", ONE_WAY.as_millis()),
    };
    let needed = mode.round_trips_needed();
    let _ = write!(
        text,
        "\n#### Mode `{}`, {way} (the protocol needs {needed} round trips)\n\n\
         | contender | wall p50, ms | p95 | p99 | of waxseal | CPU p50, ms | largest process, MiB | round trips |\n\
         |---|---|---|---|---|---|---|---|\n",
        mode.as_str()
    );
    let wall = |row: &Row, part: f64| {
        percentile(row.samples.iter().map(|sample| sample.cost.wall_s * 1e3), part)
    };
    let own = rows.iter().find(|row| row.contender == Contender::Waxseal);
    let own = own.and_then(|row| wall(row, 0.5));
    for row in rows {
        let number = |value: Option<f64>| value.map_or_else(none, |value| format!("{value:.1}"));
        let share = own.zip(wall(row, 0.5)).map(|(own, other)| format!("{:.2}", other / own));
        let cpu = percentile(row.samples.iter().map(|sample| sample.cost.cpu_s * 1e3), 0.5);
        let memory = row.samples.iter().map(|sample| sample.cost.memory_kib).max();
        let memory =
            memory.and_then(|kib| u32::try_from(kib).ok()).map(|kib| f64::from(kib) / 1024.0);
        let cells = [
            row.contender.label().to_owned(),
            number(wall(row, 0.5)),
            number(wall(row, 0.95)),
            number(wall(row, 0.99)),
            share.unwrap_or_else(none),
            number(cpu),
            number(memory),
            round_trips(row),
        ];
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
}

fn round_trips(row: &Row) -> String {
    let counted = || row.samples.iter().filter_map(|sample| sample.round_trips);
    match (counted().min(), counted().max()) {
        (Some(least), Some(most)) if least == most => least.to_string(),
        (Some(least), Some(most)) => format!("{least}..{most}"),
        _ => none(),
    }
}

fn none() -> String {
    "-".to_owned()
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
    use crate::measure::Cost;
    use crate::send::Sample;

    #[test]
    fn a_row_holds_percentiles_the_ratio_and_round_trips() {
        let sample = |wall_s| Sample {
            cost: Cost { wall_s, cpu_s: 0.01, memory_kib: 2048 },
            round_trips: Some(8),
        };
        let row = |contender, walls: &[f64]| Row {
            mode: Mode::Starttls,
            line: Line::Slow,
            contender,
            samples: walls.iter().map(|wall| sample(*wall)).collect(),
        };
        let rows =
            [row(Contender::Waxseal, &[0.1, 0.2, 0.3]), row(Contender::Swaks, &[0.4, 0.4, 0.4])];
        let text = document(&rows, &["- Machine: M".to_owned()], 3);
        let line = "| `swaks` | 400.0 | 400.0 | 400.0 | 2.00 | 10.0 | 2.0 | 8 |";
        assert!(text.lines().any(|each| each == line), "{text}");
        assert!(text.starts_with(BEGIN) && text.ends_with(END));
    }
}
