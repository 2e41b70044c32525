//! The scenarios that come with the program, embedded in it. A new file in `scenarios/AREA/NAME.toml` becomes
//! part of the catalogue by one line in `scenarios/list.rs`; a test finds files without a line.
//! The way in: [`all`], [`find`].

use crate::scenario::{Scenario, ScenarioError};

/// Path (`area/name`) and text of each scenario.
macro_rules! scenarios {
    ($($path:literal,)+) => {
        &[$(($path, include_str!(concat!("../scenarios/", $path, ".toml")))),+]
    };
}

const FILES: &[(&str, &str)] = include!("../scenarios/list.rs");

/// Every scenario, in the order of the list.
///
/// # Errors
/// The first file that cannot be read.
pub fn all() -> Result<Vec<Scenario>, ScenarioError> {
    FILES.iter().map(|(path, text)| Scenario::parse(path, text)).collect()
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
    FILES.iter().copied().find(|(path, _)| path.rsplit('/').next() == Some(name))
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
                let name = name.strip_suffix(".toml").unwrap().to_owned();
                found.insert(format!("{}/{name}", area.file_name().into_string().unwrap()));
            }
        }
        let listed: BTreeSet<String> = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(listed, found);
        let all = all().unwrap_or_else(|error| panic!("{error}"));
        let names: BTreeSet<&str> = all.iter().map(|scenario| scenario.name.as_str()).collect();
        let domains: BTreeSet<&str> = all.iter().map(|scenario| scenario.domain.as_str()).collect();
        assert_eq!(names.len(), all.len(), "names are unique");
        assert_eq!(domains.len(), all.len(), "domains are unique");
        assert!(find("healthy-one-mx").unwrap().is_some());
        assert!(find("nothing-like-this").unwrap().is_none());
    }
}
