//! Real mail servers and name servers that nobody here wrote, started on loopback and then checked with
//! the built binary: Postfix, Exim, NSD; and submission servers that take a real message from it.
//!
//! The Debian packages conflict with each other, so none is installed: they are unpacked into
//! `target/peers`. The ways in are [`run`] and [`count`]; a case lists what a check of its server must
//! say. Invariant: a peer that does not start is a failure, never a pass.

mod cases;
mod exim;
mod nsd;
mod pki;
mod postfix;
mod server;
mod submission;
mod tree;
mod witness;

use anyhow::Result;

use crate::arguments::Arguments;
use crate::command::Command;
use crate::lab;
use crate::pipeline::Count;
use crate::tools::Missing;

/// Builds the binary and runs every case; `--keep` leaves the session folder for a look, `--binary PATH`
/// takes another build, `--only NAME` takes the peers whose name starts so.
///
/// # Errors
/// When the flags are wrong, a package is missing, or the build fails.
pub(crate) fn run(arguments: &[String]) -> Result<bool> {
    let mut arguments = Arguments::new(arguments);
    let missing = if arguments.flag("--install") { Missing::Install } else { Missing::Report };
    let keep = if arguments.flag("--keep") { cases::After::Keep } else { cases::After::Remove };
    let binary = arguments.text("--binary")?;
    let only = arguments.text("--only")?.unwrap_or_default();
    arguments.finish()?;
    let binary = if let Some(path) = binary {
        std::path::absolute(path)?
    } else {
        Command::cargo().args(["build", "--workspace"]).shown()?.success("building")?;
        lab::binary()
    };
    let count = cases::run_all(&ready(missing)?, &binary, keep, &only)?;
    Ok(count.failed == 0 && count.skipped == 0)
}

/// Runs every case against the binary that was built before.
///
/// # Errors
/// When a package is missing or a folder cannot be made.
pub(crate) fn count(missing: Missing) -> Result<Count> {
    cases::run_all(&ready(missing)?, &lab::binary(), cases::After::Remove, "")
}

fn ready(missing: Missing) -> Result<tree::Tree> {
    submission::ready(missing)?;
    tree::Tree::ready(missing)
}
