//! The only place of xtask that reads a clock or waits.
//!
//! [`Stopwatch`] times the parts of a run; [`until`] waits for a server that was just started.

use std::time::{Duration, Instant};

/// How often [`until`] looks again: short beside the 0.1 to 1 s that a mail server needs to start.
const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// Measures how long a part of a run took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "xtask reports how long its parts took")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Waits until `ready` says yes, at most `limit`; `false` when the time ran out.
#[expect(clippy::disallowed_methods, reason = "a foreign server tells nobody that it is ready")]
pub(crate) fn until(limit: Duration, mut ready: impl FnMut() -> bool) -> bool {
    let watch = Stopwatch::start();
    loop {
        if ready() {
            return true;
        }
        if watch.elapsed() >= limit {
            return false;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}
