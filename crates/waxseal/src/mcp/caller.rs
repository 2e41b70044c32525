//! Who calls a tool, on whose data and with which permissions. An agent on a person's own machine and a program
//! that came in by a token differ here and nowhere else.

use super::answer::Refusal;
use super::scope::Grant;
use crate::clock;
use crate::http::{StreamPlace, Streams};
use crate::limits::MCP_CHECKS_AT_ONCE;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;
use tokio::sync::Semaphore;
use waxseal_app::audit;
use waxseal_app::check_desk::{self, CheckDesk, Look, PORTS};
use waxseal_app::check_domain::ControlHost;
use waxseal_app::jobs::Jobs;
use waxseal_app::store::{Data, DataError, DataSettings, Opening};
use waxseal_app::tokens::{Bearer, TokenId};
use waxseal_app::{CheckRequest, check_domain};
use waxseal_check::limits::Limits;
use waxseal_check::report::wire::ReportV1;

/// How the world is looked at on a person's own machine.
#[derive(Clone, Debug)]
pub(crate) struct LookSettings {
    /// Hosts known to answer.
    pub(crate) controls: Vec<ControlHost>,
    /// Limits of one survey.
    pub(crate) limits: Limits,
}

/// How a caller has domains checked.
#[derive(Clone)]
pub(super) enum Looks {
    /// By this process alone.
    Own(Arc<OwnLooks>),
    /// At the desk of a site, with its budgets and shared measurements.
    AtDesk { desk: Arc<CheckDesk>, client: IpAddr, token: TokenId, places: Streams<TokenId> },
}

/// What checks of one agent share.
pub(super) struct OwnLooks {
    settings: LookSettings,
    places: Semaphore,
}

impl OwnLooks {
    /// With these settings.
    pub(super) fn new(settings: LookSettings) -> Self {
        Self { settings, places: Semaphore::new(MCP_CHECKS_AT_ONCE) }
    }
}

/// Where a caller's connections are.
#[derive(Clone)]
pub(super) enum Place {
    /// In a folder that is opened for each call: other commands work on it meanwhile.
    Folder(DataSettings),
    /// In what a site has open, in one workspace of it.
    Open(Data),
}

/// Data for one call.
pub(super) struct Opened {
    data: Data,
    own: bool,
}

impl Opened {
    /// Closes what was opened for this call.
    pub(super) async fn end(self) {
        if self.own {
            self.data.close().await;
        }
    }
}

impl Deref for Opened {
    type Target = Data;

    fn deref(&self) -> &Data {
        &self.data
    }
}

/// Who calls.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) looks: Looks,
    /// Test sends and verifications.
    pub(super) jobs: Arc<Jobs>,
    /// Where connections are kept.
    pub(super) place: Place,
    /// What the caller may do.
    pub(super) grant: Grant,
    /// Who acts, for the log of changes.
    pub(super) who: String,
    /// The beginning of the addresses of pages; none where there are none.
    pub(super) base: Option<String>,
}

impl Caller {
    /// A program that came in by a token; `data` is that of the token's workspace.
    pub(super) fn by_token(
        (desk, jobs, places): (&Arc<CheckDesk>, &Arc<Jobs>, &Streams<TokenId>),
        (bearer, client): (&Bearer, IpAddr),
        data: Data,
        base: String,
    ) -> Self {
        let (desk, places) = (Arc::clone(desk), places.clone());
        Self {
            looks: Looks::AtDesk { desk, client, token: bearer.id, places },
            jobs: Arc::clone(jobs),
            place: Place::Open(data),
            grant: Grant::Token(bearer.scopes.clone()),
            who: bearer.who(),
            base: Some(base),
        }
    }

    /// Has something checked.
    pub(super) async fn look(&self, look: Look) -> Result<ReportV1, Refusal> {
        match &self.looks {
            Looks::Own(own) => {
                if !PORTS.contains(&look.port) {
                    return Err(port());
                }
                let _place = own.places.try_acquire().map_err(|_| Refusal::busy())?;
                let request = CheckRequest {
                    areas: look.areas,
                    expected_mx: look.expected_mx,
                    port: look.port,
                    limits: own.settings.limits.clone(),
                    controls: own.settings.controls.clone(),
                    ..CheckRequest::full(look.input)
                };
                let looking = check_domain(self.jobs.world(), &request, &|_| {});
                Ok(Box::pin(looking).await.report)
            }
            Looks::AtDesk { desk, client, token, places } => {
                let _place: StreamPlace<TokenId> =
                    places.enter(*token).ok_or_else(Refusal::busy)?;
                desk.look(look, *client).await.map_err(|refusal| refused(&refusal))
            }
        }
    }

    /// The data, for one call.
    pub(super) async fn open(&self, opening: Opening) -> Result<Opened, DataError> {
        match &self.place {
            Place::Folder(settings) => {
                let data = Data::open(settings.clone(), opening, clock::now()).await?;
                Ok(Opened { data, own: true })
            }
            Place::Open(data) => Ok(Opened { data: data.clone(), own: false }),
        }
    }

    /// What people call the workspace.
    pub(super) fn workspace(&self) -> &str {
        match &self.place {
            Place::Folder(settings) => &settings.workspace,
            Place::Open(data) => data.workspace_name().as_str(),
        }
    }

    /// Whether this is a lab.
    pub(super) fn is_simulated(&self) -> bool {
        self.jobs.world().is_simulated()
    }

    /// Adds a line to the log of changes.
    pub(super) async fn note(&self, data: &Data, what: &str, subject: &str) -> Result<(), Refusal> {
        let noted = audit::note(data, &self.who, what, subject, clock::now()).await;
        noted.map_err(|error| DataError::from(error).into())
    }
}

fn port() -> Refusal {
    Refusal::argument("port", "not 25, 465 or 587")
}

fn refused(refusal: &check_desk::Refusal) -> Refusal {
    match refusal {
        check_desk::Refusal::Busy => {
            Refusal::new("busy", "too many checks run at the moment").hint("try again in a minute")
        }
        check_desk::Refusal::ClientBudget { again_in } => {
            let seconds = again_in.as_secs() + 1;
            Refusal::new("busy", "many checks were begun from this address")
                .hint(format!("try again in {seconds} seconds"))
        }
        check_desk::Refusal::Input(_) => Refusal::argument("domain", "names nothing to check"),
        check_desk::Refusal::Port => port(),
    }
}
