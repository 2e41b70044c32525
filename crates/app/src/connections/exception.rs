//! The owner's exception for sending without encryption: a page of the provider, a reason, an end.
//!
//! Nothing here decides who the owner is: the caller says it with [`ExceptionForm::granted_by`].

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use waxseal_store::connection::{ClearTextException, ClearTextExceptionGrant, HttpsUrl, OneLine};
use waxseal_store::limits::{EXCEPTION_DAYS_MAX, EXCEPTION_MAX};

use super::error::FieldProblem;

/// What was typed for an exception.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExceptionForm {
    /// The provider's https page that says that there is no encryption.
    pub documentation: String,
    /// Why.
    pub reason: String,
    /// When it ends: a date (its last day, in UTC) or a time.
    pub ends: String,
    /// Who decided.
    pub granted_by: String,
}

impl ExceptionForm {
    /// Checks it.
    pub(super) fn read(&self, now: Timestamp) -> Result<ClearTextException, FieldProblem> {
        let grant = ClearTextExceptionGrant {
            documentation: HttpsUrl::parse("exception-page", self.documentation.trim())?,
            reason: OneLine::parse_sentence("exception-reason", &self.reason)?,
            granted_by: OneLine::parse("exception-by", &self.granted_by)?,
            granted_at: now,
            ends_at: end(&self.ends, now)?,
        };
        ClearTextException::new(grant)
            .map_err(|error| FieldProblem::new("exception-until", error.problem))
    }
}

fn end(text: &str, now: Timestamp) -> Result<Timestamp, FieldProblem> {
    let text = text.trim();
    let bad = || {
        FieldProblem::new("exception-until", "is neither a date nor a time")
            .hint(format!("such as 2026-12-31, at most {EXCEPTION_DAYS_MAX} days from now"))
    };
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let date: Date = text.parse().map_err(|_| bad())?;
    let ends = date
        .tomorrow()
        .and_then(|next| TimeZone::UTC.to_timestamp(next.at(0, 0, 0, 0)))
        .map_err(|_| bad())?;
    // The last allowed day is allowed as a whole day's name, and ends with the limit.
    let longest = now.checked_add(EXCEPTION_MAX);
    match longest {
        Ok(longest) if ends > longest && ends.duration_since(longest).as_hours() < 24 => {
            Ok(longest)
        }
        Ok(_) | Err(_) => Ok(ends),
    }
}
