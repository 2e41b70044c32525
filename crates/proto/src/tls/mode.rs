//! The security mode of a submission connection (RFC 8314 §3, RFC 3207): how TLS begins.
//!
//! It is chosen by a person or a preset and never derived from a port or an answer. The way in is
//! [`Mode::parse`]. A change must not add a variant that tries one mode and falls back to another.

/// How TLS begins on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// Clear greeting and EHLO, then STARTTLS, which must succeed (RFC 3207).
    Starttls,
    /// TLS from the first byte (RFC 8314 §3.3).
    Tls,
    /// No TLS. Never with credentials.
    None,
}

impl Mode {
    /// Every mode, the recommended ones first.
    pub const ALL: [Self; 3] = [Self::Starttls, Self::Tls, Self::None];

    /// The word for it in settings and output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starttls => "starttls",
            Self::Tls => "tls",
            Self::None => "none",
        }
    }

    /// The mode of that word; `None` when there is no such word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_modes_correspond() {
        for mode in Mode::ALL {
            assert_eq!(Mode::parse(mode.as_str()), Some(mode));
        }
        for word in ["", "TLS", "ssl", "auto", "opportunistic"] {
            assert_eq!(Mode::parse(word), None, "{word}");
        }
    }
}
