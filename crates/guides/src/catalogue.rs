//! The words of every finding: what it means, its causes, what to do, what never to do, and by case who
//! must act and how bad it is. The judgement is made elsewhere and returns a code and a `when`.
//! The ways in are [`findings`] and [`finding`]. Invariant: codes are the file names, sorted, and each
//! file has the same four sections.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::files::FINDING_FILES;
use crate::front_matter::{self, FileError, Problem};

/// A reader follows five steps; more belongs into a guide page.
pub(crate) const FIX_STEPS_MAX: usize = 5;

const SECTIONS: [&str; 4] = ["Meaning", "Causes", "Fix", "Never"];
const SECTIONS_TEXT: &str = "Meaning, Causes, Fix, Never";

/// How bad a case of a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The connection must not be used, or mail is lost or unprotected now.
    Fail,
    /// Works today, but insecure, fragile, refused by some, or about to break.
    Warn,
    /// A fact worth showing; no action forced.
    Info,
}

impl Severity {
    /// The word reports use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Warn => "warn",
            Self::Info => "info",
        }
    }
}

/// Who must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub enum Owner {
    /// The settings of the sending app, and the machine and network it runs on.
    #[serde(rename = "app")]
    App,
    /// The delivery service or SMTP provider.
    #[serde(rename = "provider")]
    Provider,
    /// Whoever edits the DNS zone of the sending domain.
    #[serde(rename = "dns:sender")]
    DnsSender,
    /// Whoever edits the DNS zone of the receiving domain.
    #[serde(rename = "dns:recipient")]
    DnsRecipient,
    /// Whoever edits the reverse zone of an address.
    #[serde(rename = "dns:ip-owner")]
    DnsIpOwner,
    /// The operator of the receiving mail server.
    #[serde(rename = "receiver")]
    Receiver,
}

impl Owner {
    /// The word reports use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Provider => "provider",
            Self::DnsSender => "dns:sender",
            Self::DnsRecipient => "dns:recipient",
            Self::DnsIpOwner => "dns:ip-owner",
            Self::Receiver => "receiver",
        }
    }

    /// The owner in plain words, to follow "who must act:".
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::App => "the settings, machine or network of the sending app",
            Self::Provider => "the delivery service or SMTP provider",
            Self::DnsSender => "the DNS of the sending domain",
            Self::DnsRecipient => "the DNS of the receiving domain",
            Self::DnsIpOwner => "the reverse DNS of the address, usually the hosting provider",
            Self::Receiver => "the operator of the receiving mail server",
        }
    }
}

/// One case of a finding: the same fault can have another owner or severity by path or by policy.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The word a rule returns to choose this case: `any`, `a` (app to provider), `b` (to the receiving
    /// server), or a word of this finding.
    pub when: String,
    /// How bad it is.
    pub severity: Severity,
    /// Who must act.
    pub owner: Owner,
    /// A second party whose help is usually needed.
    #[serde(default)]
    pub also: Option<Owner>,
    /// True if this case means that TLS could not be tested, which is never a TLS fault.
    #[serde(default)]
    pub not_tested: bool,
}

/// The words of one finding. Texts may hold the placeholders of [`crate::placeholder`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingText {
    /// The code, which is the name of the file.
    pub code: &'static str,
    /// One line that names the fault.
    pub title: String,
    /// The guide section that explains the matter, as `page#section`.
    pub guide: String,
    /// The public documents behind it, with section.
    pub sources: Vec<String>,
    /// Codes that are easily mistaken for this one.
    pub look_alikes: Vec<String>,
    /// What it means: one to three paragraphs of Markdown, separated by blank lines.
    pub meaning: String,
    /// Causes, likeliest first; one Markdown line each.
    pub causes: Vec<String>,
    /// At most five steps; one Markdown line each.
    pub fix: Vec<String>,
    /// What neither the software nor the advice may do; one Markdown line each.
    pub never: Vec<String>,
    /// Severity and owner by case; at least one.
    pub cases: Vec<Case>,
}

impl FindingText {
    /// The case a rule chose, or `None` if the file has no such case.
    pub fn case(&self, when: &str) -> Option<&Case> {
        self.cases.iter().find(|case| case.when == when)
    }

    /// The worst severity of all cases.
    pub fn worst(&self) -> Severity {
        self.cases.iter().map(|case| case.severity).min().unwrap_or(Severity::Info)
    }

    /// Page and anchor of the guide section, apart.
    pub fn guide_parts(&self) -> (&str, &str) {
        self.guide.split_once('#').unwrap_or((&self.guide, ""))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontMatter {
    title: String,
    guide: String,
    sources: Vec<String>,
    look_alikes: Vec<String>,
    cases: Vec<Case>,
}

struct Catalogue {
    findings: Vec<FindingText>,
    problems: Vec<FileError>,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let mut catalogue = Catalogue { findings: Vec::new(), problems: Vec::new() };
    for &(code, text) in FINDING_FILES {
        match parse(code, text) {
            Ok(finding) => catalogue.findings.push(finding),
            Err(problem) => catalogue.problems.push(FileError { file: code, problem }),
        }
    }
    catalogue.findings.sort_by_key(|finding| finding.code);
    catalogue
});

/// All findings, sorted by code.
pub fn findings() -> &'static [FindingText] {
    &CATALOGUE.findings
}

/// The words of the finding with this code.
pub fn finding(code: &str) -> Option<&'static FindingText> {
    let at = findings().binary_search_by_key(&code, |finding| finding.code).ok()?;
    findings().get(at)
}

/// The findings that a section of a guide page explains, in the order of their codes.
pub fn findings_of(page: &str, anchor: &str) -> impl Iterator<Item = &'static FindingText> {
    findings().iter().filter(move |finding| finding.guide_parts() == (page, anchor))
}

pub(crate) fn problems() -> &'static [FileError] {
    &CATALOGUE.problems
}

/// Reads one finding file.
///
/// # Errors
/// The first thing that is wrong with the file.
pub(crate) fn parse(code: &'static str, text: &str) -> Result<FindingText, Problem> {
    let (front, body) = front_matter::split(text)?;
    let front: FrontMatter =
        toml::from_str(front).map_err(|error| Problem::FrontMatter(error.message().to_owned()))?;
    check_cases(&front.cases)?;
    if !front
        .guide
        .split_once('#')
        .is_some_and(|(page, anchor)| !page.is_empty() && !anchor.is_empty())
    {
        return Err(Problem::GuideReference(front.guide));
    }
    let [meaning, causes, fix, never] = sections(body)?;
    let fix = list_items("Fix", fix)?;
    if fix.len() > FIX_STEPS_MAX {
        return Err(Problem::TooManySteps(fix.len()));
    }
    Ok(FindingText {
        code,
        title: front.title,
        guide: front.guide,
        sources: front.sources,
        look_alikes: front.look_alikes,
        meaning: paragraphs(meaning),
        causes: list_items("Causes", causes)?,
        fix,
        never: list_items("Never", never)?,
        cases: front.cases,
    })
}

fn check_cases(cases: &[Case]) -> Result<(), Problem> {
    if cases.is_empty() {
        return Err(Problem::Cases("there is none".to_owned()));
    }
    for (at, case) in cases.iter().enumerate() {
        if cases.iter().skip(at + 1).any(|other| other.when == case.when) {
            return Err(Problem::Cases(format!("`{}` stands twice", case.when)));
        }
    }
    Ok(())
}

/// The four sections of a finding, in their order, none empty.
fn sections(body: &str) -> Result<[&str; 4], Problem> {
    let body = body.trim_start().strip_prefix("## ").unwrap_or_default();
    let parts: Vec<(&str, &str)> = body
        .split("\n## ")
        .map(|part| part.split_once('\n').unwrap_or((part, "")))
        .map(|(heading, text)| (heading.trim(), text.trim()))
        .collect();
    let headings: Vec<&str> = parts.iter().map(|(heading, _)| *heading).collect();
    if headings != SECTIONS {
        return Err(Problem::Sections { found: headings.join(", "), expected: SECTIONS_TEXT });
    }
    if let Some((heading, _)) = parts.iter().find(|(_, text)| text.is_empty()) {
        return Err(Problem::EmptySection((*heading).to_owned()));
    }
    let mut texts = parts.into_iter().map(|(_, text)| text);
    Ok(std::array::from_fn(|_| texts.next().unwrap_or_default()))
}

/// Paragraphs with their lines joined, separated by one blank line.
fn paragraphs(text: &str) -> String {
    text.split("\n\n")
        .map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|paragraph| !paragraph.is_empty())
        .collect::<Vec<_>>()
        .join("\n\n")
}

/// The items of a `1.` or `-` list; indented lines belong to the item before.
fn list_items(section: &'static str, text: &str) -> Result<Vec<String>, Problem> {
    let mut items: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if let Some(item) = list_item(line) {
            items.push(item.to_owned());
        } else if let (true, Some(item)) = (line.starts_with("  "), items.last_mut()) {
            item.push(' ');
            item.push_str(line.trim());
        } else {
            return Err(Problem::NotAListItem { section, line: line.to_owned() });
        }
    }
    Ok(items)
}

fn list_item(line: &str) -> Option<&str> {
    if let Some(item) = line.strip_prefix("- ") {
        return Some(item.trim());
    }
    let (number, item) = line.split_once(". ")?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then(|| item.trim())
}
