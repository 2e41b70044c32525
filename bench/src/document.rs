//! The part of `docs/benchmarks.md` between the marks of this benchmark: what was run, where, the tables, and
//! what can be compared with what. Everything outside the marks stays as it is.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};

use crate::check::{Extent, Group, Sample};
use crate::contenders::Contender;
use crate::statistics::Spread;

const BEGIN: &str = "<!-- bench check: begin -->";
const END: &str = "<!-- bench check: end -->";
const NOTES: &str = include_str!("check_notes.md");

/// The table of one receiver.
pub(crate) fn table(group: &Group, domains: usize) -> String {
    let mut text = format!(
        "\n#### {}\n\n\
         | contender | hosts/s | of the floor | CPU/host, ms | of it DNS, ms | largest process, MiB | connections/host | receiver CPU/host, ms | others |\n\
         |---|---|---|---|---|---|---|---|---|\n",
        group.title
    );
    let floor = group.samples.get(&Contender::Floor).and_then(|runs| rate(runs, domains));
    let dns = group.samples.get(&Contender::DnsOnly).and_then(|runs| cpu_ms(runs, domains));
    for contender in Contender::ALL {
        let Some(runs) = group.samples.get(&contender) else { continue };
        let own_dns = match contender {
            Contender::OneSessionDns | Contender::DnsOnly => dns.map(|dns| dns.median),
            Contender::Finger
            | Contender::Floor
            | Contender::FloorWhole
            | Contender::Full
            | Contender::OneSession
            | Contender::OpenSsl => None,
        };
        row(&mut text, contender, runs, (domains, floor, own_dns));
    }
    text
}

fn row(
    text: &mut String,
    contender: Contender,
    runs: &[Sample],
    (domains, floor, dns): (usize, Option<Spread>, Option<f64>),
) {
    let per_host = |value: f64| value / count(domains);
    let rate = rate(runs, domains);
    let share =
        rate.zip(floor).map(|(own, floor)| format!("{:.0} %", own.median / floor.median * 100.0));
    let memory = Spread::of(runs.iter().map(|run| kib(run.cost.memory_kib) / 1024.0));
    let connections =
        Spread::of(runs.iter().filter_map(|run| run.connections).map(|all| per_host(kib(all))));
    let receiver =
        Spread::of(runs.iter().filter_map(|run| run.receiver_cpu_s).map(|s| per_host(s) * 1e3));
    let others = Spread::of(runs.iter().filter_map(|run| run.others));
    let cells = [
        contender.label().to_owned(),
        shown(rate, 0),
        share.unwrap_or_else(none),
        shown(cpu_ms(runs, domains), 2),
        dns.map_or_else(none, |dns| format!("{dns:.2}")),
        memory.map_or_else(none, |memory| format!("{:.1}", memory.most)),
        connections.map_or_else(none, |connections| format!("{:.2}", connections.median)),
        receiver.map_or_else(none, |receiver| format!("{:.2}", receiver.median)),
        others.map_or_else(none, |others| format!("{:.2}", others.median)),
    ];
    // Writing into a string does not fail.
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}

fn none() -> String {
    "-".to_owned()
}

fn shown(spread: Option<Spread>, decimals: usize) -> String {
    spread.map_or_else(none, |spread| spread.shown(decimals))
}

fn rate(runs: &[Sample], domains: usize) -> Option<Spread> {
    Spread::of(runs.iter().map(|run| count(domains) / run.cost.wall_s))
}

fn cpu_ms(runs: &[Sample], domains: usize) -> Option<Spread> {
    Spread::of(runs.iter().map(|run| run.cost.cpu_s * 1e3 / count(domains)))
}

fn count(domains: usize) -> f64 {
    f64::from(u32::try_from(domains).unwrap_or(u32::MAX))
}

fn kib(number: u64) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Replaces this benchmark's part of the document, or adds it at the end.
///
/// # Errors
/// When the document cannot be read or written.
pub(crate) fn write(
    path: &Path,
    groups: &[Group],
    extent: Extent,
    machine: &[String],
) -> Result<()> {
    let mut part = format!("{BEGIN}\n{NOTES}\n### Run\n\n{}\n", machine.join("\n"));
    let Extent { domains, rounds } = extent;
    let _ = writeln!(
        part,
        "- Command: `cargo xtask bench check`; {domains} domains, median (least..most) of {rounds} \
         counted rounds after one that is not"
    );
    for group in groups {
        part.push_str(&table(group, domains));
    }
    part.push_str(END);
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
    use std::collections::BTreeMap;

    fn group() -> Group {
        let sample = |wall_s| Sample {
            cost: Cost { wall_s, cpu_s: 0.05, memory_kib: 2048 },
            connections: Some(100),
            receiver_cpu_s: Some(0.1),
            others: None,
        };
        let samples = BTreeMap::from([
            (Contender::Floor, vec![sample(0.1)]),
            (Contender::OneSession, vec![sample(0.2), sample(0.4), sample(0.1)]),
        ]);
        Group { title: "T".to_owned(), samples }
    }

    #[test]
    fn a_row_holds_medians_per_host_and_the_share_of_the_floor() {
        let table = table(&group(), 100);
        let row = "| waxseal, one session (DNS from a file) | 500 (250..1000) | 50 % | 0.50 (0.50..0.50) | - | 2.0 | 1.00 | 1.00 | - |";
        assert!(table.lines().any(|line| line == row), "{table}");
    }

    #[test]
    fn only_the_marked_part_of_the_document_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.md");
        std::fs::write(&path, format!("# B\n\n{BEGIN}\nof yesterday\n{END}\n\n## Other\n"))
            .unwrap();
        let extent = Extent { domains: 100, rounds: 1 };
        write(&path, &[group()], extent, &["- Machine: M".to_owned()]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("# B\n\n") && text.ends_with("\n\n## Other\n"), "{text}");
        assert!(text.contains("- Machine: M") && !text.contains("of yesterday"), "{text}");
    }
}
