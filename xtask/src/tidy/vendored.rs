//! Files of others that the binary carries are as published: each has its SHA-256, licence and origin in
//! `crates/waxseal/assets/VENDORED.toml` and a line in THIRD-PARTY.md, and no other script lies beside them but
//! our own.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::Tree;
use crate::workspace;

const FOLDER: &str = "crates/waxseal/assets";
const LIST: &str = "crates/waxseal/assets/VENDORED.toml";
/// Scripts written here.
const OURS: &[&str] = &["waxseal.js"];

/// One file of others.
pub(crate) struct Vendored {
    pub(crate) name: String,
    pub(crate) project: String,
    pub(crate) version: String,
    pub(crate) licence: String,
    pub(crate) source: String,
    sha256: String,
}

/// The list.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn list() -> Result<Vec<Vendored>> {
    let table: toml::Table = toml::from_str(&workspace::read(LIST)?)?;
    let files = table.get("file").and_then(toml::Value::as_array).context("no [[file]]")?;
    files
        .iter()
        .map(|file| {
            let field = |name: &str| {
                let value = file.get(name).and_then(toml::Value::as_str);
                value.map(str::to_owned).with_context(|| format!("{LIST}: a file without {name}"))
            };
            Ok(Vendored {
                name: field("name")?,
                project: field("project")?,
                version: field("version")?,
                licence: field("licence")?,
                source: field("source")?,
                sha256: field("sha256")?,
            })
        })
        .collect()
}

/// Every file that differs from the list, and every script that is not in it.
pub(super) fn check(_: &Tree) -> Result<Vec<String>> {
    let list = list()?;
    let folder = workspace::root().join(FOLDER);
    let mut problems = Vec::new();
    for file in &list {
        match std::fs::read(folder.join(&file.name)) {
            Ok(octets) if hex(&octets) == file.sha256 => {}
            Ok(_) => problems.push(format!("{FOLDER}/{}: differs from its SHA-256", file.name)),
            Err(error) => problems.push(format!("{FOLDER}/{}: {error}", file.name)),
        }
    }
    for entry in std::fs::read_dir(&folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let is_script = name.rsplit('.').next() == Some("js");
        let known = OURS.contains(&name.as_str()) || list.iter().any(|file| file.name == name);
        if is_script && !known {
            problems.push(format!("{FOLDER}/{name}: not in VENDORED.toml"));
        }
    }
    Ok(problems)
}

fn hex(octets: &[u8]) -> String {
    Sha256::digest(octets).iter().fold(String::new(), |mut out, octet| {
        let _ = write!(out, "{octet:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_sha_256() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex(b"abc"), abc);
    }
}
