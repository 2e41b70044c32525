//! What is known without asking anybody: guides, findings, services.

use super::answer::{Refusal, section};
use super::arguments::{FindingCode, ListFindings, Presets, ReadGuide, SearchGuides, within};
use super::schema::{Explained, Hit, Hits, OneFinding, OneOrAll, PageOrSection, shown};
use crate::limits::{SEARCH_CHARS_MAX, SEARCH_HITS_MAX};
use crate::wire::catalogue::{
    Finding, Findings, Guide, Guides, Presets as AllPresets, finding_summary, guide_summary,
};
use crate::wire::preset::PresetV1;
use serde_json::Value;
use waxseal_guides::search::search;
use waxseal_services::presets as known;

/// One finding with the guide section that explains it.
pub(super) fn finding(wanted: &FindingCode) -> Result<Value, Refusal> {
    let code = within("code", &wanted.code)?.trim();
    let found = waxseal_guides::finding(code).ok_or_else(|| {
        Refusal::new("not-found", "no finding has this code").hint("list_findings has all")
    })?;
    let answer = OneFinding { finding: Finding::of(found) };
    shown(&Explained { answer, guide_sections: section(&found.guide).into_iter().collect() })
}

/// All findings, or those of one kind.
pub(super) fn findings(wanted: &ListFindings) -> Result<Value, Refusal> {
    let prefix = within("prefix", wanted.prefix.as_deref().unwrap_or_default())?.trim();
    let findings = waxseal_guides::findings()
        .iter()
        .filter(|finding| finding.code.starts_with(prefix))
        .map(finding_summary)
        .collect();
    shown(&Findings { findings })
}

/// All guides.
pub(super) fn guides() -> Result<Value, Refusal> {
    shown(&Guides { guides: waxseal_guides::pages().iter().map(guide_summary).collect() })
}

/// A page, or one section of it.
pub(super) fn guide(wanted: &ReadGuide) -> Result<Value, Refusal> {
    let name = within("guide", &wanted.guide)?.trim();
    let missing = || {
        Refusal::new("not-found", "no guide page or section has this name")
            .hint("list_guides has all pages with their sections")
    };
    let found = if name.contains('#') {
        PageOrSection::Section(section(name).ok_or_else(missing)?)
    } else {
        PageOrSection::Page(Guide::of(waxseal_guides::page(name).ok_or_else(missing)?))
    };
    shown(&found)
}

/// What the guides have on some words.
pub(super) fn hits(wanted: &SearchGuides) -> Result<Value, Refusal> {
    let words: String = wanted.words.chars().take(SEARCH_CHARS_MAX).collect();
    let hits = search(&words).into_iter().take(SEARCH_HITS_MAX).map(|hit| Hit {
        kind: hit.kind.as_str(),
        title: hit.title,
        summary: hit.summary,
        page: hit.address,
    });
    shown(&Hits { hits: hits.collect() })
}

/// One preset, or all.
pub(super) fn presets(wanted: &Presets) -> Result<Value, Refusal> {
    let Some(name) = wanted.name.as_deref() else {
        let presets = known::all().map(PresetV1::from).collect();
        return shown(&OneOrAll::All(AllPresets { presets }));
    };
    let found = known::by_name(within("name", name)?.trim());
    let found = found.ok_or_else(|| {
        Refusal::new("not-found", "no preset has this name").hint("presets without a name has all")
    })?;
    shown(&OneOrAll::One(Box::new(PresetV1::from(found))))
}
