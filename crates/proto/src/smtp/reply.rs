//! SMTP replies (RFC 5321 §4.2, RFC 2034 §4, RFC 3463): the values and what can be asked of them.
//! Reading them from bytes is [`super::reply_reader`]; their meaning is [`super::reply_class`]. The way in
//! is [`Reply`]. Keep: a reply that is not [`Reply::is_consistent`] never counts as positive.

use crate::deviation::Deviation;

pub use super::reply_reader::{
    Fed, FileReply, FileReplyError, Progress, ReplyReader, parse_reply_file,
};

/// A reply code: three digits, the first 2 to 5 for what the standard knows (RFC 5321 §4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplyCode(u16);

/// An enhanced status code `class.subject.detail` (RFC 3463 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnhancedCode {
    /// 2, 4 or 5.
    pub class: u8,
    /// 0 to 999.
    pub subject: u16,
    /// 0 to 999.
    pub detail: u16,
}

/// One whole reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The code of the first line.
    pub code: ReplyCode,
    /// The enhanced code, where the text starts with one of the same class.
    pub enhanced: Option<EnhancedCode>,
    /// The text of each line, without code, separator and line end; not UTF-8 checked by the peer, so
    /// invalid octets are replaced. An enhanced code stays in the text.
    pub lines: Vec<String>,
    /// What was tolerated, each once, in order of [`Deviation`].
    pub deviations: Vec<Deviation>,
}

/// What had come of a reply that never became one: the peer fell silent, closed, went over a cap, or sent
/// something without a reply code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartialReply {
    /// The code of the first line, where there was one.
    pub code: Option<ReplyCode>,
    /// The text of each line, the last one possibly cut.
    pub lines: Vec<String>,
    /// What was tolerated up to there.
    pub deviations: Vec<Deviation>,
    /// Octets that had arrived, line ends included.
    pub octets: usize,
}

impl ReplyCode {
    /// A code from its number, 100 to 999.
    pub const fn new(number: u16) -> Option<Self> {
        if number >= 100 && number <= 999 { Some(Self(number)) } else { None }
    }

    /// The number.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The first digit, which decides what a client does next (RFC 5321 §4.2.1).
    pub const fn first_digit(self) -> u16 {
        self.0 / 100
    }
}

impl std::fmt::Display for ReplyCode {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:03}", self.0)
    }
}

impl EnhancedCode {
    /// Reads the code at the start of a reply text (RFC 2034 §4): class 2, 4 or 5, two numbers of one to
    /// three digits without leading zeros (RFC 3463 §2), then a space or the end.
    pub fn at_start_of(text: &str) -> Option<Self> {
        let word = text.split(' ').next()?;
        let mut parts = word.split('.');
        let (class, subject, detail) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let class = match class {
            "2" => 2,
            "4" => 4,
            "5" => 5,
            _ => return None,
        };
        Some(Self { class, subject: sub_code(subject)?, detail: sub_code(detail)? })
    }
}

impl std::fmt::Display for EnhancedCode {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

fn sub_code(text: &str) -> Option<u16> {
    let digits_only = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    let leading_zero = text.len() > 1 && text.starts_with('0');
    if !digits_only || leading_zero || text.len() > 3 {
        return None;
    }
    text.parse().ok()
}

impl Reply {
    /// Whether every line was a reply line of the same code. Only such a reply may count as positive.
    pub fn is_consistent(&self) -> bool {
        !self.deviations.iter().any(|deviation| {
            matches!(
                deviation,
                Deviation::DifferingCodes
                    | Deviation::MissingCode
                    | Deviation::MissingFinalLine
                    | Deviation::LineOverCap
                    | Deviation::TooManyLines
                    | Deviation::OctetsOverCap
            )
        })
    }

    /// Whether nothing at all had to be tolerated.
    pub fn is_clean(&self) -> bool {
        self.deviations.is_empty()
    }

    /// Whether this is a consistent reply with exactly this code.
    pub fn is_exactly(&self, number: u16) -> bool {
        self.code.number() == number && self.is_consistent()
    }

    /// The text of all lines, joined by LF; codes and separators are gone, an enhanced code is kept.
    pub fn message(&self) -> String {
        self.lines.join("\n")
    }
}
