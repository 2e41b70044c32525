//! The MTA-STS policy file (RFC 8461 §3.2). It is not fetched here. The way in is [`parse_policy`], which
//! reads on after a fault so that the owner hears of all of them at once. A change must keep a file with
//! any fault but an over-long `max_age` without a usable policy.

use super::fields::{is_extension_name, is_wsp};
use super::matching::MxPattern;
use super::policy_error::{LineFault, PolicyError, PolicyWarning};
use crate::finding::Code;
use crate::limits::{STS_MAX_AGE_S_MAX, STS_POLICY_OCTETS_MAX};
use crate::name::DomainName;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What senders do when a mail host fails the check (RFC 8461 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// They do not deliver to it.
    Enforce,
    /// They act as if there were no policy.
    None,
    /// They deliver, and report.
    Testing,
}

/// A usable policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What senders do on failure.
    pub mode: Mode,
    /// The hosts that may receive; empty only for mode none.
    pub mx: Vec<MxPattern>,
    /// How long the policy may be cached, in seconds; at most one year.
    pub max_age_s: u64,
}

/// A policy file with everything found in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyParse {
    /// The policy, if senders can use it. With [`PolicyError::MaxAgeOverCap`] as the only error it is
    /// present with `max_age` cut to the limit, because senders differ there.
    pub policy: Option<Policy>,
    /// The mode, if it was readable; also in a file that is invalid for another reason.
    pub mode: Option<Mode>,
    /// `max_age` as written, in seconds, if it was a number.
    pub max_age_s: Option<u64>,
    /// The `mx` values as written, in order, valid or not.
    pub mx: Vec<String>,
    /// Keys that RFC 8461 does not define, with their values, in order.
    pub extensions: Vec<(String, String)>,
    /// Everything wrong, lines in the order of the file, then the keys.
    pub errors: Vec<PolicyError>,
    /// Everything odd but harmless.
    pub warnings: Vec<PolicyWarning>,
}

impl Mode {
    /// The mode as a policy file spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::None => "none",
            Self::Testing => "testing",
        }
    }

    /// Reads a mode; letter case counts (RFC 8461 §3.2).
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Enforce, Self::None, Self::Testing].into_iter().find(|mode| mode.as_str() == text)
    }
}

impl Policy {
    /// The first pattern that this mail host matches (RFC 8461 §4.1).
    pub fn matching(&self, mx: &DomainName) -> Option<&MxPattern> {
        self.mx.iter().find(|pattern| pattern.matches(mx))
    }
}

impl PolicyParse {
    /// Whether the file is a valid policy.
    pub const fn valid(&self) -> bool {
        self.errors.is_empty()
    }

    /// The findings of its errors, each once.
    pub fn codes(&self) -> Vec<Code> {
        let mut codes: Vec<Code> = self.errors.iter().map(PolicyError::code).collect();
        codes.sort();
        codes.dedup();
        codes
    }
}

/// Whether a policy may be read from an answer with this `Content-Type` (RFC 8461 §3.2: `text/plain`,
/// whatever its parameters).
pub fn content_type_acceptable(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default();
    media_type.trim_matches(is_wsp).eq_ignore_ascii_case("text/plain")
}

/// Reads a policy file. Lines end in LF or CRLF; the first of a repeated key counts, except `mx`; unknown
/// keys are kept as extensions; empty lines are tolerated with a warning.
pub fn parse_policy(octets: &[u8]) -> PolicyParse {
    let mut parse = PolicyParse::default();
    if octets.len() > STS_POLICY_OCTETS_MAX {
        parse.errors.push(PolicyError::Oversize);
        return parse;
    }
    if matches!(octets, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..]) {
        parse.errors.push(PolicyError::Utf16);
        return parse;
    }
    let text = decode(octets, &mut parse.errors);
    let mut reader = Reader { parse, ..Reader::default() };
    let mut number = 0;
    for raw in text.split_inclusive('\n') {
        let line = raw.strip_suffix('\n').map_or(raw, |l| l.strip_suffix('\r').unwrap_or(l));
        // A CR inside a line ends it for reading, so that other faults are still found.
        for (place, part) in line.split('\r').enumerate() {
            if place > 0 {
                reader.bare_cr.get_or_insert(number);
            }
            number += 1;
            reader.read_line(number, part);
        }
    }
    reader.finish()
}

fn decode<'a>(octets: &'a [u8], errors: &mut Vec<PolicyError>) -> Cow<'a, str> {
    let text = String::from_utf8_lossy(octets);
    if let Cow::Owned(_) = text {
        errors.push(PolicyError::NotUtf8);
    }
    if text.starts_with('\u{feff}') {
        errors.push(PolicyError::ByteOrderMark);
        return Cow::Owned(text.trim_start_matches('\u{feff}').to_owned());
    }
    text
}

/// The state of reading line after line.
#[derive(Default)]
struct Reader {
    parse: PolicyParse,
    version: Option<String>,
    mode: Option<String>,
    max_age: Option<String>,
    patterns: Vec<MxPattern>,
    /// Empty lines since the last one with content; at the end of the file they mean nothing.
    blank: Vec<usize>,
    /// The first line that ends in a CR alone.
    bare_cr: Option<usize>,
    seen_keys: BTreeSet<String>,
    seen_patterns: BTreeSet<MxPattern>,
}

impl Reader {
    fn read_line(&mut self, line: usize, text: &str) {
        if text.chars().all(is_wsp) {
            self.blank.push(line);
            return;
        }
        self.parse.warnings.extend(self.blank.drain(..).map(PolicyWarning::BlankLine));
        match split_line(text) {
            Ok((key, value)) => self.take(line, key, value),
            Err(fault) => {
                self.parse.errors.push(PolicyError::Line { line, text: text.to_owned(), fault });
            }
        }
    }

    fn take(&mut self, line: usize, key: &str, value: &str) {
        let slot = match key {
            "version" => &mut self.version,
            "mode" => &mut self.mode,
            "max_age" => &mut self.max_age,
            "mx" => return self.take_mx(line, value),
            _ => return self.take_extension(key, value),
        };
        if slot.is_some() {
            self.parse.warnings.push(PolicyWarning::DuplicateKey(key.to_owned()));
        } else {
            *slot = Some(value.to_owned());
        }
    }

    fn take_mx(&mut self, line: usize, value: &str) {
        self.parse.mx.push(value.to_owned());
        match MxPattern::parse(value) {
            Ok(pattern) => {
                if self.seen_patterns.insert(pattern.clone()) {
                    self.patterns.push(pattern);
                } else {
                    self.parse.warnings.push(PolicyWarning::DuplicateMx(pattern.to_string()));
                }
            }
            Err(fault) => {
                let pattern = value.to_owned();
                self.parse.errors.push(PolicyError::MxPattern { line, pattern, fault });
            }
        }
    }

    fn take_extension(&mut self, key: &str, value: &str) {
        let known = ["version", "mode", "max_age", "mx"];
        if !self.seen_keys.insert(key.to_owned()) {
            self.parse.warnings.push(PolicyWarning::DuplicateKey(key.to_owned()));
            return;
        }
        let warning = if known.iter().any(|name| name.eq_ignore_ascii_case(key)) {
            PolicyWarning::KeyCase(key.to_owned())
        } else {
            PolicyWarning::UnknownKey(key.to_owned())
        };
        self.parse.warnings.push(warning);
        self.parse.extensions.push((key.to_owned(), value.to_owned()));
    }

    fn finish(self) -> PolicyParse {
        let Self { mut parse, version, mode, max_age, patterns, bare_cr, .. } = self;
        parse.errors.extend(bare_cr.map(|line| PolicyError::BareCr { line }));
        match version.as_deref() {
            Some("STSv1") => {}
            Some(other) => parse.errors.push(PolicyError::VersionUnknown(other.to_owned())),
            None => parse.errors.push(PolicyError::VersionMissing),
        }
        match mode {
            Some(text) => {
                parse.mode = Mode::parse(&text);
                if parse.mode.is_none() {
                    parse.errors.push(PolicyError::ModeUnknown(text));
                }
            }
            None => parse.errors.push(PolicyError::ModeMissing),
        }
        match max_age {
            Some(text) => {
                parse.max_age_s = parse_max_age(&text);
                match parse.max_age_s {
                    Some(age) if age > STS_MAX_AGE_S_MAX => {
                        parse.errors.push(PolicyError::MaxAgeOverCap(age));
                    }
                    Some(_) => {}
                    None => parse.errors.push(PolicyError::MaxAgeInvalid(text)),
                }
            }
            None => parse.errors.push(PolicyError::MaxAgeMissing),
        }
        if parse.mx.is_empty() && matches!(parse.mode, Some(Mode::Enforce | Mode::Testing)) {
            parse.errors.push(PolicyError::MxMissing);
        }
        let usable = parse.errors.iter().all(|e| matches!(e, PolicyError::MaxAgeOverCap(_)));
        if let (true, Some(mode), Some(age)) = (usable, parse.mode, parse.max_age_s) {
            let max_age_s = age.min(STS_MAX_AGE_S_MAX);
            parse.policy = Some(Policy { mode, mx: patterns, max_age_s });
        }
        parse
    }
}

/// `key: value`. White space is allowed behind the colon and at the end of the line only.
fn split_line(text: &str) -> Result<(&str, &str), LineFault> {
    let Some((key, value)) = text.split_once(':') else {
        return Err(if text.contains('=') { LineFault::EqualsSign } else { LineFault::NoColon });
    };
    if !is_extension_name(key) {
        let equals = key.split_once('=').is_some_and(|(name, _)| is_extension_name(name.trim()));
        return Err(if equals { LineFault::EqualsSign } else { LineFault::Key });
    }
    let value = value.trim_matches(is_wsp);
    if value.is_empty() {
        return Err(LineFault::EmptyValue);
    }
    if value.chars().any(|c| c.is_control() || c == '\u{fffd}') {
        return Err(LineFault::Value);
    }
    Ok((key, value))
}

fn parse_max_age(text: &str) -> Option<u64> {
    let digits = (1..=10).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}
