//! Reports as one self-contained page: no script, no outside request, light and dark, printable. Everything
//! foreign passes [`escape::html`]; the page forbids the browser to load anything.

use super::document::{
    Block, Part, blocks, circumstances, paragraphs, shown_severity, shown_verdict,
};
use super::matrix::{Row, STAGES, State};
use crate::escape;
use std::fmt::Write as _;
use waxseal_check::report::wire::{FindingV1, ReportV1, VerdictV1};

const STYLE: &str = include_str!("page.css");

/// One page for one or several reports.
pub(super) fn page(reports: &[ReportV1]) -> String {
    let names: Vec<String> = reports.iter().map(|report| escape::html(&report.target)).collect();
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Waxseal report: {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n",
        names.join(", ")
    );
    for report in reports {
        self::report(&mut out, report);
    }
    out.push_str("</body>\n</html>\n");
    out
}

fn report(out: &mut String, report: &ReportV1) {
    let _ = writeln!(out, "<main>\n<h1>{}</h1>", escape::html(&report.target));
    let _ = writeln!(out, "<p class=\"faint\">{}</p>", escape::html(&circumstances(report)));
    if report.simulated {
        out.push_str("<p class=\"unsure\"><strong>Simulated</strong>: a part of the world of this check was replaced.</p>\n");
    }
    for block in blocks(report) {
        self::block(out, &block);
    }
    out.push_str("</main>\n");
}

fn block(out: &mut String, block: &Block<'_>) {
    match block {
        Block::Finding(finding) => self::finding(out, finding),
        Block::Heading(text) => {
            let _ = writeln!(out, "<h2>{}</h2>", escape::html(text));
        }
        Block::Items(items) => list(out, "ul", items.iter().map(|item| escape::html(item))),
        Block::Matrix(rows) => matrix(out, rows),
        Block::Note(text) => {
            let _ = writeln!(out, "<p>{}</p>", escape::html(text));
        }
        Block::OwnerHeading(text) => {
            let _ = writeln!(out, "<h3>{}</h3>", escape::html(text));
        }
        Block::Table { head, rows } => {
            head_of_table(out, head);
            for row in rows {
                out.push_str("<tr>");
                for cell in row {
                    let _ = write!(out, "<td>{}</td>", escape::html(cell));
                }
                out.push_str("</tr>\n");
            }
            out.push_str("</tbody></table></div>\n");
        }
        Block::Verdicts(verdicts) => {
            out.push_str("<dl>\n");
            for (name, verdict, reason) in verdicts {
                let class = match verdict {
                    VerdictV1::Pass => "good",
                    VerdictV1::Fail => "bad",
                    VerdictV1::Warn | VerdictV1::Incomplete => "unsure",
                    VerdictV1::NothingToTest | VerdictV1::NotChecked => "faint",
                };
                let _ = writeln!(
                    out,
                    "<dt>{}</dt><dd><strong class=\"{class}\">{}</strong> {}</dd>",
                    escape::html(name),
                    shown_verdict(*verdict),
                    escape::html(reason)
                );
            }
            out.push_str("</dl>\n");
        }
    }
}

fn head_of_table(out: &mut String, head: &[&str]) {
    out.push_str("<div class=\"wide\" tabindex=\"0\"><table><thead><tr>");
    for title in head {
        let _ = write!(out, "<th scope=\"col\">{}</th>", escape::html(title));
    }
    out.push_str("</tr></thead><tbody>\n");
}

/// A list of items that are HTML already.
pub(super) fn list(out: &mut String, tag: &str, items: impl Iterator<Item = String>) {
    let _ = writeln!(out, "<{tag}>");
    for item in items {
        let _ = writeln!(out, "<li>{item}</li>");
    }
    let _ = writeln!(out, "</{tag}>");
}

pub(super) fn titled_list(
    out: &mut String,
    (title, tag): (&str, &str),
    items: impl ExactSizeIterator<Item = String>,
) {
    if items.len() > 0 {
        let _ = writeln!(out, "<h5>{title}</h5>");
        list(out, tag, items);
    }
}

fn matrix(out: &mut String, rows: &[Row]) {
    let mut head = vec!["mail host"];
    head.extend(STAGES);
    head_of_table(out, &head);
    for row in rows {
        let name = format!("{} {}", row.preference, row.host);
        if row.lines.is_empty() {
            let _ = writeln!(
                out,
                "<tr><th scope=\"row\">{}</th><td colspan=\"{}\">no address that was looked at</td></tr>",
                escape::html(&name),
                STAGES.len()
            );
        }
        for line in &row.lines {
            let _ = write!(
                out,
                "<tr><th scope=\"row\">{} <span class=\"faint\">[{}]</span>",
                escape::html(&name),
                escape::html(&line.address)
            );
            for reason in line.tls.iter().chain(&line.reasons) {
                let _ = write!(out, "<br><small>{}</small>", escape::html(reason));
            }
            out.push_str("</th>");
            for cell in &line.cells {
                let class = match cell.state {
                    State::Good => "good",
                    State::NotReached => "faint",
                    State::Problem => "bad",
                };
                let _ = write!(out, "<td class=\"{class}\">{}</td>", escape::html(&cell.word));
            }
            out.push_str("</tr>\n");
        }
    }
    out.push_str("</tbody></table></div>\n");
}

fn finding(out: &mut String, finding: &FindingV1) {
    let severity = shown_severity(finding);
    let class = match severity {
        "FAIL" => "bad",
        "info" => "faint",
        _ => "unsure",
    };
    let _ = writeln!(
        out,
        "<article>\n<h4><span class=\"{class}\">{severity}</span> {} <code>{}</code></h4>",
        escape::html(&finding.title),
        escape::html(&finding.code)
    );
    let _ = writeln!(out, "<p class=\"faint\">{}</p>", escape::html(&finding.subject));
    for paragraph in finding.meaning.split("\n\n") {
        let _ = writeln!(out, "<p>{}</p>", prose(paragraph));
    }
    let plain = |item: &String| escape::html(item);
    let prose = |item: &String| prose(item);
    titled_list(out, ("Seen", "ul"), finding.evidence.iter().map(plain));
    titled_list(out, ("Fix", "ol"), finding.fix.iter().map(prose));
    titled_list(out, ("Never", "ul"), finding.never.iter().map(prose));
    if let Some(also) = &finding.also {
        let _ = writeln!(out, "<p>Help is needed from: {}</p>", escape::html(also));
    }
    let sources: Vec<String> = finding.sources.iter().map(|text| escape::html(text)).collect();
    let _ = writeln!(
        out,
        "<p class=\"faint\">More: <code>waxseal guide {}</code>, {}. Sources: {}</p>\n</article>",
        escape::html(&finding.code),
        escape::html(&finding.guide),
        sources.join("; ")
    );
}

pub(super) fn prose(text: &str) -> String {
    let mut out = String::new();
    for (part, text) in paragraphs(text).iter().flatten() {
        match part {
            Part::Code => {
                let _ = write!(out, "<code>{}</code>", escape::html(text));
            }
            Part::Plain => out.push_str(&escape::html(text)),
        }
    }
    out
}
