//! Open event streams, connections and sessions, so that no client and no token can take all of them. A place is
//! given back when its value is dropped, which happens when the visitor goes away.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// What each client has open.
#[derive(Clone, Debug)]
pub(crate) struct Streams<K: Copy + Ord = IpAddr> {
    open: Arc<Mutex<BTreeMap<K, usize>>>,
    per_client_max: usize,
}

/// One open stream or connection.
#[derive(Debug)]
pub(crate) struct StreamPlace<K: Copy + Ord = IpAddr> {
    streams: Streams<K>,
    client: K,
}

impl<K: Copy + Ord> Streams<K> {
    /// So many for each client.
    pub(crate) fn new(per_client_max: usize) -> Self {
        Self { open: Arc::default(), per_client_max }
    }

    /// A place, unless the client has as many as it may.
    pub(crate) fn enter(&self, client: K) -> Option<StreamPlace<K>> {
        self.with(|open| {
            let count = open.entry(client).or_default();
            (*count < self.per_client_max).then(|| *count += 1)
        })?;
        Some(StreamPlace { streams: self.clone(), client })
    }

    /// How many are open.
    pub(super) fn open(&self) -> u64 {
        let sum = self.with(|open| open.values().sum::<usize>());
        u64::try_from(sum).unwrap_or(u64::MAX)
    }

    fn with<T>(&self, look: impl FnOnce(&mut BTreeMap<K, usize>) -> T) -> T {
        look(&mut self.open.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<K: Copy + Ord> Drop for StreamPlace<K> {
    fn drop(&mut self) {
        self.streams.with(|open| {
            if let Some(count) = open.get_mut(&self.client) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    open.remove(&self.client);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_back() {
        let streams = Streams::new(3);
        let client: IpAddr = "192.0.2.1".parse().unwrap();
        let places: Vec<_> = (0..3).map(|_| streams.enter(client)).collect();
        assert!(places.iter().all(Option::is_some));
        assert!(streams.enter(client).is_none());
        assert!(streams.enter("192.0.2.2".parse().unwrap()).is_some());
        drop(places);
        assert_eq!(streams.open(), 0);
        assert!(streams.enter(client).is_some());
    }
}
