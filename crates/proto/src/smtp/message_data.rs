//! A message as it travels (RFC 5321 §4.5.2, RFC 5322 §2.1.1, §2.3): lines that end in CRLF, no bare CR or
//! LF, which some servers take for a line end and so for a second message. The way in is
//! [`MessageData::new`], or [`MessageData::from_local_text`] for a file with the line ends of this machine.
//! Keep: octets leave only with a [`Passage`], every line that starts with a dot gets another.

use crate::limits::{MESSAGE_LINE_OCTETS_MAX, MESSAGE_OCTETS_MAX};
use crate::tls::requirement::Passage;

/// One message, header and body.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageData(Vec<u8>);

/// Why octets are no message that can travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// A CR without LF.
    #[error("the message holds a CR without LF in line {line}")]
    BareCr {
        /// The line, from 1.
        line: usize,
    },
    /// A LF without CR.
    #[error("the message holds a LF without CR in line {line}")]
    BareLf {
        /// The line, from 1.
        line: usize,
    },
    /// No octet.
    #[error("the message is empty")]
    Empty,
    /// A line over 998 octets.
    #[error("line {line} of the message is longer than {MESSAGE_LINE_OCTETS_MAX} octets")]
    LineTooLong {
        /// The line, from 1.
        line: usize,
    },
    /// A NUL octet.
    #[error("the message holds a NUL in line {line}")]
    Nul {
        /// The line, from 1.
        line: usize,
    },
    /// Too large.
    #[error("the message is larger than {MESSAGE_OCTETS_MAX} octets")]
    TooLarge,
    /// The last line has no end.
    #[error("the last line of the message does not end in CRLF")]
    Unfinished,
}

impl MessageData {
    /// Takes a message whose lines end in CRLF.
    ///
    /// # Errors
    ///
    /// [`MessageError`] with the first fault found.
    pub fn new(octets: Vec<u8>) -> Result<Self, MessageError> {
        if octets.is_empty() {
            return Err(MessageError::Empty);
        }
        if octets.len() > MESSAGE_OCTETS_MAX {
            return Err(MessageError::TooLarge);
        }
        let mut rest = octets.as_slice();
        let mut line = 0_usize;
        while !rest.is_empty() {
            line = line.saturating_add(1);
            let end = rest.iter().position(|octet| matches!(octet, b'\r' | b'\n' | 0));
            let end = end.ok_or(MessageError::Unfinished)?;
            let after = rest.get(end..).unwrap_or_default();
            rest = match after {
                [b'\r', b'\n', next @ ..] => next,
                [b'\r', ..] => return Err(MessageError::BareCr { line }),
                [b'\n', ..] => return Err(MessageError::BareLf { line }),
                _ => return Err(MessageError::Nul { line }),
            };
            if end > MESSAGE_LINE_OCTETS_MAX {
                return Err(MessageError::LineTooLong { line });
            }
        }
        Ok(Self(octets))
    }

    /// Takes a file: when no CR stands in it, each LF becomes CRLF; a last line without end gets one.
    ///
    /// # Errors
    ///
    /// As [`Self::new`]. A file that mixes both line ends is not repaired.
    pub fn from_local_text(text: &[u8]) -> Result<Self, MessageError> {
        if text.len() > MESSAGE_OCTETS_MAX {
            return Err(MessageError::TooLarge);
        }
        let mut octets = Vec::with_capacity(text.len().saturating_add(2));
        if text.contains(&b'\r') {
            octets.extend_from_slice(text);
        } else {
            for octet in text {
                octets.extend_from_slice(if *octet == b'\n' {
                    b"\r\n"
                } else {
                    std::slice::from_ref(octet)
                });
            }
        }
        if !octets.is_empty() && !octets.ends_with(b"\n") {
            octets.extend_from_slice(b"\r\n");
        }
        Self::new(octets)
    }

    /// The octets, without dot-stuffing and without the final dot.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Octets, as SIZE counts them (RFC 1870 §5).
    pub const fn octets(&self) -> usize {
        self.0.len()
    }

    /// Whether the header has octets outside ASCII, so that SMTPUTF8 is needed (RFC 6532 §3.2).
    pub fn needs_smtputf8(&self) -> bool {
        !self.header().is_ascii()
    }

    /// Whether any octet is outside ASCII, so that 8BITMIME is needed (RFC 6152 §3).
    pub fn needs_8bitmime(&self) -> bool {
        !self.0.is_ascii()
    }

    /// The header: everything before the first empty line.
    fn header(&self) -> &[u8] {
        let end = self.0.windows(4).position(|window| window == b"\r\n\r\n");
        end.and_then(|end| self.0.get(..end)).unwrap_or(&self.0)
    }

    /// The octets of the DATA block with the final dot, for one write (RFC 5321 §4.5.2).
    pub(crate) fn encode(&self, _: &Passage) -> Vec<u8> {
        let mut wire = Vec::with_capacity(self.0.len().saturating_add(64));
        for line in self.0.split_inclusive(|octet| *octet == b'\n') {
            if line.starts_with(b".") {
                wire.push(b'.');
            }
            wire.extend_from_slice(line);
        }
        wire.extend_from_slice(b".\r\n");
        wire
    }
}

impl std::fmt::Debug for MessageData {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "MessageData({} octets)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::{MessageData, MessageError};
    use crate::limits::{MESSAGE_LINE_OCTETS_MAX, MESSAGE_OCTETS_MAX};
    use crate::tls::danger::ClearTextAllowance;
    use crate::tls::requirement::Passage;
    use proptest::prelude::*;

    fn passage() -> Passage {
        let loopback = std::net::Ipv4Addr::LOCALHOST.into();
        Passage::InClear(ClearTextAllowance::for_loopback(loopback).unwrap())
    }

    #[test]
    fn bare_line_ends_and_long_lines_are_refused() {
        let edge = [vec![b'a'; MESSAGE_LINE_OCTETS_MAX], b"\r\n".to_vec()].concat();
        let over = [vec![b'a'; MESSAGE_LINE_OCTETS_MAX + 1], b"\r\n".to_vec()].concat();
        assert!(MessageData::new(edge).is_ok());
        for (octets, expected) in [
            (b"".to_vec(), MessageError::Empty),
            (b"a: b\r\n\r\nx\n.\r\n".to_vec(), MessageError::BareLf { line: 3 }),
            (b"a: b\r\n\rx\r\n".to_vec(), MessageError::BareCr { line: 2 }),
            (b"a: b\r\r\n".to_vec(), MessageError::BareCr { line: 1 }),
            (b"a: b\r\n\0\r\n".to_vec(), MessageError::Nul { line: 2 }),
            (b"a: b\r\nend".to_vec(), MessageError::Unfinished),
            (over, MessageError::LineTooLong { line: 1 }),
            (vec![b'a'; MESSAGE_OCTETS_MAX + 1], MessageError::TooLarge),
        ] {
            assert_eq!(MessageData::new(octets), Err(expected));
        }
    }

    #[test]
    fn a_file_of_this_machine_gets_crlf_and_a_mixed_one_is_refused() {
        let whole = |text: &[u8]| MessageData::from_local_text(text).map(|data| data.0);
        assert_eq!(whole(b"a: b\n\nx"), Ok(b"a: b\r\n\r\nx\r\n".to_vec()));
        assert_eq!(whole(b"a: b\r\n\r\nx\r\n"), Ok(b"a: b\r\n\r\nx\r\n".to_vec()));
        assert_eq!(whole(b"a: b\r\n\nx\r\n"), Err(MessageError::BareLf { line: 2 }));
        assert_eq!(whole(b""), Err(MessageError::Empty));
    }

    #[test]
    fn what_a_message_needs_is_seen_in_its_octets() {
        for (text, utf8, eight_bit) in [
            ("Subject: a\r\n\r\nb\r\n", false, false),
            ("Subject: a\r\n\r\nü\r\n", false, true),
            ("Subject: ü\r\n\r\nb\r\n", true, true),
        ] {
            let message = MessageData::new(text.as_bytes().to_vec()).unwrap();
            assert_eq!((message.needs_smtputf8(), message.needs_8bitmime()), (utf8, eight_bit));
        }
    }

    #[test]
    fn every_line_that_starts_with_a_dot_gets_another() {
        for (text, wire) in [
            (".\r\n", "..\r\n.\r\n"),
            ("a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n"),
            ("..a\r\nb.\r\n", "...a\r\nb.\r\n.\r\n"),
        ] {
            let message = MessageData::new(text.as_bytes().to_vec()).unwrap();
            assert_eq!(message.encode(&passage()), wire.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn no_message_ends_before_its_end(text in "[a.\r\n]{0,60}") {
            if let Ok(message) = MessageData::new(text.into_bytes()) {
                let wire = message.encode(&passage());
                let lines: Vec<&[u8]> = wire.split_inclusive(|octet| *octet == b'\n').collect();
                let (last, before) = lines.split_last().unwrap();
                prop_assert_eq!(*last, b".\r\n");
                prop_assert!(before.iter().all(|line| *line != b".\r\n" && *line != b".\n"));
                let back: Vec<u8> = before
                    .iter()
                    .flat_map(|line| line.strip_prefix(b".").unwrap_or(line).iter().copied())
                    .collect();
                prop_assert_eq!(back, message.as_bytes());
            }
        }
    }
}
