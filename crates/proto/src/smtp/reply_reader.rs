//! Reads one reply from bytes as they arrive (RFC 5321 §4.2, §4.5.3.1.5), and no octet beyond it: what
//! follows the final line stays with the caller, who must see it before TLS starts (RFC 3207 §4.2). The
//! way in is [`ReplyReader::feed`]; [`parse_reply_file`] reads a saved reply. Keep: in a session only CRLF
//! ends a line, and no buffer grows beyond the caps in [`crate::limits`].

use std::collections::BTreeSet;

use super::reply::{EnhancedCode, PartialReply, Reply, ReplyCode};
use crate::deviation::Deviation;
use crate::limits::{REPLY_LINE_OCTETS_MAX, REPLY_LINE_OCTETS_STANDARD, REPLY_LINES_MAX};

/// What counts as the end of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LineEnd {
    /// CRLF and nothing else.
    Crlf,
    /// CRLF, or LF alone with the deviation recorded.
    CrlfOrLf,
}

/// Reads one reply after the other; after a finished one it is ready for the next.
#[derive(Clone, Debug)]
pub struct ReplyReader {
    line_end: LineEnd,
    line: Vec<u8>,
    code: Option<ReplyCode>,
    lines: Vec<String>,
    raw_lines: Vec<String>,
    deviations: BTreeSet<Deviation>,
    octets: usize,
}

/// What one [`ReplyReader::feed`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fed {
    /// Octets taken from the front of the input; the rest belongs to no reply that was read.
    pub consumed: usize,
    /// Where the reply stands.
    pub progress: Progress,
}

/// Where the reading of a reply stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All input was taken and the reply is not finished.
    NeedMore,
    /// The reply is whole.
    Complete(Reply),
    /// The first line had no reply code: this is no SMTP reply.
    NotReply(PartialReply),
    /// A hard cap was reached; the deviations say which.
    CapReached(PartialReply),
}

/// How one line stands in its reply.
enum LineKind {
    Continues,
    Final,
}

impl Default for ReplyReader {
    fn default() -> Self {
        Self::new()
    }
}

impl ReplyReader {
    /// A reader for a session: only CRLF ends a line.
    pub const fn new() -> Self {
        Self::with_line_end(LineEnd::Crlf)
    }

    const fn with_line_end(line_end: LineEnd) -> Self {
        Self {
            line_end,
            line: Vec::new(),
            code: None,
            lines: Vec::new(),
            raw_lines: Vec::new(),
            deviations: BTreeSet::new(),
            octets: 0,
        }
    }

    /// Takes octets up to the end of the reply being read.
    pub fn feed(&mut self, bytes: &[u8]) -> Fed {
        for (index, octet) in bytes.iter().enumerate() {
            self.octets = self.octets.saturating_add(1);
            if let Some(progress) = self.push(*octet) {
                return Fed { consumed: index + 1, progress };
            }
        }
        Fed { consumed: bytes.len(), progress: Progress::NeedMore }
    }

    /// Octets of the unfinished reply that have arrived.
    pub const fn octets(&self) -> usize {
        self.octets
    }

    /// The finished lines since the last call, as they came, without line end; invalid octets replaced.
    pub fn take_raw_lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.raw_lines)
    }

    /// What has come of the unfinished reply, if anything; the reader starts anew. An unfinished line joins
    /// the raw lines too.
    pub fn take_partial(&mut self) -> Option<PartialReply> {
        if self.octets == 0 {
            return None;
        }
        if !self.line.is_empty() {
            let line = std::mem::take(&mut self.line);
            let _kind = self.finish_line(&line);
        }
        self.deviations.insert(Deviation::MissingFinalLine);
        Some(self.partial())
    }

    fn push(&mut self, octet: u8) -> Option<Progress> {
        let after_cr = self.line.last() == Some(&b'\r');
        if octet == b'\n' && (after_cr || self.line_end == LineEnd::CrlfOrLf) {
            if after_cr {
                self.line.pop();
            } else {
                self.deviations.insert(Deviation::BareLf);
            }
            return self.end_line();
        }
        if after_cr {
            self.deviations.insert(Deviation::BareCr);
        }
        if octet == b'\n' {
            self.deviations.insert(Deviation::BareLf);
        }
        if self.line.len() >= REPLY_LINE_OCTETS_MAX && octet != b'\r' {
            return Some(self.cap(Deviation::LineOverCap));
        }
        self.line.push(octet);
        // A CR may end a line of exactly the cap; one more octet of any kind may not.
        (self.line.len() > REPLY_LINE_OCTETS_MAX + 1).then(|| self.cap(Deviation::LineOverCap))
    }

    fn end_line(&mut self) -> Option<Progress> {
        let line = std::mem::take(&mut self.line);
        let first = self.lines.is_empty();
        let kind = self.finish_line(&line);
        if first && self.code.is_none() {
            return Some(Progress::NotReply(self.partial()));
        }
        match kind {
            LineKind::Final => self.finish().map(Progress::Complete),
            LineKind::Continues if self.lines.len() >= REPLY_LINES_MAX => {
                Some(self.cap(Deviation::TooManyLines))
            }
            LineKind::Continues => None,
        }
    }

    /// Reads one line without its end into the reply.
    fn finish_line(&mut self, line: &[u8]) -> LineKind {
        if line.len() + 2 > REPLY_LINE_OCTETS_STANDARD {
            self.deviations.insert(Deviation::LineOverStandard);
        }
        for octet in line {
            match octet {
                b'\t' | b'\r' | b'\n' | 0x20..=0x7e => {}
                0x80..=0xff => {
                    self.deviations.insert(Deviation::NonAscii);
                }
                0x00..=0x1f | 0x7f => {
                    self.deviations.insert(Deviation::ControlOctet);
                }
            }
        }
        self.raw_lines.push(String::from_utf8_lossy(line).into_owned());
        let (code, rest) = split_code(line);
        match (self.code, code) {
            (_, None) => {
                self.deviations.insert(Deviation::MissingCode);
                self.lines.push(String::from_utf8_lossy(line).into_owned());
                return LineKind::Continues;
            }
            (None, Some(new)) if self.lines.is_empty() => self.code = Some(new),
            (Some(first), Some(new)) if first == new => {}
            (Some(_) | None, Some(_)) => {
                self.deviations.insert(Deviation::DifferingCodes);
            }
        }
        let (text, kind) = match rest.split_first() {
            None => (rest, LineKind::Final),
            Some((b' ', text)) => (text, LineKind::Final),
            Some((b'-', text)) => (text, LineKind::Continues),
            Some(_) => {
                self.deviations.insert(Deviation::MissingSeparator);
                (rest, LineKind::Final)
            }
        };
        self.lines.push(String::from_utf8_lossy(text).into_owned());
        kind
    }

    fn finish(&mut self) -> Option<Reply> {
        reply_of(self.partial())
    }

    fn cap(&mut self, which: Deviation) -> Progress {
        if !self.line.is_empty() {
            let line = std::mem::take(&mut self.line);
            let _kind = self.finish_line(&line);
        }
        self.deviations.insert(which);
        Progress::CapReached(self.partial())
    }

    /// Takes everything out and leaves the reader ready for the next reply.
    fn partial(&mut self) -> PartialReply {
        self.line.clear();
        PartialReply {
            code: self.code.take(),
            lines: std::mem::take(&mut self.lines),
            deviations: std::mem::take(&mut self.deviations).into_iter().collect(),
            octets: std::mem::take(&mut self.octets),
        }
    }
}

/// The reply these lines make, if the first has a code. An enhanced code counts only in the class of the
/// reply (RFC 2034 §4).
fn reply_of(partial: PartialReply) -> Option<Reply> {
    let code = partial.code?;
    let enhanced = partial
        .lines
        .first()
        .and_then(|text| EnhancedCode::at_start_of(text))
        .filter(|enhanced| u16::from(enhanced.class) == code.first_digit());
    Some(Reply { code, enhanced, lines: partial.lines, deviations: partial.deviations })
}

/// The code of three digits at the start of a line, and the rest of the line.
fn split_code(line: &[u8]) -> (Option<ReplyCode>, &[u8]) {
    let Some((digits, rest)) = line.split_first_chunk::<3>() else { return (None, line) };
    if !digits.iter().all(u8::is_ascii_digit) {
        return (None, line);
    }
    let number = digits.iter().fold(0_u16, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    (ReplyCode::new(number), rest)
}

/// A reply read from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReply {
    /// The reply; also when it is incomplete.
    pub reply: Reply,
    /// Whether its final line was there, with its line end: a client would stop reading here.
    pub complete: bool,
    /// Octets of the file after the reply.
    pub trailing: usize,
}

/// Why a file holds no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileReplyError {
    /// No octet.
    #[error("the reply is empty")]
    Empty,
    /// The first line has no reply code.
    #[error("the first line does not start with a reply code of three digits")]
    NoCode,
}

/// Reads the first reply of a file. LF alone ends a line here, and is recorded.
///
/// # Errors
///
/// Nothing in the file, or a first line without a reply code.
pub fn parse_reply_file(bytes: &[u8]) -> Result<FileReply, FileReplyError> {
    if bytes.is_empty() {
        return Err(FileReplyError::Empty);
    }
    let mut reader = ReplyReader::with_line_end(LineEnd::CrlfOrLf);
    let fed = reader.feed(bytes);
    let trailing = bytes.len().saturating_sub(fed.consumed);
    let partial = match fed.progress {
        Progress::Complete(reply) => return Ok(FileReply { reply, complete: true, trailing }),
        Progress::NotReply(_) => return Err(FileReplyError::NoCode),
        Progress::CapReached(partial) => partial,
        Progress::NeedMore => reader.take_partial().ok_or(FileReplyError::Empty)?,
    };
    let reply = reply_of(partial).ok_or(FileReplyError::NoCode)?;
    Ok(FileReply { reply, complete: false, trailing })
}

#[cfg(test)]
mod tests;
