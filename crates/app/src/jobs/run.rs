//! One job that several may watch: the steps so far, how it ended, and since when. Locks are held for moments and
//! never across an await.

use super::wire::JobView;
use super::{JobError, TrialKind};
use crate::connections::Verification;
use crate::limits::JOB_STEPS_MAX;
use crate::test_send::{IdempotencyKey, Tested};
use crate::world::Stopwatch;
use jiff::Timestamp;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use waxseal_check::report::send::wire::StepV1;
use waxseal_store::id::{ConnectionId, TrialId, WorkspaceId};

/// How a job ended.
#[derive(Debug)]
pub(super) enum End {
    /// The message was offered.
    Tested(Box<Tested>),
    /// The connection was looked at.
    Verified(Box<Verification>),
    /// It could not be done, or not recorded.
    Refused(JobError),
}

/// A job.
#[derive(Debug)]
pub(super) struct Job {
    id: TrialId,
    workspace: WorkspaceId,
    connection: ConnectionId,
    kind: TrialKind,
    key: Option<IdempotencyKey>,
    began: Timestamp,
    inner: Mutex<Inner>,
    /// Counts changes, so that nobody misses one.
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Inner {
    steps: Vec<StepV1>,
    end: Option<(Stopwatch, Arc<End>)>,
}

/// Ends a job, at the latest when it is dropped.
pub(super) struct Ending(Arc<Job>);

impl Ending {
    pub(super) fn set(self, end: End) {
        self.0.end(end);
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end(End::Refused(JobError::Stopped));
    }
}

impl Job {
    pub(super) fn new(
        id: TrialId,
        (workspace, connection, kind): (WorkspaceId, ConnectionId, TrialKind),
        key: Option<IdempotencyKey>,
        began: Timestamp,
    ) -> Arc<Self> {
        let (changes, _) = watch::channel(0);
        let inner = Mutex::default();
        Arc::new(Self { id, workspace, connection, kind, key, began, inner, changes })
    }

    pub(super) const fn id(&self) -> TrialId {
        self.id
    }

    pub(super) const fn workspace(&self) -> WorkspaceId {
        self.workspace
    }

    /// Whether this is the test of that key.
    pub(super) fn is_test_of(
        &self,
        workspace: WorkspaceId,
        connection: ConnectionId,
        key: Option<&IdempotencyKey>,
    ) -> bool {
        self.workspace == workspace
            && self.connection == connection
            && self.key.as_ref().is_some_and(|own| Some(own) == key)
    }

    pub(super) fn ending(self: &Arc<Self>) -> Ending {
        Ending(Arc::clone(self))
    }

    /// How long ago it ended.
    pub(super) fn ended_for(&self) -> Option<Duration> {
        self.with(|inner| inner.end.as_ref().map(|(since, _)| since.elapsed()))
    }

    pub(super) fn watch(self: &Arc<Self>) -> JobWatch {
        JobWatch { job: Arc::clone(self), seen: 0, changed: self.changes.subscribe() }
    }

    /// A step ended.
    pub(super) fn passed(&self, step: StepV1) {
        self.with(|inner| {
            if inner.steps.len() < JOB_STEPS_MAX {
                inner.steps.push(step);
            }
        });
        self.changes.send_modify(|count| *count += 1);
    }

    /// It is over; what is said first holds.
    fn end(&self, end: End) {
        self.with(|inner| {
            inner.end.get_or_insert_with(|| (Stopwatch::start(), Arc::new(end)));
        });
        self.changes.send_modify(|count| *count += 1);
    }

    fn view(&self) -> JobView {
        let (steps, end) = self.with(|inner| {
            (inner.steps.clone(), inner.end.as_ref().map(|(_, end)| Arc::clone(end)))
        });
        let running = JobView::running((self.id, self.connection, self.kind), self.began, steps);
        match end {
            Some(end) => running.ended(&end),
            None => running,
        }
    }

    fn with<T>(&self, look: impl FnOnce(&mut Inner) -> T) -> T {
        look(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Somebody who watches a job. Whoever stops watching ends nothing.
#[derive(Debug)]
pub struct JobWatch {
    job: Arc<Job>,
    seen: usize,
    changed: watch::Receiver<u64>,
}

impl JobWatch {
    /// The identifier of the job: that of its recorded trial.
    pub fn id(&self) -> TrialId {
        self.job.id
    }

    /// The connection.
    pub fn connection(&self) -> ConnectionId {
        self.job.connection
    }

    /// The next step, from the first one on; none once the job is over.
    pub async fn next(&mut self) -> Option<StepV1> {
        loop {
            self.changed.mark_unchanged();
            let (step, over) =
                self.job.with(|inner| (inner.steps.get(self.seen).cloned(), inner.end.is_some()));
            if step.is_some() {
                self.seen += 1;
                return step;
            }
            if over || self.changed.changed().await.is_err() {
                return None;
            }
        }
    }

    /// Waits for the end.
    pub async fn end(&mut self) -> JobView {
        while self.next().await.is_some() {}
        self.view()
    }

    /// The job as it is now.
    pub fn view(&self) -> JobView {
        self.job.view()
    }
}
