//! Who calls a tool, on whose data and with which permissions; and what all calls of one process share.

use super::answer::Refusal;
use super::scope::Scope;
use crate::clock;
use crate::limits::MCP_CHECKS_AT_ONCE;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use waxseal_app::check_domain::ControlHost;
use waxseal_app::store::{Data, DataError, DataSettings, Opening};
use waxseal_app::world::World;
use waxseal_check::limits::Limits;

/// How the world is looked at.
#[derive(Clone, Debug)]
pub(crate) struct LookSettings {
    /// Hosts known to answer.
    pub(crate) controls: Vec<ControlHost>,
    /// Limits of one survey.
    pub(crate) limits: Limits,
}

/// What all calls of one process share.
pub(super) struct Desk {
    pub(super) world: Arc<World>,
    pub(super) settings: LookSettings,
    places: Arc<Semaphore>,
    /// Held by test sends: they end by themselves even when nobody waits for them any more.
    sends: Arc<Semaphore>,
}

impl Desk {
    /// A desk for this world.
    pub(super) fn new(world: Arc<World>, settings: LookSettings) -> Self {
        let places = || Arc::new(Semaphore::new(MCP_CHECKS_AT_ONCE));
        Self { world, settings, places: places(), sends: places() }
    }

    /// A place for something that looks at the world.
    pub(super) fn place(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        Arc::clone(&self.places).try_acquire_owned().map_err(|_| Refusal::busy())
    }

    /// A place for a test send.
    pub(super) fn send_place(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        Arc::clone(&self.sends).try_acquire_owned().map_err(|_| Refusal::busy())
    }

    /// Waits until no test send is under way.
    pub(super) async fn no_sends(&self) {
        let all = u32::try_from(MCP_CHECKS_AT_ONCE).unwrap_or(u32::MAX);
        // It is never closed; were it, no send would run.
        let _ = self.sends.acquire_many(all).await;
    }
}

/// Who calls.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) desk: Arc<Desk>,
    /// Where connections are kept.
    pub(super) data: DataSettings,
    /// What the caller may do besides looking.
    pub(super) scopes: BTreeSet<Scope>,
}

impl Caller {
    /// Refuses what is not allowed.
    pub(super) fn allows(&self, scope: Scope) -> Result<(), Refusal> {
        if self.scopes.contains(&scope) { Ok(()) } else { Err(Refusal::scope(scope)) }
    }

    /// The data, for one call.
    pub(super) async fn open(&self, opening: Opening) -> Result<Data, DataError> {
        Data::open(self.data.clone(), opening, clock::now()).await
    }

    /// Whether this is a lab.
    pub(super) fn is_simulated(&self) -> bool {
        self.desk.world.is_simulated()
    }
}
