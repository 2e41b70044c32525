//! What can be wrong or odd in an MTA-STS policy file (RFC 8461 §3.2). Every error names its line or
//! value, and maps to one finding. A change must keep errors about encoding, syntax, `max_age` and `mx`
//! apart, because their owners are told different things.

use super::matching::MxPatternError;
use crate::finding::Code;
use crate::limits::{STS_MAX_AGE_S_MAX, STS_POLICY_OCTETS_MAX};

/// Why a policy file is not valid. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A CR without LF.
    #[error("line {line} ends in a carriage return without line feed")]
    BareCr {
        /// The line.
        line: usize,
    },
    /// It starts with a UTF-8 byte-order mark.
    #[error("the file starts with a byte-order mark")]
    ByteOrderMark,
    /// A line is no `key: value`.
    #[error("line {line}: {fault}: {text:?}")]
    Line {
        /// The line.
        line: usize,
        /// Its text.
        text: String,
        /// What is wrong with it.
        fault: LineFault,
    },
    /// `max_age` is not 1 to 10 digits.
    #[error("max_age {0:?} is not a number of 1 to 10 digits")]
    MaxAgeInvalid(String),
    /// There is no `max_age`.
    #[error("max_age is missing")]
    MaxAgeMissing,
    /// `max_age` is over one year. Holds it, in seconds.
    #[error("max_age {0} is over {STS_MAX_AGE_S_MAX}")]
    MaxAgeOverCap(u64),
    /// There is no `mode`.
    #[error("mode is missing")]
    ModeMissing,
    /// `mode` is none of the three. Holds it.
    #[error("mode {0:?} is not enforce, testing or none")]
    ModeUnknown(String),
    /// No `mx` in a policy that needs one.
    #[error("no mx is given, and the mode is not none")]
    MxMissing,
    /// An `mx` value is no pattern.
    #[error("line {line}: mx {pattern:?}: {fault}")]
    MxPattern {
        /// The line.
        line: usize,
        /// The value.
        pattern: String,
        /// What is wrong with it.
        fault: MxPatternError,
    },
    /// The octets are no UTF-8.
    #[error("the file is not UTF-8 text")]
    NotUtf8,
    /// Larger than the limit; nothing of it was read.
    #[error("the file is larger than {STS_POLICY_OCTETS_MAX} octets")]
    Oversize,
    /// It is UTF-16 or UTF-32.
    #[error("the file is UTF-16, not UTF-8 or ASCII")]
    Utf16,
    /// There is no `version`.
    #[error("version is missing")]
    VersionMissing,
    /// `version` is not `STSv1`. Holds it.
    #[error("version {0:?} is not STSv1")]
    VersionUnknown(String),
}

/// What is wrong with one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineFault {
    /// The value is empty.
    #[error("the value is empty")]
    EmptyValue,
    /// `key=value`.
    #[error("= instead of :")]
    EqualsSign,
    /// The key has other characters than letters, digits, `_`, `-` and `.`, or over 32.
    #[error("the key has characters that are not allowed")]
    Key,
    /// There is no colon.
    #[error("no colon")]
    NoColon,
    /// The value holds a control character.
    #[error("the value has characters that are not allowed")]
    Value,
}

/// Something that senders tolerate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyWarning {
    /// An empty line before the end. Holds its number.
    #[error("line {0} is empty")]
    BlankLine(usize),
    /// A key other than `mx` stands again; only the first counts. Holds the key.
    #[error("{0} is given more than once, only the first counts")]
    DuplicateKey(String),
    /// The same `mx` stands twice. Holds it.
    #[error("mx {0} is given more than once")]
    DuplicateMx(String),
    /// A known key in other letter case, so it is read as an unknown one. Holds it.
    #[error("{0:?} must be written in lower case")]
    KeyCase(String),
    /// A key that RFC 8461 does not define; senders ignore it. Holds it.
    #[error("{0} is not defined")]
    UnknownKey(String),
}

impl PolicyError {
    /// The finding this error becomes.
    pub const fn code(&self) -> Code {
        match self {
            Self::BareCr { .. } | Self::ByteOrderMark | Self::NotUtf8 | Self::Utf16 => {
                Code::StsEncoding
            }
            Self::Line { .. }
            | Self::MaxAgeMissing
            | Self::ModeMissing
            | Self::ModeUnknown(_)
            | Self::VersionMissing
            | Self::VersionUnknown(_)
            | Self::MxPattern { fault: MxPatternError::Comma, .. } => Code::StsPolicySyntax,
            Self::MaxAgeInvalid(_) | Self::MaxAgeOverCap(_) => Code::StsMaxAgeInvalid,
            Self::MxMissing => Code::StsMxMissing,
            Self::MxPattern { .. } => Code::StsMxPatternInvalid,
            Self::Oversize => Code::StsOversize,
        }
    }
}
