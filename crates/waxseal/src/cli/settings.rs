//! `waxseal config show`: the effective settings and where each comes from. Of the
//! master keys it says where they come from and nothing else.

use super::error::CliError;
use super::exit::Exit;
use super::world::WorldSource;
use super::{output, text};
use crate::config::data::{self, DataFlags};
use crate::config::{self, NetworkFlags, Setting};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::path::Path;
use waxseal_app::world::Relay;

/// `waxseal config`.
#[derive(Subcommand, Debug)]
pub(crate) enum Config {
    /// Show the effective settings and where each comes from
    #[command(after_help = "Examples:\n  \
        waxseal config show\n  \
        WAXSEAL_RESOLVER=192.0.2.53:53 waxseal config show --json\n\n\
        Mail may go to a relay at a private address only if waxseal.toml lists its host and port:\n  \
        [[relays]]\n  \
        host = \"relay.example.internal\"\n  \
        port = 587")]
    Show(Show),
}

/// `waxseal config show`.
#[derive(Args, Debug)]
pub(crate) struct Show {
    /// Print one JSON object and nothing else
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shown {
    resolver: ShownSetting<Option<String>>,
    control_hosts: ShownSetting<Vec<String>>,
    from_host: ShownSetting<Option<String>>,
    timeout_s: ShownSetting<Option<f64>>,
    relays: ShownSetting<Vec<String>>,
    data: ShownSetting<String>,
    workspace: ShownSetting<String>,
    /// Where the master keys come from; the keys themselves are never shown.
    master_key: ShownSetting<String>,
}

#[derive(Serialize)]
struct ShownSetting<T> {
    value: T,
    source: String,
}

pub(super) fn run(
    config: &Config,
    file: Option<&Path>,
    world: &WorldSource,
) -> Result<Exit, CliError> {
    let Config::Show(show) = config;
    let settings = config::load(file, &NetworkFlags::default())?;
    let data = data::load(file, &DataFlags::default(), world.lab_data())?;
    let shown = Shown {
        resolver: of(&settings.resolver, |value| value.map(|socket| socket.to_string())),
        control_hosts: of(&settings.control_hosts, Clone::clone),
        from_host: of(&settings.from_host, |value| value.as_ref().map(ToString::to_string)),
        timeout_s: of(&settings.timeout, |value| value.map(|timeout| timeout.as_secs_f64())),
        relays: of(&settings.relays, |relays| relays.iter().map(relay).collect()),
        data: of(&data.folder, |folder| folder.display().to_string()),
        workspace: of(&data.workspace, Clone::clone),
        master_key: of(&data.keys, ToString::to_string),
    };
    if show.json {
        output::json(&shown)?;
        return Ok(Exit::Good);
    }
    let or = |value: Option<String>, otherwise: &str| value.unwrap_or_else(|| otherwise.to_owned());
    let timeout = shown.timeout_s.value.map(|seconds| format!("{seconds} s"));
    let hosts = &shown.control_hosts.value;
    let hosts = (!hosts.is_empty()).then(|| hosts.join(", "));
    let relays = &shown.relays.value;
    let relays = (!relays.is_empty()).then(|| relays.join(", "));
    let lines = [
        ("resolver", or(shown.resolver.value, "the system's"), shown.resolver.source),
        ("control_hosts", or(hosts, "none"), shown.control_hosts.source),
        (
            "from_host",
            or(shown.from_host.value, "the name of this machine's address"),
            shown.from_host.source,
        ),
        ("timeout", or(timeout, "each stage its own"), shown.timeout_s.source),
        ("relays", or(relays, "none at private addresses"), shown.relays.source),
        ("data", shown.data.value, shown.data.source),
        ("workspace", shown.workspace.value, shown.workspace.source),
        ("master_key", shown.master_key.value, shown.master_key.source),
    ]
    .map(|(name, value, source)| (name, format!("{value} ({source})")));
    output::data(&text::fields(&lines))?;
    Ok(Exit::Good)
}

/// `HOST:PORT`, an IPv6 address in brackets.
fn relay(relay: &Relay) -> String {
    let Relay { host, port } = relay;
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

fn of<T, U>(setting: &Setting<T>, shown: impl Fn(&T) -> U) -> ShownSetting<U> {
    ShownSetting { value: shown(&setting.value), source: setting.source.to_string() }
}
