//! The guides as a whole: shelves, the index for agents, `llms.txt` and everything in one text. It renders
//! lists of what [`crate::pages`] and [`crate::findings`] hold and adds no advice of its own. The format of
//! `llms.txt` is the proposal of llmstxt.org: a title, a quoted summary, lists of links.

use std::fmt::Write as _;

use crate::catalogue::findings;
use crate::markdown::{finding_address, finding_markdown, page_address, page_markdown};
use crate::page::{Page, pages};

/// What the guides are, in one sentence.
pub const SUMMARY: &str = "Guides to encrypted mail transport: what each check looks at, what a finding \
     means, who has to act, and the steps that repair it.";

/// A shelf of pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// Its name.
    pub name: &'static str,
    /// The name in addresses.
    pub slug: String,
    /// Its pages, the main one first.
    pub pages: Vec<&'static Page>,
}

/// All shelves, in the order of their first pages.
pub fn categories() -> Vec<Category> {
    let mut found: Vec<Category> = Vec::new();
    for page in pages() {
        match found.iter_mut().find(|category| category.name == page.category) {
            Some(category) => category.pages.push(page),
            None => found.push(Category {
                name: &page.category,
                slug: slug(&page.category),
                pages: vec![page],
            }),
        }
    }
    found
}

/// The shelf with this name in addresses.
pub fn category(slug: &str) -> Option<Category> {
    categories().into_iter().find(|category| category.slug == slug)
}

fn slug(name: &str) -> String {
    let words: Vec<String> = name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    words.join("-")
}

/// The index, served at `/guides/index.html.md`.
pub fn index_markdown() -> String {
    let mut out = format!("# Guides\n\n{SUMMARY}\n");
    for category in categories() {
        let _ = writeln!(out, "\n## {} {{#{}}}\n", category.name, category.slug);
        category_list(&mut out, &category, "");
    }
    let _ = writeln!(out, "\n## Findings {{#findings}}\n");
    finding_list(&mut out, "");
    out
}

/// One shelf, served at `/guides/category/SLUG.md`.
pub fn category_markdown(category: &Category) -> String {
    let mut out = format!("# {}\n\n", category.name);
    category_list(&mut out, category, "");
    out
}

/// The list of findings, served at `/guides/findings.md`.
pub fn findings_markdown() -> String {
    let mut out = String::from("# Findings\n\n");
    finding_list(&mut out, "");
    out
}

/// `/llms.txt`. `base` is the public address of the site without a slash at its end, or empty.
pub fn llms_txt(base: &str) -> String {
    let mut out = format!("# Waxseal\n\n> {SUMMARY}\n");
    let _ = writeln!(
        out,
        "\nEvery address below is Markdown; the page for people is the same without `.md`."
    );
    for category in categories() {
        let _ = writeln!(out, "\n## {}\n", category.name);
        category_list(&mut out, &category, base);
    }
    let _ = writeln!(out, "\n## Findings\n");
    let _ =
        writeln!(out, "- [All findings]({base}/guides/findings.md): {} codes", findings().len());
    let _ = writeln!(out, "\n## Optional\n");
    let _ = writeln!(out, "- [Everything in one text]({base}/llms-full.txt)");
    out
}

/// `/llms-full.txt`: every page and every finding.
pub fn llms_full() -> String {
    let mut out = format!("# Waxseal\n\n> {SUMMARY}\n");
    for page in pages() {
        let _ = write!(out, "\n---\n\n{}", page_markdown(page));
    }
    for finding in findings() {
        let _ = write!(out, "\n---\n\n{}", finding_markdown(finding));
    }
    out
}

fn category_list(out: &mut String, category: &Category, base: &str) {
    for page in &category.pages {
        let address = page_address(page);
        let _ = writeln!(out, "- [{}]({base}{address}.md): {}", page.title, page.summary);
    }
}

fn finding_list(out: &mut String, base: &str) {
    for finding in findings() {
        let address = finding_address(finding);
        let _ = writeln!(
            out,
            "- [{}]({base}{address}.md): `{}`, {}",
            finding.title,
            finding.code,
            finding.worst().as_str()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_stands_on_one_shelf_and_in_every_list() {
        let shelved: usize = categories().iter().map(|category| category.pages.len()).sum();
        assert_eq!(shelved, pages().len());
        for list in [index_markdown(), llms_txt("https://mail.example")] {
            for page in pages() {
                assert!(list.contains(&format!("/guides/{}.md", page.name)), "{}", page.name);
            }
        }
        let txt = llms_txt("https://mail.example");
        assert!(txt.starts_with("# Waxseal\n\n> "), "{txt}");
        assert!(txt.contains("(https://mail.example/guides/tls.md)"), "{txt}");
        assert!(llms_full().contains("- Code: `cert-expired`"));
        assert!(category("secure-delivery").is_some());
        assert_eq!(category("no-such-shelf"), None);
    }
}
