//! A report as a part of a page of the site: the same blocks as everywhere, in the order of a page, with links
//! to the guides, certificate chains, and seals for the verdicts. What repeats itself is folded, never left
//! out. Like the other writers it judges nothing and escapes everything foreign.

mod certificates;
mod finding;
mod matrix;

use super::document::{
    Block, FINDINGS, MAIL_HOSTS, NOTES, blocks_without_commands, by_owner, place_and_duration,
    shown_verdict,
};
use super::html::list;
use crate::escape;
use jiff::Timestamp;
use std::fmt::Write as _;
use waxseal_check::report::wire::{FindingV1, ReportV1, VerdictV1};

/// From so many equal lines on, they are one line with its places.
const EQUAL_LINES_MIN: usize = 3;
const CERTIFICATES: &str = "Certificates";

/// A heading and what stands under it; what stands above all headings has none.
struct Section {
    title: String,
    html: String,
}

impl Section {
    /// What to do comes before the records in which it was seen.
    fn rank(&self) -> u8 {
        match self.title.as_str() {
            "" => 0,
            MAIL_HOSTS => 1,
            FINDINGS | NOTES => 2,
            CERTIFICATES => 3,
            _ => 4,
        }
    }

    /// An anchor made of the words of the heading.
    fn anchor(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        self.title.chars().map(plain).collect()
    }
}

/// The report without its head line.
pub(crate) fn report(report: &ReportV1) -> String {
    let mut sections = sections(report);
    let chains = certificates::chains(report);
    if !chains.is_empty() {
        sections.push(Section { title: CERTIFICATES.to_owned(), html: chains });
    }
    sections.sort_by_key(Section::rank);
    let mut out = String::new();
    for (index, section) in sections.iter().enumerate() {
        if index == 1 {
            contents(&mut out, &sections);
        }
        if !section.title.is_empty() {
            let title = escape::html(&section.title);
            let _ = writeln!(out, "<h2 id=\"{}\">{title}</h2>", section.anchor());
        }
        out.push_str(&section.html);
    }
    out
}

fn sections(report: &ReportV1) -> Vec<Section> {
    let mut sections = vec![Section { title: String::new(), html: String::new() }];
    let blocks = blocks_without_commands(report);
    let mut rest = blocks.as_slice();
    while let Some((block, after)) = rest.split_first() {
        rest = after;
        if let Block::Heading(title) = block {
            sections.push(Section { title: title.clone(), html: String::new() });
        } else if let Some(section) = sections.last_mut() {
            let anchor = section.anchor();
            rest = write_block(&mut section.html, (block, rest), &anchor);
        }
    }
    sections
}

/// Findings under the headings of who has to act.
pub(super) fn findings(findings: &[FindingV1]) -> String {
    let mut blocks = Vec::new();
    by_owner(&findings.iter().collect::<Vec<_>>(), &mut blocks);
    let mut out = String::new();
    let mut rest = blocks.as_slice();
    while let Some((block, after)) = rest.split_first() {
        rest = write_block(&mut out, (block, after), "");
    }
    out
}

/// The line above everything: when, from where, how long.
pub(crate) fn circumstances(report: &ReportV1) -> String {
    format!("checked {}{}", time(&report.checked_at), escape::html(&place_and_duration(report)))
}

/// A moment that a script shows in the viewer's zone; without one it is in UTC, and says so.
pub(crate) fn time(text: &str) -> String {
    match text.parse::<Timestamp>() {
        Ok(at) => {
            let words = at.strftime("%Y-%m-%d %H:%M:%S UTC");
            format!("<time datetime=\"{at}\">{words}</time>")
        }
        Err(_) => escape::html(text),
    }
}

/// Everything but headings; `anchor` is that of the heading above. Findings are written together with those
/// that follow: what comes after them is given back.
fn write_block<'a, 'b>(
    out: &mut String,
    (block, rest): (&Block<'a>, &'b [Block<'a>]),
    anchor: &str,
) -> &'b [Block<'a>] {
    match block {
        Block::Finding(first) => {
            let run = finding::run(first, rest);
            finding::folded(out, &run);
            return rest.get(run.len() - 1..).unwrap_or_default();
        }
        Block::Items(items) => self::items(out, items),
        Block::Matrix(rows) => matrix::write(out, rows, anchor),
        Block::Note(text) => {
            let _ = writeln!(out, "<p>{}</p>", escape::html(text));
        }
        Block::OwnerHeading(text) => {
            let _ = writeln!(out, "<h3>{}</h3>", escape::html(text));
        }
        Block::Table { head, rows } if head.len() == 2 => facts(out, rows),
        Block::Table { head, rows } => table(out, head, rows, anchor),
        Block::Verdicts(all) => verdicts(out, all),
        Block::Heading(_) => {}
    }
    rest
}

/// Where what stands in a long report.
fn contents(out: &mut String, sections: &[Section]) {
    out.push_str("<nav class=\"jump\" aria-label=\"In this report\"><ul>\n");
    for section in sections.iter().filter(|section| !section.title.is_empty()) {
        let title = escape::html(&section.title);
        let _ = writeln!(out, "<li><a href=\"#{}\">{title}</a></li>", section.anchor());
    }
    out.push_str("</ul></nav>\n");
}

/// Lines; those that say the same of many addresses are one line with its places.
fn items(out: &mut String, lines: &[String]) {
    let parts = |line: &String| -> (String, String) {
        match line.split_once(": ") {
            Some((place, text)) if place.ends_with(']') => (place.to_owned(), text.to_owned()),
            Some(_) | None => (String::new(), line.clone()),
        }
    };
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for (place, text) in lines.iter().map(parts) {
        match groups.iter_mut().find(|(other, places)| !places.is_empty() && *other == text) {
            Some((_, places)) if !place.is_empty() => places.push(place),
            Some(_) | None => {
                groups.push((text, if place.is_empty() { Vec::new() } else { vec![place] }));
            }
        }
    }
    let shown = groups.iter().flat_map(|(text, places)| {
        if places.len() >= EQUAL_LINES_MIN {
            let text = escape::html(text);
            return vec![format!(
                "{text}{}",
                folded(&format!("{} addresses", places.len()), places)
            )];
        }
        let with_place = |place: &String| escape::html(&format!("{place}: {text}"));
        if places.is_empty() {
            vec![escape::html(text)]
        } else {
            places.iter().map(with_place).collect()
        }
    });
    list(out, "ul", shown.collect::<Vec<_>>().into_iter());
}

/// Lines behind a summary that opens them.
fn folded(summary: &str, lines: &[String]) -> String {
    let mut out = format!("<details class=\"more\"><summary>{}</summary>\n", escape::html(summary));
    list(&mut out, "ul", lines.iter().map(|line| escape::html(line)));
    out.push_str("</details>");
    out
}

/// Names and values.
fn facts(out: &mut String, rows: &[Vec<String>]) {
    out.push_str("<dl class=\"facts\">\n");
    for row in rows {
        if let [name, value] = row.as_slice() {
            let (name, value) = (escape::html(name), escape::html(value));
            let _ = writeln!(out, "<div><dt>{name}</dt><dd>{value}</dd></div>");
        }
    }
    out.push_str("</dl>\n");
}

/// A table whose first cell names the row; rows that differ in nothing else share one.
fn table(out: &mut String, head: &[&str], rows: &[Vec<String>], anchor: &str) {
    let _ = write!(
        out,
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-labelledby=\"{anchor}\"><table><thead><tr>"
    );
    for title in head {
        let _ = write!(out, "<th scope=\"col\">{}</th>", escape::html(title));
    }
    out.push_str("</tr></thead><tbody>\n");
    let mut merged: Vec<(Vec<&str>, &[String])> = Vec::new();
    for row in rows {
        let Some((name, cells)) = row.split_first() else { continue };
        match merged.iter_mut().find(|(_, other)| *other == cells) {
            Some((names, _)) => names.push(name),
            None => merged.push((vec![name], cells)),
        }
    }
    for (names, cells) in merged {
        let names: Vec<String> = names.into_iter().map(escape::html).collect();
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", names.join("<br>"));
        for cell in cells {
            let _ = write!(out, "<td>{}</td>", escape::html(cell));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
}

fn verdicts(out: &mut String, verdicts: &[(&'static str, VerdictV1, String)]) {
    out.push_str("<ul class=\"verdicts\">\n");
    for (name, verdict, reason) in verdicts {
        let class = match verdict {
            VerdictV1::Pass => "is-good",
            VerdictV1::Fail => "is-bad",
            VerdictV1::Warn => "is-weak",
            VerdictV1::Incomplete => "is-open",
            VerdictV1::NothingToTest | VerdictV1::NotChecked => "is-quiet",
        };
        let _ = writeln!(
            out,
            "<li class=\"{class}\">{}<div><h2>{}</h2><p class=\"word\">{}</p><p>{}</p></div></li>",
            seal(*verdict),
            escape::html(name),
            shown_verdict(*verdict),
            escape::html(reason)
        );
    }
    out.push_str("</ul>\n");
}

/// A seal whose shape alone tells the verdict: whole, cracked, broken, or an empty ring.
pub(super) const fn seal(verdict: VerdictV1) -> &'static str {
    match verdict {
        VerdictV1::Pass => {
            "<svg class=\"seal\" viewBox=\"0 0 48 48\" aria-hidden=\"true\"><circle cx=\"24\" cy=\"24\" r=\"21\"/><path d=\"m15 25 6 6 12-14\"/></svg>"
        }
        VerdictV1::Fail => {
            "<svg class=\"seal\" viewBox=\"0 0 48 48\" aria-hidden=\"true\"><path class=\"wax\" d=\"M21 3.200A21 21 0 0 0 19 44.400l5-9-6-7 7-7-5-8Z\"/><path class=\"wax\" d=\"M27 3.200A21 21 0 0 1 27.500 44.700l4-8-6-8 7-7-6-9Z\"/></svg>"
        }
        VerdictV1::Warn => {
            "<svg class=\"seal\" viewBox=\"0 0 48 48\" aria-hidden=\"true\"><circle cx=\"24\" cy=\"24\" r=\"21\"/><path d=\"m27 4-5 12 6 6-7 8 4 5\"/></svg>"
        }
        VerdictV1::Incomplete => {
            "<svg class=\"seal\" viewBox=\"0 0 48 48\" aria-hidden=\"true\"><circle class=\"ring\" cx=\"24\" cy=\"24\" r=\"20\"/><path d=\"M18.500 19a5.500 5.500 0 1 1 8 5c-2 1-2.500 2-2.500 4m0 5v.5\"/></svg>"
        }
        VerdictV1::NothingToTest | VerdictV1::NotChecked => {
            "<svg class=\"seal\" viewBox=\"0 0 48 48\" aria-hidden=\"true\"><circle class=\"ring\" cx=\"24\" cy=\"24\" r=\"20\"/><path d=\"M17 24h14\"/></svg>"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(lines: &[&str]) -> String {
        let mut out = String::new();
        items(&mut out, &lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>());
        out
    }

    #[test]
    fn lines_that_say_the_same_of_many_addresses_are_one() {
        let folded = shown(&["a [1]: sealed", "b [2]: sealed", "c [3]: sealed", "d [4]: open"]);
        assert_eq!(folded.matches("sealed").count(), 1, "{folded}");
        for part in
            ["<summary>3 addresses</summary>", "<li>a [1]</li>", "<li>c [3]</li>", "d [4]: open"]
        {
            assert!(folded.contains(part), "{part}: {folded}");
        }
        let two = shown(&["a [1]: sealed", "b [2]: sealed"]);
        assert!(two.contains("<li>a [1]: sealed</li>") && !two.contains("<details"), "{two}");
        let areas = shown(&["dane: not yet", "spf: not yet", "ptr: not yet"]);
        assert!(areas.contains("<li>spf: not yet</li>") && !areas.contains("<details"), "{areas}");
    }

    #[test]
    fn a_row_is_shared_only_by_rows_that_say_the_same() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let mut out = String::new();
        let rows = [row(["a", "yes", "no"]), row(["<b>", "yes", "no"]), row(["c", "yes", "yes"])];
        table(&mut out, &["host", "x", "y"], &rows, "here");
        assert!(
            out.contains("<th scope=\"row\">a<br>&lt;b&gt;</th><td>yes</td><td>no</td>"),
            "{out}"
        );
        assert_eq!(out.matches("<tr>").count(), 3, "{out}");
    }

    #[test]
    fn a_time_is_an_element_and_anything_else_is_escaped() {
        assert_eq!(
            time("2026-11-24T03:29:23.5Z"),
            "<time datetime=\"2026-11-24T03:29:23.5Z\">2026-11-24 03:29:23 UTC</time>"
        );
        assert_eq!(time("<soon>"), "&lt;soon&gt;");
    }
}
