//! What was measured shortly before this process began: the stored reports of the last minutes stand for their
//! targets again, and their sessions count, so that a restart has nothing measured a second time. Checks that
//! were under way when a process died are not stored and not known.

use super::{CheckDesk, DeskError, Key, Kind, Measured};
use crate::limits::{MEASURED_ONCE_IN, RELOADED_AT_ONCE, RELOADED_MAX};
use jiff::Timestamp;
use std::collections::BTreeMap;
use waxseal_check::report::wire::ReportV1;
use waxseal_store::checks::Checks as _;
use waxseal_store::connections::Page;

/// Results of a process before this one: by target, kind and port. How the target was typed is not stored.
#[derive(Debug, Default)]
pub(super) struct Earlier(BTreeMap<(String, Kind, u16), Measured>);

impl Earlier {
    /// What holds for this key still.
    pub(super) fn find(&self, key: &Key, now: Timestamp) -> Option<Measured> {
        let measured = self.0.get(&(key.target.clone(), key.kind, key.port))?;
        holds(measured.at, now).then_some(*measured)
    }

    /// Forgets the result of a check.
    pub(super) fn forget(&mut self, gone: impl Fn(&Measured) -> bool) {
        self.0.retain(|_, measured| !gone(measured));
    }
}

fn holds(at: Timestamp, now: Timestamp) -> bool {
    // What lies ahead comes from a clock that was set back, and holds for no known time.
    std::time::Duration::try_from(now.duration_since(at)).is_ok_and(|age| age < MEASURED_ONCE_IN)
}

impl CheckDesk {
    /// Takes over what the store has of the last minutes.
    pub(super) async fn reload(&self, now: Timestamp) -> Result<(), DeskError> {
        let newest = self.store.summaries(self.workspace, None, Page::first(RELOADED_MAX)).await?;
        let recent: Vec<Measured> = newest
            .iter()
            .map(|summary| Measured { check: summary.id, at: summary.id.made_at() })
            .take_while(|measured| holds(measured.at, now))
            .collect();
        for part in recent.chunks(RELOADED_AT_ONCE) {
            let ids: Vec<_> = part.iter().map(|measured| measured.check).collect();
            let reports = self.store.reports(self.workspace, &ids).await?;
            for (measured, report) in part.iter().zip(&reports) {
                self.take_over(*measured, report);
            }
        }
        Ok(())
    }

    fn take_over(&self, measured: Measured, report: &ReportV1) {
        let key = (report.target.clone(), Kind::of(report), report.port);
        // The newest comes first.
        self.state().earlier.0.entry(key).or_insert(measured);
        for address in report.mx.iter().flat_map(|host| &host.addresses) {
            if let Ok(address) = address.address.parse() {
                self.pool.count((address, report.port));
            }
        }
    }
}
