//! `connection test`: sends one real message over a stored connection and shows every step; or reads the
//! message of a test as it arrived, for the hops after ours. Use cases do both; here is only what is shown.

use super::super::error::{CliError, chain};
use super::super::exit::Exit;
use super::super::headers::Arrived;
use super::super::output;
use super::super::world::Simulation;
use super::{Place, wrong};
use crate::clock;
use crate::config::data::DataFlags;
use crate::config::{self, NetworkFlags};
use crate::escape;
use crate::render::{self, Layout};
use crate::wire::connection::{Arrival, TestedOne};
use clap::Args;
use std::path::{Path, PathBuf};
use waxseal_app::connections::{self, ArrivedMessage, Fault};
use waxseal_app::store::Opening;
use waxseal_app::test_send::{self, IdempotencyKey, TestError, TestRequest, Tested};
use waxseal_check::report::send::exit_status;
use waxseal_check::report::send::wire::StepV1;
use waxseal_proto::name::Mailbox;

/// `connection test`.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["to", "received"]))]
pub(crate) struct Test {
    /// Name or identifier of the connection
    connection: String,
    /// Send one real message to this address
    #[arg(long, value_name = "ADDR")]
    to: Option<String>,
    /// The message of a test as it arrived: shows which further hops used TLS; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "to")]
    received: Option<PathBuf>,
    /// Names this test: repeated with the same key, nothing is sent and the first outcome is told
    #[arg(long, value_name = "KEY", requires = "to")]
    idempotency_key: Option<String>,
    /// Print one JSON object and nothing else
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataFlags,
    #[command(flatten)]
    network: NetworkFlags,
}

pub(super) async fn run(command: &Test, place: Place<'_>) -> Result<Exit, CliError> {
    match (&command.to, &command.received) {
        (Some(to), _) => send(command, to, place).await,
        (None, Some(file)) => arrived(command, file, place).await,
        (None, None) => Err(CliError::usage("--to or --received is missing")),
    }
}

async fn send(command: &Test, to: &str, place: Place<'_>) -> Result<Exit, CliError> {
    let to =
        Mailbox::parse(to).map_err(|error| CliError::usage(format!("--to {to:?}: {error}")))?;
    let key = command.idempotency_key.as_deref().map(IdempotencyKey::parse).transpose();
    let key = key.map_err(|error| CliError::usage(error.to_string()))?;
    let settings = config::load(place.config, &command.network)?;
    let world = place.world.open(&settings, &Simulation::default())?;
    let data = place.open(&command.data, Opening::Existing).await?;
    let tells = !command.json || output::is_watched();
    let mut tell = |step: StepV1| {
        if tells {
            output::note(&render::step(&step));
        }
    };
    let request = TestRequest { connection: command.connection.clone(), to, key };
    let testing = Box::pin(test_send::test(&world, &data, &request, &mut tell, clock::now()));
    let tested = testing.await.map_err(|error| failed(&error))?;
    data.close().await;
    show(&tested, command.json, place)?;
    Ok(Exit::from_number(exit_status(&tested.sent)))
}

fn show(tested: &Tested, json: bool, place: Place<'_>) -> Result<(), CliError> {
    if json {
        return output::json(&TestedOne::of(tested, place.is_simulated()));
    }
    let Tested { connection, sent, repeated, .. } = tested;
    if *repeated {
        output::note("Nothing was sent: this is the outcome of the earlier test of this key.");
    }
    let layout = Layout { palette: output::palette(), width: output::width() };
    output::data(&render::sent(sent, layout))?;
    let name = escape::line(&connection.name);
    output::note(&format!("Connection {name} is {} now.", connection.state));
    Ok(())
}

/// Shows the path of a test message that arrived, and keeps it with the test. It must be one of this connection's tests: another
/// message says nothing about it.
async fn arrived(command: &Test, file: &Path, place: Place<'_>) -> Result<Exit, CliError> {
    let arrived = Arrived::read(file)?;
    let data = place.open(&command.data, Opening::Existing).await?;
    let now = clock::now();
    let name = command.connection.as_str();
    let message_id = arrived.message_id();
    let message = ArrivedMessage { message_id: message_id.as_deref(), path: arrived.path() };
    let noted = connections::note_arrived(&data, name, message, now).await;
    let test = &noted.map_err(|error| wrong(&error))?;
    let view = connections::show(&data, name, now).await.map_err(|error| wrong(&error))?;
    data.close().await;
    if command.json {
        let simulated = place.is_simulated();
        let received = arrived.wire();
        output::json(&Arrival { connection: &view, test, received, simulated })?;
    } else {
        let began = &test.started_at;
        output::note(&format!(
            "The message of the test of {began}; its path is kept with the test."
        ));
        output::data(&arrived.text())?;
    }
    Ok(arrived.exit())
}

fn failed(error: &TestError) -> CliError {
    let text = chain(error);
    let made = match error.fault() {
        Fault::Conflict | Fault::Input | Fault::NotFound => CliError::usage(text),
        Fault::Machine => CliError::undetermined(text),
    };
    match error.hint() {
        Some(hint) => made.hint(hint),
        None => made,
    }
}
