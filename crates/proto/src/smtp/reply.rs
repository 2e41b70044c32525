//! SMTP replies (RFC 5321 §4.2, RFC 2034 §4, RFC 3463).

use crate::deviation::Deviation;

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
    /// The enhanced code, where the text starts with one.
    pub enhanced: Option<EnhancedCode>,
    /// The text of each line, without code, separator and line end; not UTF-8 checked by the peer, so
    /// invalid octets are replaced.
    pub lines: Vec<String>,
    /// What was tolerated.
    pub deviations: Vec<Deviation>,
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
}
