//! Guides, findings and services as programs get them, over HTTP and over MCP. The words are those of
//! [`waxseal_guides`] and [`waxseal_services::presets`]; nothing is added to them.

use super::preset::PresetV1;
use schemars::JsonSchema;
use serde::Serialize;
use utoipa::ToSchema;
use waxseal_guides::{FindingText, Page, markdown};

/// All presets.
#[derive(JsonSchema, Serialize, ToSchema)]
pub(crate) struct Presets {
    pub(crate) presets: Vec<PresetV1>,
}

/// All guides.
#[derive(JsonSchema, Serialize, ToSchema)]
pub(crate) struct Guides {
    pub(crate) guides: Vec<GuideSummary>,
}

/// A guide in a list.
#[derive(JsonSchema, Serialize, ToSchema)]
pub(crate) struct GuideSummary {
    /// The name in addresses.
    pub(crate) name: &'static str,
    /// Its title.
    pub(crate) title: &'static str,
    /// What it explains.
    pub(crate) summary: &'static str,
    /// Its shelf.
    pub(crate) category: &'static str,
    /// Reading time.
    pub(crate) minutes: usize,
    /// Its anchored sections.
    pub(crate) sections: Vec<GuideSection>,
    /// Where people read it.
    pub(crate) page: String,
}

/// A section of a guide.
#[derive(JsonSchema, Serialize, ToSchema)]
pub(crate) struct GuideSection {
    /// Its anchor.
    pub(crate) anchor: &'static str,
    /// Its heading.
    pub(crate) heading: &'static str,
}

/// A guide.
#[derive(JsonSchema, Serialize, ToSchema)]
pub(crate) struct Guide {
    #[serde(flatten)]
    pub(crate) summary: GuideSummary,
    /// The whole text.
    pub(crate) markdown: String,
}

/// All findings.
#[derive(JsonSchema, Serialize, ToSchema)]
pub(crate) struct Findings {
    pub(crate) findings: Vec<FindingSummary>,
}

/// A finding in a list.
#[derive(JsonSchema, Serialize, ToSchema)]
pub(crate) struct FindingSummary {
    /// The code, which never changes its meaning.
    pub(crate) code: &'static str,
    /// One line that names the fault.
    pub(crate) title: &'static str,
    /// Severity and owner by case.
    pub(crate) cases: Vec<FindingCase>,
    /// The guide section that explains it, `page#section`.
    pub(crate) guide: &'static str,
    /// Where people read about it.
    pub(crate) page: String,
}

/// One case of a finding.
#[derive(JsonSchema, Serialize, ToSchema)]
pub(crate) struct FindingCase {
    /// When this case holds.
    pub(crate) when: &'static str,
    /// fail, warn or info.
    pub(crate) severity: &'static str,
    /// Who has to act.
    pub(crate) owner: &'static str,
    /// A second party whose help is needed.
    pub(crate) also: Option<&'static str>,
}

/// A finding.
#[derive(JsonSchema, Serialize, ToSchema)]
pub(crate) struct Finding {
    #[serde(flatten)]
    pub(crate) summary: FindingSummary,
    /// The whole text, with general words in the place of names.
    pub(crate) markdown: String,
}

impl Guide {
    /// A page.
    pub(crate) fn of(page: &'static Page) -> Self {
        Self { summary: guide_summary(page), markdown: markdown::page_markdown(page) }
    }
}

impl Finding {
    /// A finding.
    pub(crate) fn of(finding: &'static FindingText) -> Self {
        Self { summary: finding_summary(finding), markdown: markdown::finding_markdown(finding) }
    }
}

/// A page as in a list.
pub(crate) fn guide_summary(page: &'static Page) -> GuideSummary {
    GuideSummary {
        name: page.name,
        title: &page.title,
        summary: &page.summary,
        category: &page.category,
        minutes: page.reading_minutes(),
        sections: page
            .sections
            .iter()
            .map(|section| GuideSection { anchor: &section.anchor, heading: &section.heading })
            .collect(),
        page: markdown::page_address(page),
    }
}

/// A finding as in a list.
pub(crate) fn finding_summary(finding: &'static FindingText) -> FindingSummary {
    FindingSummary {
        code: finding.code,
        title: &finding.title,
        cases: finding
            .cases
            .iter()
            .map(|case| FindingCase {
                when: &case.when,
                severity: case.severity.as_str(),
                owner: case.owner.as_str(),
                also: case.also.map(waxseal_guides::Owner::as_str),
            })
            .collect(),
        guide: &finding.guide,
        page: markdown::finding_address(finding),
    }
}
