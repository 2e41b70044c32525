//! Named limits of this crate: unit in the name, and beside each why this number.

/// Octets of a header text such as a subject or a display name; ten lines of a header.
pub const HEADER_TEXT_OCTETS_MAX: usize = 750;

/// Octets of one header line that is written as it is (RFC 5322 §2.1.1: 78 without CRLF).
pub const HEADER_LINE_OCTETS_AIM: usize = 76;

/// Octets of text in one encoded word: with its frame it stays under 75 (RFC 2047 §2).
pub const ENCODED_WORD_OCTETS_MAX: usize = 42;

/// Octets of one line of quoted-printable (RFC 2045 §6.7: 76).
pub const QUOTED_PRINTABLE_LINE_OCTETS_MAX: usize = 76;

/// Octets of one body part before encoding; large mails are some 100 kB.
pub const BODY_OCTETS_MAX: usize = 5 * 1024 * 1024;
