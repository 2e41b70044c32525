//! What each tool answers, as a JSON Schema: the shape of its wire struct, with text of strangers in its object,
//! or a refusal. Values and schemas are marked by the same list of places, so that neither promises what the
//! other does not hold.

use super::answer::{GuideSection, Refusal, Refused};
use super::untrusted::{self, HEADERS, REPORT, SENT, WARNINGS};
use crate::cli::headers::Message;
use crate::wire::catalogue::{Findings, Guide, Guides, Presets};
use crate::wire::connection::{All, Arrival, One, OneChanged, TestedOne, Verified};
use crate::wire::mechanism::{Address, Certificates, RptRecord, StsPolicy, StsRecord};
use crate::wire::preset::PresetV1;
use rmcp::model::JsonObject;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;
use waxseal_app::connections::wire::ConnectionView;
use waxseal_check::report::wire::ReportV1;

/// Where text of strangers stands: places below a place.
type Marks = &'static [(&'static str, &'static [&'static str])];

/// What a tool answers.
pub(super) trait Answer: Serialize + JsonSchema {
    /// Where text of strangers stands in it.
    const MARKS: Marks = &[];
}

/// An answer with the guide sections of its findings.
#[derive(Serialize, JsonSchema)]
pub(super) struct Explained<T> {
    #[serde(flatten)]
    pub(super) answer: T,
    /// The guide sections that its first findings name.
    pub(super) guide_sections: Vec<GuideSection>,
}

/// A check.
#[derive(Serialize, JsonSchema)]
pub(super) struct Checked {
    /// What `waxseal check --json` prints.
    pub(super) report: ReportV1,
}

/// One finding.
#[derive(Serialize, JsonSchema)]
pub(super) struct OneFinding {
    /// It.
    pub(super) finding: crate::wire::catalogue::Finding,
}

/// A guide page, or one section of it.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum PageOrSection {
    /// The page.
    Page(Guide),
    /// The section.
    Section(GuideSection),
}

/// One service, or all.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum OneOrAll {
    /// One.
    One(Box<PresetV1>),
    /// All.
    All(Presets),
}

/// What was found by words.
#[derive(Serialize, JsonSchema)]
pub(super) struct Hits {
    /// Best first.
    pub(super) hits: Vec<Hit>,
}

/// A page, section or finding.
#[derive(Serialize, JsonSchema)]
pub(super) struct Hit {
    /// page, section or finding.
    pub(super) kind: &'static str,
    /// Its title.
    pub(super) title: String,
    /// What it says.
    pub(super) summary: String,
    /// Where people read it.
    pub(super) page: String,
}

/// What an MTA-STS record or policy says.
#[derive(Serialize, JsonSchema)]
pub(super) struct Sts {
    /// The record; null when none was given.
    pub(super) record: Option<StsRecord>,
    /// The policy; null when none was given.
    pub(super) policy: Option<StsPolicy>,
    /// Whether the policy lists the host; null without both.
    pub(super) listed: Option<crate::wire::mechanism::StsMatch>,
}

/// A connection that was added or changed.
#[derive(Serialize, JsonSchema)]
pub(super) struct Kept<'a> {
    #[serde(flatten)]
    pub(super) changed: OneChanged<'a>,
    /// How a person enters its secret; null when it has none.
    pub(super) for_a_person: Option<ForAPerson>,
}

/// How a person enters a secret. No agent ever types it.
#[derive(Serialize, JsonSchema)]
pub(super) struct ForAPerson {
    /// The command that asks a person for it, word by word; null where there is a link.
    pub(super) enter_secret: Option<Vec<String>>,
    /// The page that asks a person for it, once; null where there is a command.
    pub(super) link: Option<String>,
    /// When the link ends.
    pub(super) ends_at: Option<String>,
}

/// A connection whose secret is asked for.
#[derive(Serialize, JsonSchema)]
pub(super) struct Asked<'a> {
    /// It.
    pub(super) connection: &'a ConnectionView,
    /// How a person enters its secret.
    pub(super) for_a_person: ForAPerson,
    /// Whether this is a lab.
    pub(super) simulated: bool,
}

impl Answer for Explained<Checked> {
    const MARKS: Marks = &[("report", REPORT)];
}
impl Answer for Explained<OneFinding> {}
impl Answer for Findings {}
impl Answer for Guides {}
impl Answer for PageOrSection {}
impl Answer for Hits {}
impl Answer for OneOrAll {}
impl Answer for Message {
    const MARKS: Marks = &[("", HEADERS)];
}
impl Answer for Address {}
impl Answer for Sts {}
impl Answer for RptRecord {}
impl Answer for Certificates {
    const MARKS: Marks =
        &[("certificates", &["*.subject", "*.issuer", "*.dns_names", "*.ip_addresses"])];
}
impl Answer for All<'_> {
    const MARKS: Marks =
        &[("connections.*.last_test.detail", SENT), ("connections.*.last_verify.detail", SENT)];
}
impl Answer for Asked<'_> {
    const MARKS: Marks = CONNECTION;
}
impl Answer for One<'_> {
    const MARKS: Marks = CONNECTION;
}
impl Answer for Explained<Verified<'_>> {
    const MARKS: Marks = RESULT;
}
impl Answer for Explained<TestedOne<'_>> {
    const MARKS: Marks = RESULT;
}
impl Answer for Arrival<'_> {
    const MARKS: Marks = &[
        ("connection.last_test.detail", SENT),
        ("connection.last_verify.detail", SENT),
        ("test.detail", SENT),
        ("received", HEADERS),
    ];
}
impl Answer for Explained<Kept<'_>> {
    const MARKS: Marks = &[
        ("connection.last_test.detail", SENT),
        ("connection.last_verify.detail", SENT),
        ("warnings", WARNINGS),
    ];
}

const CONNECTION: Marks =
    &[("connection.last_test.detail", SENT), ("connection.last_verify.detail", SENT)];

const RESULT: Marks = &[
    ("connection.last_test.detail", SENT),
    ("connection.last_verify.detail", SENT),
    ("result", SENT),
];

/// An answer as JSON, with text of strangers marked.
pub(super) fn shown<T: Answer>(answer: &T) -> Result<Value, Refusal> {
    let value = serde_json::to_value(answer);
    let mut value = value.map_err(|error| Refusal::new("machine", format!("json: {error}")))?;
    for (below, places) in T::MARKS {
        untrusted::mark(&mut value, below, places);
    }
    Ok(value)
}

/// The schema of a tool: what it answers, or why it did nothing.
pub(super) fn of<T: Answer>() -> Arc<JsonObject> {
    let mut answer = schema::<T>();
    for (below, places) in T::MARKS {
        untrusted::mark_schema(&mut answer, below, places);
    }
    shorten(&mut answer, 0);
    let mut whole = json!({ "type": "object", "anyOf": [answer, schema::<Refused>()] });
    if !T::MARKS.is_empty() {
        whole["$defs"] = untrusted::definitions();
    }
    let Value::Object(schema) = whole else { return Arc::default() };
    Arc::new(schema)
}

/// Leaves out what is said of single fields below the first: an agent keeps all schemas in mind, and the names of
/// fields say what they are.
fn shorten(schema: &mut Value, depth: usize) {
    if let Value::Object(words) = schema {
        if depth > 2 {
            words.retain(|word, rule| !(word == "description" && rule.is_string()));
        }
        words.retain(|word, rule| !(word == "title" && rule.is_string()));
    }
    match schema {
        Value::Object(words) => {
            for rule in words.values_mut() {
                shorten(rule, depth + 1);
            }
        }
        Value::Array(rules) => {
            for rule in rules {
                shorten(rule, depth + 1);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Without references: a place is marked in one struct and not in another of the same type.
fn schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks<T: Answer>() {
        for (below, places) in T::MARKS {
            // What a test showed is any JSON to the schema, as it was when it was stored.
            if below.ends_with("detail") {
                continue;
            }
            for place in places.iter().filter(|place| !place.starts_with("received.")) {
                let mut marked = schema::<T>();
                untrusted::mark_schema(&mut marked, below, &[place]);
                assert_ne!(marked, schema::<T>(), "{below} {place} is nowhere");
            }
        }
    }

    #[test]
    fn every_place_of_text_of_strangers_is_in_the_schema() {
        marks::<Explained<Checked>>();
        marks::<Message>();
        marks::<Certificates>();
        marks::<Explained<Verified<'_>>>();
        marks::<Explained<TestedOne<'_>>>();
        marks::<Arrival<'_>>();
        marks::<Explained<Kept<'_>>>();
    }

    #[test]
    fn a_schema_says_that_text_of_strangers_is_an_object() {
        let schema = Value::Object((*of::<Explained<Checked>>()).clone());
        let report = &schema["anyOf"][0]["properties"]["report"]["properties"];
        let address = &report["mx"]["items"]["properties"]["addresses"]["items"]["properties"];
        let of_text = json!({ "$ref": "#/$defs/untrusted_text" });
        assert_eq!(schema["$defs"]["untrusted_text"]["required"], json!(["untrusted_text"]));
        assert_eq!(address["greeting"]["anyOf"], json!([of_text, { "type": "null" }]));
        assert_eq!(address["extensions"]["items"], of_text);
        assert_eq!(report["target"]["type"], "string");
    }
}
