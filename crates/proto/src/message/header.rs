//! The header block of a raw message (RFC 5322 §2.2): fields in order, unfolded for reading and kept as
//! they came. LF and CRLF both end a line; what departs from the grammar is tolerated and named. Encoded
//! words (RFC 2047) are decoded for display only. The way in is [`HeaderBlock::parse`]. Keep: the body is
//! never looked at, and no input is read beyond the named limits.

use crate::limits::{HEADER_BLOCK_OCTETS_MAX, HEADER_FIELD_OCTETS_MAX, HEADER_FIELDS_MAX};
use base64::Engine as _;

/// One header field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderField {
    /// The name as written, without the colon.
    pub name: String,
    /// The value with its folds; octets that are no UTF-8 are replaced.
    pub raw: String,
}

/// What a header block departed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeaderDeviation {
    /// Lines end in LF without CR (RFC 5322 §2.3).
    BareLf,
    /// The block was longer than the limit; the rest was not read.
    BlockOverLimit,
    /// A field was longer than the limit and was cut.
    FieldOverLimit,
    /// An mbox `From ` line stood before the first field.
    MboxLine,
    /// A line was neither a field nor a continuation (RFC 5322 §2.2).
    NoField,
    /// Octets that are not UTF-8 (RFC 6532 §3.1).
    NotUtf8,
    /// White space before the colon (RFC 5322 §4.5.8).
    SpaceBeforeColon,
    /// More fields than the limit; the rest was not read.
    TooManyFields,
}

/// The header fields of one message, newest first as they stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderBlock {
    /// The fields in order.
    pub fields: Vec<HeaderField>,
    /// What was tolerated, each once.
    pub deviations: Vec<HeaderDeviation>,
}

impl HeaderDeviation {
    /// The stable word for this deviation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BareLf => "bare-lf",
            Self::BlockOverLimit => "block-over-limit",
            Self::FieldOverLimit => "field-over-limit",
            Self::MboxLine => "mbox-line",
            Self::NoField => "no-field",
            Self::NotUtf8 => "not-utf8",
            Self::SpaceBeforeColon => "space-before-colon",
            Self::TooManyFields => "too-many-fields",
        }
    }
}

impl HeaderField {
    /// The value on one line: each fold becomes what follows it (RFC 5322 §2.2.3).
    pub fn value(&self) -> String {
        unfold(&self.raw)
    }

    /// Whether the field has this name, in any case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

impl HeaderBlock {
    /// Splits the header block off a message. Ends at the first empty line or at the end of the input.
    pub fn parse(message: &[u8]) -> Self {
        let mut block = Self::default();
        let bounded = message.get(..HEADER_BLOCK_OCTETS_MAX).unwrap_or(message);
        let mut lines = bounded.split_inclusive(|octet| *octet == b'\n').peekable();
        if lines.peek().is_some_and(|line| line.starts_with(b"From ")) {
            lines.next();
            block.note(HeaderDeviation::MboxLine);
        }
        let mut ended = false;
        // A file that was saved with the line ends of its system departs from nothing; a mixture does.
        let mixed = bounded.windows(2).any(|pair| pair == b"\r\n");
        for line in lines {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            if mixed && text.len() < line.len() && !text.ends_with(b"\r") {
                block.note(HeaderDeviation::BareLf);
            }
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            if text.is_empty() {
                ended = true;
                break;
            }
            if !block.take_line(text) {
                ended = true;
                break;
            }
        }
        if !ended && bounded.len() < message.len() {
            block.note(HeaderDeviation::BlockOverLimit);
        }
        block
    }

    /// The fields of one name, in order.
    pub fn named(&self, name: &'static str) -> impl Iterator<Item = &HeaderField> {
        self.fields.iter().filter(move |field| field.is(name))
    }

    /// Reads one line that is not empty; false when no more fields are taken.
    fn take_line(&mut self, line: &[u8]) -> bool {
        let text = String::from_utf8_lossy(line);
        if matches!(text, std::borrow::Cow::Owned(_)) {
            self.note(HeaderDeviation::NotUtf8);
        }
        if text.starts_with([' ', '\t']) {
            self.continue_field(&text);
            return true;
        }
        let Some((name, value)) = text.split_once(':') else {
            self.note(HeaderDeviation::NoField);
            return true;
        };
        let bare = name.trim_end();
        if bare.is_empty() || !bare.bytes().all(|octet| octet.is_ascii_graphic()) {
            self.note(HeaderDeviation::NoField);
            return true;
        }
        if bare.len() < name.len() {
            self.note(HeaderDeviation::SpaceBeforeColon);
        }
        if self.fields.len() >= HEADER_FIELDS_MAX {
            self.note(HeaderDeviation::TooManyFields);
            return false;
        }
        let name = bare.to_owned();
        self.fields.push(HeaderField { name, raw: String::new() });
        self.append(value);
        true
    }

    fn continue_field(&mut self, text: &str) {
        if self.fields.is_empty() {
            self.note(HeaderDeviation::NoField);
        } else {
            self.append("\r\n");
            self.append(text);
        }
    }

    /// Appends to the last field, up to the limit.
    fn append(&mut self, text: &str) {
        let Some(field) = self.fields.last_mut() else { return };
        let room = HEADER_FIELD_OCTETS_MAX.saturating_sub(field.raw.len());
        let end = text.floor_char_boundary(room.min(text.len()));
        field.raw.push_str(text.get(..end).unwrap_or_default());
        if end < text.len() {
            self.note(HeaderDeviation::FieldOverLimit);
        }
    }

    fn note(&mut self, deviation: HeaderDeviation) {
        if !self.deviations.contains(&deviation) {
            self.deviations.push(deviation);
        }
    }
}

/// A value on one line, without white space at its ends.
pub fn unfold(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for line in raw.split('\n') {
        out.push_str(line.strip_suffix('\r').unwrap_or(line));
    }
    out.trim().to_owned()
}

/// The text of a value for people: encoded words (RFC 2047 §2) in UTF-8, US-ASCII or ISO-8859-1 become
/// their characters; any other stays as it is written.
pub fn decoded(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    let mut after_word = false;
    while let Some(start) = rest.find("=?") {
        let (plain, tail) = rest.split_at(start);
        if let Some((text, after)) = encoded_word(tail) {
            // RFC 2047 §6.2: white space between two encoded words is not shown.
            if !(after_word && plain.trim().is_empty()) {
                out.push_str(plain);
            }
            out.push_str(&text);
            rest = after;
            after_word = true;
        } else {
            out.push_str(plain);
            out.push_str("=?");
            rest = tail.strip_prefix("=?").unwrap_or_default();
            after_word = false;
        }
    }
    out.push_str(rest);
    out
}

/// The encoded word at the start of a text, and what follows it.
fn encoded_word(text: &str) -> Option<(String, &str)> {
    let (charset, rest) = text.strip_prefix("=?")?.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let (payload, rest) = rest.split_once("?=")?;
    if payload.contains([' ', '\t', '?']) {
        return None;
    }
    let octets = match encoding {
        "B" | "b" => base64::engine::general_purpose::STANDARD.decode(payload).ok()?,
        "Q" | "q" => q_decoded(payload)?,
        _ => return None,
    };
    // RFC 2231 §5: a language may follow the charset.
    let charset = charset.split('*').next().unwrap_or_default().to_ascii_lowercase();
    let text = match charset.as_str() {
        "utf-8" | "us-ascii" => String::from_utf8(octets).ok()?,
        "iso-8859-1" => octets.into_iter().map(char::from).collect(),
        _ => return None,
    };
    Some((text, rest))
}

/// The Q encoding (RFC 2047 §4.2).
fn q_decoded(payload: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(payload.len());
    let mut octets = payload.bytes();
    while let Some(octet) = octets.next() {
        out.push(match octet {
            b'_' => b' ',
            b'=' => hex(octets.next()?)? << 4 | hex(octets.next()?)?,
            other => other,
        });
    }
    Some(out)
}

fn hex(octet: u8) -> Option<u8> {
    char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_split_and_unfolded() {
        let message = b"Received: from a\r\n\tby b;\r\n date\r\nSubject:x\r\n\r\nBody: no\r\n";
        let block = HeaderBlock::parse(message);
        assert_eq!(block.deviations, []);
        let values: Vec<(String, String)> =
            block.fields.iter().map(|field| (field.name.clone(), field.value())).collect();
        assert_eq!(
            values,
            [
                ("Received".to_owned(), "from a\tby b; date".to_owned()),
                ("Subject".to_owned(), "x".to_owned())
            ]
        );
        assert_eq!(block.named("RECEIVED").count(), 1);
    }

    #[test]
    fn departures_are_named() {
        use HeaderDeviation as D;
        let many = "A: b\r\n".repeat(HEADER_FIELDS_MAX + 1);
        let long = format!("A: {}\r\n\r\n", "x".repeat(HEADER_FIELD_OCTETS_MAX + 1));
        let huge = format!("A: b\r\n{}", "no field\r\n".repeat(HEADER_BLOCK_OCTETS_MAX / 10 + 1));
        let table: &[(&[u8], &[D], usize)] = &[
            (b"", &[], 0),
            (b"A: b", &[], 1),
            (b"From x Mon\nA: b\n\n", &[D::MboxLine], 1),
            (b"A: b\r\nC: d\n\r\n", &[D::BareLf], 2),
            (b"A : b\r\n\r\n", &[D::SpaceBeforeColon], 1),
            (b" A: b\r\nno colon\r\n: x\r\n", &[D::NoField], 0),
            (b"A: \xff\r\n", &[D::NotUtf8], 1),
            (many.as_bytes(), &[D::TooManyFields], HEADER_FIELDS_MAX),
            (long.as_bytes(), &[D::FieldOverLimit], 1),
            (huge.as_bytes(), &[D::NoField, D::BlockOverLimit], 1),
        ];
        for (message, deviations, fields) in table {
            let block = HeaderBlock::parse(message);
            assert_eq!((block.deviations.as_slice(), block.fields.len()), (*deviations, *fields));
        }
    }

    #[test]
    fn encoded_words_are_shown() {
        let table = [
            ("plain", "plain"),
            ("=?utf-8?B?8J+QiA==?= cat", "🐈 cat"),
            ("=?iso-8859-1?Q?a_=FC?= =?UTF-8*de?q?b?=", "a üb"),
            ("=?koi8-r?B?8J+Q?= x", "=?koi8-r?B?8J+Q?= x"),
            ("=?utf-8?Q?=ZZ?= =?", "=?utf-8?Q?=ZZ?= =?"),
        ];
        for (text, shown) in table {
            assert_eq!(decoded(text), shown);
        }
    }
}
