//! A report as text for a terminal. Colours come with words that say the same; everything foreign passes
//! [`escape::line`].

use super::document::{Block, blocks, circumstances, paragraphs, shown_severity, shown_verdict};
use super::matrix::{Row, STAGES, State};
use super::{Layout, Palette};
use crate::escape;
use anstyle::Style;
use std::fmt::Write as _;
use waxseal_check::report::send::wire::{OutcomeV1, SendV1, StepV1};
use waxseal_check::report::wire::{FindingV1, ReportV1, VerdictV1};

/// The report as text.
pub(super) fn report(report: &ReportV1, layout: Layout) -> String {
    let mut writer = Writer { out: String::new(), layout };
    let palette = layout.palette;
    writer.styled(palette.strong, &escape::line(&report.target));
    writer.styled(palette.faint, &format!("  {}\n", escape::line(&circumstances(report))));
    if report.simulated {
        writer
            .styled(palette.unsure, "SIMULATED: a part of the world of this check was replaced\n");
    }
    for block in blocks(report) {
        writer.block(&block);
    }
    writer.out
}

/// A message that was sent or tried, as text: what became of it, why, and what it means.
pub(super) fn sent(sent: &SendV1, layout: Layout) -> String {
    let mut writer = Writer { out: String::new(), layout };
    let palette = layout.palette;
    let good = matches!(sent.outcome, OutcomeV1::Accepted | OutcomeV1::Ready);
    writer.styled(if good { palette.good } else { palette.bad }, sent.outcome.as_str());
    let by = sent.service.as_deref().unwrap_or(&sent.host);
    let where_to = format!("  {by} port {}, {}", sent.port, sent.security);
    writer.styled(palette.faint, &format!("{}\n", escape::line(&where_to)));
    if sent.simulated {
        writer.styled(
            palette.unsure,
            "SIMULATED: a part of the world of this attempt was replaced\n",
        );
    }
    if !sent.encrypted {
        writer.styled(
            palette.bad,
            "NOT ENCRYPTED: anybody on the way can read and change what is sent\n",
        );
    }
    if let Some(id) = &sent.server_id {
        writer.wrapped("  the server's id: ", "    ", &escape::line(id));
    }
    if let Some(id) = &sent.message_id {
        writer.wrapped("  Message-ID: ", "    ", &escape::line(id));
    }
    for recipient in &sent.recipients {
        let code = recipient.code.map(|code| format!(" {code}")).unwrap_or_default();
        let said = recipient.message.as_deref().unwrap_or_default();
        let line = format!("{}: {}{code} {said}", recipient.address, recipient.outcome);
        writer.wrapped("  ", "    ", &escape::line(line.trim_end()));
    }
    if !sent.findings.is_empty() {
        writer.block(&Block::Heading("Findings".to_owned()));
        for finding in &sent.findings {
            writer.finding(finding);
        }
    }
    let lists = [
        ("What this proves", &sent.proves),
        ("What it does not prove", &sent.does_not_prove),
        ("What comes next", &sent.next),
    ];
    for (heading, lines) in lists.into_iter().filter(|(_, lines)| !lines.is_empty()) {
        writer.block(&Block::Heading(heading.to_owned()));
        writer.block(&Block::Items(lines.clone()));
    }
    if !good && !sent.transcript.is_empty() {
        writer.block(&Block::Heading("Transcript".to_owned()));
        for line in &sent.transcript {
            writer.out.push_str("  ");
            writer.out.push_str(&escape::line(line));
            writer.out.push('\n');
        }
    }
    writer.out
}

/// One step as it passes.
pub(super) fn step(step: &StepV1) -> String {
    let end = if step.passed { "ok" } else { "FAILED" };
    let detail = step.detail.as_deref().map(escape::line).unwrap_or_default();
    format!("{:>9.1} ms  {:<12} {end:<6}  {detail}", step.elapsed_ms, step.step)
        .trim_end()
        .to_owned()
}

struct Writer {
    out: String,
    layout: Layout,
}

impl Writer {
    fn palette(&self) -> Palette {
        self.layout.palette
    }

    fn styled(&mut self, style: Style, text: &str) {
        let (body, end) = text.strip_suffix('\n').map_or((text, ""), |body| (body, "\n"));
        let _ = write!(self.out, "{style}{body}{style:#}{end}");
    }

    fn block(&mut self, block: &Block<'_>) {
        match block {
            Block::Finding(finding) => self.finding(finding),
            Block::Heading(text) => {
                self.out.push('\n');
                let strong = self.palette().strong;
                self.styled(strong, &format!("{}\n", escape::line(text)));
            }
            Block::Items(items) => {
                for item in items {
                    self.wrapped("  - ", "    ", &escape::line(item));
                }
            }
            Block::Matrix(rows) => self.matrix(rows),
            Block::Note(text) => {
                self.out.push('\n');
                self.wrapped("", "", &escape::line(text));
            }
            Block::OwnerHeading(text) => {
                self.out.push('\n');
                self.wrapped("  ", "  ", &escape::line(text));
            }
            Block::Table { head, rows } => self.table(head, rows),
            Block::Verdicts(verdicts) => self.verdicts(verdicts),
        }
    }

    fn verdicts(&mut self, verdicts: &[(&'static str, VerdictV1, String)]) {
        self.out.push('\n');
        for (name, verdict, reason) in verdicts {
            let palette = self.palette();
            let style = match verdict {
                VerdictV1::Pass => palette.good,
                VerdictV1::Fail => palette.bad,
                VerdictV1::Warn | VerdictV1::Incomplete => palette.unsure,
                VerdictV1::NothingToTest | VerdictV1::NotChecked => palette.faint,
            };
            let _ = write!(self.out, "{name:<17}");
            self.styled(style, shown_verdict(*verdict));
            self.pad(16, shown_verdict(*verdict));
            self.out.push_str(&escape::line(reason));
            self.out.push('\n');
        }
    }

    fn matrix(&mut self, rows: &[Row]) {
        let mut widths = STAGES.map(str::len);
        for cell in
            rows.iter().flat_map(|row| &row.lines).flat_map(|line| line.cells.iter().enumerate())
        {
            if let Some(width) = widths.get_mut(cell.0) {
                *width = (*width).max(escape::line(&cell.1.word).chars().count());
            }
        }
        self.out.push_str("   ");
        for (stage, width) in STAGES.iter().zip(widths) {
            let _ = write!(self.out, " {stage:<width$} ");
        }
        trim_line(&mut self.out);
        for row in rows {
            let host = escape::line(&row.host);
            if row.lines.is_empty() {
                let _ = writeln!(
                    self.out,
                    "{:>3} {host}: no address that was looked at",
                    row.preference
                );
            }
            for line in &row.lines {
                let _ = write!(
                    self.out,
                    "{:>3} {host} [{}]",
                    row.preference,
                    escape::line(&line.address)
                );
                if let Some(tls) = &line.tls {
                    let faint = self.palette().faint;
                    self.styled(faint, &format!("  {}", escape::line(tls)));
                }
                self.out.push_str("\n   ");
                for (cell, width) in line.cells.iter().zip(widths) {
                    let palette = self.palette();
                    let style = match cell.state {
                        State::Good => palette.good,
                        State::NotReached => palette.faint,
                        State::Problem => palette.bad,
                    };
                    self.out.push(' ');
                    let word = escape::line(&cell.word);
                    self.styled(style, &word);
                    self.pad(width + 1, &word);
                }
                trim_line(&mut self.out);
                for reason in &line.reasons {
                    self.wrapped("      ", "        ", &escape::line(reason));
                }
            }
        }
    }

    fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        let shown: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|cell| escape::line(cell)).collect()).collect();
        let mut widths: Vec<usize> = head.iter().map(|title| title.len()).collect();
        for row in &shown {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let total: usize = widths.iter().map(|width| width + 2).sum();
        if total + 2 > self.layout.width {
            self.stacked(head, &shown);
            return;
        }
        let titles: Vec<String> = head.iter().map(|title| (*title).to_owned()).collect();
        for row in std::iter::once(&titles).chain(&shown) {
            self.out.push_str("  ");
            for (cell, width) in row.iter().zip(&widths) {
                let _ = write!(self.out, "{cell:<width$}  ");
            }
            trim_line(&mut self.out);
        }
    }

    /// A table too wide for the terminal: one line per cell.
    fn stacked(&mut self, head: &[&str], rows: &[Vec<String>]) {
        for row in rows {
            for (index, (title, cell)) in head.iter().zip(row).enumerate() {
                let lead = if index == 0 { "  " } else { "      " };
                let text = if index == 0 { cell.clone() } else { format!("{title}: {cell}") };
                self.wrapped(lead, "        ", &text);
            }
        }
    }

    fn finding(&mut self, finding: &FindingV1) {
        let palette = self.palette();
        let severity = shown_severity(finding);
        let style = match severity {
            "FAIL" => palette.bad,
            "info" => palette.faint,
            _ => palette.unsure,
        };
        self.out.push_str("  ");
        self.styled(style, severity);
        let subject = escape::line(&finding.subject);
        let title = format!(" {}: {} [{subject}]", finding.code, finding.title);
        self.styled(palette.strong, &format!("{}\n", escape::line(&title)));
        for paragraph in paragraphs(&finding.meaning) {
            self.wrapped("      ", "      ", &escape::line(&joined(&paragraph)));
        }
        for evidence in &finding.evidence {
            self.wrapped("      seen: ", "            ", &escape::line(evidence));
        }
        for (index, step) in finding.fix.iter().enumerate() {
            let lead = format!("      {}. ", index + 1);
            self.wrapped(&lead, "         ", &escape::line(&step.replace('`', "'")));
        }
        for never in &finding.never {
            self.wrapped("      never: ", "             ", &escape::line(&never.replace('`', "'")));
        }
        if let Some(also) = &finding.also {
            self.wrapped("      help is needed from: ", "        ", &escape::line(also));
        }
        let more = format!("more: waxseal guide {} ({})", finding.code, finding.guide);
        self.styled(palette.faint, &format!("      {}\n", escape::line(&more)));
    }

    /// Spaces that fill a column after this word; outside of its colour, so that they can be trimmed.
    fn pad(&mut self, width: usize, word: &str) {
        let used = word.chars().count();
        self.out.extend(std::iter::repeat_n(' ', width.saturating_sub(used)));
    }

    /// Text broken at spaces.
    fn wrapped(&mut self, first: &str, rest: &str, text: &str) {
        self.out.push_str(first);
        let mut used = first.chars().count();
        let mut at_start = true;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let length = word.chars().count();
            if !at_start && used + 1 + length > self.layout.width {
                self.out.push('\n');
                self.out.push_str(rest);
                used = rest.chars().count();
                at_start = true;
            }
            if !at_start {
                self.out.push(' ');
                used += 1;
            }
            self.out.push_str(word);
            used += length;
            at_start = false;
        }
        self.out.push('\n');
    }
}

/// A paragraph with its code parts in quotes.
fn joined(parts: &[(super::document::Part, &str)]) -> String {
    use super::document::Part;
    parts
        .iter()
        .map(|(part, text)| match part {
            Part::Code => format!("'{text}'"),
            Part::Plain => (*text).to_owned(),
        })
        .collect()
}

/// Ends a line without spaces at its end.
fn trim_line(out: &mut String) {
    out.truncate(out.trim_end_matches(' ').len());
    out.push('\n');
}
