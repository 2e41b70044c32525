//! What went wrong at a delivery service, as a value: kind, class, and the service's own words.
//!
//! RFC 9110 §15 gives status codes their first meaning, each service's documentation the final one. Nothing
//! here is worded for people. The way in is [`ServiceFault`]. Invariant: its text passed
//! [`FaultText::clean`], so it holds no secret of the account, no control character and no essay.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;

use crate::http::HttpResponse;
use crate::limits::{FAULT_TEXT_CHARS_MAX, RETRY_AFTER_S_MAX};
use crate::service::ServiceId;

/// What to do with the connection and the recipients of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultClass {
    /// Sending the connection's other messages makes no sense until somebody acts.
    Pause,
    /// This message will never be taken as it is.
    Permanent,
    /// The same request may be made again.
    Retry {
        /// How long the service asks to wait, at most one day; `None` when it does not say.
        after: Option<Duration>,
    },
    /// The answer does not tell whether the message was taken. Never repeat without an idempotency key.
    Unknown,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// The account was suspended, or sending was paused or never activated.
    AccountSuspended,
    /// The address from which we call is not on the account's list.
    CallerAddressRefused,
    /// The service says that our clock is wrong.
    ClockWrong,
    /// The idempotency key was used for another request.
    IdempotencyConflict,
    /// A request with the same idempotency key is still being handled.
    IdempotencyRunning,
    /// The key is not known.
    KeyInvalid,
    /// The key is known but may not do this.
    KeyScope,
    /// The request's content is refused.
    PayloadInvalid,
    /// The message is too large.
    PayloadTooLarge,
    /// Something between us and the service asks for a sign-in of its own.
    ProxyAuth,
    /// The plan's amount is used up.
    QuotaExceeded,
    /// Too many requests at once.
    RateLimited,
    /// The service has this recipient on its list of bounces or complaints.
    RecipientSuppressed,
    /// The key or domain belongs to another region's endpoint.
    RegionMismatch,
    /// The account may write only to approved recipients.
    Sandbox,
    /// The From address or domain is not verified at the service.
    SenderUnverified,
    /// The service failed.
    ServiceError,
    /// A setting of the connection names something that does not exist there, such as a stream.
    SettingUnknown,
    /// The answer is none that the service documents.
    UnexpectedAnswer,
}

/// A fault of one call or of one recipient in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} answered {status}: {kind:?}", service.as_str())]
pub struct ServiceFault {
    /// Who said it.
    pub service: ServiceId,
    /// What is wrong.
    pub kind: FaultKind,
    /// What follows from it.
    pub class: FaultClass,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The service's own code: `MessageRejected`, `406`, `invalid_parameter`.
    pub code: Option<FaultText>,
    /// The field of the request that it names.
    pub field: Option<FaultText>,
    /// The service's own words.
    pub text: Option<FaultText>,
}

/// Words of a service: one line, at most 500 characters, with every secret of the account taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultText(String);

impl FaultText {
    /// Cleans what a service said. `None` when nothing is left.
    pub(crate) fn clean(said: &str, secrets: &[&str]) -> Option<Self> {
        let mut text = said.to_string();
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            text = text.replace(secret, "[hidden]");
        }
        let unsafe_ = |each: char| each.is_control() || matches!(each, '\u{2028}' | '\u{2029}');
        let spaced: String =
            text.chars().map(|each| if unsafe_(each) { ' ' } else { each }).collect();
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let line: String = words.join(" ").chars().take(FAULT_TEXT_CHARS_MAX).collect();
        Some(Self(line)).filter(|line| !line.0.is_empty())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FaultKind {
    /// The class that follows from the kind when the service says nothing more precise.
    pub const fn usual_class(self) -> FaultClass {
        match self {
            Self::AccountSuspended
            | Self::CallerAddressRefused
            | Self::ClockWrong
            | Self::KeyInvalid
            | Self::KeyScope
            | Self::ProxyAuth
            | Self::QuotaExceeded
            | Self::RegionMismatch
            | Self::Sandbox
            | Self::SenderUnverified
            | Self::SettingUnknown => FaultClass::Pause,
            Self::IdempotencyConflict
            | Self::PayloadInvalid
            | Self::PayloadTooLarge
            | Self::RecipientSuppressed => FaultClass::Permanent,
            Self::IdempotencyRunning | Self::RateLimited | Self::ServiceError => {
                FaultClass::Retry { after: None }
            }
            Self::UnexpectedAnswer => FaultClass::Unknown,
        }
    }

    /// The kind that a status alone suggests (RFC 9110 §15.5 and §15.6, RFC 6585 §4).
    pub(crate) const fn of_status(status: u16) -> Self {
        match status {
            401 => Self::KeyInvalid,
            402 => Self::QuotaExceeded,
            403 => Self::KeyScope,
            407 => Self::ProxyAuth,
            413 => Self::PayloadTooLarge,
            // RFC 9110 §15.5.9: 408 may be repeated; RFC 8470 §5.2: so may 425.
            408 | 425 | 429 => Self::RateLimited,
            // A path that is not there is a matter of the connection, not of the message.
            404 | 410 => Self::SettingUnknown,
            400 | 405 | 406 | 409 | 411 | 412 | 414..=424 | 426..=428 | 430..=499 => {
                Self::PayloadInvalid
            }
            500..=599 => Self::ServiceError,
            _ => Self::UnexpectedAnswer,
        }
    }
}

/// What one answer said, before it is judged.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Said<'a> {
    pub(crate) code: Option<&'a str>,
    pub(crate) field: Option<&'a str>,
    pub(crate) text: Option<&'a str>,
}

impl ServiceFault {
    /// A fault with its usual class, and the wait that the answer asks for.
    pub(crate) fn judged(
        (service, kind): (ServiceId, FaultKind),
        response: &HttpResponse,
        said: Said<'_>,
        secrets: &[&str],
        at: Timestamp,
    ) -> Self {
        let class = match kind.usual_class() {
            FaultClass::Retry { .. } => FaultClass::Retry { after: retry_after(response, at) },
            class @ (FaultClass::Pause | FaultClass::Permanent | FaultClass::Unknown) => class,
        };
        let clean = |text: Option<&str>| text.and_then(|text| FaultText::clean(text, secrets));
        Self {
            service,
            kind,
            class,
            status: response.status(),
            code: clean(said.code),
            field: clean(said.field),
            text: clean(said.text),
        }
    }

    /// Whether the call as a whole failed in a way that leaves open whether messages were taken: the
    /// service failed while it worked, or its answer makes no sense.
    pub const fn leaves_open(&self) -> bool {
        match self.kind {
            FaultKind::ServiceError
            | FaultKind::UnexpectedAnswer
            | FaultKind::IdempotencyRunning => true,
            FaultKind::AccountSuspended
            | FaultKind::CallerAddressRefused
            | FaultKind::ClockWrong
            | FaultKind::IdempotencyConflict
            | FaultKind::KeyInvalid
            | FaultKind::KeyScope
            | FaultKind::PayloadInvalid
            | FaultKind::PayloadTooLarge
            | FaultKind::ProxyAuth
            | FaultKind::QuotaExceeded
            | FaultKind::RateLimited
            | FaultKind::RecipientSuppressed
            | FaultKind::RegionMismatch
            | FaultKind::Sandbox
            | FaultKind::SenderUnverified
            | FaultKind::SettingUnknown => false,
        }
    }
}

/// RFC 9110 §10.2.3: seconds, or the date to wait for. Resend's and Brevo's `…ratelimit-reset` are seconds.
fn retry_after(response: &HttpResponse, at: Timestamp) -> Option<Duration> {
    let seconds = |value: &str| value.parse::<u64>().ok();
    let stated = response.header("retry-after").and_then(|value| {
        seconds(value).or_else(|| {
            let until = rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
            Some(u64::try_from(until.as_second().saturating_sub(at.as_second())).unwrap_or(0))
        })
    });
    let reset = || {
        ["ratelimit-reset", "x-sib-ratelimit-reset"]
            .iter()
            .find_map(|name| response.header(name).and_then(seconds))
    };
    stated.or_else(reset).map(|wait_s| Duration::from_secs(wait_s.min(RETRY_AFTER_S_MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Completeness;

    type Headers = &'static [(&'static str, &'static str)];

    #[test]
    fn the_wait_is_read_and_bounded() {
        let at: Timestamp = "2026-01-05T10:00:00Z".parse().unwrap();
        let cases: &[(Headers, Option<u64>)] = &[
            (&[("Retry-After", "2")], Some(2)),
            (&[("retry-after", "Mon, 05 Jan 2026 10:00:30 GMT")], Some(30)),
            (&[("retry-after", "Mon, 05 Jan 2026 09:00:00 GMT")], Some(0)),
            (&[("retry-after", "99999999999")], Some(RETRY_AFTER_S_MAX)),
            (&[("retry-after", "soon")], None),
            (&[("ratelimit-reset", "1")], Some(1)),
            (&[("retry-after", "-1"), ("x-sib-ratelimit-reset", "7")], Some(7)),
        ];
        for (headers, wait_s) in cases.iter().copied() {
            let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_string()));
            let response = HttpResponse::new(429, headers, Vec::new(), Completeness::Whole);
            assert_eq!(retry_after(&response, at), wait_s.map(Duration::from_secs), "{response:?}");
        }
    }

    #[test]
    fn words_are_cleaned() {
        let clean = |text| FaultText::clean(text, &["SG.key", ""]).map(|text| text.0);
        assert_eq!(
            clean("bad key SG.key\r\n\tused\u{1b}[2J"),
            Some("bad key [hidden] used [2J".into())
        );
        assert_eq!(clean(" \n"), None);
        assert_eq!(clean(&"x".repeat(900)).map(|text| text.len()), Some(FAULT_TEXT_CHARS_MAX));
    }

    #[test]
    fn a_status_alone_has_a_kind() {
        let cases = [
            (400, FaultKind::PayloadInvalid),
            (401, FaultKind::KeyInvalid),
            (402, FaultKind::QuotaExceeded),
            (403, FaultKind::KeyScope),
            (404, FaultKind::SettingUnknown),
            (407, FaultKind::ProxyAuth),
            (413, FaultKind::PayloadTooLarge),
            (429, FaultKind::RateLimited),
            (503, FaultKind::ServiceError),
            (302, FaultKind::UnexpectedAnswer),
            (0, FaultKind::UnexpectedAnswer),
        ];
        for (status, kind) in cases {
            assert_eq!(FaultKind::of_status(status), kind, "{status}");
        }
    }
}
