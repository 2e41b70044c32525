//! What `cargo metadata` says about our crates and everything they are built from.
//!
//! Only the platform that xtask runs on is asked for, so no crate of another platform is downloaded. What is
//! really compiled comes from `cargo tree`: the graph also holds crates behind features that nobody turns on.
//! The way in is [`Metadata::read`].

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::command::Command;

/// One package of the graph.
#[derive(Clone, Debug)]
pub(crate) struct Package {
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

/// All packages that are compiled.
#[derive(Debug)]
pub(crate) struct Metadata {
    /// Everything that is compiled for programs, build scripts and tests, by name and version.
    pub(crate) compiled: Vec<Package>,
    /// What is linked into the waxseal binary, without crates of this workspace, by name and version.
    pub(crate) linked: Vec<Package>,
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
        let packages = packages(&value)?;
        let everything = tree(&["--workspace", "--edges", "normal,build,dev"])?;
        let binary = tree(&["--package", "waxseal", "--edges", "normal,no-proc-macro"])?;
        let pick = |names: &BTreeSet<String>| {
            packages.iter().filter(|package| names.contains(&package.key())).cloned().collect()
        };
        let mut linked: Vec<Package> = pick(&binary);
        linked.retain(|package| package.source.is_some());
        Ok(Self { compiled: pick(&everything), linked })
    }

    /// The crates of this workspace.
    pub(crate) fn own(&self) -> impl Iterator<Item = &Package> {
        self.compiled.iter().filter(|package| package.source.is_none())
    }
}

impl Package {
    fn key(&self) -> String {
        format!("{} v{}", self.name, self.version)
    }
}

/// `name vVERSION` of every package in the tree that cargo prints.
fn tree(arguments: &[&str]) -> Result<BTreeSet<String>> {
    let output = Command::cargo()
        .args(["tree", "--prefix", "none", "--format", "{p}"])
        .args(arguments)
        .output()?
        .success("reading the tree of dependencies")?;
    let key = |line: &str| {
        let mut words = line.split_whitespace();
        Some(format!("{} {}", words.next()?, words.next()?))
    };
    Ok(output.stdout.lines().filter_map(key).collect())
}

fn host_platform() -> Result<String> {
    let about = Command::new("rustc").args(["-vV"]).output()?.success("asking rustc")?;
    let host = about.stdout.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc names no host platform")?.to_string())
}

fn packages(value: &Value) -> Result<Vec<Package>> {
    let listed = value["packages"].as_array().context("no list of packages")?;
    let text = |package: &Value, key: &str| package[key].as_str().map(String::from);
    let mut found = Vec::new();
    for package in listed {
        let normal = package["dependencies"].as_array().into_iter().flatten();
        let normal = normal
            .filter(|dependency| dependency["kind"].as_str() != Some("dev"))
            .filter_map(|dependency| text(dependency, "name"))
            .collect();
        let read = Package {
            name: text(package, "name").context("a package without a name")?,
            version: text(package, "version").context("a package without a version")?,
            licence: text(package, "license"),
            repository: text(package, "repository"),
            source: text(package, "source"),
            normal,
        };
        found.push(read);
    }
    found.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    Ok(found)
}
