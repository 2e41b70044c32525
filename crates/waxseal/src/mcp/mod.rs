//! Tools for agents (Model Context Protocol). Every tool calls one use case and answers with the values that
//! the command line prints with `--json`; text of strangers is marked by [`untrusted`].
//!
//! The way in is [`serve_stdio`]; `tools` lists what there is. Keep: no tool takes or gives a secret, none has a
//! simulation option, and what acts on the world outside needs a [`Scope`] that is off by default.

mod answer;
mod arguments;
mod catalogue;
mod checks;
mod connections;
mod scope;
mod tools;
mod untrusted;

pub(crate) use scope::Scope;

use crate::limits::{MCP_CHECKS_AT_ONCE, MCP_LINE_OCTETS_MAX};
use answer::Refusal;
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::service::QuitReason;
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::{RoleServer, ServiceExt as _};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use waxseal_app::check_domain::ControlHost;
use waxseal_app::store::DataSettings;
use waxseal_app::world::World;
use waxseal_check::limits::Limits;

/// How a server for agents works.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Where connections are kept.
    pub(crate) data: DataSettings,
    /// Hosts known to answer.
    pub(crate) controls: Vec<ControlHost>,
    /// Limits of one survey.
    pub(crate) limits: Limits,
    /// What agents may do besides looking.
    pub(crate) scopes: BTreeSet<Scope>,
}

/// The server of one agent.
#[derive(Clone)]
struct Server {
    shared: Arc<Shared>,
    router: ToolRouter<Self>,
}

struct Shared {
    world: World,
    settings: Settings,
    places: Arc<Semaphore>,
    /// Held by test sends: they end by themselves even when nobody waits for them any more.
    sends: Arc<Semaphore>,
}

impl Shared {
    fn allows(&self, scope: Scope) -> Result<(), Refusal> {
        if self.settings.scopes.contains(&scope) { Ok(()) } else { Err(Refusal::scope(scope)) }
    }

    /// A place for something that looks at the world.
    fn place(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        Arc::clone(&self.places).try_acquire_owned().map_err(|_| Refusal::busy())
    }
}

/// Serves one agent over standard input and output, until its input ends. A test send that is under way then is
/// carried to its end and recorded.
///
/// # Errors
/// The agent does not speak the protocol.
pub(crate) async fn serve_stdio(world: World, settings: Settings) -> Result<(), String> {
    let sends = Arc::new(Semaphore::new(MCP_CHECKS_AT_ONCE));
    let shared = Arc::new(Shared {
        world,
        settings,
        places: Arc::new(Semaphore::new(MCP_CHECKS_AT_ONCE)),
        sends: Arc::clone(&sends),
    });
    let server = Server { shared, router: Server::tools() };
    let (input, output) = rmcp::transport::stdio();
    let transport = AsyncRwTransport::<RoleServer, _, _>::new_server(input, output)
        .with_max_line_length(MCP_LINE_OCTETS_MAX);
    let running = match server.serve(transport).await {
        Ok(running) => running,
        // Nobody said anything: there was nobody.
        Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    let ended = running.waiting().await;
    let all = u32::try_from(MCP_CHECKS_AT_ONCE).unwrap_or(u32::MAX);
    // It is never closed; were it, no send would run.
    let _ = sends.acquire_many(all).await;
    match ended {
        Ok(QuitReason::JoinError(error)) | Err(error) => Err(error.to_string()),
        Ok(_) => Ok(()),
    }
}
