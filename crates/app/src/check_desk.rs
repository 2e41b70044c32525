//! Checks for people and programs nobody knows: which ports, how often a target is measured for all of them
//! together, how many each may begin, and links to results that end.
//!
//! The way in is [`CheckDesk::begin`]; whoever waits holds a [`Watch`], and a check that nobody watches any
//! more is cancelled. Keep: a target is measured at most once in
//! [`MEASURED_ONCE_IN`](crate::limits::MEASURED_ONCE_IN), and no rule of it lives in a face.

mod budget;
mod pool;
mod reload;
mod run;

pub use budget::Budget;
pub(crate) use pool::Pool;
pub use run::{Measured, Watch};

use crate::check_domain::{CheckRequest, ControlHost, check_domain, check_domain_sharing};
use crate::limits::{
    CHECKS_AT_ONCE, MEASURED_ONCE_IN, RESULT_KEPT, TICKETS_PER_RUN_MAX, UNWATCHED_MAX,
};
use crate::world::{Stopwatch, World};
use jiff::Timestamp;
use reload::Earlier;
use run::{Added, Run, Ticket};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};
use waxseal_check::limits::Limits;
use waxseal_check::report::wire::ReportV1;
use waxseal_check::survey::Area;
use waxseal_proto::name::{DomainName, TargetInput};
use waxseal_store::checks::{Checks as _, Retention};
use waxseal_store::id::{CheckId, NoRandomness, WorkspaceId};
use waxseal_store::results::{NewLink, ResultLinks as _};
use waxseal_store::token::Token;
use waxseal_store::{Store, StoreError};

pub use waxseal_store::results::LinkedReport;
pub use waxseal_store::token::TokenHash;

/// Ports that a stranger may have looked at: those of mail (RFC 5321 §4.5.4.2, RFC 6409 §3.1, RFC 8314 §3.3).
pub const PORTS: [u16; 3] = [25, 465, 587];

/// The workspace of checks that belong to nobody.
const WORKSPACE: &str = "public checks";

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The MX records and what stands around them, without a session.
    Mx,
    /// Everything.
    SmtpTls,
}

impl Kind {
    /// The word in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mx => "mx",
            Self::SmtpTls => "smtp-tls",
        }
    }

    /// What a report is about.
    pub fn of(report: &ReportV1) -> Self {
        let tls = report.not_checked.iter().find(|left| left.what == "tls");
        if tls.is_some_and(|left| left.why.starts_with("left out")) {
            Self::Mx
        } else {
            Self::SmtpTls
        }
    }

    fn areas(self) -> Vec<Area> {
        match self {
            Self::Mx => vec![Area::Mx],
            Self::SmtpTls => Area::ALL.to_vec(),
        }
    }
}

/// What somebody wants checked.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What was typed.
    pub input: String,
    /// What to look at.
    pub kind: Kind,
    /// The port of the mail hosts.
    pub port: u16,
}

/// What somebody who is known wants looked at, without a link to the result.
#[derive(Clone, Debug)]
pub struct Look {
    /// What was typed.
    pub input: String,
    /// The areas.
    pub areas: Vec<Area>,
    /// The MX hosts that a provider's page lists.
    pub expected_mx: Vec<DomainName>,
    /// The port of the mail hosts.
    pub port: u16,
}

/// Why no check was begun.
#[derive(Debug)]
pub enum Refusal {
    /// As many checks run as may.
    Busy,
    /// This client has begun as many as it may.
    ClientBudget {
        /// Until it may begin another.
        again_in: Duration,
    },
    /// What was typed names nothing that can be checked; the report says why.
    Input(Box<ReportV1>),
    /// Not one of [`PORTS`].
    Port,
}

/// A check that was begun, or found.
#[derive(Debug)]
pub enum Begun {
    /// It was measured a moment ago, and that result holds.
    Measured(Measured),
    /// It runs.
    Running(Watch),
}

/// From when on the target of a report is measured again; who asks before is shown this report. None for a
/// report without a readable time.
pub fn measured_again_from(report: &ReportV1) -> Option<Timestamp> {
    let began: Timestamp = report.checked_at.parse().ok()?;
    let ended = began.checked_add(Duration::from_millis(report.took_ms)).ok()?;
    ended.checked_add(MEASURED_ONCE_IN).ok()
}

/// The two secrets of a result, for whoever asked for it.
#[derive(Debug)]
pub struct Secrets {
    /// Opens the result: a part of its address.
    pub token: Token,
    /// Deletes it.
    pub owner: Token,
}

/// What this desk could not do itself.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// A check ended and its report could not be stored.
    #[error("the report could not be stored: {0}")]
    NotStored(String),
    /// Too many wait for one check.
    #[error("too many wait for the same check")]
    TooMany,
}

/// How a desk works.
#[derive(Clone, Debug)]
pub struct DeskSettings {
    /// Hosts known to answer.
    pub controls: Vec<ControlHost>,
    /// Limits of one survey.
    pub limits: Limits,
    /// Checks that one client may begin in ten minutes.
    pub checks_per_client: u32,
}

/// Numbers for operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeskCounts {
    /// Checks that run.
    pub running: u64,
    /// Checks that were begun since the start.
    pub begun: u64,
    /// Of those, cancelled because nobody watched.
    pub cancelled: u64,
}

/// What is checked once for everybody: target with notes about the input, kind, port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) target: String,
    input: String,
    kind: Kind,
    port: u16,
}

/// The desk of one process.
#[derive(Debug)]
pub struct CheckDesk {
    pub(crate) world: Arc<World>,
    pub(crate) store: Store,
    pub(crate) workspace: WorkspaceId,
    settings: DeskSettings,
    pub(crate) pool: Pool,
    budget: Budget,
    places: Arc<Semaphore>,
    state: Mutex<State>,
    begun: AtomicU64,
    cancelled: AtomicU64,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) running: BTreeMap<Key, Arc<Run>>,
    pub(crate) recent: BTreeMap<Key, (Stopwatch, Measured)>,
    earlier: Earlier,
    /// The runs of tickets, and what lets go of the watch that a ticket keeps.
    pub(crate) tickets: BTreeMap<TokenHash, (Arc<Run>, Option<oneshot::Sender<()>>)>,
}

impl CheckDesk {
    /// A desk that keeps its results in this store, and goes on from those of the last minutes.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn new(
        world: Arc<World>,
        store: Store,
        settings: DeskSettings,
        now: Timestamp,
    ) -> Result<Arc<Self>, DeskError> {
        let workspace = store.ensure_workspace(WORKSPACE, now).await?;
        let desk = Self {
            world,
            workspace,
            store,
            pool: Pool::default(),
            budget: Budget::new(settings.checks_per_client, MEASURED_ONCE_IN),
            places: Arc::new(Semaphore::new(CHECKS_AT_ONCE)),
            state: Mutex::default(),
            begun: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            settings,
        };
        desk.reload(now).await?;
        Ok(Arc::new(desk))
    }

    /// Begins a check, joins one that runs, or finds the result of a moment ago.
    ///
    /// # Errors
    /// [`Refusal`]. What has just been measured or runs already costs no budget.
    pub async fn begin(
        self: &Arc<Self>,
        wanted: &Wanted,
        client: IpAddr,
        now: Timestamp,
    ) -> Result<Begun, Refusal> {
        if !PORTS.contains(&wanted.port) {
            return Err(Refusal::Port);
        }
        let request = self.request(wanted);
        let Ok(input) = TargetInput::parse(&wanted.input) else {
            // Refused before anything is asked; the report has the words.
            let refused = check_domain(&self.world, &request, &|_| {}).await.report;
            return Err(Refusal::Input(Box::new(refused)));
        };
        let key = Key {
            target: input.target.to_string(),
            input: format!("{:?}", input.notes),
            kind: wanted.kind,
            port: wanted.port,
        };
        let mut state = self.state();
        if let Some(run) = state.running.get(&key) {
            return Ok(Begun::Running(run.watch(self)));
        }
        state.recent.retain(|_, (since, _)| since.elapsed() < MEASURED_ONCE_IN);
        let recent = state.recent.get(&key).map(|(_, measured)| *measured);
        if let Some(measured) = recent.or_else(|| state.earlier.find(&key, now)) {
            return Ok(Begun::Measured(measured));
        }
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Refusal::Busy)?;
        self.budget.take(client).map_err(|again_in| Refusal::ClientBudget { again_in })?;
        let run = Arc::new(Run::new(key.clone(), now));
        state.running.insert(key, Arc::clone(&run));
        let watch = run.watch(self);
        drop(state);
        self.begun.fetch_add(1, Ordering::Relaxed);
        let work = tokio::spawn(run::carry_out(Arc::clone(self), Arc::clone(&run), request, place));
        run.work_is(&work.abort_handle());
        Ok(Begun::Running(watch))
    }

    /// Has something looked at for one caller alone, who gets the report; nothing is kept of it. It costs the
    /// budget of the client and shares measurements as every check here does, and whoever drops it ends it.
    ///
    /// # Errors
    /// [`Refusal`], but never for what was typed: the report has the words for that.
    pub async fn look(&self, look: Look, client: IpAddr) -> Result<ReportV1, Refusal> {
        if !PORTS.contains(&look.port) {
            return Err(Refusal::Port);
        }
        let names_something = TargetInput::parse(&look.input).is_ok();
        let request = CheckRequest {
            areas: look.areas,
            expected_mx: look.expected_mx,
            port: look.port,
            limits: self.settings.limits.clone(),
            controls: self.settings.controls.clone(),
            ..CheckRequest::full(look.input)
        };
        let _place = self.places.try_acquire().map_err(|_| Refusal::Busy)?;
        if names_something {
            self.budget.take(client).map_err(|again_in| Refusal::ClientBudget { again_in })?;
            self.begun.fetch_add(1, Ordering::Relaxed);
        }
        let looking = check_domain_sharing(&self.world, &self.pool, &request, &|_| {});
        Ok(Box::pin(looking).await.report)
    }

    /// The secrets of the result that a running check will have. Until somebody follows the ticket the watch
    /// is kept, but not for long.
    ///
    /// # Errors
    /// Too many wait for it.
    pub async fn ticket(
        self: &Arc<Self>,
        watch: Watch,
        patience: Patience,
    ) -> Result<Secrets, DeskError> {
        let secrets = Secrets { token: Token::new()?, owner: Token::new()? };
        let ticket = Ticket { token: secrets.token.hash(), owner: secrets.owner.hash() };
        let run = Arc::clone(watch.run());
        match run.add_ticket(ticket, TICKETS_PER_RUN_MAX) {
            Added::Ended(Ok(measured)) => {
                self.link(ticket, measured.check, measured.at).await?;
                return Ok(secrets);
            }
            Added::Ended(Err(problem)) => return Err(DeskError::NotStored(problem)),
            Added::TooMany => return Err(DeskError::TooMany),
            Added::Waits => {}
        }
        let (followed, is_followed) = oneshot::channel();
        self.remember(
            ticket.token,
            &run,
            (patience == Patience::ABrowserOpens).then_some(followed),
        );
        tokio::spawn(async move {
            let mut watch = watch;
            let end = async { while watch.next().await.is_some() {} };
            match patience {
                Patience::ABrowserOpens => tokio::select! {
                    () = end => {}
                    _ = is_followed => {}
                    () = tokio::time::sleep(UNWATCHED_MAX) => {}
                },
                Patience::UntilTheEnd => end.await,
            }
        });
        Ok(secrets)
    }

    fn remember(&self, token: TokenHash, run: &Arc<Run>, followed: Option<oneshot::Sender<()>>) {
        let mut state = self.state();
        if state.running.get(run.key()).is_some_and(|running| Arc::ptr_eq(running, run)) {
            state.tickets.insert(token, (Arc::clone(run), followed));
        }
    }

    /// The check of a ticket; none once it is over for a while. Who follows it is the one who watches from now on.
    pub fn follow(self: &Arc<Self>, token: TokenHash) -> Option<Watch> {
        let mut state = self.state();
        let (run, followed) = state.tickets.get_mut(&token)?;
        let watch = run.watch(self);
        drop(followed.take());
        Some(watch)
    }

    /// What the running check of a ticket looks at; none when it ended.
    pub fn runs(&self, token: TokenHash) -> Option<String> {
        let state = self.state();
        let (run, _) = state.tickets.get(&token)?;
        (!run.is_over()).then(|| run.key().target.clone())
    }

    /// A link to a result that is there already.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn keep(&self, measured: Measured, now: Timestamp) -> Result<Secrets, DeskError> {
        let secrets = Secrets { token: Token::new()?, owner: Token::new()? };
        let ticket = Ticket { token: secrets.token.hash(), owner: secrets.owner.hash() };
        self.link(ticket, measured.check, now).await?;
        Ok(secrets)
    }

    pub(crate) async fn link(
        &self,
        ticket: Ticket,
        check: CheckId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let expires_at = now + RESULT_KEPT;
        let Ticket { token, owner } = ticket;
        let link = NewLink { token, owner, check, created_at: now, expires_at };
        self.store.link(self.workspace, &link).await
    }

    /// The result behind a link; none when there is no such link or it ended.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn result(
        &self,
        token: TokenHash,
        owner: Option<TokenHash>,
        now: Timestamp,
    ) -> Result<Option<LinkedReport>, DeskError> {
        match self.store.linked(token, owner, now).await {
            Ok(linked) => Ok(Some(linked)),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(other) => Err(other.into()),
        }
    }

    /// Deletes a link, with its report unless others have a link to it. `false` when the secrets do not
    /// belong together.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn delete(&self, token: TokenHash, owner: TokenHash) -> Result<bool, DeskError> {
        let linked = self.result(token, Some(owner), Timestamp::MIN).await?;
        let deleted = self.store.unlink(token, owner).await?;
        if let (true, Some(linked)) = (deleted, linked) {
            // A result that may have lost its report is not given to anybody else.
            let mut state = self.state();
            state.recent.retain(|_, (_, measured)| measured.check != linked.check);
            state.earlier.forget(|measured| measured.check == linked.check);
        }
        Ok(deleted)
    }

    /// Drops links that ended and reports that are past their time.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn tidy(&self, now: Timestamp) -> Result<u64, DeskError> {
        let links = self.store.drop_ended(now).await?;
        let not_before = now - RESULT_KEPT;
        let retention = Retention { not_before, per_target_max: u32::MAX };
        let reports = self.store.prune(self.workspace, retention).await?;
        Ok(links + reports)
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// What it says instead.
    pub async fn ready(&self) -> Result<(), DeskError> {
        self.store.schema().await?;
        Ok(())
    }

    /// Numbers for operators.
    pub fn counts(&self) -> DeskCounts {
        let running = u64::try_from(self.state().running.len()).unwrap_or(u64::MAX);
        DeskCounts {
            running,
            begun: self.begun.load(Ordering::Relaxed),
            cancelled: self.cancelled.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody watches: the check is over.
    pub(crate) fn cancel(&self, state: &mut State, run: &Arc<Run>) {
        state.running.remove(run.key());
        state.tickets.retain(|_, (other, _)| !Arc::ptr_eq(other, run));
        run.stop();
        self.cancelled.fetch_add(1, Ordering::Relaxed);
    }

    fn request(&self, wanted: &Wanted) -> CheckRequest {
        CheckRequest {
            areas: wanted.kind.areas(),
            port: wanted.port,
            limits: self.settings.limits.clone(),
            controls: self.settings.controls.clone(),
            ..CheckRequest::full(wanted.input.as_str())
        }
    }
}

/// How long a check may run for a ticket that nobody follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// As long as a browser needs to open the event stream.
    ABrowserOpens,
    /// Until it ends: a program comes back for the result.
    UntilTheEnd,
}
