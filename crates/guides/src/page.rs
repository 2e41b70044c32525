//! A guide page: front matter (title, summary, category, keywords, related pages, agent notes) and
//! sections, each under a heading written `## Heading {#anchor}`. It holds no rendering.
//! The ways in are [`pages`], [`page`] and [`Page::section`]. Invariant: every heading has an anchor that
//! no other heading of the page has, because findings and tools link to it.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::files::PAGE_FILES;
use crate::front_matter::{self, FileError, Problem};

/// Reading speed of a person who is not an expert in the matter, in words a minute.
const WORDS_PER_MINUTE: usize = 200;

/// One guide page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The name in addresses: `/guides/NAME` and `/guides/NAME.md`.
    pub name: &'static str,
    /// Its title.
    pub title: String,
    /// One sentence on what the page explains.
    pub summary: String,
    /// The shelf it stands on.
    pub category: String,
    /// Words a reader may search for.
    pub keywords: Vec<String>,
    /// Names of other pages.
    pub related: Vec<String>,
    /// Documents outside the guides, such as RFCs.
    pub resources: Vec<String>,
    /// What an agent must keep in mind when it uses the page.
    pub agent_notes: Vec<String>,
    /// The text before the first heading.
    pub intro: String,
    /// The sections in order, subsections included.
    pub sections: Vec<Section>,
}

/// One section of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The anchor, unique within the page.
    pub anchor: String,
    /// The heading without its marks.
    pub heading: String,
    /// The level of the heading: 2, or 3 for a subsection.
    pub level: u8,
    /// Its own text in Markdown, without that of its subsections.
    pub body: String,
}

impl Page {
    /// The section with this anchor.
    pub fn section(&self, anchor: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.anchor == anchor)
    }

    /// The section with this anchor and the subsections under it; empty if there is no such anchor.
    pub fn section_with_parts(&self, anchor: &str) -> Vec<&Section> {
        let mut found =
            self.sections.iter().skip_while(|section| section.anchor != anchor).peekable();
        let Some(level) = found.peek().map(|section| section.level) else { return Vec::new() };
        let first = found.next();
        first.into_iter().chain(found.take_while(|section| section.level > level)).collect()
    }

    /// Number of words a person reads: text and headings, without the lists of findings.
    pub fn words(&self) -> usize {
        let of_sections = self
            .sections
            .iter()
            .map(|section| words(&section.heading) + words(&section.body))
            .sum::<usize>();
        words(&self.intro) + of_sections
    }

    /// Reading time in minutes at 200 words a minute, rounded up.
    pub fn reading_minutes(&self) -> usize {
        self.words().div_ceil(WORDS_PER_MINUTE)
    }
}

/// Words are runs between spaces that hold a letter or digit, so list marks do not count.
fn words(text: &str) -> usize {
    text.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontMatter {
    title: String,
    summary: String,
    category: String,
    keywords: Vec<String>,
    related: Vec<String>,
    #[serde(default)]
    resources: Vec<String>,
    agent_notes: Vec<String>,
}

struct Pages {
    pages: Vec<Page>,
    problems: Vec<FileError>,
}

static PAGES: LazyLock<Pages> = LazyLock::new(|| {
    let mut pages = Pages { pages: Vec::new(), problems: Vec::new() };
    for &(name, text) in PAGE_FILES {
        match parse(name, text) {
            Ok(page) => pages.pages.push(page),
            Err(problem) => pages.problems.push(FileError { file: name, problem }),
        }
    }
    pages
});

/// All pages, the main one first.
pub fn pages() -> &'static [Page] {
    &PAGES.pages
}

/// The page with this name.
pub fn page(name: &str) -> Option<&'static Page> {
    pages().iter().find(|page| page.name == name)
}

pub(crate) fn problems() -> &'static [FileError] {
    &PAGES.problems
}

/// Reads one page.
///
/// # Errors
/// The first thing that is wrong with the file.
pub(crate) fn parse(name: &'static str, text: &str) -> Result<Page, Problem> {
    let (front, body) = front_matter::split(text)?;
    let front: FrontMatter =
        toml::from_str(front).map_err(|error| Problem::FrontMatter(error.message().to_owned()))?;
    let (intro, sections) = sections(body)?;
    Ok(Page {
        name,
        title: front.title,
        summary: front.summary,
        category: front.category,
        keywords: front.keywords,
        related: front.related,
        resources: front.resources,
        agent_notes: front.agent_notes,
        intro,
        sections,
    })
}

fn sections(body: &str) -> Result<(String, Vec<Section>), Problem> {
    let mut intro = String::new();
    let mut sections: Vec<Section> = Vec::new();
    for line in body.lines() {
        if line.starts_with('#') {
            let section = heading(line).ok_or_else(|| Problem::Anchor(line.to_owned()))?;
            if sections.iter().any(|other| other.anchor == section.anchor) {
                return Err(Problem::Anchor(line.to_owned()));
            }
            sections.push(section);
        } else {
            let text = sections.last_mut().map_or(&mut intro, |section| &mut section.body);
            text.push_str(line);
            text.push('\n');
        }
    }
    for section in &mut sections {
        section.body = section.body.trim().to_owned();
    }
    Ok((intro.trim().to_owned(), sections))
}

/// `## Heading {#anchor}` or `### Heading {#anchor}`.
fn heading(line: &str) -> Option<Section> {
    let (level, rest) = line
        .strip_prefix("## ")
        .map(|rest| (2, rest))
        .or_else(|| line.strip_prefix("### ").map(|rest| (3, rest)))?;
    let (heading, anchor) = rest.trim_end().strip_suffix('}')?.split_once(" {#")?;
    let well_formed = !anchor.is_empty()
        && anchor
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    well_formed.then(|| Section {
        anchor: anchor.to_owned(),
        heading: heading.trim().to_owned(),
        level,
        body: String::new(),
    })
}
