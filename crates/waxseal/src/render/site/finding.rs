//! A finding on a page of the site. The first of a code is shown in full; the same finding at further places
//! is folded behind it, because its words differ in the names of hosts only.

use super::super::document::{Block, owner_words, shown_severity};
use super::super::html::{prose, titled_list};
use super::folded as folded_lines;
use crate::escape;
use std::fmt::Write as _;
use waxseal_check::report::wire::FindingV1;

/// Lines of evidence that are shown at once.
const EVIDENCE_SHOWN: usize = 6;

/// `first` and the findings that follow it without anything in between.
pub(super) fn run<'a>(first: &'a FindingV1, after: &[Block<'a>]) -> Vec<&'a FindingV1> {
    let following = after.iter().map_while(|block| {
        let Block::Finding(finding) = block else { return None };
        Some(*finding)
    });
    std::iter::once(first).chain(following).collect()
}

/// Findings of one owner, those of one code together.
pub(super) fn folded(out: &mut String, findings: &[&FindingV1]) {
    let mut codes: Vec<&str> = Vec::new();
    for finding in findings {
        if !codes.contains(&finding.code.as_str()) {
            codes.push(&finding.code);
        }
    }
    for code in codes {
        let mut same = findings.iter().filter(|finding| finding.code == code);
        let Some(first) = same.next() else { continue };
        write(out, first);
        let further: Vec<&&FindingV1> = same.collect();
        if further.is_empty() {
            continue;
        }
        let places: Vec<String> =
            further.iter().map(|finding| escape::html(&finding.subject)).collect();
        let _ = writeln!(
            out,
            "<details class=\"same\"><summary>The same at {}: {}</summary>",
            if further.len() == 1 {
                "another place".to_owned()
            } else {
                format!("{} more places", further.len())
            },
            places.join(", ")
        );
        for finding in further {
            write(out, finding);
        }
        out.push_str("</details>\n");
    }
}

/// One finding. A note is folded to its title: nobody has to act on it.
fn write(out: &mut String, finding: &FindingV1) {
    let severity = shown_severity(finding);
    let class = match severity {
        "FAIL" => "is-bad",
        "info" => "is-quiet",
        "NOT TESTED" => "is-open",
        _ => "is-weak",
    };
    let (before_title, after_title, end) = if severity == "info" {
        ("<details><summary>", "</summary>", "</details>\n")
    } else {
        ("", "", "")
    };
    let _ = writeln!(
        out,
        "<article class=\"finding {class}\">\n{before_title}<h4><span class=\"stamp\">{severity}</span> {}</h4>{after_title}",
        escape::html(&finding.title)
    );
    let _ = writeln!(
        out,
        "<p class=\"faint\">{} · <a href=\"{}\"><code>{}</code></a></p>\n<div class=\"sides\">\n<div>",
        escape::html(&finding.subject),
        escape::html(&finding.page),
        escape::html(&finding.code)
    );
    words(out, finding);
    out.push_str("</div>\n</div>\n");
    last_line(out, finding);
    let _ = writeln!(out, "{end}</article>");
}

/// What it means and what to do; beside it what was seen and what never to do.
fn words(out: &mut String, finding: &FindingV1) {
    for paragraph in finding.meaning.split("\n\n") {
        let _ = writeln!(out, "<p>{}</p>", prose(paragraph));
    }
    let words = |item: &String| prose(item);
    titled_list(out, ("Fix", "ol"), finding.fix.iter().map(words));
    if let Some(also) = &finding.also {
        let _ = writeln!(out, "<p>Help is needed from {}</p>", escape::html(&owner_words(also)));
    }
    out.push_str("</div>\n<div>\n");
    evidence(out, &finding.evidence);
    titled_list(out, ("Never", "ul"), finding.never.iter().map(words));
}

fn last_line(out: &mut String, finding: &FindingV1) {
    let sources: Vec<String> = finding.sources.iter().map(|text| escape::html(text)).collect();
    let _ = writeln!(
        out,
        "<p class=\"faint\"><a href=\"/guides/{}\">Guide: {}</a> · <a href=\"{}\">About {}</a> · Sources: {}</p>",
        escape::html(&finding.guide),
        escape::html(&section_words(&finding.guide)),
        escape::html(&finding.page),
        escape::html(&finding.code),
        sources.join("; ")
    );
}

fn evidence(out: &mut String, lines: &[String]) {
    let (shown, further) = lines.split_at(lines.len().min(EVIDENCE_SHOWN));
    titled_list(out, ("Seen", "ul"), shown.iter().map(|line| escape::html(line)));
    if !further.is_empty() {
        out.push_str(&folded_lines(&format!("{} more lines", further.len()), further));
        out.push('\n');
    }
}

/// The heading of a section of the guides, for a reader who has not seen its address.
fn section_words(guide: &str) -> String {
    let (name, anchor) = guide.split_once('#').unwrap_or((guide, ""));
    let Some(page) = waxseal_guides::page(name) else { return guide.to_owned() };
    page.section(anchor).map_or_else(|| page.title.clone(), |section| section.heading.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guide_is_named_by_its_heading() {
        let page = waxseal_guides::page("tls").unwrap();
        assert_eq!(section_words("tls"), page.title);
        assert_eq!(section_words("tls#certificate"), page.section("certificate").unwrap().heading);
        assert_eq!(section_words("gone#x"), "gone#x");
    }
}
