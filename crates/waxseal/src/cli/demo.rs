//! `waxseal demo`: the main jobs on an empty machine. It starts the lab, checks three of its domains, then
//! mends a connection with a wrong setting and uses a service's interface. It ends well when everything came
//! out as expected.

mod connections;

use super::error::CliError;
use super::exit::Exit;
use super::lab::{STANDING, check_scenario, find, inside, runtime, start};
use super::output;
use crate::render::{self, Format, Layout};
use clap::Args;
use waxseal_check::report::FailOn;
use waxseal_lab::control::Lab;
use waxseal_lab::scenario::Scenario;

/// One domain in order, one with a fault, one without mail.
const SCENARIOS: [&str; 3] = ["healthy-one-mx", "cert-expired", "dns-no-mail-records"];

/// A delivery service that takes a message over its own interface.
const SERVICE: &str = "healthy-postmark";

/// `waxseal demo`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  waxseal demo\n  waxseal demo --json\n\n\
    Exit status: 0 everything came out as expected, 1 something did not.")]
pub(crate) struct Demo {
    /// Print JSON Lines: the three reports, then the answer of each command
    #[arg(long)]
    json: bool,
}

pub(super) fn run(demo: &Demo) -> Result<Exit, CliError> {
    let domains = SCENARIOS.iter().map(|name| find(name)).collect::<Result<Vec<_>, _>>()?;
    let (server, service) = (find(STANDING)?, find(SERVICE)?);
    output::note("The demo runs on loopback only: nothing outside this machine is contacted.");
    let runtime = runtime()?;
    let everything = [&domains[..], &[server.clone(), service.clone()]].concat();
    let lab = runtime.block_on(start(&everything, None))?;
    let checks = runtime.block_on(checks(&lab, &domains, demo.json))?;
    // Commands bring a runtime of their own; the lab's servers run on this one meanwhile.
    let sending = inside(&lab, |world| {
        connections::Story { lab: &lab, world, runtime: &runtime, json: demo.json }
            .tell(&server, &service)
    });
    drop(lab);
    runtime.shutdown_background();
    let exit = Exit::of_answer(sending?? && checks);
    if exit == Exit::Good {
        output::note(
            "Everything came out as expected. Next: waxseal check YOUR-DOMAIN, \
             or waxseal connection add --help",
        );
    }
    Ok(exit)
}

/// Whether the domains' reports come out as their scenarios expect.
async fn checks(lab: &Lab, scenarios: &[Scenario], json: bool) -> Result<bool, CliError> {
    let layout = Layout { palette: output::palette(), width: output::width() };
    let format = if json { Format::Json } else { Format::Text };
    let mut good = true;
    for (index, scenario) in scenarios.iter().enumerate() {
        let checked = check_scenario(lab, scenario).await?;
        if !json {
            let space = if index == 0 { "" } else { "\n" };
            output::data(&format!(
                "{space}== Check {} of {}: {} ==\n\n",
                index + 1,
                scenarios.len(),
                scenario.title
            ))?;
        }
        output::data(&render::reports(&[checked.report], format, FailOn::Fail, layout)?)?;
        for wrong in &checked.wrong {
            output::note(&format!("waxseal: demo: {}: {wrong}", scenario.name));
            good = false;
        }
    }
    Ok(good)
}
