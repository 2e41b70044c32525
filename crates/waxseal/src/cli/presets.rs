//! `waxseal presets [NAME]`: what is known of delivery services and mailbox providers, offline: hosts, port,
//! mode (RFC 8314 §3), sign-in, limits and the page each row rests on. It connects to nothing and keeps no
//! table of its own; the rows are `waxseal_services::presets`, the words of single values in `words`.

mod words;

use super::error::CliError;
use super::exit::Exit;
use super::{output, text};
use crate::limits::{NEAR_NAME_CHARS_MAX, NEAR_NAMES_MAX};
use clap::Args;
use serde::Serialize;
use std::fmt::Write as _;
use waxseal_services::presets::{self, Endpoint, HostPattern, Preset};

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

#[derive(Serialize)]
struct List {
    presets: Vec<Shown>,
}

#[derive(Serialize)]
struct Shown {
    name: &'static str,
    title: &'static str,
    hosts: Vec<String>,
    port: u16,
    mode: &'static str,
    /// Every other documented pair, in the order of the documentation.
    alternatives: Vec<Pair>,
    sign_in: Vec<&'static str>,
    user_name: &'static str,
    /// The word that everybody gives as user name.
    user_name_fixed: Option<&'static str>,
    clear_text: &'static str,
    limits: Vec<ShownLimit>,
    messages_per_connection_max: Option<u32>,
    idle_s_max: Option<u32>,
    cautions: Vec<&'static str>,
    /// The HTTP interface of the same service.
    api: Option<&'static str>,
    documentation: &'static str,
    evidence: &'static str,
}

#[derive(Serialize)]
struct Pair {
    port: u16,
    mode: &'static str,
}

#[derive(Serialize)]
struct ShownLimit {
    count: u64,
    counted: &'static str,
    period_s: u32,
}

pub(super) fn run(command: &Presets) -> Result<Exit, CliError> {
    match command.name.as_deref() {
        None if command.json => {
            output::json(&List { presets: presets::all().map(shown).collect() })?;
        }
        None => output::data(&list())?,
        Some(name) => {
            let preset = presets::by_name(name).ok_or_else(|| unknown(name))?;
            if command.json {
                output::json(&shown(preset))?;
            } else {
                output::data(&text::fields(&lines(&shown(preset))))?;
            }
        }
    }
    Ok(Exit::Good)
}

fn shown(preset: &Preset) -> Shown {
    let recommended = preset.recommended();
    Shown {
        name: preset.name,
        title: preset.title,
        hosts: preset.hosts.iter().map(HostPattern::template).collect(),
        port: recommended.port,
        mode: recommended.mode.as_str(),
        alternatives: preset.endpoints.iter().skip(1).copied().map(pair).collect(),
        sign_in: preset.sign_in.iter().map(|kind| words::sign_in(*kind)).collect(),
        user_name: words::user_name(preset.user),
        user_name_fixed: words::fixed_user_name(preset.user),
        clear_text: words::clear_text(preset.clear_text),
        limits: preset
            .limits
            .iter()
            .map(|limit| ShownLimit {
                count: limit.count,
                counted: words::counted(limit.counted),
                period_s: words::seconds(limit.period),
            })
            .collect(),
        messages_per_connection_max: preset.recycling.messages_max,
        idle_s_max: preset.recycling.idle_s_max,
        cautions: preset.cautions.iter().map(|caution| words::caution(*caution)).collect(),
        api: preset.api.map(waxseal_services::service::ServiceId::as_str),
        documentation: preset.documentation,
        evidence: words::evidence(preset.evidence),
    }
}

const fn pair(endpoint: Endpoint) -> Pair {
    Pair { port: endpoint.port, mode: endpoint.mode.as_str() }
}

fn lines(preset: &Shown) -> Vec<(&'static str, String)> {
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
    let near = near_names(name);
    let hint = if near.is_empty() {
        "waxseal presets lists all".to_owned()
    } else {
        format!("near names: {}", near.join(", "))
    };
    CliError::usage(format!("no preset is called {name:?}")).hint(hint)
}

/// Presets that may have been meant: by host, by a shared piece of the name, or by up to two wrong letters.
fn near_names(typed: &str) -> Vec<&'static str> {
    let typed = typed.trim().to_lowercase();
    let length = typed.chars().count();
    if !(3..=NEAR_NAME_CHARS_MAX).contains(&length) {
        return Vec::new();
    }
    let mut near: Vec<&str> = presets::for_host(&typed).map(|preset| preset.name).collect();
    for preset in presets::all() {
        let is_near = preset.name.contains(&typed)
            || preset.title.to_lowercase().contains(&typed)
            || typed.contains(preset.name)
            || wrong_letters(&typed, preset.name) <= 2.min(length.saturating_sub(2));
        if is_near && !near.contains(&preset.name) {
            near.push(preset.name);
        }
    }
    near.truncate(NEAR_NAMES_MAX);
    near
}

/// How many letters must be put in, taken out or changed to get from one word to the other.
fn wrong_letters(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut above_left = line;
        let mut left = line + 1;
        for (cell, wanted) in row.iter_mut().skip(1).zip(other.chars()) {
            let above = *cell;
            let changed = above_left + usize::from(letter != wanted);
            left = changed.min(above + 1).min(left + 1);
            *cell = left;
            above_left = above;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_letters_are_counted() {
        for (one, other, count) in
            [("", "abc", 3), ("abc", "", 3), ("gmial", "gmail", 2), ("brevo", "bravo", 1)]
        {
            assert_eq!(wrong_letters(one, other), count, "{one} {other}");
        }
    }

    #[test]
    fn every_row_can_be_shown() {
        for preset in presets::all() {
            let found = lines(&shown(preset));
            assert!(found.iter().any(|(label, value)| *label == "host" && !value.is_empty()));
            assert!(found.iter().any(|(label, value)| *label == "port" && value != "0"));
        }
    }
}
