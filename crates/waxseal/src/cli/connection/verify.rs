//! `connection verify`: carries out the use case, tells its steps as they pass, shows what it found.

use super::super::error::CliError;
use super::super::exit::Exit;
use super::super::output;
use super::super::world::Simulation;
use super::{Place, wrong};
use crate::clock;
use crate::config::data::DataFlags;
use crate::config::{self, NetworkFlags};
use crate::render::{self, Layout};
use crate::wire::connection::Verified;
use clap::Args;
use waxseal_app::connections::{self, Verification};
use waxseal_app::store::Opening;
use waxseal_check::report::send::exit_status;
use waxseal_check::report::send::wire::StepV1;

/// `connection verify`.
#[derive(Args, Debug)]
pub(crate) struct Verify {
    /// Name or identifier of the connection
    connection: String,
    /// Print one JSON object and nothing else
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataFlags,
    #[command(flatten)]
    network: NetworkFlags,
}

pub(super) async fn run(command: &Verify, place: Place<'_>) -> Result<Exit, CliError> {
    let settings = config::load(place.config, &command.network)?;
    let world = place.world.open(&settings, &Simulation::default())?;
    let data = place.open(&command.data, Opening::Existing).await?;
    let tells = !command.json || output::is_watched();
    let mut tell = |step: StepV1| {
        if tells {
            output::note(&render::step(&step));
        }
    };
    let name = command.connection.as_str();
    let found = Box::pin(connections::verify(&world, &data, name, &mut tell, clock::now())).await;
    let found = found.map_err(|error| wrong(&error))?;
    data.close().await;
    let Verification { result, account, .. } = &found;
    if command.json {
        output::json(&Verified::of(&found, place.is_simulated()))?;
    } else {
        if let Some(result) = result {
            let layout = Layout { palette: output::palette(), width: output::width() };
            output::data(&render::sent(result, layout))?;
        } else {
            output::note("This service cannot be asked with this key: only a test send can tell.");
        }
        if let Some(account) = account {
            output::data(&super::text::account(account))?;
        }
    }
    Ok(result.as_ref().map_or(Exit::Undetermined, |sent| Exit::from_number(exit_status(sent))))
}
