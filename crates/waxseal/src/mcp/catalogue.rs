//! What is known without asking anybody: guides, findings, services.

use super::answer::{Refusal, json_of, section};
use super::arguments::{FindingCode, ListFindings, Presets, ReadGuide, SearchGuides, within};
use crate::limits::{SEARCH_CHARS_MAX, SEARCH_HITS_MAX};
use crate::wire::catalogue::{
    Finding, Findings, Guide, Guides, Presets as AllPresets, finding_summary, guide_summary,
};
use crate::wire::preset::PresetV1;
use serde_json::{Value, json};
use waxseal_guides::search::search;
use waxseal_services::presets as known;

/// One finding with the guide section that explains it.
pub(super) fn finding(wanted: &FindingCode) -> Result<Value, Refusal> {
    let code = within("code", &wanted.code)?.trim();
    let found = waxseal_guides::finding(code).ok_or_else(|| {
        Refusal::new("not-found", "no finding has this code").hint("list_findings has all")
    })?;
    let sections: Vec<Value> = section(&found.guide).into_iter().collect();
    Ok(json!({ "finding": json_of(&Finding::of(found))?, "guide_sections": sections }))
}

/// All findings, or those of one kind.
pub(super) fn findings(wanted: &ListFindings) -> Result<Value, Refusal> {
    let prefix = within("prefix", wanted.prefix.as_deref().unwrap_or_default())?.trim();
    let findings = waxseal_guides::findings()
        .iter()
        .filter(|finding| finding.code.starts_with(prefix))
        .map(finding_summary)
        .collect();
    json_of(&Findings { findings })
}

/// All guides.
pub(super) fn guides() -> Result<Value, Refusal> {
    json_of(&Guides { guides: waxseal_guides::pages().iter().map(guide_summary).collect() })
}

/// A page, or one section of it.
pub(super) fn guide(wanted: &ReadGuide) -> Result<Value, Refusal> {
    let name = within("guide", &wanted.guide)?.trim();
    let missing = || {
        Refusal::new("not-found", "no guide page or section has this name")
            .hint("list_guides has all pages with their sections")
    };
    if name.contains('#') {
        return section(name).ok_or_else(missing);
    }
    json_of(&Guide::of(waxseal_guides::page(name).ok_or_else(missing)?))
}

/// What the guides have on some words.
pub(super) fn hits(wanted: &SearchGuides) -> Value {
    let words: String = wanted.words.chars().take(SEARCH_CHARS_MAX).collect();
    let hits: Vec<Value> = search(&words)
        .iter()
        .take(SEARCH_HITS_MAX)
        .map(|hit| {
            let kind = hit.kind.as_str();
            json!({ "kind": kind, "title": hit.title, "summary": hit.summary, "page": hit.address })
        })
        .collect();
    json!({ "hits": hits })
}

/// One preset, or all.
pub(super) fn presets(wanted: &Presets) -> Result<Value, Refusal> {
    let Some(name) = wanted.name.as_deref() else {
        return json_of(&AllPresets { presets: known::all().map(PresetV1::from).collect() });
    };
    let found = known::by_name(within("name", name)?.trim());
    let found = found.ok_or_else(|| {
        Refusal::new("not-found", "no preset has this name").hint("presets without a name has all")
    })?;
    json_of(&PresetV1::from(found))
}
