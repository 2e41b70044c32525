//! Connections as text. What is not encrypted says so in every line and view, and a test that failed stays
//! in sight until a later one passes.

use super::super::text;
use crate::escape;
use waxseal_app::connections::Changed;
use waxseal_app::connections::wire::{AccountView, ConnectionView, TrialView};

/// What stands behind a connection of mode none, everywhere.
const NOT_ENCRYPTED: &str = "NOT ENCRYPTED";

/// A row for each connection.
pub(super) fn list(connections: &[ConnectionView]) -> String {
    let rows: Vec<[String; 5]> = connections.iter().map(row).collect();
    let wide = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..5).map(|column| wide(column).unwrap_or(0)).collect();
    let mut out = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            let space = width.saturating_sub(cell.chars().count()) + 2;
            line.extend(std::iter::repeat_n(' ', space));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn row(view: &ConnectionView) -> [String; 5] {
    let mut remarks = Vec::new();
    if !view.encrypted {
        remarks.push(NOT_ENCRYPTED.to_owned());
    }
    if !view.enabled {
        remarks.push("disabled".to_owned());
    }
    if let Some(test) = failed_test(view) {
        remarks.push(format!("test {}", trial(test)));
    }
    [
        escape::line(&view.name),
        view.state.to_owned(),
        escape::line(&way(view)),
        escape::line(&view.from_address),
        remarks.join(", "),
    ]
}

/// The newest test, if it did not pass; also when the settings were changed since.
fn failed_test(view: &ConnectionView) -> Option<&TrialView> {
    view.last_test.as_ref().filter(|test| test.outcome != "accepted")
}

/// How the connection sends, in a few words.
pub(crate) fn way(view: &ConnectionView) -> String {
    match (&view.service, &view.host, view.port) {
        (Some(service), _, _) => format!("{service} (https)"),
        (None, Some(host), Some(port)) => {
            let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
            format!("{host}:{port} {}", view.security.unwrap_or_default())
        }
        (None, _, _) => String::new(),
    }
}

fn trial(trial: &TrialView) -> String {
    let stale = if trial.current { "" } else { ", before the last change" };
    format!("{} {}{stale}", trial.outcome, trial.started_at)
}

/// What the lines of the test's message said where it arrived, as far as it was read there.
pub(crate) fn arrived(test: &TrialView) -> Option<String> {
    let received = test.detail.get("received")?;
    let hops = received.get("hops")?.as_array()?;
    let read_at = received.get("read_at")?.as_str()?;
    let claim = match received.get("all_encrypted").and_then(serde_json::Value::as_bool) {
        Some(true) => "every hop between machines claims TLS".to_owned(),
        Some(false) => {
            let at = received.get("first_unencrypted").and_then(serde_json::Value::as_u64);
            let hop = at.map_or_else(|| "a hop".to_owned(), |at| format!("hop {}", at + 1));
            format!("{hop} names a protocol without TLS")
        }
        None => "not every line says whether TLS was used".to_owned(),
    };
    let by = hops.first().and_then(|hop| hop.get("by")?.as_str());
    let by = by.map(|by| format!(" at {by}")).unwrap_or_default();
    let count = hops.len();
    let hops = if count == 1 { "hop" } else { "hops" };
    Some(format!("{claim} ({count} {hops}{by}; read {read_at})"))
}

/// Everything about one connection.
pub(super) fn one(view: &ConnectionView) -> String {
    let or = |value: &Option<String>, otherwise: &str| {
        value.clone().unwrap_or_else(|| otherwise.to_owned())
    };
    let mut lines = vec![
        ("name", view.name.clone()),
        ("id", view.id.clone()),
        ("state", view.state.to_owned()),
        ("enabled", text::yes(view.enabled)),
    ];
    if !view.encrypted {
        lines.push(("encryption", format!("{NOT_ENCRYPTED}: everything can be read on its way")));
    }
    let from = match &view.from_name {
        Some(name) => format!("{name} <{}>", view.from_address),
        None => view.from_address.clone(),
    };
    lines.push(("from", from));
    lines.push(("sends by", way(view)));
    for (name, value) in &view.settings {
        lines.push(("setting", format!("{name} = {value}")));
    }
    lines.extend(smtp(view));
    lines.push((
        "secret",
        match (&view.secret.changed_at, view.secret.stored) {
            (Some(since), true) => format!("stored, since {since}"),
            (None, true) => "stored".to_owned(),
            (_, false) => "none".to_owned(),
        },
    ));
    let told =
        |trial: &Option<TrialView>| trial.as_ref().map_or_else(|| "never".to_owned(), self::trial);
    lines.push(("last test", told(&view.last_test)));
    lines.extend(view.last_test.iter().filter_map(arrived).map(|line| ("arrived", line)));
    lines.push(("last verify", told(&view.last_verify)));
    if let Some(exception) = &view.exception {
        let ended = if exception.in_force { "" } else { " (NOT IN FORCE)" };
        lines.push(("exception", format!("until {}{ended}", exception.ends_at)));
        lines.push(("exception", format!("reason: {}", exception.reason)));
        lines.push(("exception", format!("page: {}", exception.documentation)));
        let granted = format!("granted {} by {}", exception.granted_at, exception.granted_by);
        lines.push(("exception", granted));
    }
    let users: Vec<String> =
        view.used_by.iter().map(|holder| format!("{} {}", holder.kind, holder.id)).collect();
    lines.extend(text::list("used by", &users));
    lines.push(("added", view.created_at.clone()));
    lines.push(("changed", or(&Some(view.changed_at.clone()), "")));
    text::fields(&lines)
}

fn smtp(view: &ConnectionView) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    if view.host.is_none() {
        return lines;
    }
    let sign_in = view
        .sign_in
        .as_ref()
        .map_or_else(|| "none".to_owned(), |each| format!("{} as {}", each.mechanism, each.user));
    lines.push(("sign-in", sign_in));
    if let Some(trust) = &view.trust {
        let mut trusted = vec![trust.kind.to_owned()];
        for certificate in &trust.certificates {
            trusted.push(format!("{} (until {})", certificate.subject, certificate.not_after));
        }
        trusted.extend(trust.pins.iter().cloned());
        lines.extend(text::list("trusts", &trusted));
    }
    if let Some(version) = view.minimum_tls {
        lines.push(("minimum TLS", version.to_owned()));
    }
    if let Some(name) = &view.ehlo_name {
        lines.push(("EHLO name", name.clone()));
    }
    if let Some(ip) = view.ip {
        lines.push(("addresses", ip.to_owned()));
    }
    lines
}

/// What to say beside an added or changed connection.
pub(super) fn notes(changed: &Changed) -> Vec<String> {
    let mut notes = Vec::new();
    let view = &changed.connection;
    if let Some(path) = &changed.key_file_made {
        notes.push(format!(
            "A master key was made: {}. Keep a copy of it, apart from backups: without it no stored secret opens.",
            path.display()
        ));
    }
    if let Some(preset) = changed.offer.presets.first() {
        notes.push(format!(
            "{} is documented with port {} and mode {} (--preset {}): {}",
            preset.title, preset.port, preset.security, preset.name, preset.documentation
        ));
        if preset.needs_app_password {
            notes.push(
                "It takes a password made for one program, not the one of its web page.".into(),
            );
        }
        if preset.oauth_only {
            notes.push("It takes OAuth 2 and no password: --auth xoauth2.".into());
        }
    }
    for warning in &changed.warnings {
        notes.push(format!(
            "{} {}: {} (waxseal guide {})",
            warning.severity, warning.code, warning.title, warning.code
        ));
        notes.extend(warning.evidence.iter().map(|seen| format!("  {seen}")));
        if changed.repair.is_none() {
            let steps = warning.fix.iter().zip(1..);
            notes.extend(steps.map(|(step, number)| format!("  {number}. {step}")));
        }
    }
    if let Some(preset) = &changed.repair {
        notes.push(format!(
            "To use what is documented: waxseal connection edit {} --preset {}",
            view.name, preset.name
        ));
    }
    let needs_secret = view.service.is_some() || view.sign_in.is_some();
    if needs_secret && !view.secret.stored {
        notes.push(format!(
            "No secret is stored yet: waxseal connection edit {} --ask-secret, or --secret-file FILE",
            view.name
        ));
    }
    notes
}

/// What the account of a service says about itself.
pub(super) fn account(account: &AccountView) -> String {
    let word = |value: Option<&str>| value.unwrap_or("not known").to_owned();
    let yes = |value: Option<bool>| value.map_or_else(|| "not known".to_owned(), text::yes);
    let number =
        |value: Option<u64>| value.map_or_else(|| "not known".to_owned(), |n| n.to_string());
    let quota = account.quota.as_ref().map_or_else(
        || "not known".to_owned(),
        |quota| format!("{} left of {} {}", number(quota.left), number(quota.limit), quota.unit),
    );
    text::fields(&[
        ("sending", word(account.sending)),
        ("stage", word(account.stage)),
        ("key may send", yes(account.key_may_send)),
        ("domain verified", yes(account.domain_verified)),
        ("quota", quota),
        ("rate per second", number(account.rate_per_second_max)),
        ("TLS to the inbox", word(account.inbox_tls)),
    ])
}
