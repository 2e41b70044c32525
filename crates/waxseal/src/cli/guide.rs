//! `waxseal guide [PAGE[#SECTION] | CODE]`: the words of the guides, in a terminal, as Markdown or as HTML.
//! Without an argument it lists the pages.

use super::error::CliError;
use super::exit::Exit;
use super::output;
use clap::{Args, ValueEnum};
use std::fmt::Write as _;
use waxseal_app::near;
use waxseal_guides::{
    FindingText, Page, finding, findings, findings_of, markdown, page, pages, terminal,
};

/// `waxseal guide`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    waxseal guide\n  \
    waxseal guide tls\n  \
    waxseal guide tls#certificate\n  \
    waxseal guide cert-expired\n  \
    waxseal guide tls --format markdown")]
pub(crate) struct Guide {
    /// A page, PAGE#SECTION, or the code of a finding
    #[arg(value_name = "PAGE[#SECTION]|CODE")]
    name: Option<String>,
    /// Shape of the text
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

/// The shape of a guide text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// An HTML fragment
    Html,
    /// Markdown, with notes for agents
    Markdown,
    /// Text for a terminal
    #[default]
    Text,
}

pub(super) fn run(guide: &Guide) -> Result<Exit, CliError> {
    let text = match guide.name.as_deref() {
        None => list(),
        Some(name) => document(name, guide.format)?,
    };
    output::data(&text)?;
    Ok(Exit::Good)
}

fn list() -> String {
    let mut out = String::new();
    for page in pages() {
        let _ =
            writeln!(out, "{}  ({} min)\n    {}", page.name, page.reading_minutes(), page.title);
        for section in &page.sections {
            let _ = writeln!(out, "      {}#{}", page.name, section.anchor);
        }
    }
    out.push_str(
        "\nRead one: waxseal guide PAGE, waxseal guide PAGE#SECTION, waxseal guide CODE\n",
    );
    out
}

fn document(name: &str, shape: Shape) -> Result<String, CliError> {
    if let Some(found) = finding(name) {
        return Ok(finding_document(found, shape));
    }
    let (page_name, anchor) = name.split_once('#').map_or((name, None), |(p, a)| (p, Some(a)));
    let Some(found) = page(page_name) else {
        let known: Vec<&str> = pages().iter().map(|page| page.name).collect();
        let codes = findings().iter().map(|finding| finding.code);
        let near = near::near(page_name, known.iter().copied().chain(codes));
        let hint = if near.is_empty() {
            format!("pages: {}", known.join(", "))
        } else {
            format!("near names: {}", near.join(", "))
        };
        return Err(
            CliError::usage(format!("no guide page or finding is called {name:?}")).hint(hint)
        );
    };
    match (anchor, shape) {
        (None, _) => Ok(page_document(found, shape)),
        (Some(anchor), Shape::Text) => terminal::section_text(found, anchor, output::width())
            .map(|text| with_findings(text, page_name, anchor))
            .ok_or_else(|| no_section(found, anchor)),
        (Some(anchor), Shape::Html | Shape::Markdown) => {
            if found.section(anchor).is_none() {
                return Err(no_section(found, anchor));
            }
            Err(CliError::usage("--format goes with a whole page or a finding")
                .hint(format!("waxseal guide {page_name}")))
        }
    }
}

/// A section names the findings it explains.
fn with_findings(mut text: String, page: &str, anchor: &str) -> String {
    let codes: Vec<&str> = findings_of(page, anchor).map(|finding| finding.code).collect();
    if !codes.is_empty() {
        let _ = writeln!(text, "\nFindings explained here: {}", codes.join(", "));
    }
    text
}

fn no_section(page: &Page, anchor: &str) -> CliError {
    let known: Vec<&str> = page.sections.iter().map(|section| section.anchor.as_str()).collect();
    CliError::usage(format!("page {} has no section {anchor:?}", page.name))
        .hint(format!("sections: {}", known.join(", ")))
}

fn page_document(page: &Page, shape: Shape) -> String {
    match shape {
        Shape::Html => markdown::page_html(page),
        Shape::Markdown => markdown::page_markdown(page),
        Shape::Text => terminal::page_text(page, output::width()),
    }
}

fn finding_document(finding: &FindingText, shape: Shape) -> String {
    match shape {
        Shape::Html => markdown::finding_html(finding),
        Shape::Markdown => markdown::finding_markdown(finding),
        Shape::Text => terminal::finding_text(finding, output::width()),
    }
}
