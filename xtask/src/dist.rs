//! `cargo xtask dist`: the release as an archive in `target/dist`: the binary, manual pages, completions, licences, the
//! unit, examples for proxies and the guide for operators, with its SHA-256 beside it.
//!
//! The archive of the same files is the same, octet for octet: sorted, owned by nobody, with the time of the commit.
//! `--binary PATH` packs a binary that is there already.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::arguments::Arguments;
use crate::command::Command;
use crate::workspace;

/// Files of the source tree that come along, at the same place.
const FILES: &[&str] = &[
    "CHANGELOG.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
    "THIRD-PARTY.md",
    "docs/deploy.md",
    "packaging/Caddyfile",
    "packaging/nginx.conf",
    "packaging/waxseal.service",
];

/// Shells and the names under which they look for a completion.
const SHELLS: &[(&str, &str)] =
    &[("bash", "waxseal"), ("fish", "waxseal.fish"), ("zsh", "_waxseal")];

/// Builds and packs.
///
/// # Errors
/// When something cannot be built, read or written.
pub(crate) fn run(arguments: &[String]) -> Result<bool> {
    let mut arguments = Arguments::new(arguments);
    let given = arguments.text("--binary")?;
    arguments.finish()?;
    let binary = match given {
        Some(path) => PathBuf::from(path),
        None => built()?,
    };
    let version = said(&binary, &["--version"])?;
    let version = version.trim().rsplit(' ').next().context("no version")?.to_owned();
    let name = format!("waxseal-{version}-{}-linux-gnu", std::env::consts::ARCH);
    let dist = workspace::root().join("target/dist");
    let folder = dist.join(&name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fill(&folder, &binary)?;
    let archive = dist.join(format!("{name}.tar.gz"));
    pack(&dist, &name, &archive)?;
    let digest = hex(&Sha256::digest(fs::read(&archive)?));
    let line = format!("{digest}  {name}.tar.gz\n");
    fs::write(dist.join(format!("{name}.tar.gz.sha256")), &line)?;
    print!("{}: {} kB\n{line}", archive.display(), fs::metadata(&archive)?.len() / 1000);
    Ok(true)
}

fn built() -> Result<PathBuf> {
    let build = ["build", "--release", "--locked", "--package", "waxseal"];
    Command::cargo().args(build).shown()?.success("building the binary")?;
    Ok(workspace::root().join("target/release/waxseal"))
}

fn said(binary: &Path, arguments: &[&str]) -> Result<String> {
    let name = format!("waxseal {}", arguments.join(" "));
    Ok(Command::new(binary).args(arguments).output()?.success(&name)?.stdout)
}

fn fill(folder: &Path, binary: &Path) -> Result<()> {
    let put = |from: &Path, to: &str| -> Result<()> {
        let to = folder.join(to);
        fs::create_dir_all(to.parent().context("no folder")?)?;
        fs::copy(from, &to).with_context(|| format!("copying {}", from.display()))?;
        Ok(())
    };
    put(binary, "waxseal")?;
    for file in FILES {
        put(&workspace::root().join(file), file)?;
    }
    let manual = folder.join("man/man1");
    said(binary, &["man", manual.to_str().context("the path is no text")?])?;
    fs::create_dir_all(folder.join("completions"))?;
    for (shell, name) in SHELLS {
        fs::write(folder.join("completions").join(name), said(binary, &["completions", shell])?)?;
    }
    Ok(())
}

/// Packs the folder so that nothing but its files decides what comes out.
fn pack(dist: &Path, name: &str, archive: &Path) -> Result<()> {
    let time = Command::new("git").args(["log", "-1", "--format=@%ct"]).output()?;
    let time = time.success("asking for the time of the commit")?.stdout;
    Command::new("tar")
        .args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mode=go-w"])
        .args([format!("--mtime={}", time.trim())])
        .args(["--use-compress-program=gzip -n -9", "-cf"])
        .args([archive])
        .args([Path::new("-C"), dist, Path::new(name)])
        .output()?
        .success("packing")?;
    Ok(())
}

fn hex(octets: &[u8]) -> String {
    use std::fmt::Write as _;
    octets.iter().fold(String::new(), |mut text, octet| {
        // Writing into a string does not fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}
