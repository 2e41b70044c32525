//! The clocks. This is the only module of the workspace that reads one: wall time for certificates,
//! signatures and reports, monotonic time for limits and timings. Nothing here decides what a time means.
//! The way in is [`Clock`]; a change must keep the fixed clock away from limits and timings, which always
//! run on monotonic time.

use jiff::Timestamp;
use rustls::time_provider::TimeProvider;
use rustls_pki_types::UnixTime;
use std::time::{Duration, Instant};

/// Where the current time comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Always this moment (`--now`).
    Fixed(Timestamp),
    /// The clock of the system.
    System,
}

impl Clock {
    /// The current time.
    pub fn now(self) -> Timestamp {
        match self {
            Self::Fixed(moment) => moment,
            Self::System => system_now(),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
fn system_now() -> Timestamp {
    Timestamp::now()
}

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.now().as_second()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// Measures how long something took, on monotonic time.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// What is left of `limit`, zero once it is used up.
    pub fn left_of(self, limit: Duration) -> Duration {
        limit.saturating_sub(self.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_stands_still_for_certificates_too() {
        let moment: Timestamp = "2027-03-01T12:00:00Z".parse().unwrap();
        let clock = Clock::Fixed(moment);
        assert_eq!(clock.now(), moment);
        assert_eq!(clock.current_time().unwrap().as_secs(), 1_803_902_400);
    }

    #[test]
    fn a_time_before_1970_is_no_time_for_tls() {
        let moment: Timestamp = "1960-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(Clock::Fixed(moment).current_time(), None);
    }

    #[test]
    fn nothing_is_left_of_a_used_up_limit() {
        let watch = Stopwatch::start();
        assert_eq!(watch.left_of(Duration::ZERO), Duration::ZERO);
        assert!(watch.left_of(Duration::from_hours(1)) > Duration::from_mins(59));
    }
}
