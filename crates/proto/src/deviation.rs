//! What tolerant parsers tolerated. A parser of foreign bytes yields a value and a list of these;
//! rules turn them into findings.

/// A departure from the standard that a parser saw and survived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deviation {
    /// A line ended in LF without CR (RFC 5321 §2.3.8).
    BareLf,
    /// A CR stood without LF (RFC 5321 §2.3.8).
    BareCr,
    /// A reply line held a NUL or another control octet (RFC 5321 §4.2).
    ControlOctet,
    /// Lines of one reply carried different codes (RFC 5321 §4.2.1).
    DifferingCodes,
    /// A reply line was longer than 512 octets (RFC 5321 §4.5.3.1.5).
    LineOverStandard,
    /// A reply line was longer than the hard cap and was cut.
    LineOverCap,
    /// A reply had more lines than the hard cap.
    TooManyLines,
    /// Neither space nor hyphen followed the code (RFC 5321 §4.2).
    MissingSeparator,
    /// A line of a reply had no code of three digits (RFC 5321 §4.2).
    MissingCode,
    /// A reply ended without its final line (RFC 5321 §4.2.1).
    MissingFinalLine,
    /// An octet outside US-ASCII stood in a reply (RFC 5321 §2.4).
    NonAscii,
    /// An EHLO keyword did not follow the grammar (RFC 5321 §4.1.1.1).
    KeywordSyntax,
    /// One part of a session (before or inside TLS) held more octets of replies than the hard cap.
    OctetsOverCap,
}

impl Deviation {
    /// The stable word for this deviation, as reports show it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BareLf => "bare-lf",
            Self::BareCr => "bare-cr",
            Self::ControlOctet => "control-octet",
            Self::DifferingCodes => "differing-codes",
            Self::LineOverStandard => "line-over-512",
            Self::LineOverCap => "line-over-cap",
            Self::TooManyLines => "too-many-lines",
            Self::MissingSeparator => "missing-separator",
            Self::MissingCode => "missing-code",
            Self::MissingFinalLine => "missing-final-line",
            Self::NonAscii => "non-ascii",
            Self::KeywordSyntax => "keyword-syntax",
            Self::OctetsOverCap => "octets-over-cap",
        }
    }
}
