//! Tools for agents (Model Context Protocol). Every tool calls one use case and answers with the values that
//! the command line prints with `--json`; text of strangers is marked by [`untrusted`].
//!
//! The ways in are [`serve_stdio`] and [`http::routes`]; `tools` lists what there is. Keep: no tool takes or gives a
//! secret, none has a simulation option, and what acts on the world outside needs a scope that is off by default.

mod answer;
mod arguments;
mod caller;
mod catalogue;
mod checks;
mod connections;
pub(crate) mod http;
mod lines;
mod offline;
mod resources;
mod schema;
mod scope;
mod sessions;
mod tools;
mod untrusted;

pub(crate) use caller::LookSettings;
pub(crate) use scope::SWITCHES;

use answer::Refusal;
use axum::http::request::Parts;
use caller::{Caller, Looks, OwnLooks, Place};
use lines::Lines;
use rmcp::ServiceExt as _;
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::model::Extensions;
use rmcp::service::{QuitReason, ServerInitializeError};
use scope::Grant;
use std::sync::Arc;
use waxseal_app::jobs::Jobs;
use waxseal_app::store::DataSettings;
use waxseal_app::tokens::Scopes;
use waxseal_app::world::World;

/// Who acts in the log of changes when an agent was started on the own machine.
const WHO: &str = "(agent)";

/// The tools, for one agent or for many.
#[derive(Clone)]
struct Server {
    callers: Callers,
    router: Arc<ToolRouter<Self>>,
}

/// Who calls.
#[derive(Clone)]
enum Callers {
    /// Always the same.
    One(Arc<Caller>),
    /// Whoever sent the request of the call.
    OfRequests,
}

impl Server {
    /// Who calls, by what came with the call.
    fn caller(&self, extensions: &Extensions) -> Result<Arc<Caller>, Refusal> {
        let found = match &self.callers {
            Callers::One(caller) => Some(caller),
            Callers::OfRequests => {
                extensions.get::<Parts>().and_then(|parts| parts.extensions.get::<Arc<Caller>>())
            }
        };
        found.cloned().ok_or_else(|| Refusal::new("machine", "nobody is known to call"))
    }
}

/// How a server for one agent works.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Where connections are kept.
    pub(crate) data: DataSettings,
    /// How the world is looked at.
    pub(crate) look: LookSettings,
    /// What agents may do besides looking.
    pub(crate) scopes: Scopes,
}

/// Serves one agent over standard input and output, until its input ends or `stop` is over. A test send that is
/// under way then is carried to its end and recorded.
///
/// # Errors
/// The agent does not speak the protocol.
pub(crate) async fn serve_stdio(
    world: World,
    settings: Settings,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), String> {
    let Settings { data, look, scopes } = settings;
    let jobs = Jobs::new(Arc::new(world));
    let caller = Caller {
        looks: Looks::Own(Arc::new(OwnLooks::new(look))),
        jobs: Arc::clone(&jobs),
        place: Place::Folder(data),
        grant: Grant::Person(scopes),
        who: WHO.to_owned(),
        base: None,
    };
    let callers = Callers::One(Arc::new(caller));
    let server = Server { callers, router: Arc::new(Server::tools()) };
    let transport = Lines::new(tokio::io::stdin(), tokio::io::stdout());
    let mut stop = std::pin::pin!(stop);
    let begun = tokio::select! {
        begun = server.serve(transport) => begun,
        () = &mut stop => return Ok(()),
    };
    let running = match begun {
        Ok(running) => running,
        // Nobody said anything: there was nobody.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    let cancel = running.cancellation_token();
    let mut waiting = std::pin::pin!(running.waiting());
    let ended = tokio::select! {
        ended = &mut waiting => ended,
        () = &mut stop => {
            cancel.cancel();
            waiting.await
        }
    };
    jobs.finish().await;
    match ended {
        Ok(QuitReason::JoinError(error)) | Err(error) => Err(error.to_string()),
        Ok(_) => Ok(()),
    }
}
