//! The MTA-STS TXT record at `_mta-sts.<domain>` (RFC 8461 §3.1). It does not look anything up. The ways
//! in are [`RecordSet::evaluate`] for what stands in the DNS and [`parse_record`] for one text. A change
//! must keep the comparison of `v=STSv1;` exact and never repair an `id`.

use super::fields::{self, Field, Fields, Selection};
use crate::finding::Code;
use crate::limits::POLICY_RECORD_OCTETS_MAX;

/// The `id` of a policy: 1 to 32 letters or digits (RFC 8461 §3.1). Compared octet by octet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyId(String);

/// A valid record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StsRecord {
    /// Changes whenever the policy does.
    pub id: PolicyId,
    /// Other fields, in order; senders ignore them.
    pub extensions: Vec<(String, String)>,
}

/// One text read as a record, with everything found in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordParse {
    /// The record, if nothing was wrong.
    pub record: Option<StsRecord>,
    /// Every field as written, in order, `v` included, the first of each name; also for a bad record.
    pub tags: Vec<(String, String)>,
    /// What makes the record invalid.
    pub errors: Vec<RecordError>,
    /// What is odd but harmless.
    pub warnings: Vec<RecordWarning>,
}

/// Why a text is no valid record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Two semicolons with nothing between.
    #[error("empty field between two semicolons")]
    EmptyField,
    /// A field is no `name=value` of the allowed characters. Holds it.
    #[error("field {0:?} is not name=value of the allowed characters")]
    FieldSyntax(String),
    /// The `id` is empty, over 32 characters, or has others than letters and digits. Holds it.
    #[error("id {0:?} is not 1 to 32 letters or digits")]
    IdInvalid(String),
    /// There is no `id` field.
    #[error("id is missing")]
    IdMissing,
    /// More than one `id` field.
    #[error("id is given more than once")]
    IdRepeated,
    /// Longer than the limit; nothing of it was read.
    #[error("record is longer than {POLICY_RECORD_OCTETS_MAX} octets")]
    TooLong,
    /// The text does not start with `v=STSv1;`. Holds what stands there.
    #[error("record starts with {0:?}, not with v=STSv1;")]
    Version(String),
}

/// Something a sender tolerates.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordWarning {
    /// An extension name stands twice; the first counts.
    #[error("field {0:?} is given more than once")]
    RepeatedExtension(String),
    /// White space behind the last field.
    #[error("white space at the end of the record")]
    SpaceAtEnd,
    /// White space before the first semicolon: the grammar allows it, but senders that compare the
    /// start of the record with `v=STSv1;` discard it.
    #[error("white space before the first semicolon, senders may discard the record")]
    SpaceAfterVersion,
    /// A field that RFC 8461 does not define; senders ignore it.
    #[error("field {0:?} is not defined")]
    UnknownField(String),
}

/// What the TXT records at `_mta-sts.<domain>` amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordSet {
    /// Exactly one record starts with `v=STSv1;`, and it is not valid. Same effect as none.
    Invalid(RecordParse),
    /// More than one. Same effect as none. Holds them.
    Multiple(Vec<String>),
    /// None starts with `v=STSv1;`, but some were surely meant to. Holds them.
    NearMiss(Vec<String>),
    /// No MTA-STS record.
    None,
    /// Exactly one, and it is valid.
    Valid(RecordParse, StsRecord),
}

/// Starts, without case, quotes and spaces, of texts that were meant as a record.
const NEAR_STARTS: &[&str] =
    &["v=sts", "v:sts", "vsts", "stsv", "v=mta-sts", "version:sts", "version=sts"];

impl PolicyId {
    /// Reads an id; `None` for anything but 1 to 32 ASCII letters or digits.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=32).contains(&text.len());
        (fits && text.bytes().all(|octet| octet.is_ascii_alphanumeric()))
            .then(|| Self(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for PolicyId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl RecordSet {
    /// Judges the TXT records found, each joined from its strings (RFC 8461 §3.1): those that do not
    /// start with `v=STSv1;` are dropped, and exactly one must remain.
    pub fn evaluate<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> Self {
        match fields::select(texts, "v=STSv1;", NEAR_STARTS) {
            Selection::NearMisses(texts) => Self::NearMiss(texts),
            Selection::None => Self::None,
            Selection::Several(texts) => Self::Multiple(texts),
            Selection::One(text) => {
                let parse = parse_record(&text);
                match parse.record.clone() {
                    Some(record) => Self::Valid(parse, record),
                    None => Self::Invalid(parse),
                }
            }
        }
    }

    /// The valid record, if there is one.
    pub const fn record(&self) -> Option<&StsRecord> {
        match self {
            Self::Valid(_, record) => Some(record),
            Self::Invalid(_) | Self::Multiple(_) | Self::NearMiss(_) | Self::None => None,
        }
    }

    /// The findings this amounts to, each once; empty for a valid record.
    pub fn codes(&self) -> Vec<Code> {
        match self {
            Self::Invalid(parse) => parse.codes(),
            Self::Multiple(_) => vec![Code::StsRecordMultiple],
            Self::NearMiss(_) => vec![Code::StsRecordSyntax],
            Self::None => vec![Code::StsNone],
            Self::Valid(..) => Vec::new(),
        }
    }
}

impl RecordParse {
    /// Whether the text is a valid record.
    pub const fn valid(&self) -> bool {
        self.record.is_some()
    }

    /// The findings of its errors, each once.
    pub fn codes(&self) -> Vec<Code> {
        let mut codes: Vec<Code> = self.errors.iter().map(RecordError::code).collect();
        codes.sort();
        codes.dedup();
        codes
    }
}

impl RecordError {
    /// The finding this error becomes.
    pub const fn code(&self) -> Code {
        match self {
            Self::IdInvalid(_) => Code::StsIdInvalid,
            Self::EmptyField
            | Self::FieldSyntax(_)
            | Self::IdMissing
            | Self::IdRepeated
            | Self::TooLong
            | Self::Version(_) => Code::StsRecordSyntax,
        }
    }
}

/// Reads one text by the grammar of RFC 8461 §3.1 and reports everything found. White space behind the
/// last field is tolerated with a warning.
pub fn parse_record(text: &str) -> RecordParse {
    let mut parse =
        RecordParse { record: None, tags: Vec::new(), errors: Vec::new(), warnings: Vec::new() };
    if text.len() > POLICY_RECORD_OCTETS_MAX {
        parse.errors.push(RecordError::TooLong);
        return parse;
    }
    let parts = Fields::split(text);
    parse.tags = parts.tags();
    let untrailed = parts.version.trim_end_matches(fields::is_wsp);
    if untrailed != "v=STSv1" || !text.contains(';') {
        parse.errors.push(RecordError::Version(parts.version.to_owned()));
    } else if untrailed != parts.version {
        parse.warnings.push(RecordWarning::SpaceAfterVersion);
    }
    if parts.space_at_end {
        parse.warnings.push(RecordWarning::SpaceAtEnd);
    }
    let (id, extensions) = read_fields(&parts.rest, &mut parse);
    if let Some(id) = id
        && parse.errors.is_empty()
    {
        parse.record = Some(StsRecord { id, extensions });
    }
    parse
}

fn read_fields(
    fields: &[Field<'_>],
    parse: &mut RecordParse,
) -> (Option<PolicyId>, Vec<(String, String)>) {
    let mut ids = Vec::new();
    let mut extensions: Vec<(String, String)> = Vec::new();
    for field in fields {
        match *field {
            Field::Empty => parse.errors.push(RecordError::EmptyField),
            Field::Bare(text) => parse.errors.push(RecordError::FieldSyntax(text.to_owned())),
            Field::Pair("id", value) => ids.push(value),
            Field::Pair(name, value) => {
                if !fields::is_extension_name(name) || !fields::is_extension_value(value) {
                    parse.errors.push(RecordError::FieldSyntax(format!("{name}={value}")));
                } else if extensions.iter().any(|(known, _)| known == name) {
                    parse.warnings.push(RecordWarning::RepeatedExtension(name.to_owned()));
                } else {
                    parse.warnings.push(RecordWarning::UnknownField(name.to_owned()));
                    extensions.push((name.to_owned(), value.to_owned()));
                }
            }
        }
    }
    // Deviates: RFC 8461 §3.1 does not say what a second id means, and taking one would be a guess
    // that differs between senders.
    if ids.len() > 1 {
        parse.errors.push(RecordError::IdRepeated);
    }
    let Some(&first) = ids.first() else {
        parse.errors.push(RecordError::IdMissing);
        return (None, extensions);
    };
    let id = PolicyId::parse(first);
    if id.is_none() {
        // What no field value may hold is a fault of the record; what only an id may not is one of it.
        parse.errors.push(if first.is_empty() || fields::is_extension_value(first) {
            RecordError::IdInvalid(first.to_owned())
        } else {
            RecordError::FieldSyntax(format!("id={first}"))
        });
    }
    (id, extensions)
}
