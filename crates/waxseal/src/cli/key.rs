//! `waxseal key …`: the master keys that stored secrets are sealed with. A key is never shown, only its id.

use super::connection::data_error;
use super::error::CliError;
use super::exit::Exit;
use super::world::WorldSource;
use super::{block_on, output, text};
use crate::clock;
use crate::config::data::{self, DataFlags};
use crate::escape;
use clap::{Args, Subcommand};
use serde::Serialize;
use std::path::Path;
use waxseal_app::store::{Data, KeyId, Opening};

/// `waxseal key`.
#[derive(Subcommand, Debug)]
pub(crate) enum Key {
    /// Make the master key file (0600); the first stored secret makes it as well
    #[command(after_help = "Examples:\n  \
        waxseal key init\n  \
        waxseal key init --data /var/lib/waxseal\n\n\
        Keep a copy of the file, apart from backups: without it no stored secret opens.\n\n\
        Exit status: 0 made, 2 there is one already, or stored secrets need another one.")]
    Init(Flags),
    /// Take an older key out of the key file; backups that name it can then no longer be opened
    #[command(after_help = "Examples:\n  \
        waxseal key status\n  \
        waxseal key retire 0123456789abcdef\n\n\
        Exit status: 0 taken out, 2 a stored secret needs it, or it is current or not there.")]
    Retire(Retire),
    /// Seal every stored secret anew with a new key; can be repeated after a crash
    #[command(after_help = "Examples:\n  \
        waxseal key rotate\n\n\
        The old key stays in the file for backups until it is retired. Where the keys come from a variable\n\
        or a command, put the new key there first as the current one, with the old one as older.\n\n\
        Exit status: 0 done, 2 a secret cannot be opened (then nothing was changed), 3 trouble of this machine.")]
    Rotate(Flags),
    /// Show which keys there are and how many secrets need each
    #[command(after_help = "Examples:\n  waxseal key status\n  waxseal key status --json")]
    Status(Flags),
}

/// Flags of every `key` command.
#[derive(Args, Debug)]
pub(crate) struct Flags {
    /// Print one JSON object and nothing else
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataFlags,
}

/// `key retire`.
#[derive(Args, Debug)]
pub(crate) struct Retire {
    /// Id of the key
    id: String,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Serialize)]
struct Made<'a> {
    current: &'a str,
    file: String,
}

#[derive(Serialize)]
struct Rotated<'a> {
    current: &'a str,
    older: Vec<&'a str>,
    secrets: usize,
}

#[derive(Serialize)]
struct Status<'a> {
    source: &'a str,
    current: &'a str,
    older: Vec<&'a str>,
    in_use: Vec<InUse<'a>>,
}

#[derive(Serialize)]
struct InUse<'a> {
    id: &'a str,
    secrets: i64,
}

#[derive(Serialize)]
struct Retired<'a> {
    retired: &'a str,
}

pub(super) fn run(
    command: &Key,
    config: Option<&Path>,
    world: &WorldSource,
) -> Result<Exit, CliError> {
    let (flags, opening) = match command {
        Key::Init(flags) => (flags, Opening::Create),
        Key::Retire(command) => (&command.flags, Opening::Existing),
        Key::Rotate(flags) | Key::Status(flags) => (flags, Opening::Existing),
    };
    let settings = data::load(config, &flags.data, world.lab_data())?.settings();
    block_on(async {
        let data = Data::open(settings, opening, clock::now()).await.map_err(|e| data_error(&e))?;
        match command {
            Key::Init(_) => init(&data, flags).await?,
            Key::Retire(command) => retire(&data, &command.id, flags).await?,
            Key::Rotate(_) => rotate(&data, flags).await?,
            Key::Status(_) => status(&data, flags).await?,
        }
        data.close().await;
        Ok(Exit::Good)
    })
}

async fn init(data: &Data, flags: &Flags) -> Result<(), CliError> {
    let (id, path) = data.key_init().await.map_err(|error| data_error(&error))?;
    let file = path.display().to_string();
    if flags.json {
        return output::json(&Made { current: id.as_str(), file });
    }
    output::note("Keep a copy of the file, apart from backups: without it no stored secret opens.");
    output::data(&text::fields(&[("current", id.to_string()), ("file", file)]))
}

async fn rotate(data: &Data, flags: &Flags) -> Result<(), CliError> {
    let done = data.key_rotate(clock::now()).await.map_err(|error| data_error(&error))?;
    if flags.json {
        return output::json(&Rotated {
            current: done.current.as_str(),
            older: words(&done.older),
            secrets: done.secrets,
        });
    }
    output::note("Keep a copy of the new key file. Backups made before need the older keys.");
    let mut lines = vec![("current", done.current.to_string())];
    lines.extend(text::list("older", &owned(&done.older)));
    lines.push(("sealed anew", done.secrets.to_string()));
    output::data(&text::fields(&lines))
}

async fn status(data: &Data, flags: &Flags) -> Result<(), CliError> {
    let status = data.key_status().await.map_err(|error| data_error(&error))?;
    if flags.json {
        let in_use =
            status.in_use.iter().map(|(id, secrets)| InUse { id: id.as_str(), secrets: *secrets });
        return output::json(&Status {
            source: &status.source,
            current: status.current.as_str(),
            older: words(&status.older),
            in_use: in_use.collect(),
        });
    }
    let mut lines =
        vec![("source", status.source.clone()), ("current", status.current.to_string())];
    lines.extend(text::list("older", &owned(&status.older)));
    let in_use: Vec<String> = status
        .in_use
        .iter()
        .map(|(id, secrets)| format!("{id}: {}", text::secrets(*secrets)))
        .collect();
    lines.extend(text::list("in use", &in_use));
    output::data(&text::fields(&lines))
}

async fn retire(data: &Data, id: &str, flags: &Flags) -> Result<(), CliError> {
    let id = data.key_retire(id).await.map_err(|error| data_error(&error))?;
    if flags.json {
        return output::json(&Retired { retired: id.as_str() });
    }
    output::note(&format!("Key {} was taken out.", escape::line(id.as_str())));
    Ok(())
}

fn words(ids: &[KeyId]) -> Vec<&str> {
    ids.iter().map(KeyId::as_str).collect()
}

fn owned(ids: &[KeyId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}
