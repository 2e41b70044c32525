//! What the offline tools say of one text: an address, an MTA-STS record or policy, a TLS reporting record,
//! certificates. The command line prints these values with `--json` and tools for agents answer with them; the
//! judgement is that of [`waxseal_proto`].

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use waxseal_check::report::entry;
use waxseal_check::report::wire::CertificateEntryV1;
use waxseal_proto::mta_sts::{self, Mode, PolicyParse};
use waxseal_proto::name::Mailbox;
use waxseal_proto::tls_rpt;
use waxseal_proto::x509::{inspect, read_certificates};

/// Whether a text is an email address, and how it is written.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Address {
    /// Whether it is one.
    pub(crate) valid: bool,
    /// Its form in ASCII; null for an address that can travel only where SMTPUTF8 is offered.
    pub(crate) ascii: Option<String>,
    /// Whether it needs SMTPUTF8 (RFC 6531).
    pub(crate) needs_smtputf8: Option<bool>,
    /// Why it is none.
    pub(crate) reason: Option<String>,
}

impl Address {
    /// Reads one address.
    pub(crate) fn of(text: &str) -> Self {
        match Mailbox::parse(text) {
            Ok(mailbox) => Self {
                valid: true,
                ascii: mailbox.ascii(),
                needs_smtputf8: Some(mailbox.needs_smtputf8()),
                reason: None,
            },
            Err(error) => Self {
                valid: false,
                ascii: None,
                needs_smtputf8: None,
                reason: Some(error.to_string()),
            },
        }
    }
}

/// What an MTA-STS policy file says.
#[derive(Serialize, JsonSchema)]
pub(crate) struct StsPolicy {
    /// Whether senders can use it.
    pub(crate) valid: bool,
    /// enforce, testing or none.
    pub(crate) mode: Option<&'static str>,
    /// The patterns of mail hosts.
    pub(crate) mx: Vec<String>,
    /// How long it may be kept, in seconds.
    pub(crate) max_age: Option<u64>,
    /// Fields that no standard names.
    pub(crate) extensions: BTreeMap<String, String>,
    /// What is wrong.
    pub(crate) errors: Vec<String>,
    /// What is unusual.
    pub(crate) warnings: Vec<String>,
}

impl StsPolicy {
    /// What a policy file says.
    pub(crate) fn of(parse: &PolicyParse) -> Self {
        Self {
            valid: parse.valid(),
            mode: parse.mode.map(Mode::as_str),
            mx: parse.mx.clone(),
            max_age: parse.max_age_s,
            extensions: first_of_each(&parse.extensions),
            errors: words(&parse.errors),
            warnings: words(&parse.warnings),
        }
    }
}

/// What the text of an MTA-STS record says.
#[derive(Serialize, JsonSchema)]
pub(crate) struct StsRecord {
    /// Whether senders take it for one.
    pub(crate) valid: bool,
    /// Its fields; the first of a repeated one counts.
    pub(crate) tags: BTreeMap<String, String>,
    /// What is wrong.
    pub(crate) errors: Vec<String>,
    /// What is unusual.
    pub(crate) warnings: Vec<String>,
}

impl StsRecord {
    /// What a record says.
    pub(crate) fn of(parse: &mta_sts::RecordParse) -> Self {
        Self {
            valid: parse.valid(),
            tags: first_of_each(&parse.tags),
            errors: words(&parse.errors),
            warnings: words(&parse.warnings),
        }
    }
}

/// Whether a mail host is listed.
#[derive(Serialize, JsonSchema)]
pub(crate) struct StsMatch {
    /// Whether it is.
    #[serde(rename = "match")]
    pub(crate) matches: bool,
    /// The pattern that lists it.
    pub(crate) pattern: Option<String>,
}

impl StsMatch {
    /// By the pattern that lists the host.
    pub(crate) const fn of(pattern: Option<String>) -> Self {
        Self { matches: pattern.is_some(), pattern }
    }
}

/// What the text of a TLS reporting record says.
#[derive(Serialize, JsonSchema)]
pub(crate) struct RptRecord {
    /// Whether senders take it for one.
    pub(crate) valid: bool,
    /// Its fields; `rua` is one list of addresses for each such field.
    pub(crate) tags: Map<String, Value>,
    /// What is wrong.
    pub(crate) errors: Vec<String>,
    /// What is unusual.
    pub(crate) warnings: Vec<String>,
}

impl RptRecord {
    /// What a record says.
    pub(crate) fn of(parse: &tls_rpt::RecordParse) -> Self {
        Self {
            valid: parse.valid(),
            tags: rpt_tags(parse),
            errors: words(&parse.errors),
            warnings: words(&parse.warnings),
        }
    }
}

fn rpt_tags(parse: &tls_rpt::RecordParse) -> Map<String, Value> {
    let mut tags = Map::new();
    for (name, value) in &parse.tags {
        tags.entry(name.clone()).or_insert_with(|| Value::from(value.clone()));
    }
    if !parse.rua.is_empty() {
        let lists = parse.rua.iter().map(|list| {
            list.iter().map(|rua| Value::from(rua.uri.clone())).collect::<Vec<_>>().into()
        });
        tags.insert("rua".to_owned(), Value::Array(lists.collect()));
    }
    tags
}

/// What certificates say, without a judgement.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Certificates {
    /// They, in the order given.
    pub(crate) certificates: Vec<CertificateEntryV1>,
}

impl Certificates {
    /// Reads PEM sections, or one certificate in DER.
    ///
    /// # Errors
    /// What cannot be read, in words.
    pub(crate) fn read(octets: &[u8]) -> Result<Self, String> {
        let ders = read_certificates(octets).map_err(|error| error.to_string())?;
        let read = |der: &Vec<u8>| inspect(der).map(|seen| entry(&seen));
        let certificates = ders.iter().map(read).collect::<Result<_, _>>();
        certificates.map(|certificates| Self { certificates }).map_err(|error| error.to_string())
    }
}

/// Fields by name; the first of a repeated one counts.
fn first_of_each(pairs: &[(String, String)]) -> BTreeMap<String, String> {
    pairs.iter().rev().cloned().collect()
}

/// Each item in words.
fn words<T: ToString>(items: &[T]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}
