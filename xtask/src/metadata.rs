//! What `cargo metadata` says about our crates and everything they are built from.
//!
//! Only the platform that xtask runs on is asked for, so no crate of another platform is downloaded.
//! The way in is [`Metadata::read`].

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::command::Command;

/// One package of the graph.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    /// The id that the graph uses.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// Its licence as an SPDX expression, if it declares one.
    pub(crate) licence: Option<String>,
    /// Where its source is kept, if it says so.
    pub(crate) repository: Option<String>,
    /// Where cargo takes it from; `None` for a crate of this workspace.
    pub(crate) source: Option<String>,
    /// The names of its normal and build dependencies as its manifest lists them.
    pub(crate) normal: BTreeSet<String>,
}

/// The graph of all packages.
#[derive(Debug)]
pub(crate) struct Metadata {
    /// Every package, by id.
    pub(crate) packages: BTreeMap<String, Package>,
    /// For each id, the ids of what is linked into it (not for its tests).
    normal_edges: BTreeMap<String, Vec<String>>,
}

impl Metadata {
    /// Asks cargo, with the committed lock file.
    ///
    /// # Errors
    /// When cargo fails or its answer is not what it documents.
    pub(crate) fn read() -> Result<Self> {
        let platform = host_platform()?;
        let output = Command::cargo()
            .args(["metadata", "--format-version", "1", "--filter-platform", &platform])
            .output()?
            .success("reading the package graph")?;
        let value: Value = serde_json::from_str(&output.stdout).context("the package graph")?;
        Ok(Self { packages: packages(&value)?, normal_edges: edges(&value)? })
    }

    /// The crates of this workspace.
    pub(crate) fn own(&self) -> impl Iterator<Item = &Package> {
        self.packages.values().filter(|package| package.source.is_none())
    }

    /// Everything that is linked into the crate `name`, without crates of this workspace.
    pub(crate) fn linked_into(&self, name: &str) -> Vec<&Package> {
        let mut open: Vec<&str> = self
            .own()
            .filter(|package| package.name == name)
            .map(|package| package.id.as_str())
            .collect();
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                open.extend(self.normal_edges.get(id).into_iter().flatten().map(String::as_str));
            }
        }
        let mut found: Vec<&Package> = seen
            .into_iter()
            .filter_map(|id| self.packages.get(id))
            .filter(|package| package.source.is_some())
            .collect();
        found.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        found
    }
}

fn host_platform() -> Result<String> {
    let about = Command::new("rustc").args(["-vV"]).output()?.success("asking rustc")?;
    let host = about.stdout.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc names no host platform")?.to_string())
}

fn packages(value: &Value) -> Result<BTreeMap<String, Package>> {
    let listed = value["packages"].as_array().context("no list of packages")?;
    let text = |package: &Value, key: &str| package[key].as_str().map(String::from);
    let mut found = BTreeMap::new();
    for package in listed {
        let id = text(package, "id").context("a package without an id")?;
        let normal = package["dependencies"].as_array().into_iter().flatten();
        let normal = normal
            .filter(|dependency| dependency["kind"].as_str() != Some("dev"))
            .filter_map(|dependency| text(dependency, "name"))
            .collect();
        let read = Package {
            id: id.clone(),
            name: text(package, "name").context("a package without a name")?,
            version: text(package, "version").context("a package without a version")?,
            licence: text(package, "license"),
            repository: text(package, "repository"),
            source: text(package, "source"),
            normal,
        };
        found.insert(id, read);
    }
    Ok(found)
}

fn edges(value: &Value) -> Result<BTreeMap<String, Vec<String>>> {
    let nodes = value["resolve"]["nodes"].as_array().context("no resolved graph")?;
    let mut found = BTreeMap::new();
    for node in nodes {
        let id = node["id"].as_str().context("a node without an id")?;
        let linked = node["deps"].as_array().into_iter().flatten().filter(|dependency| {
            let kinds = dependency["dep_kinds"].as_array();
            kinds.into_iter().flatten().any(|kind| kind["kind"].is_null())
        });
        let linked = linked.filter_map(|dependency| dependency["pkg"].as_str().map(String::from));
        found.insert(id.to_string(), linked.collect());
    }
    Ok(found)
}
