//! How many connections at once, and how fast to one address: one at a time per address with a pause in
//! between (RFC 5321 §4.5.4.1 asks for restraint), and a number of all together. It opens nothing. The way
//! in is [`Budget::enter`]; a change must keep a permit alive as long as its connection.

use crate::clock::Stopwatch;
use crate::limits::Limits;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as TurnMutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

/// The turn of one address: when the last connection to it ended.
type Turn = Arc<TurnMutex<Option<Stopwatch>>>;

/// The permits of a world.
#[derive(Debug)]
pub(crate) struct Budget {
    all: Arc<Semaphore>,
    turns: Mutex<HashMap<IpAddr, Turn>>,
    spacing: Duration,
}

/// Permission to hold one connection; dropping it starts the pause of its address.
#[derive(Debug)]
pub(crate) struct Permit {
    turn: OwnedMutexGuard<Option<Stopwatch>>,
    _slot: Option<OwnedSemaphorePermit>,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            all: Arc::new(Semaphore::new(limits.connections_max.max(1))),
            turns: Mutex::default(),
            spacing: limits.spacing,
        }
    }

    /// Waits for the turn of an address, then for its pause, then for a free place among all.
    pub(crate) async fn enter(&self, address: IpAddr) -> Permit {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(address).or_default())
        };
        let turn = turn.lock_owned().await;
        if let Some(last) = *turn {
            tokio::time::sleep(last.left_of(self.spacing)).await;
        }
        // The semaphore is never closed, so a place always comes.
        let slot = Arc::clone(&self.all).acquire_owned().await.ok();
        Permit { turn, _slot: slot }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        *self.turn = Some(Stopwatch::start());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn budget(connections_max: usize, spacing: Duration) -> Budget {
        Budget::new(&Limits { spacing, connections_max, ..Limits::default() })
    }

    #[tokio::test]
    async fn one_connection_at_a_time_to_an_address() {
        let budget = budget(8, Duration::ZERO);
        let here: IpAddr = "198.18.0.1".parse().unwrap();
        let there: IpAddr = "198.18.0.2".parse().unwrap();
        let first = budget.enter(here).await;
        assert!(budget.enter(here).now_or_never().is_none(), "the address is taken");
        assert!(budget.enter(there).now_or_never().is_some(), "another address is free");
        drop(first);
        drop(budget.enter(here).await);
    }

    #[tokio::test]
    async fn all_connections_together_are_bounded() {
        let budget = budget(1, Duration::ZERO);
        let first = budget.enter("198.18.0.1".parse().unwrap()).await;
        let second = "198.18.0.2".parse().unwrap();
        assert!(budget.enter(second).now_or_never().is_none());
        drop(first);
        assert!(budget.enter(second).now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_pause_lies_between_two_connections() {
        let spacing = Duration::from_millis(30);
        let budget = budget(8, spacing);
        let here: IpAddr = "198.18.0.1".parse().unwrap();
        drop(budget.enter(here).await);
        let watch = Stopwatch::start();
        drop(budget.enter(here).await);
        assert!(watch.elapsed() >= spacing.saturating_sub(Duration::from_millis(5)));
    }
}
