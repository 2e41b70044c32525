//! A report as Markdown (CommonMark with tables). Everything foreign passes [`escape::markdown`].

use super::document::{
    Block, Part, blocks, circumstances, paragraphs, shown_severity, shown_verdict,
};
use super::matrix::{Row, STAGES};
use crate::escape;
use std::fmt::Write as _;
use waxseal_check::report::wire::{FindingV1, ReportV1};

/// The report as Markdown.
pub(super) fn report(report: &ReportV1) -> String {
    let mut out = format!("# Waxseal report: {}\n\n", escape::markdown(&report.target));
    let _ = writeln!(out, "{}\n", escape::markdown(&circumstances(report)));
    if report.simulated {
        out.push_str("**Simulated**: a part of the world of this check was replaced.\n\n");
    }
    for block in blocks(report) {
        self::block(&mut out, &block);
    }
    out
}

fn block(out: &mut String, block: &Block<'_>) {
    match block {
        Block::Finding(finding) => self::finding(out, finding),
        Block::Heading(text) => {
            let _ = writeln!(out, "## {}\n", escape::markdown(text));
        }
        Block::Items(items) => {
            for item in items {
                let _ = writeln!(out, "- {}", escape::markdown(item));
            }
            out.push('\n');
        }
        Block::Matrix(rows) => matrix(out, rows),
        Block::Note(text) => {
            let _ = writeln!(out, "{}\n", escape::markdown(text));
        }
        Block::OwnerHeading(text) => {
            let _ = writeln!(out, "### {}\n", escape::markdown(text));
        }
        Block::Table { head, rows } => table(out, head, rows),
        Block::Verdicts(verdicts) => {
            let rows: Vec<Vec<String>> = verdicts
                .iter()
                .map(|(name, verdict, reason)| {
                    vec![(*name).to_owned(), shown_verdict(*verdict).to_owned(), reason.clone()]
                })
                .collect();
            table(out, &["area", "verdict", "reason"], &rows);
        }
    }
}

fn table(out: &mut String, head: &[&str], rows: &[Vec<String>]) {
    let _ = writeln!(out, "| {} |", head.join(" | "));
    let _ = writeln!(out, "|{}", "---|".repeat(head.len()));
    for row in rows {
        // In a cell nothing begins a list, so the mark for "nothing" can stay as it is.
        let cell = |text: &String| if text == "-" { text.clone() } else { escape::markdown(text) };
        let cells: Vec<String> = row.iter().map(cell).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out.push('\n');
}

fn matrix(out: &mut String, rows: &[Row]) {
    let mut head = vec!["mail host"];
    head.extend(STAGES);
    let mut table_rows = Vec::new();
    let mut reasons = Vec::new();
    for row in rows {
        if row.lines.is_empty() {
            let mut cells = vec![format!("{} {}", row.preference, row.host)];
            cells.resize(head.len(), "-".to_owned());
            table_rows.push(cells);
        }
        for line in &row.lines {
            let name = format!("{} {} [{}]", row.preference, row.host, line.address);
            for reason in &line.reasons {
                reasons.push(format!("{} [{}]: {reason}", row.host, line.address));
            }
            if let Some(tls) = &line.tls {
                reasons.push(format!("{} [{}]: {tls}", row.host, line.address));
            }
            let mut cells = vec![name];
            cells.extend(line.cells.iter().map(|cell| cell.word.clone()));
            table_rows.push(cells);
        }
    }
    table(out, &head, &table_rows);
    for reason in &reasons {
        let _ = writeln!(out, "- {}", escape::markdown(reason));
    }
    if !reasons.is_empty() {
        out.push('\n');
    }
}

fn finding(out: &mut String, finding: &FindingV1) {
    let _ = writeln!(
        out,
        "#### {}: {} (`{}`)\n",
        shown_severity(finding),
        escape::markdown(&finding.title),
        code(&finding.code)
    );
    let _ = writeln!(out, "Subject: {}\n", escape::markdown(&finding.subject));
    let _ = writeln!(out, "{}\n", prose(&finding.meaning));
    let seen = finding.evidence.iter().map(|item| format!("- {}", escape::markdown(item)));
    list(out, "Seen", seen);
    let steps = finding.fix.iter().enumerate();
    list(out, "Fix", steps.map(|(index, step)| format!("{}. {}", index + 1, prose(step))));
    list(out, "Never", finding.never.iter().map(|item| format!("- {}", prose(item))));
    if let Some(also) = &finding.also {
        let _ = writeln!(out, "Help is needed from: {}\n", escape::markdown(also));
    }
    let sources: Vec<String> = finding.sources.iter().map(|text| escape::markdown(text)).collect();
    let _ = writeln!(
        out,
        "More: `waxseal guide {}`, {}. Sources: {}\n",
        code(&finding.code),
        escape::markdown(&finding.guide),
        sources.join("; ")
    );
}

fn list(out: &mut String, label: &str, items: impl ExactSizeIterator<Item = String>) {
    if items.len() == 0 {
        return;
    }
    let _ = writeln!(out, "{label}:\n");
    for item in items {
        let _ = writeln!(out, "{item}");
    }
    out.push('\n');
}

/// Text for a code span: a backtick would end it.
fn code(text: &str) -> String {
    escape::line(text).replace('`', "'")
}

fn prose(text: &str) -> String {
    let paragraphs: Vec<String> = paragraphs(text)
        .iter()
        .map(|parts| {
            parts
                .iter()
                .map(|(part, text)| match part {
                    Part::Code => format!("`{}`", code(text)),
                    Part::Plain => escape::markdown(text),
                })
                .collect()
        })
        .collect();
    paragraphs.join("\n\n")
}
