//! Tools for agents (Model Context Protocol). Every tool calls one use case and answers with the values that
//! the command line prints with `--json`; text of strangers is marked by [`untrusted`].
//!
//! The way in is [`serve_stdio`]; `tools` lists what there is. Keep: no tool takes or gives a secret, none has a
//! simulation option, and what acts on the world outside needs a [`Scope`] that is off by default.

mod answer;
mod arguments;
mod caller;
mod catalogue;
mod checks;
mod connections;
mod lines;
mod offline;
mod resources;
mod schema;
mod scope;
mod tools;
mod untrusted;

pub(crate) use caller::LookSettings;
pub(crate) use scope::Scope;

use caller::{Caller, Desk};
use lines::Lines;
use rmcp::ServiceExt as _;
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::service::{QuitReason, ServerInitializeError};
use std::collections::BTreeSet;
use std::sync::Arc;
use waxseal_app::store::DataSettings;
use waxseal_app::world::World;

/// The server of one agent.
#[derive(Clone)]
struct Server {
    caller: Arc<Caller>,
    router: ToolRouter<Self>,
}

/// How a server for one agent works.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Where connections are kept.
    pub(crate) data: DataSettings,
    /// How the world is looked at.
    pub(crate) look: LookSettings,
    /// What agents may do besides looking.
    pub(crate) scopes: BTreeSet<Scope>,
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
    let desk = Arc::new(Desk::new(Arc::new(world), look));
    let caller = Arc::new(Caller { desk: Arc::clone(&desk), data, scopes });
    let server = Server { caller, router: Server::tools() };
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
    desk.no_sends().await;
    match ended {
        Ok(QuitReason::JoinError(error)) | Err(error) => Err(error.to_string()),
        Ok(_) => Ok(()),
    }
}
