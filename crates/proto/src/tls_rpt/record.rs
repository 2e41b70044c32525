//! The TLS reporting TXT record at `_smtp._tls.<domain>` (RFC 8460 §3). It does not look anything up. The
//! ways in are [`RecordSet::evaluate`] for what stands in the DNS and [`parse_record`] for one text. A
//! change must keep the comparison of `v=TLSRPTv1;` exact.

use super::rua::{ReportDestination, Rua, RuaError};
use crate::finding::Code;
use crate::limits::POLICY_RECORD_OCTETS_MAX;
use crate::mta_sts::fields::{self, Field, Fields, Selection};

/// A record that reporters can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsRptRecord {
    /// Where reports go, in order; at least one.
    pub destinations: Vec<ReportDestination>,
    /// Other fields, in order; reporters ignore them.
    pub extensions: Vec<(String, String)>,
}

/// One text read as a record, with everything found in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordParse {
    /// The record, if reporters can use it: no error, or no other than addresses of a foreign scheme
    /// beside a good one.
    pub record: Option<TlsRptRecord>,
    /// Every field but `rua` as written, in order, `v` included, the first of each name.
    pub tags: Vec<(String, String)>,
    /// The addresses, one list per `rua` field.
    pub rua: Vec<Vec<Rua>>,
    /// What makes the record, or one of its addresses, invalid.
    pub errors: Vec<RecordError>,
    /// What is odd but harmless.
    pub warnings: Vec<RecordWarning>,
}

/// What is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Two semicolons with nothing between.
    #[error("empty field between two semicolons")]
    EmptyField,
    /// A field is no `name=value` of the allowed characters. Holds it.
    #[error("field {0:?} is not name=value of the allowed characters")]
    FieldSyntax(String),
    /// A report address cannot be used.
    #[error("rua {uri:?}: {fault}")]
    Rua {
        /// The address as written.
        uri: String,
        /// What is wrong with it.
        fault: RuaError,
    },
    /// There is no `rua` field.
    #[error("rua is missing")]
    RuaMissing,
    /// Longer than the limit; nothing of it was read.
    #[error("record is longer than {POLICY_RECORD_OCTETS_MAX} octets")]
    TooLong,
    /// The text does not start with `v=TLSRPTv1;`. Holds what stands there.
    #[error("record starts with {0:?}, not with v=TLSRPTv1;")]
    Version(String),
}

/// Something a reporter tolerates.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordWarning {
    /// An extension name stands twice; the first counts.
    #[error("field {0:?} is given more than once")]
    RepeatedExtension(String),
    /// Several `rua` fields; some reporters read only one.
    #[error("rua is given more than once, some reporters read only one")]
    RepeatedRua,
    /// White space before the first semicolon: the grammar allows it, but reporters that compare the
    /// start of the record with `v=TLSRPTv1;` discard it.
    #[error("white space before the first semicolon, reporters may discard the record")]
    SpaceAfterVersion,
    /// White space behind the last field.
    #[error("white space at the end of the record")]
    SpaceAtEnd,
    /// A field that RFC 8460 does not define; reporters ignore it.
    #[error("field {0:?} is not defined")]
    UnknownField(String),
}

/// What the TXT records at `_smtp._tls.<domain>` amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordSet {
    /// Exactly one record starts with `v=TLSRPTv1;`, and reporters cannot use it.
    Invalid(RecordParse),
    /// More than one. Same effect as none. Holds them.
    Multiple(Vec<String>),
    /// None starts with `v=TLSRPTv1;`, but some were surely meant to. Holds them.
    NearMiss(Vec<String>),
    /// No record.
    None,
    /// Exactly one that reporters can use; its parse may still hold faulty addresses.
    Valid(RecordParse, TlsRptRecord),
}

/// Starts, without case, quotes and spaces, of texts that were meant as a record; DMARC records are
/// often copied here.
const NEAR_STARTS: &[&str] =
    &["v=tlsrpt", "v=tls-rpt", "v:tlsrpt", "vtlsrpt", "tlsrpt", "v=dmarc1", "rua="];

impl RecordSet {
    /// Judges the TXT records found, each joined from its strings (RFC 8460 §3): those that do not start
    /// with `v=TLSRPTv1;` are dropped, and exactly one must remain.
    pub fn evaluate<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> Self {
        match fields::select(texts, "v=TLSRPTv1;", NEAR_STARTS) {
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

    /// The usable record, if there is one.
    pub const fn record(&self) -> Option<&TlsRptRecord> {
        match self {
            Self::Valid(_, record) => Some(record),
            Self::Invalid(_) | Self::Multiple(_) | Self::NearMiss(_) | Self::None => None,
        }
    }

    /// The findings this amounts to, each once; empty for a record without fault.
    pub fn codes(&self) -> Vec<Code> {
        match self {
            Self::Invalid(parse) | Self::Valid(parse, _) => parse.codes(),
            Self::Multiple(_) => vec![Code::RptMultiple],
            Self::NearMiss(_) => vec![Code::RptSyntax],
            Self::None => vec![Code::RptNone],
        }
    }
}

impl RecordParse {
    /// Whether the text is a valid record, every address included.
    pub const fn valid(&self) -> bool {
        self.errors.is_empty()
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
            Self::Rua { fault, .. } => fault.code(),
            Self::EmptyField
            | Self::FieldSyntax(_)
            | Self::RuaMissing
            | Self::TooLong
            | Self::Version(_) => Code::RptSyntax,
        }
    }
}

/// Reads one text by the grammar of RFC 8460 §3 and reports everything found. White space behind the
/// last field is tolerated with a warning.
pub fn parse_record(text: &str) -> RecordParse {
    let mut parse = RecordParse {
        record: None,
        tags: Vec::new(),
        rua: Vec::new(),
        errors: Vec::new(),
        warnings: Vec::new(),
    };
    if text.len() > POLICY_RECORD_OCTETS_MAX {
        parse.errors.push(RecordError::TooLong);
        return parse;
    }
    let parts = Fields::split(text);
    parse.tags = parts.tags();
    parse.tags.retain(|(name, _)| name != "rua");
    let untrailed = parts.version.trim_end_matches(fields::is_wsp);
    if untrailed != "v=TLSRPTv1" || !text.contains(';') {
        parse.errors.push(RecordError::Version(parts.version.to_owned()));
    } else if untrailed != parts.version {
        parse.warnings.push(RecordWarning::SpaceAfterVersion);
    }
    if parts.space_at_end {
        parse.warnings.push(RecordWarning::SpaceAtEnd);
    }
    let extensions = read_fields(&parts.rest, &mut parse);
    let destinations: Vec<ReportDestination> =
        parse.rua.iter().flatten().filter_map(|rua| rua.destination.clone().ok()).collect();
    let usable = parse.errors.iter().all(|error| error.code() == Code::RptRuaScheme);
    if usable && !destinations.is_empty() {
        parse.record = Some(TlsRptRecord { destinations, extensions });
    }
    parse
}

fn read_fields(fields: &[Field<'_>], parse: &mut RecordParse) -> Vec<(String, String)> {
    let mut extensions: Vec<(String, String)> = Vec::new();
    for field in fields {
        match *field {
            Field::Empty => parse.errors.push(RecordError::EmptyField),
            Field::Bare(text) => parse.errors.push(RecordError::FieldSyntax(text.to_owned())),
            Field::Pair("rua", value) => read_rua(value, parse),
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
    match parse.rua.len() {
        0 => parse.errors.push(RecordError::RuaMissing),
        1 => {}
        _ => parse.warnings.push(RecordWarning::RepeatedRua),
    }
    extensions
}

fn read_rua(value: &str, parse: &mut RecordParse) {
    // `rua= mailto:…` is outside the grammar: white space is allowed around commas only.
    if value.starts_with(fields::is_wsp) {
        parse.errors.push(RecordError::FieldSyntax(format!("rua={value}")));
    }
    let list: Vec<Rua> = value.split(',').map(|uri| Rua::parse(fields::trim_wsp(uri))).collect();
    for rua in &list {
        if let Err(fault) = &rua.destination {
            parse.errors.push(RecordError::Rua { uri: rua.uri.clone(), fault: fault.clone() });
        }
    }
    parse.rua.push(list);
}
