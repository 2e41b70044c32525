//! The scenarios that come with the program, embedded in it. A new file in `scenarios/AREA/NAME.toml` becomes
//! part of the catalogue by one line in `scenarios/list.rs` (for path A in `scenarios/list_submission.rs` or
//! `scenarios/list_api.rs`); a test finds files without a line. The way in: [`all`], [`find`].

use crate::scenario::{Scenario, ScenarioError};

/// Path (`area/name`) and text of each scenario.
macro_rules! scenarios {
    ($($path:literal,)+) => {
        &[$(($path, include_str!(concat!("../scenarios/", $path, ".toml")))),+]
    };
}

const CHECKS: &[(&str, &str)] = include!("../scenarios/list.rs");
/// Path A over the interface of a delivery service.
const CALLS: &[(&str, &str)] = include!("../scenarios/list_api.rs");
/// Path A over SMTP.
const ATTEMPTS: &[(&str, &str)] = include!("../scenarios/list_submission.rs");

fn files() -> impl Iterator<Item = (&'static str, &'static str)> {
    CHECKS.iter().chain(CALLS).chain(ATTEMPTS).copied()
}

/// Every scenario, in the order of the list.
///
/// # Errors
/// The first file that cannot be read.
pub fn all() -> Result<Vec<Scenario>, ScenarioError> {
    files().map(|(path, text)| Scenario::parse(path, text)).collect()
}

/// The scenario with this name (without area); `None` where there is none.
///
/// # Errors
/// Where its file cannot be read.
pub fn find(name: &str) -> Result<Option<Scenario>, ScenarioError> {
    source(name).map(|(path, text)| Scenario::parse(path, text)).transpose()
}

/// Path and text of the scenario with this name, for `lab show`.
pub fn source(name: &str) -> Option<(&'static str, &'static str)> {
    files().find(|(path, _)| path.rsplit('/').next() == Some(name))
}

/// Codes that no scenario shows, one a line: `CODE  reason`; `#` starts a comment.
const UNCOVERED: &str = include_str!("../uncovered.txt");

/// Why no scenario shows this code; `None` where no reason is given.
pub fn uncovered_reason(code: &str) -> Option<&'static str> {
    UNCOVERED
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(char::is_whitespace))
        .find(|(listed, _)| listed.trim_end_matches(':') == code)
        .map(|(_, reason)| reason.trim())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_is_listed_and_reads() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let mut found = BTreeSet::new();
        for area in std::fs::read_dir(&folder).unwrap().flatten() {
            if !area.file_type().unwrap().is_dir() {
                continue;
            }
            for file in std::fs::read_dir(area.path()).unwrap().flatten() {
                let name = file.file_name().into_string().unwrap();
                let Some(name) = name.strip_suffix(".toml") else { continue };
                found.insert(format!("{}/{name}", area.file_name().into_string().unwrap()));
            }
        }
        let listed: BTreeSet<String> = files().map(|(path, _)| path.to_owned()).collect();
        assert_eq!(listed, found);
        let all = all().unwrap_or_else(|error| panic!("{error}"));
        let names: BTreeSet<&str> = all.iter().map(|scenario| scenario.name.as_str()).collect();
        let domains: BTreeSet<&str> = all.iter().map(|scenario| scenario.domain.as_str()).collect();
        assert_eq!(names.len(), all.len(), "names are unique");
        assert_eq!(domains.len(), all.len(), "domains are unique");
        assert!(find("healthy-one-mx").unwrap().is_some());
        assert!(find("nothing-like-this").unwrap().is_none());
    }

    #[test]
    fn scripted_servers_equal_their_vectors() {
        use crate::smtp_server::Action;
        let text = include_str!("../vectors/starttls-ron/servers.json");
        let vectors: Vec<serde_json::Value> = serde_json::from_str(text).unwrap();
        assert_eq!(vectors.len(), 19);
        for vector in vectors {
            let id = vector["id"].as_str().unwrap();
            let name = id.replace("others--", "ron-").replace("--", "-").replace('_', "-");
            let scenario = find(&name).unwrap().unwrap_or_else(|| panic!("{name}"));
            let server = &scenario.hosts[0].smtp[0];
            let text = |value: &serde_json::Value| Action::Text(value.as_str().unwrap().into());
            let list = |value: &serde_json::Value| {
                let items = value.as_array().unwrap().iter();
                Some(items.map(|item| item.as_str().unwrap().to_owned()).collect::<Vec<_>>())
            };
            assert_eq!(server.greeting, Some(text(&vector["greeting"])), "{id}");
            assert_eq!(server.ehlo, list(&vector["capabilities"]), "{id}");
            assert_eq!(server.ehlo_after_tls, list(&vector["capabilities_tls"]), "{id}");
            let overrides = vector["override_response"].as_object().unwrap();
            for (verb, reply) in overrides {
                assert_eq!(server.replies.get(verb), Some(&text(reply)), "{id} {verb}");
            }
            if !overrides.contains_key("starttls") {
                let reply = text(&vector["starttls_reply"]);
                assert_eq!(server.replies.get("starttls"), Some(&reply), "{id}");
            }
        }
    }
}
