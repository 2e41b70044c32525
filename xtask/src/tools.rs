//! What must be on the machine before the tests run: Debian packages and components of the toolchain.
//!
//! Nothing is installed unless `--install` says so; without it, everything missing is named at once,
//! with the command that installs it. The way in is [`check`].

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::command::Command;

/// A program and the Debian package that brings it.
const PROGRAMS: &[(&str, &str)] = &[
    ("ar", "binutils"),
    ("cc", "gcc"),
    ("chromium", "chromium"),
    ("curl", "curl"),
    ("dpkg", "dpkg"),
    ("git", "git"),
    ("ldd", "libc-bin"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("openssl", "openssl"),
    ("pip3", "python3-pip"),
    ("python3", "python3"),
];

/// A cargo sub-command and the component of the toolchain that brings it.
const COMPONENTS: &[(&str, &str)] = &[("clippy", "clippy"), ("fmt", "rustfmt")];

/// Whether xtask may install what is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Install it (needs root on Debian).
    Install,
    /// Name it and fail.
    Report,
}

/// Looks for every tool, and installs or names the missing ones.
///
/// # Errors
/// Names all missing tools with the exact commands, or says why an installation failed.
pub(crate) fn check(missing: Missing) -> Result<()> {
    let packages: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, _)| find(program).is_none())
        .map(|(_, package)| *package)
        .collect();
    let components: Vec<&str> = COMPONENTS
        .iter()
        .filter(|(command, _)| !works(command))
        .map(|(_, component)| *component)
        .collect();
    if missing == Missing::Install {
        install(&packages, &components)?;
        return check_again();
    }
    report(&packages, &components)
}

fn check_again() -> Result<()> {
    check(Missing::Report)
}

/// Looks for these programs of the list only, and installs or names the missing ones.
///
/// # Errors
/// As [`check`].
pub(crate) fn need(programs: &[&str], missing: Missing) -> Result<()> {
    let packages: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, _)| programs.contains(program) && find(program).is_none())
        .map(|(_, package)| *package)
        .collect();
    match missing {
        Missing::Install if !packages.is_empty() => {
            install(&packages, &[])?;
            need(programs, Missing::Report)
        }
        Missing::Install | Missing::Report => report(&packages, &[]),
    }
}

fn report(packages: &[&str], components: &[&str]) -> Result<()> {
    let mut commands = Vec::new();
    if !packages.is_empty() {
        commands.push(format!("apt-get update && apt-get install -y {}", packages.join(" ")));
    }
    if !components.is_empty() {
        commands.push(format!("rustup component add {}", components.join(" ")));
    }
    if commands.is_empty() {
        return Ok(());
    }
    bail!("missing tools; install them with:\n  {}", commands.join("\n  "))
}

fn install(packages: &[&str], components: &[&str]) -> Result<()> {
    if !packages.is_empty() {
        apt_update()?;
        Command::new("apt-get")
            .args(["install", "-y", "--no-install-recommends"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .output()?
            .success("installing Debian packages")?;
    }
    if !components.is_empty() {
        Command::new("rustup")
            .args(["component", "add"])
            .args(components)
            .output()?
            .success("adding components of the toolchain")?;
    }
    Ok(())
}

/// Brings the lists of Debian packages up to date.
///
/// # Errors
/// When apt-get fails.
pub(crate) fn apt_update() -> Result<()> {
    Command::new("apt-get").args(["update"]).output()?.success("updating the package lists")?;
    Ok(())
}

/// Where a program lies.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    folders.extend(["/usr/sbin", "/sbin"].map(|folder| Path::new(folder).to_path_buf()));
    folders.iter().map(|folder| folder.join(program)).find(|path| path.is_file())
}

fn works(command: &str) -> bool {
    let answer = Command::cargo().args([command, "--version"]).output();
    answer.is_ok_and(|output| output.status.success())
}
