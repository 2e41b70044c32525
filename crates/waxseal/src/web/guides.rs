//! `/guides`: shelves, pages, findings, search; for people, and as Markdown under the same address with
//! `.md` behind it (`text/markdown`, RFC 7763).

use super::frame::{Frame, Place, page};
use super::kept::Kept;
use super::not_found;
use crate::escape;
use crate::http::Site;
use crate::limits::{SEARCH_CHARS_MAX, SEARCH_HITS_MAX};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::sync::Arc;
use waxseal_guides::library::{self, Category};
use waxseal_guides::placeholder::fill_generic;
use waxseal_guides::search::{Hit, search};
use waxseal_guides::{Page, Severity, markdown};

const MARKDOWN: &str = "text/markdown; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// Pages and findings as HTML: to make one takes longer than everything else of an answer.
static PAGES: Kept = Kept::new();
static FINDINGS: Kept = Kept::new();

#[derive(Template)]
#[template(path = "guides.html")]
struct Shelves<'a> {
    frame: Frame<'a>,
    summary: &'static str,
    query: String,
    hits: Vec<Hit>,
    /// How many were found, in words.
    found: String,
    categories: Vec<Category>,
    findings: usize,
}

#[derive(Template)]
#[template(path = "category.html")]
struct Shelf<'a> {
    frame: Frame<'a>,
    category: Category,
}

#[derive(Template)]
#[template(path = "guide.html")]
struct Guide<'a> {
    frame: Frame<'a>,
    page: &'static Page,
    slug: String,
    body: Arc<str>,
    related: Vec<&'static Page>,
}

#[derive(Template)]
#[template(path = "findings.html")]
struct Findings<'a> {
    frame: Frame<'a>,
    rows: Vec<FindingRow>,
}

struct FindingRow {
    code: &'static str,
    title: String,
    severity: &'static str,
    class: &'static str,
}

#[derive(Template)]
#[template(path = "finding.html")]
struct Finding<'a> {
    frame: Frame<'a>,
    code: &'static str,
    title: String,
    body: Arc<str>,
}

/// What is searched for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Search {
    #[serde(default)]
    q: String,
}

/// `GET /guides`.
pub(super) async fn shelves(
    State(site): State<Arc<Site>>,
    Query(asked): Query<Search>,
) -> Response {
    let query: String = asked.q.trim().chars().take(SEARCH_CHARS_MAX).collect();
    let mut hits = search(&query);
    let all = hits.len();
    hits.truncate(SEARCH_HITS_MAX);
    let found = if all > hits.len() {
        format!("The best {} of {all}", hits.len())
    } else {
        format!("{all} found")
    };
    let template = Shelves {
        frame: Frame::of(&site).at(Place::Guides),
        summary: library::SUMMARY,
        query: escape::line(&query),
        hits,
        found,
        categories: library::categories(),
        findings: waxseal_guides::findings().len(),
    };
    page(&site, &template)
}

/// `GET /guides/{name}`: a page, its twin, the index of the twins, or the list of findings.
pub(super) async fn guide(State(site): State<Arc<Site>>, Path(name): Path<String>) -> Response {
    match name.as_str() {
        "index.html" => return Redirect::permanent("/guides").into_response(),
        "index.html.md" | "index.md" => return text(MARKDOWN, library::index_markdown()),
        "findings" => return findings(&site),
        "findings.md" => return text(MARKDOWN, library::findings_markdown()),
        _ => {}
    }
    let (name, twin) = without_ending(&name);
    let Some(found) = waxseal_guides::page(name) else { return not_found(State(site)).await };
    if twin {
        return text(MARKDOWN, markdown::page_markdown(found));
    }
    let shelf = library::categories().into_iter().find(|shelf| shelf.name == found.category);
    let template = Guide {
        frame: Frame::of(&site).at(Place::Guides),
        page: found,
        slug: shelf.map(|shelf| shelf.slug).unwrap_or_default(),
        body: PAGES.get(found.name, || markdown::body_html(found)),
        related: found.related.iter().filter_map(|name| waxseal_guides::page(name)).collect(),
    };
    page(&site, &template)
}

/// `GET /guides/category/{name}`.
pub(super) async fn category(State(site): State<Arc<Site>>, Path(name): Path<String>) -> Response {
    let (name, twin) = without_ending(&name);
    let Some(category) = library::category(name) else { return not_found(State(site)).await };
    if twin {
        return text(MARKDOWN, library::category_markdown(&category));
    }
    page(&site, &Shelf { frame: Frame::of(&site).at(Place::Guides), category })
}

/// `GET /guides/findings/{code}`.
pub(super) async fn finding(State(site): State<Arc<Site>>, Path(name): Path<String>) -> Response {
    let (code, twin) = without_ending(&name);
    let Some(found) = waxseal_guides::finding(code) else { return not_found(State(site)).await };
    if twin {
        return text(MARKDOWN, markdown::finding_markdown(found));
    }
    let template = Finding {
        frame: Frame::of(&site).at(Place::Guides),
        code: found.code,
        title: fill_generic(&found.title),
        body: FINDINGS.get(found.code, || markdown::finding_html(found)),
    };
    page(&site, &template)
}

fn findings(site: &Site) -> Response {
    let rows = waxseal_guides::findings()
        .iter()
        .map(|finding| FindingRow {
            code: finding.code,
            title: fill_generic(&finding.title),
            severity: finding.worst().as_str(),
            class: match finding.worst() {
                Severity::Fail => "bad",
                Severity::Warn => "unsure",
                Severity::Info => "faint",
            },
        })
        .collect();
    page(site, &Findings { frame: Frame::of(site).at(Place::Guides), rows })
}

/// `GET /llms.txt`.
pub(super) async fn llms_txt(State(site): State<Arc<Site>>) -> Response {
    text(TEXT, library::llms_txt(site.base()))
}

/// `GET /llms-full.txt`.
pub(super) async fn llms_full() -> Response {
    text(TEXT, library::llms_full())
}

fn text(media_type: &'static str, text: String) -> Response {
    ([(header::CONTENT_TYPE, media_type)], text).into_response()
}

/// A name without `.md`, and whether it had it.
fn without_ending(name: &str) -> (&str, bool) {
    name.strip_suffix(".md").map_or((name, false), |name| (name, true))
}
