//! How many checks a client may begin. Tokens come back evenly over the period (the generic cell rate
//! algorithm), so that nobody has to wait for the turn of an hour. Clients are counted in memory only and
//! forgotten once rested.

use crate::limits::CLIENTS_MAX;
use crate::world::Stopwatch;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The budgets of all clients.
#[derive(Debug)]
pub struct Budget {
    since: Stopwatch,
    each: Duration,
    period: Duration,
    /// For each client the moment, counted from `since`, at which it will be rested.
    rested_at: Mutex<BTreeMap<IpAddr, Duration>>,
}

impl Budget {
    /// So many in a period.
    pub fn new(count: u32, period: Duration) -> Self {
        Self {
            since: Stopwatch::start(),
            each: period / count.max(1),
            period,
            rested_at: Mutex::default(),
        }
    }

    /// Takes one.
    ///
    /// # Errors
    /// The time until there is one again.
    pub fn take(&self, client: IpAddr) -> Result<(), Duration> {
        let now = self.since.elapsed();
        let mut rested_at = self.rested_at.lock().unwrap_or_else(PoisonError::into_inner);
        if rested_at.len() >= CLIENTS_MAX {
            rested_at.retain(|_, at| *at > now);
        }
        let before = rested_at.get(&client).copied().unwrap_or_default().max(now);
        let after = before + self.each;
        let free_at = after.saturating_sub(self.period);
        // With more clients than are remembered, a new one waits like one that is tired.
        if rested_at.len() >= CLIENTS_MAX && !rested_at.contains_key(&client) {
            return Err(self.each);
        }
        if free_at > now {
            return Err(free_at.saturating_sub(now));
        }
        rested_at.insert(client, after);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_its_own() {
        let budget = Budget::new(3, Duration::from_hours(1));
        let one: IpAddr = "192.0.2.1".parse().unwrap();
        for _ in 0..3 {
            assert_eq!(budget.take(one), Ok(()));
        }
        let wait = budget.take(one).unwrap_err();
        assert!(wait > Duration::from_mins(19) && wait <= Duration::from_mins(20), "{wait:?}");
        assert_eq!(budget.take("192.0.2.2".parse().unwrap()), Ok(()));
        let quick = Budget::new(1, Duration::ZERO);
        assert_eq!((quick.take(one), quick.take(one)), (Ok(()), Ok(())));
    }
}
