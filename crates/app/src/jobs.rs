//! Test sends and verifications that run in this process: begun by one, watched by several, each with its steps as
//! they pass and its result.
//!
//! The ways in are [`Jobs::begin`], [`Jobs::watch`] and [`Jobs::view`]. Keep: a test send that was begun is carried to
//! its end whoever goes away, the identifier of a job is that of its recorded trial, and a job of another workspace
//! is as unknown as one that never was.

mod run;
pub mod wire;

pub use run::JobWatch;

use crate::connections::{self, Fault, open_to_verify};
use crate::limits::{JOB_KEPT, JOBS_AT_ONCE, JOBS_KEPT_MAX, JOBS_PER_WORKSPACE};
use crate::store::{Data, StoreError};
use crate::test_send::{self, Prepared, TestError, TestRequest};
use crate::world::World;
use jiff::Timestamp;
use run::{End, Job};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use waxseal_check::report::send::wire::StepV1;
use waxseal_store::connections::Connections as _;
use waxseal_store::id::{ConnectionId, TrialId, WorkspaceId};
use wire::JobView;

pub use waxseal_store::connection::TrialKind;

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// A test send.
    Test(TestRequest),
    /// A verification.
    Verify {
        /// Name or identifier of the connection.
        connection: String,
    },
}

/// Why there is no such job.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// As many run as may.
    #[error("too many tests and verifications run at the moment")]
    Busy,
    /// The program is about to end.
    #[error("this server is about to stop")]
    Closing,
    /// There is none with this identifier.
    #[error("there is no job {id:?}")]
    NotFound {
        /// What was asked for.
        id: String,
    },
    /// It ended by a fault of this program.
    #[error("the job ended by a fault of this program")]
    Stopped,
    /// It was refused; nothing left.
    #[error(transparent)]
    Test(#[from] TestError),
}

impl From<StoreError> for JobError {
    fn from(error: StoreError) -> Self {
        Self::Test(error.into())
    }
}

impl JobError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Busy | Self::Closing => Some("try again in a minute".to_owned()),
            Self::NotFound { .. } | Self::Stopped => None,
            Self::Test(error) => error.hint(),
        }
    }

    /// What kind of failure it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Busy | Self::Closing | Self::Stopped => Fault::Machine,
            Self::NotFound { .. } => Fault::NotFound,
            Self::Test(error) => error.fault(),
        }
    }
}

/// The jobs of one process.
#[derive(Debug)]
pub struct Jobs {
    world: Arc<World>,
    places: Arc<Semaphore>,
    state: Mutex<State>,
    closing: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct State {
    jobs: BTreeMap<TrialId, Arc<Job>>,
    /// How many places each workspace has taken.
    taken: BTreeMap<WorkspaceId, usize>,
}

/// A place among those that run; given back when it is dropped.
#[derive(Debug)]
struct Place {
    jobs: Arc<Jobs>,
    workspace: WorkspaceId,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.jobs.with(|state| {
            if let Some(count) = state.taken.get_mut(&self.workspace) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    state.taken.remove(&self.workspace);
                }
            }
        });
    }
}

impl Jobs {
    /// The jobs of a process that looks at this world.
    pub fn new(world: Arc<World>) -> Arc<Self> {
        let (closing, _) = watch::channel(false);
        let places = Arc::new(Semaphore::new(JOBS_AT_ONCE));
        Arc::new(Self { world, places, state: Mutex::default(), closing })
    }

    /// The world it looks at.
    pub const fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// Begins a test send or a verification of the workspace of `data`, or finds the test of the same key. It
    /// comes back once all that can be refused has been judged; the job goes on by itself.
    ///
    /// # Errors
    /// [`JobError`]; then nothing left and nothing was recorded.
    pub async fn begin(
        self: &Arc<Self>,
        data: &Data,
        wanted: Wanted,
        now: Timestamp,
    ) -> Result<JobWatch, JobError> {
        let place = self.place(data.workspace())?;
        let (tell, told) = oneshot::channel();
        let (jobs, data) = (Arc::clone(self), data.clone());
        // On its own from the first moment: whoever asks may go away at any.
        tokio::spawn(async move {
            match wanted {
                Wanted::Test(request) => Box::pin(jobs.test(&data, &request, tell, now)).await,
                Wanted::Verify { connection } => {
                    Box::pin(jobs.verify(&data, &connection, tell, now)).await;
                }
            }
            drop(place);
        });
        told.await.unwrap_or(Err(JobError::Stopped))
    }

    async fn test(&self, data: &Data, request: &TestRequest, tell: Told, now: Timestamp) {
        let begun = match test_send::prepare(&self.world, data, request, now).await {
            Ok(Prepared::Begun(begun)) => begun,
            Ok(Prepared::Earlier(tested)) => {
                let _ = tell.send(earlier(data, *tested, now));
                return;
            }
            Err(error) => {
                let _ = tell.send(self.under_way(data, request, error).await);
                return;
            }
        };
        let what = (data.workspace(), begun.connection(), TrialKind::Test);
        let job = self.register(Job::new(begun.id(), what, request.key.clone(), now));
        let ending = job.ending();
        let _ = tell.send(Ok(job.watch()));
        let mut listener = |step: StepV1| job.passed(step);
        let done = test_send::carry_out(&self.world, data, &begun, &mut listener, now);
        match Box::pin(done).await {
            Ok(tested) => ending.set(End::Tested(Box::new(tested))),
            Err(error) => ending.set(End::Refused(error.into())),
        }
    }

    async fn verify(&self, data: &Data, connection: &str, tell: Told, now: Timestamp) {
        let opened = match open_to_verify(&self.world, data, connection, now).await {
            Ok(opened) => opened,
            Err(error) => {
                let _ = tell.send(Err(JobError::Test(error.into())));
                return;
            }
        };
        let what = (data.workspace(), opened.connection(), TrialKind::Verify);
        let job = self.register(Job::new(opened.id(), what, None, now));
        let ending = job.ending();
        let _ = tell.send(Ok(job.watch()));
        let mut listener = |step: StepV1| job.passed(step);
        let looking = connections::carry_out(&self.world, data, &opened, &mut listener, now);
        let mut closing = self.closing.subscribe();
        // It sends nothing, so the end of the program ends it too.
        let done = tokio::select! {
            done = Box::pin(looking) => Some(done),
            _ = closing.wait_for(|closing| *closing) => None,
        };
        match done {
            Some(Ok(verified)) => ending.set(End::Verified(Box::new(verified))),
            Some(Err(error)) => ending.set(End::Refused(TestError::from(error).into())),
            None => {
                // Should this fail, it counts as lost later.
                let _ = connections::give_up(data, &opened).await;
                ending.set(End::Refused(JobError::Closing));
            }
        }
    }

    /// The running job of the same key, when that is why no other one was begun.
    async fn under_way(
        &self,
        data: &Data,
        request: &TestRequest,
        error: TestError,
    ) -> Result<JobWatch, JobError> {
        if !matches!(error, TestError::UnderWay) {
            return Err(error.into());
        }
        let connection = connections::find(data, &request.connection).await;
        let connection = connection.map_err(TestError::from)?.id;
        let runs = self.with(|state| {
            let mut all = state.jobs.values();
            all.find(|job| job.is_test_of(data.workspace(), connection, request.key.as_ref()))
                .map(Job::watch)
        });
        runs.ok_or(JobError::Test(error))
    }

    /// Somebody more who watches a job of the workspace of `data`: one that runs, or one that ended a moment ago.
    pub fn watch(&self, data: &Data, id: &str) -> Option<JobWatch> {
        let id = TrialId::parse(id).ok()?;
        self.with(|state| {
            let job = state.jobs.get(&id).filter(|job| job.workspace() == data.workspace())?;
            Some(job.watch())
        })
    }

    /// A job of the workspace of `data` as it is now; of one that this process no longer knows, its record.
    ///
    /// # Errors
    /// [`JobError::NotFound`], also for a job of another workspace.
    pub async fn view(&self, data: &Data, id: &str) -> Result<JobView, JobError> {
        if let Some(watch) = self.watch(data, id) {
            return Ok(watch.view());
        }
        let missing = || JobError::NotFound { id: id.to_owned() };
        let trial = TrialId::parse(id).map_err(|_| missing())?;
        match data.store().trial(data.workspace(), trial).await {
            Ok((connection, kind, trial)) => Ok(JobView::stored(connection, kind, &trial)),
            Err(StoreError::NotFound { .. }) => Err(missing()),
            Err(other) => Err(other.into()),
        }
    }

    /// How many run.
    pub fn running(&self) -> u64 {
        let running = JOBS_AT_ONCE.saturating_sub(self.places.available_permits());
        u64::try_from(running).unwrap_or(u64::MAX)
    }

    /// Begins nothing more, ends verifications, and waits until every test send has ended and is recorded.
    pub async fn finish(&self) {
        self.closing.send_replace(true);
        let all = u32::try_from(JOBS_AT_ONCE).unwrap_or(u32::MAX);
        // It is never closed; were it, nothing would run.
        let _ = self.places.acquire_many(all).await;
    }

    fn place(self: &Arc<Self>, workspace: WorkspaceId) -> Result<Place, JobError> {
        if *self.closing.borrow() {
            return Err(JobError::Closing);
        }
        let permit = Arc::clone(&self.places).try_acquire_owned().map_err(|_| JobError::Busy)?;
        self.with(|state| {
            let taken = state.taken.entry(workspace).or_default();
            if *taken >= JOBS_PER_WORKSPACE {
                return Err(JobError::Busy);
            }
            *taken += 1;
            Ok(())
        })?;
        Ok(Place { jobs: Arc::clone(self), workspace, _permit: permit })
    }

    fn register(&self, job: Arc<Job>) -> Arc<Job> {
        self.with(|state| {
            forget(&mut state.jobs);
            state.jobs.insert(job.id(), Arc::clone(&job));
        });
        job
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A test of the same key that ended before: a job of its own that is over.
fn earlier(data: &Data, tested: test_send::Tested, now: Timestamp) -> Result<JobWatch, JobError> {
    let unknown = |id: &str| JobError::NotFound { id: id.to_owned() };
    let id = TrialId::parse(&tested.test).map_err(|_| unknown(&tested.test))?;
    let connection = &tested.connection.id;
    let connection = ConnectionId::parse(connection).map_err(|_| unknown(connection))?;
    let job = Job::new(id, (data.workspace(), connection, TrialKind::Test), None, now);
    job.ending().set(End::Tested(Box::new(tested)));
    Ok(job.watch())
}

type Told = oneshot::Sender<Result<JobWatch, JobError>>;

/// Drops jobs that ended long ago, and the oldest that ended when there are too many.
fn forget(jobs: &mut BTreeMap<TrialId, Arc<Job>>) {
    jobs.retain(|_, job| job.ended_for().is_none_or(|since| since < JOB_KEPT));
    // Identifiers sort by the time they were made.
    let ended: Vec<TrialId> =
        jobs.values().filter(|job| job.ended_for().is_some()).map(|job| job.id()).collect();
    let too_many = ended.len().saturating_sub(JOBS_KEPT_MAX);
    for id in ended.into_iter().take(too_many) {
        jobs.remove(&id);
    }
}
