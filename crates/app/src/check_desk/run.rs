//! One running check that several may watch: what happened so far, how it ended, and who still watches. The
//! last one who goes away ends it. Locks are held for moments and never across an await.

use super::{CheckDesk, DeskError, Key};
use crate::check_domain::{CheckRequest, Progress, check_domain_sharing};
use crate::limits::STEPS_KEPT;
use crate::world::Stopwatch;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::AbortHandle;
use waxseal_check::report::wire::ReportV1;
use waxseal_store::checks::{Checks as _, NewCheck};
use waxseal_store::id::CheckId;
use waxseal_store::token::TokenHash;

/// A stored result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Its identifier.
    pub check: CheckId,
    /// When the check ended.
    pub at: Timestamp,
}

/// What is stored of a result's secrets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    pub(crate) token: TokenHash,
    pub(crate) owner: TokenHash,
}

/// What became of a ticket.
pub(super) enum Added {
    /// The check had ended before.
    Ended(Result<Measured, String>),
    /// There is no room for it.
    TooMany,
    /// Its link will be made at the end.
    Waits,
}

/// A check that runs.
#[derive(Debug)]
pub(crate) struct Run {
    key: Key,
    began: Timestamp,
    since: Stopwatch,
    inner: Mutex<Inner>,
    /// Counts changes, so that nobody misses one.
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Inner {
    events: Vec<Progress>,
    ended: Option<Result<Measured, String>>,
    tickets: Vec<Ticket>,
    watchers: usize,
    work: Option<AbortHandle>,
    stopped: bool,
}

impl Run {
    pub(super) fn new(key: Key, began: Timestamp) -> Self {
        let (changes, _) = watch::channel(0);
        Self { key, began, since: Stopwatch::start(), inner: Mutex::default(), changes }
    }

    pub(super) const fn key(&self) -> &Key {
        &self.key
    }

    /// Somebody more watches. Called with the desk's state locked, so that no check ends in between.
    pub(super) fn watch(self: &Arc<Self>, desk: &Arc<CheckDesk>) -> Watch {
        self.with(|inner| inner.watchers += 1);
        Watch {
            desk: Arc::clone(desk),
            run: Arc::clone(self),
            seen: 0,
            changed: self.changes.subscribe(),
        }
    }

    /// Notes what ends when the check is cancelled.
    pub(super) fn work_is(&self, work: &AbortHandle) {
        let stopped = self.with(|inner| {
            inner.work = Some(work.clone());
            inner.stopped
        });
        if stopped {
            work.abort();
        }
    }

    pub(super) fn stop(&self) {
        let work = self.with(|inner| {
            inner.stopped = true;
            inner.work.take()
        });
        if let Some(work) = work {
            work.abort();
        }
        self.changes.send_modify(|count| *count += 1);
    }

    pub(super) fn add_ticket(&self, ticket: Ticket, tickets_max: usize) -> Added {
        self.with(|inner| match &inner.ended {
            Some(ended) => Added::Ended(ended.clone()),
            None if inner.tickets.len() >= tickets_max => Added::TooMany,
            None => {
                inner.tickets.push(ticket);
                Added::Waits
            }
        })
    }

    /// Whether its result is there.
    pub(super) fn is_over(&self) -> bool {
        self.with(|inner| inner.ended.is_some())
    }

    /// Ends the run unless somebody came in who has no link yet.
    fn end(&self, ended: &Result<Measured, String>, linked: usize) -> bool {
        self.with(|inner| {
            let all = ended.is_err() || inner.tickets.len() == linked;
            if all {
                inner.ended = Some(ended.clone());
            }
            all
        })
    }

    fn happened(&self, progress: Progress) {
        self.with(|inner| inner.events.push(progress));
        self.changes.send_modify(|count| *count += 1);
    }

    fn with<T>(&self, look: impl FnOnce(&mut Inner) -> T) -> T {
        look(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Somebody who waits for a check.
#[derive(Debug)]
pub struct Watch {
    desk: Arc<CheckDesk>,
    run: Arc<Run>,
    seen: usize,
    changed: watch::Receiver<u64>,
}

impl Watch {
    /// What happens next, from the beginning; none once the check is over.
    pub async fn next(&mut self) -> Option<Progress> {
        loop {
            self.changed.mark_unchanged();
            let (event, over) = self.run.with(|inner| {
                let over = inner.ended.is_some() || inner.stopped;
                (inner.events.get(self.seen).cloned(), over)
            });
            if event.is_some() {
                self.seen += 1;
                return event;
            }
            if over || self.changed.changed().await.is_err() {
                return None;
            }
        }
    }

    /// Waits for the end. The error says what this program could not do.
    ///
    /// # Errors
    /// A result that could not be stored.
    pub async fn end(&mut self) -> Result<Measured, String> {
        while self.next().await.is_some() {}
        let ended = self.run.with(|inner| inner.ended.clone());
        ended.unwrap_or_else(|| Err("the check was cancelled".to_owned()))
    }

    /// What is checked.
    pub fn target(&self) -> &str {
        &self.run.key.target
    }

    pub(super) const fn run(&self) -> &Arc<Run> {
        &self.run
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut state = self.desk.state();
        let nobody = self.run.with(|inner| {
            inner.watchers -= 1;
            inner.watchers == 0 && inner.ended.is_none() && !inner.stopped
        });
        if nobody {
            self.desk.cancel(&mut state, &self.run);
        }
    }
}

/// Runs the check, stores its report, and makes the links of those who wait for it.
pub(super) async fn carry_out(
    desk: Arc<CheckDesk>,
    run: Arc<Run>,
    request: CheckRequest,
    place: OwnedSemaphorePermit,
) {
    let progress = |progress| run.happened(progress);
    let checked = check_domain_sharing(&desk.world, &desk.pool, &request, &progress).await;
    let mut linked = 0;
    let mut ended = store(&desk, &run, checked.report).await;
    loop {
        if let Ok(measured) = &ended
            && let Err(error) = link(&desk, &run, *measured, &mut linked).await
        {
            ended = Err(error);
        }
        let said = ended.as_ref().map(|measured| *measured).map_err(ToString::to_string);
        let mut state = desk.state();
        if !run.end(&said, linked) {
            continue;
        }
        state.running.remove(&run.key);
        if let Ok(measured) = said {
            state.recent.insert(run.key.clone(), (Stopwatch::start(), measured));
        }
        break;
    }
    run.changes.send_modify(|count| *count += 1);
    drop(place);
    tokio::time::sleep(STEPS_KEPT).await;
    desk.state().tickets.retain(|_, (other, _)| !Arc::ptr_eq(other, &run));
}

async fn store(desk: &CheckDesk, run: &Run, report: ReportV1) -> Result<Measured, DeskError> {
    let took = SignedDuration::try_from(run.since.elapsed()).unwrap_or_default();
    let at = run.began + took;
    let check = CheckId::new(at)?;
    desk.store.save(desk.workspace, &[NewCheck { id: check, report }]).await?;
    Ok(Measured { check, at })
}

/// Makes the links of those who wait; more may come in meanwhile.
async fn link(
    desk: &CheckDesk,
    run: &Run,
    measured: Measured,
    linked: &mut usize,
) -> Result<(), DeskError> {
    while let Some(ticket) = run.with(|inner| inner.tickets.get(*linked).copied()) {
        desk.link(ticket, measured.check, measured.at).await?;
        *linked += 1;
    }
    Ok(())
}
