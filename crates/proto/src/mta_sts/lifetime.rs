//! How long a fetched policy lives and when to ask again (RFC 8461 §3.3, §5.1 and §10.2). The clock is an
//! argument. The ways in are [`CachedPolicy`] and [`next_step`]. A change must keep a cached policy in
//! force until its `max_age` ends, whatever the DNS or the policy host says meanwhile.

use super::policy::Policy;
use super::record::PolicyId;
use crate::limits::{STS_FETCH_RETRY_S_MIN, STS_REFRESH_S_MAX};
use jiff::{SignedDuration, Timestamp};

/// A policy as a sender keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedPolicy {
    /// The id of the record that was valid when it was fetched.
    pub id: PolicyId,
    /// The policy.
    pub policy: Policy,
    /// When it was fetched, or last found unchanged.
    pub fetched: Timestamp,
}

/// What to do before delivery, given the cache and the record (rules of RFC 8461 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchStep {
    /// Fetch the policy. If that fails, a cached policy that is still fresh stays in force.
    Fetch,
    /// No policy is known and no valid record asks for one.
    NoPolicy,
    /// The cached policy is in force.
    UseCached,
}

impl CachedPolicy {
    /// The first moment at which the policy is no longer in force.
    pub fn expires(&self) -> Timestamp {
        later(self.fetched, self.policy.max_age_s)
    }

    /// Whether the policy is in force.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.expires()
    }

    /// When to fetch again unasked: daily, and for short lives at half time, so that a failed fetch can
    /// be repeated before the policy ends (RFC 8461 §3.3 and §10.2).
    pub fn refresh_due(&self) -> Timestamp {
        later(self.fetched, STS_REFRESH_S_MAX.min(self.policy.max_age_s / 2))
    }
}

/// The next step for a domain with this cache entry and this valid record. A record that is missing,
/// invalid or could not be looked up is `None`; it never ends a cached policy.
pub fn next_step(
    cached: Option<&CachedPolicy>,
    record: Option<&PolicyId>,
    now: Timestamp,
) -> FetchStep {
    let fresh = cached.filter(|entry| entry.is_fresh(now));
    match (fresh, record) {
        (None, None) => FetchStep::NoPolicy,
        (None, Some(_)) => FetchStep::Fetch,
        (Some(entry), Some(id)) if entry.id != *id => FetchStep::Fetch,
        (Some(_), _) => FetchStep::UseCached,
    }
}

/// Whether a fetch that failed at `failed` may be repeated for the same id (RFC 8461 §3.3).
pub fn retry_allowed(failed: Timestamp, now: Timestamp) -> bool {
    now >= later(failed, STS_FETCH_RETRY_S_MIN)
}

fn later(from: Timestamp, seconds: u64) -> Timestamp {
    let span = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    from.checked_add(span).unwrap_or(Timestamp::MAX)
}
