//! The allowance for mail without encryption, mode `none` (RFC 8314 §3 asks for its end). Allowed callers:
//! [`crate::smtp::submission`] and whoever builds its plan. It reaches a loopback address, or another one
//! for as long as the owner's exception runs. Keep: it never holds or leads to a credential, and an
//! exception ends within [`EXCEPTION_DAYS_MAX`] days.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use crate::limits::{EXCEPTION_DAYS_MAX, EXCEPTION_TEXT_OCTETS_MAX};

/// Leave to send one message in clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClearTextAllowance {
    why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    Exception(Exception),
    Loopback,
}

/// The owner's recorded exception: what for, until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    // The address of a page and a sentence of a person: shown, never acted on.
    documentation: String,
    reason: String,
    granted_at: Timestamp,
    ends_at: Timestamp,
}

/// Why an exception cannot be granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExceptionError {
    /// The page is not an https address of the provider's documentation.
    #[error("the exception needs the https address of the provider's documentation")]
    Documentation,
    /// No end, or one too far away.
    #[error("the exception must end after it begins and within {EXCEPTION_DAYS_MAX} days")]
    End,
    /// No reason is given, or it is too long or of several lines.
    #[error("the exception needs a reason of one line")]
    Reason,
}

impl Exception {
    /// Records an exception.
    ///
    /// # Errors
    ///
    /// A page that is no https address, no reason, or an end that is past or over 90 days away.
    pub fn grant(
        documentation: &str,
        reason: &str,
        (granted_at, ends_at): (Timestamp, Timestamp),
    ) -> Result<Self, ExceptionError> {
        let one_line = |text: &str| {
            text.len() <= EXCEPTION_TEXT_OCTETS_MAX && !text.chars().any(char::is_control)
        };
        let host = documentation
            .strip_prefix("https://")
            .and_then(|rest| rest.split(['/', '?', '#']).next())
            .filter(|host| host.contains('.') && !host.starts_with('.'));
        if host.is_none() || documentation.contains(' ') || !one_line(documentation) {
            return Err(ExceptionError::Documentation);
        }
        if reason.trim().is_empty() || !one_line(reason) {
            return Err(ExceptionError::Reason);
        }
        let runs = ends_at.duration_since(granted_at);
        let longest = SignedDuration::from_hours(EXCEPTION_DAYS_MAX.saturating_mul(24));
        if runs <= SignedDuration::ZERO || runs > longest {
            return Err(ExceptionError::End);
        }
        let (documentation, reason) = (documentation.to_owned(), reason.to_owned());
        Ok(Self { documentation, reason, granted_at, ends_at })
    }

    /// The page of the provider's documentation.
    pub fn documentation(&self) -> &str {
        &self.documentation
    }

    /// The reason given.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// When it was granted.
    pub const fn granted_at(&self) -> Timestamp {
        self.granted_at
    }

    /// When it ends.
    pub const fn ends_at(&self) -> Timestamp {
        self.ends_at
    }
}

impl ClearTextAllowance {
    /// For an address of this machine itself; `None` for any other.
    pub fn for_loopback(address: IpAddr) -> Option<Self> {
        address.to_canonical().is_loopback().then_some(Self { why: Why::Loopback })
    }

    /// By an exception that has begun and not ended; `None` otherwise.
    pub fn by_exception(exception: &Exception, now: Timestamp) -> Option<Self> {
        let runs = exception.granted_at <= now && now < exception.ends_at;
        runs.then(|| Self { why: Why::Exception(exception.clone()) })
    }

    /// Whether a connection to this address is covered.
    pub fn covers(&self, address: IpAddr) -> bool {
        match self.why {
            Why::Exception(_) => true,
            Why::Loopback => address.to_canonical().is_loopback(),
        }
    }

    /// The exception it rests on; `None` when the address is loopback.
    pub const fn exception(&self) -> Option<&Exception> {
        match &self.why {
            Why::Exception(exception) => Some(exception),
            Why::Loopback => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ClearTextAllowance, Exception, ExceptionError};
    use jiff::Timestamp;

    const PAGE: &str = "https://docs.example.com/smtp";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn an_exception_has_a_page_a_reason_and_an_end_within_90_days() {
        let (from, to) = (at("2026-01-01T00:00:00Z"), at("2026-04-01T00:00:00Z"));
        let granted = Exception::grant(PAGE, "printer", (from, to)).unwrap();
        assert_eq!((granted.documentation(), granted.reason()), (PAGE, "printer"));
        assert_eq!((granted.granted_at(), granted.ends_at()), (from, to));
        let late = at("2026-04-01T00:00:01Z");
        for (page, reason, end, expected) in [
            ("http://docs.example.com/", "printer", to, ExceptionError::Documentation),
            ("https://", "printer", to, ExceptionError::Documentation),
            ("https://localhost/", "printer", to, ExceptionError::Documentation),
            ("https://docs.example.com/\n", "printer", to, ExceptionError::Documentation),
            (PAGE, " ", to, ExceptionError::Reason),
            (PAGE, "a\nb", to, ExceptionError::Reason),
            (PAGE, "printer", from, ExceptionError::End),
            (PAGE, "printer", late, ExceptionError::End),
        ] {
            assert_eq!(Exception::grant(page, reason, (from, end)), Err(expected), "{page}");
        }
        let long = "a".repeat(crate::limits::EXCEPTION_TEXT_OCTETS_MAX + 1);
        assert_eq!(Exception::grant(PAGE, &long, (from, to)), Err(ExceptionError::Reason));
    }

    #[test]
    fn an_allowance_ends_with_its_exception_and_loopback_covers_only_loopback() {
        let (from, to) = (at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z"));
        let exception = Exception::grant(PAGE, "printer", (from, to)).unwrap();
        let remote = "192.0.2.1".parse().unwrap();
        let allowance = ClearTextAllowance::by_exception(&exception, from).unwrap();
        assert_eq!(allowance.exception(), Some(&exception));
        assert!(ClearTextAllowance::by_exception(&exception, from).unwrap().covers(remote));
        assert!(ClearTextAllowance::by_exception(&exception, to).is_none());
        assert!(ClearTextAllowance::by_exception(&exception, at("2025-12-31T23:59:59Z")).is_none());
        for loopback in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            let allowance = ClearTextAllowance::for_loopback(loopback.parse().unwrap()).unwrap();
            assert!(!allowance.covers(remote) && allowance.exception().is_none());
            assert!(allowance.covers("127.0.0.1".parse().unwrap()));
        }
        for other in ["192.0.2.1", "10.0.0.1", "::", "0.0.0.0", "fe80::1"] {
            assert!(ClearTextAllowance::for_loopback(other.parse().unwrap()).is_none(), "{other}");
        }
    }
}
