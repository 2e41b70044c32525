//! `waxseal presets [NAME]`: what is known of delivery services and mailbox providers, offline: hosts, port,
//! mode (RFC 8314 §3), sign-in, limits and the page each row rests on. It connects to nothing and keeps no
//! table of its own; the rows are `waxseal_services::presets`, their published shape in [`crate::wire::preset`].

use super::error::CliError;
use super::exit::Exit;
use super::{output, text};
use crate::wire::catalogue::Presets as List;
use crate::wire::preset::PresetV1;
use clap::Args;
use std::fmt::Write as _;
use waxseal_app::near;
use waxseal_services::presets::{self, Endpoint, HostPattern};

/// `waxseal presets`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    waxseal presets\n  \
    waxseal presets postmark\n  \
    waxseal presets amazon-ses --json\n\n\
    The first port is the recommended one. \"starttls\" must succeed, \"tls\" is TLS from the first byte.\n\n\
    Exit status: 0 shown, 2 no preset has this name.")]
pub(crate) struct Presets {
    /// Name of a preset; without it, all are listed
    name: Option<String>,
    /// Print one JSON object and nothing else
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &Presets) -> Result<Exit, CliError> {
    match command.name.as_deref() {
        None if command.json => {
            output::json(&List { presets: presets::all().map(PresetV1::from).collect() })?;
        }
        None => output::data(&list())?,
        Some(name) => {
            let preset = presets::by_name(name).ok_or_else(|| unknown(name))?;
            if command.json {
                output::json(&PresetV1::from(preset))?;
            } else {
                output::data(&text::fields(&lines(&PresetV1::from(preset))))?;
            }
        }
    }
    Ok(Exit::Good)
}

fn lines(preset: &PresetV1) -> Vec<(&'static str, String)> {
    let owned = |items: &[&str]| items.iter().map(ToString::to_string).collect::<Vec<_>>();
    let pairs: Vec<String> =
        preset.alternatives.iter().map(|one| format!("{} {}", one.port, one.mode)).collect();
    let limits: Vec<String> = preset
        .limits
        .iter()
        .map(|limit| format!("{} {} in {} s", limit.count, limit.counted, limit.period_s))
        .collect();
    let user = preset.user_name_fixed.map_or_else(
        || preset.user_name.to_owned(),
        |word| format!("{} ({word})", preset.user_name),
    );
    let mut lines = vec![("name", preset.name.to_owned()), ("title", preset.title.to_owned())];
    lines.extend(text::list("host", &preset.hosts));
    lines.push(("port", preset.port.to_string()));
    lines.push(("mode", preset.mode.to_owned()));
    lines.extend(text::list("alternatives", &pairs));
    lines.extend(text::list("sign-in", &owned(&preset.sign_in)));
    lines.push(("user name", user));
    lines.push(("without TLS", preset.clear_text.to_owned()));
    lines.extend(text::list("limits", &limits));
    if let Some(messages) = preset.messages_per_connection_max {
        lines.push(("messages per connection", messages.to_string()));
    }
    if let Some(seconds) = preset.idle_s_max {
        lines.push(("idle connection", format!("{seconds} s")));
    }
    lines.extend(text::list("cautions", &owned(&preset.cautions)));
    lines.push(("documentation", preset.documentation.to_owned()));
    lines.push(("evidence", preset.evidence.to_owned()));
    lines
}

fn list() -> String {
    let wide = presets::all().map(|preset| preset.name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for preset in presets::all() {
        let Endpoint { port, mode } = preset.recommended();
        let host = preset.hosts.first().map(HostPattern::template).unwrap_or_default();
        let _ = writeln!(out, "{:<wide$}  {port:<4}  {:<8}  {host}", preset.name, mode.as_str());
    }
    out.push_str("\nShow one: waxseal presets NAME\n");
    out
}

fn unknown(name: &str) -> CliError {
    let near = near::presets(name);
    let hint = if near.is_empty() {
        "waxseal presets lists all".to_owned()
    } else {
        format!("near names: {}", near.join(", "))
    };
    CliError::usage(format!("no preset is called {name:?}")).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_can_be_shown() {
        for preset in presets::all() {
            let found = lines(&PresetV1::from(preset));
            assert!(found.iter().any(|(label, value)| *label == "host" && !value.is_empty()));
            assert!(found.iter().any(|(label, value)| *label == "port" && value != "0"));
        }
    }
}
