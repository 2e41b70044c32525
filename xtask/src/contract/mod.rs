//! The HTTP interface against its own description: schemathesis makes requests from `docs/openapi.json`, right and
//! wrong ones, and compares every answer of the built binary with what the description says.
//!
//! The ways in are [`run`] and [`count`]. It runs twice, with a token of all scopes and without any, from a fixed
//! seed. Invariant: any finding fails the part, and nothing but loopback is contacted once the tool is installed.

mod install;
mod site;

use std::time::Duration;

use anyhow::Result;

use crate::arguments::Arguments;
use crate::command::Command;
use crate::lab;
use crate::pipeline::Count;
use crate::tools::Missing;
use crate::workspace;
use install::Installed;
use site::Site;

/// What the requests are made from.
const DESCRIPTION: &str = "docs/openapi.json";
/// Which answers each check takes for good.
const SETTINGS: &str = "xtask/contract/schemathesis.toml";
/// The same requests in every run.
const SEED: &str = "8461";
/// How long a run goes on making up requests. It bounds the part to some two minutes.
const WITH_TOKEN_MAX: Duration = Duration::from_secs(75);
/// The same without credentials, where nearly every answer is a refusal.
const WITHOUT_MAX: Duration = Duration::from_secs(25);

/// Builds the binary and compares.
///
/// # Errors
/// When the flags are wrong, the tool is missing, or the build fails.
pub(crate) fn run(arguments: &[String]) -> Result<bool> {
    let mut arguments = Arguments::new(arguments);
    let missing = if arguments.flag("--install") { Missing::Install } else { Missing::Report };
    arguments.finish()?;
    let installed = Installed::ready(missing)?;
    Command::cargo().args(["build", "--bin", "waxseal"]).shown()?.success("building")?;
    let count = all(&installed)?;
    Ok(count.failed == 0)
}

/// Compares the binary that was built before.
///
/// # Errors
/// When the tool is missing or the site does not start.
pub(crate) fn count(missing: Missing) -> Result<Count> {
    all(&Installed::ready(missing)?)
}

fn all(installed: &Installed) -> Result<Count> {
    let site = Site::start(&lab::binary())?;
    let token = site.token()?;
    let mut count = Count::default();
    count.add(one(installed, &site, (Some(&token), WITH_TOKEN_MAX))?);
    count.add(one(installed, &site, (None, WITHOUT_MAX))?);
    Ok(count)
}

fn one(
    installed: &Installed,
    site: &Site,
    (token, longest): (Option<&str>, Duration),
) -> Result<Count> {
    let who = if token.is_some() { "with a token of all scopes" } else { "without credentials" };
    println!("contract {who}");
    let [description, settings] = [DESCRIPTION, SETTINGS].map(|file| workspace::root().join(file));
    let mut command = Command::new(installed.program())
        .args(["--config-file".as_ref(), settings.as_os_str()])
        .args(["--no-color".as_ref(), "run".as_ref(), description.as_os_str()])
        .args(["--url", &site.address])
        .args(["--checks", "all", "--seed", SEED, "--continue-on-failure"])
        .args(["--max-time", &longest.as_secs().to_string()])
        .args(["--no-shrink", "--generation-database", "none"])
        // It keeps what failed in the folder where it runs.
        .folder(installed.folder())
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1");
    if let Some(token) = token {
        command = command.args(["--header", &format!("Authorization: Bearer {token}")]);
    }
    let done = command.output()?;
    let held = done.status.success();
    if !held {
        println!("{}\n{}", done.stdout.trim_end(), done.stderr.trim_end());
    }
    println!("contract {who}: {}", if held { "ok" } else { "FAILED" });
    Ok(Count::of(held))
}
