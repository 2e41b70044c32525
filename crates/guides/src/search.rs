//! Finds pages, sections and findings by words. Every word of a query must occur somewhere in the text of a
//! hit; hits in codes, titles and keywords come before hits in texts. There is no index: the guides are a
//! few hundred kilobytes. The way in is [`search`].

use crate::catalogue::{FindingText, findings};
use crate::markdown::{finding_address, page_address};
use crate::page::{Page, Section, pages};
use crate::placeholder::fill_generic;

/// Words of a query beyond this many are not looked at.
pub const QUERY_WORDS_MAX: usize = 8;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// What it is.
    pub kind: HitKind,
    /// Its title.
    pub title: String,
    /// What stands there, in one line.
    pub summary: String,
    /// Its address for people, with the anchor of a section.
    pub address: String,
    weight: u32,
}

/// What a hit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HitKind {
    /// The page of a finding.
    Finding,
    /// A guide page.
    Page,
    /// A section of a guide page.
    Section,
}

impl HitKind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Finding => "finding",
            Self::Page => "guide",
            Self::Section => "section",
        }
    }
}

/// What the guides have on these words, the best first. A query without a word finds nothing.
pub fn search(query: &str) -> Vec<Hit> {
    let query = query.to_lowercase();
    let words: Vec<&str> = query
        .split(|c: char| !c.is_alphanumeric() && c != '-')
        .filter(|word| !word.is_empty())
        .take(QUERY_WORDS_MAX)
        .collect();
    if words.is_empty() {
        return Vec::new();
    }
    let mut hits: Vec<Hit> = Vec::new();
    for page in pages() {
        hits.extend(page_hit(page, &words));
        let of_sections = page.sections.iter();
        hits.extend(of_sections.filter_map(|section| section_hit(page, section, &words)));
    }
    hits.extend(findings().iter().filter_map(|finding| finding_hit(finding, &words)));
    hits.sort_by(|one, other| {
        other.weight.cmp(&one.weight).then_with(|| one.address.cmp(&other.address))
    });
    hits
}

/// The sum over all words of the weight of the best field that holds each; `None` if one is in none.
fn weight(words: &[&str], fields: &[(u32, String)]) -> Option<u32> {
    words
        .iter()
        .map(|word| {
            let holding = fields.iter().filter(|(_, text)| text.contains(word));
            holding.map(|(weight, _)| *weight).max()
        })
        .sum()
}

fn page_hit(page: &Page, words: &[&str]) -> Option<Hit> {
    let fields = [
        (10, page.title.to_lowercase()),
        (8, page.keywords.join(" ").to_lowercase()),
        (4, page.summary.to_lowercase()),
        (2, page.intro.to_lowercase()),
    ];
    Some(Hit {
        kind: HitKind::Page,
        title: page.title.clone(),
        summary: page.summary.clone(),
        address: page_address(page),
        weight: weight(words, &fields)?,
    })
}

fn section_hit(page: &Page, section: &Section, words: &[&str]) -> Option<Hit> {
    let fields = [(9, section.heading.to_lowercase()), (1, section.body.to_lowercase())];
    Some(Hit {
        kind: HitKind::Section,
        title: section.heading.clone(),
        summary: page.title.clone(),
        address: format!("{}#{}", page_address(page), section.anchor),
        weight: weight(words, &fields)?,
    })
}

fn finding_hit(finding: &FindingText, words: &[&str]) -> Option<Hit> {
    let fields = [
        (12, finding.code.to_owned()),
        (7, finding.title.to_lowercase()),
        (2, finding.meaning.to_lowercase()),
        (1, finding.causes.join(" ").to_lowercase()),
    ];
    Some(Hit {
        kind: HitKind::Finding,
        title: fill_generic(&finding.title),
        summary: finding.code.to_owned(),
        address: finding_address(finding),
        weight: weight(words, &fields)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_comes_first() {
        for (query, address) in [
            ("cert-expired", "/guides/findings/cert-expired"),
            ("custom SMTP", "/guides/setup-custom-smtp"),
            ("Reverse DNS", "/guides/dns-and-reverse-dns"),
        ] {
            let hits = search(query);
            assert_eq!(hits.first().map(|hit| hit.address.as_str()), Some(address), "{query}");
        }
    }

    #[test]
    fn every_word_must_occur() {
        assert!(search("certificate zebra").is_empty());
        assert!(search("").is_empty() && search(" -- ! ").iter().all(|hit| hit.weight > 0));
        let sections = search("port mode");
        assert!(sections.iter().any(|hit| hit.address == "/guides/tls#port-and-security-mode"));
    }
}
