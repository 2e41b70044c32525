//! Guide pages and findings as documents: the Markdown twin that agents read (RFC 7763 names its media
//! type) and the HTML fragment for people. It chooses no page layout and no style; terminals are served
//! by [`crate::terminal`]. The ways in are [`page_markdown`], [`page_html`], [`finding_markdown`] and
//! [`finding_html`]. Invariant: raw HTML in a text is shown as text, and every list of findings is made
//! from the catalogue.

use std::fmt::Write as _;

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, html};

use crate::catalogue::{Case, FindingText, finding, findings_of};
use crate::page::{Page, Section, page};
use crate::placeholder::fill_generic;

/// Where the guides are served.
const ROOT: &str = "/guides/";

/// Who reads a page. Agents get addresses, keywords and notes besides the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    Agent,
    Person,
}

/// The Markdown twin of a page, served at `/guides/NAME.md`.
pub fn page_markdown(page: &Page) -> String {
    page_document(page, Reader::Agent)
}

/// The page as an HTML fragment: headings carry their anchors, links lead to the pages for people.
pub fn page_html(page: &Page) -> String {
    to_html(&page_document(page, Reader::Person))
}

/// The text of the page as an HTML fragment, for a page that shows title, summary, contents and related
/// guides in its own way.
pub fn body_html(page: &Page) -> String {
    let mut out = format!("{}\n", page.intro);
    for section in &page.sections {
        out.push('\n');
        out.push_str(&section_document(page, section));
    }
    to_html(&out)
}

/// One line of a guide text as HTML without a paragraph around it.
pub fn inline_html(text: &str) -> String {
    let html = to_html(&fill_generic(text));
    let html = html.trim();
    let inner = html.strip_prefix("<p>").and_then(|html| html.strip_suffix("</p>"));
    inner.unwrap_or(html).to_owned()
}

/// The Markdown twin of a finding, served at `/guides/findings/CODE.md`. Placeholders are filled with
/// general words.
pub fn finding_markdown(finding: &FindingText) -> String {
    finding_document(finding, Reader::Agent)
}

/// The finding as an HTML fragment, with general words for the placeholders.
pub fn finding_html(finding: &FindingText) -> String {
    to_html(&finding_document(finding, Reader::Person))
}

/// The address of a finding for people: `/guides/findings/CODE`.
pub fn finding_address(finding: &FindingText) -> String {
    format!("{ROOT}findings/{}", finding.code)
}

/// The address of a page for people: `/guides/NAME`.
pub fn page_address(page: &Page) -> String {
    format!("{ROOT}{}", page.name)
}

pub(crate) fn page_document(page: &Page, reader: Reader) -> String {
    let mut out = format!("# {}\n\n{}\n\n", page.title, page.summary);
    if reader == Reader::Agent {
        let address = page_address(page);
        line(&mut out, &format!("- Address: {address} (Markdown: {address}.md)"));
    }
    line(&mut out, &format!("- Category: {}", page.category));
    line(&mut out, &format!("- Reading time: {} minutes", page.reading_minutes()));
    if reader == Reader::Agent {
        line(&mut out, &format!("- Keywords: {}", page.keywords.join(", ")));
        line(&mut out, "\n## Notes for agents {#agent-notes}\n");
        list(&mut out, &page.agent_notes);
    }
    if !page.intro.is_empty() {
        line(&mut out, &format!("\n{}", page.intro));
    }
    for section in &page.sections {
        out.push('\n');
        out.push_str(&section_document(page, section));
    }
    related(&mut out, page);
    out
}

/// One section with the findings that belong to it.
pub(crate) fn section_document(page: &Page, section: &Section) -> String {
    let marks = "#".repeat(usize::from(section.level));
    let mut out = format!("{marks} {} {{#{}}}\n", section.heading, section.anchor);
    if !section.body.is_empty() {
        line(&mut out, &format!("\n{}", section.body));
    }
    let mut found = findings_of(page.name, &section.anchor).peekable();
    if found.peek().is_some() {
        line(&mut out, "\nFindings explained here:\n");
    }
    for finding in found {
        let (title, code) = (&finding.title, finding.code);
        let severity = finding.worst().as_str();
        line(&mut out, &format!("- [{title}](findings/{code}.md) (`{code}`, {severity})"));
    }
    out
}

fn related(out: &mut String, of: &Page) {
    let pages: Vec<String> = of
        .related
        .iter()
        .filter_map(|name| page(name))
        .map(|other| format!("[{}]({}.md): {}", other.title, other.name, other.summary))
        .collect();
    if !pages.is_empty() {
        line(out, "\n## Related guides {#related-guides}\n");
        list(out, &pages);
    }
    if !of.resources.is_empty() {
        line(out, "\n## Related resources {#related-resources}\n");
        list(out, &of.resources);
    }
}

pub(crate) fn finding_document(finding: &FindingText, reader: Reader) -> String {
    let mut out = format!("# {}\n\n- Code: `{}`\n", finding.title, finding.code);
    if reader == Reader::Agent {
        let address = finding_address(finding);
        line(&mut out, &format!("- Address: {address} (Markdown: {address}.md)"));
    }
    let (name, anchor) = finding.guide_parts();
    let heading = page(name).and_then(|page| page.section(anchor)).map(|found| &found.heading);
    let heading = heading.map_or(finding.guide.as_str(), String::as_str);
    line(&mut out, &format!("- Guide: [{heading}](../{name}.md#{anchor})"));
    line(
        &mut out,
        &format!("\n## What it means {{#meaning}}\n\n{}", fill_generic(&finding.meaning)),
    );
    line(&mut out, "\n## Who must act {#owner}\n");
    for case in &finding.cases {
        line(&mut out, &format!("- {}", case_in_words(case)));
    }
    line(&mut out, "\n## Likely causes {#causes}\n");
    numbered(&mut out, &finding.causes);
    line(&mut out, "\n## What to do {#fix}\n");
    numbered(&mut out, &finding.fix);
    line(&mut out, "\n## Never {#never}\n");
    list(&mut out, &finding.never);
    look_alikes(&mut out, finding);
    line(&mut out, "\n## Sources {#sources}\n");
    list(&mut out, &finding.sources);
    out
}

fn look_alikes(out: &mut String, of: &FindingText) {
    if of.look_alikes.is_empty() {
        return;
    }
    line(out, "\n## Easily mistaken for {#look-alikes}\n");
    for code in &of.look_alikes {
        let title = finding(code).map_or(code.as_str(), |other| other.title.as_str());
        line(out, &format!("- [{title}](../findings/{code}.md) (`{code}`)"));
    }
}

/// Severity and owner of one case as a sentence.
fn case_in_words(case: &Case) -> String {
    let mut text = match case.when.as_str() {
        "any" => "In every case: ".to_owned(),
        "a" => "From the app to its delivery service: ".to_owned(),
        "b" => "From a mail server to the receiving server: ".to_owned(),
        other => format!("Case `{other}`: "),
    };
    let _ = write!(text, "{} (**{}**)", case.owner.in_words(), case.severity.as_str());
    if let Some(also) = case.also {
        let _ = write!(text, "; help may be needed from {}", also.in_words());
    }
    text.push('.');
    if case.not_tested {
        text.push_str(" TLS could not be tested, so this says nothing about encryption.");
    }
    text
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

fn list(out: &mut String, items: &[String]) {
    for item in items {
        line(out, &format!("- {}", fill_generic(item)));
    }
}

fn numbered(out: &mut String, items: &[String]) {
    for (number, item) in (1..).zip(items) {
        line(out, &format!("{number}. {}", fill_generic(item)));
    }
}

/// Markdown events with the extensions the pages use.
pub(crate) fn events(markdown: &str) -> Parser<'_> {
    Parser::new_ext(markdown, Options::ENABLE_HEADING_ATTRIBUTES | Options::ENABLE_TABLES)
}

fn to_html(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len() * 2);
    html::push_html(&mut out, events(markdown).map(for_people));
    out
}

/// Turns raw HTML into text and links to Markdown twins into links to the pages for people.
fn for_people(event: Event<'_>) -> Event<'_> {
    if let Event::Html(text) | Event::InlineHtml(text) = event {
        return Event::Text(text);
    }
    if let Event::Start(Tag::Link { link_type, dest_url, title, id }) = event {
        let dest_url =
            target(&dest_url).map_or(dest_url, |target| CowStr::from(format!("{ROOT}{target}")));
        return Event::Start(Tag::Link { link_type, dest_url, title, id });
    }
    event
}

/// `../page.md#anchor` as `page#anchor`; `None` for a link that leaves the guides.
pub(crate) fn target(link: &str) -> Option<String> {
    if link.contains("://") {
        return None;
    }
    let (path, anchor) =
        link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
    let path = path.trim_start_matches("../").strip_suffix(".md")?;
    Some(anchor.map_or_else(|| path.to_owned(), |anchor| format!("{path}#{anchor}")))
}
