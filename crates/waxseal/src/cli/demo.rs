//! `waxseal demo`: the main job on an empty machine. It starts the lab, checks three of its domains and
//! prints the reports; it ends well when each came out as its scenario expects.

use super::error::CliError;
use super::exit::Exit;
use super::lab::{check_scenario, find, start};
use super::{block_on, output};
use crate::render::{self, Format, Layout};
use clap::Args;
use waxseal_check::report::FailOn;

/// One domain in order, one with a fault, one without mail.
const SCENARIOS: [&str; 3] = ["healthy-one-mx", "cert-expired", "dns-no-mail-records"];

/// `waxseal demo`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  waxseal demo\n  waxseal demo --json\n\n\
    Exit status: 0 the three reports came out as expected, 1 one did not.")]
pub(crate) struct Demo {
    /// Print the three reports as JSON Lines
    #[arg(long)]
    json: bool,
}

pub(super) fn run(demo: &Demo) -> Result<Exit, CliError> {
    let scenarios = SCENARIOS.iter().map(|name| find(name)).collect::<Result<Vec<_>, _>>()?;
    block_on(async {
        output::note("The demo runs on loopback only: nothing outside this machine is contacted.");
        let lab = start(&scenarios, None).await?;
        let layout = Layout { palette: output::palette(), width: output::width() };
        let format = if demo.json { Format::Json } else { Format::Text };
        let mut exit = Exit::Good;
        for (index, scenario) in scenarios.iter().enumerate() {
            let checked = check_scenario(&lab, scenario).await?;
            if !demo.json {
                let space = if index == 0 { "" } else { "\n" };
                output::data(&format!(
                    "{space}== {} of {}: {} ==\n\n",
                    index + 1,
                    scenarios.len(),
                    scenario.title
                ))?;
            }
            output::data(&render::reports(&[checked.report], format, FailOn::Fail, layout)?)?;
            for wrong in &checked.wrong {
                output::note(&format!("waxseal: demo: {}: {wrong}", scenario.name));
                exit = Exit::Problem;
            }
        }
        if exit == Exit::Good {
            output::note("All three reports came out as expected. Next: waxseal check YOUR-DOMAIN");
        }
        Ok(exit)
    })
}
