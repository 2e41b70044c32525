//! Where data is kept: the folder, the workspace, and where the master keys come from. A key itself is in
//! no settings file and no flag; `WAXSEAL_MASTER_KEY` may hold the text of a key file.
//!
//! The way in is [`load`]. Inside a lab the folder is the lab's own and the keys are a file in it.

use super::{File, Setting, Source, read_file};
use crate::cli::error::CliError;
use clap::Args;
use std::path::{Path, PathBuf};
use waxseal_app::store::{DEFAULT_WORKSPACE, DataSettings, KeyFile, KeySource};
use waxseal_app::store::{Secret, Zeroizing};

const KEY: &str = "WAXSEAL_MASTER_KEY";
const KEY_COMMAND: &str = "WAXSEAL_KEY_COMMAND";
const KEY_FILE: &str = "WAXSEAL_KEY_FILE";

/// The flags of every command that keeps something.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Data")]
pub(crate) struct DataFlags {
    /// Folder of the database; default: the platform's data folder
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Workspace in it; default: default
    #[arg(long, value_name = "NAME")]
    workspace: Option<String>,
}

/// Where data is kept, each with where it comes from.
#[derive(Clone, Debug)]
pub(crate) struct DataConfig {
    pub(crate) folder: Setting<PathBuf>,
    pub(crate) workspace: Setting<String>,
    pub(crate) keys: Setting<KeySource>,
}

impl DataConfig {
    /// The values.
    pub(crate) fn settings(&self) -> DataSettings {
        DataSettings {
            folder: self.folder.value.clone(),
            workspace: self.workspace.value.clone(),
            keys: self.keys.value.clone(),
        }
    }
}

/// Reads all sources and merges them. `lab` is the data folder of a lab, which nothing replaces.
///
/// # Errors
///
/// A settings file that cannot be read, no place for data, two sources of the master keys at once, or a
/// folder named inside a lab.
pub(crate) fn load(
    config: Option<&Path>,
    flags: &DataFlags,
    lab: Option<&Path>,
) -> Result<DataConfig, CliError> {
    if let Some(folder) = lab {
        return in_lab(flags, folder);
    }
    let (path, file) = read_file(config)?;
    merge(flags, &|name| std::env::var(name).ok().filter(|value| !value.is_empty()), &file, &path)
}

fn in_lab(flags: &DataFlags, folder: &Path) -> Result<DataConfig, CliError> {
    if flags.data.is_some() {
        return Err(CliError::usage("--data cannot be used inside a lab")
            .hint("leave it out: what is done in a lab is kept in a folder of its own"));
    }
    let source = || Source::Lab;
    let workspace = flags.workspace.clone().unwrap_or_else(|| DEFAULT_WORKSPACE.to_owned());
    let keys = KeySource::File(KeyFile::at(folder.join(KeyFile::NAME)));
    Ok(DataConfig {
        folder: Setting { value: folder.to_owned(), source: source() },
        workspace: Setting { value: workspace, source: source() },
        keys: Setting { value: keys, source: source() },
    })
}

fn merge(
    flags: &DataFlags,
    variable: &dyn Fn(&str) -> Option<String>,
    file: &File,
    path: &Path,
) -> Result<DataConfig, CliError> {
    let in_file = || Source::File(path.to_owned());
    let folder = flags
        .data
        .clone()
        .map(|value| Setting { value, source: Source::Flag("--data") })
        .or_else(|| {
            variable("WAXSEAL_DATA").map(|value| Setting {
                value: PathBuf::from(value),
                source: Source::Environment("WAXSEAL_DATA"),
            })
        })
        .or_else(|| file.data.clone().map(|value| Setting { value, source: in_file() }));
    let folder = match folder {
        Some(folder) => folder,
        None => Setting { value: platform_folder(variable)?, source: Source::Default },
    };
    if folder.value.as_os_str().is_empty() {
        return Err(CliError::usage(format!("{}: the data folder is empty", folder.source)));
    }
    let workspace = flags
        .workspace
        .clone()
        .map(|value| Setting { value, source: Source::Flag("--workspace") })
        .or_else(|| {
            variable("WAXSEAL_WORKSPACE")
                .map(|value| Setting { value, source: Source::Environment("WAXSEAL_WORKSPACE") })
        })
        .or_else(|| file.workspace.clone().map(|value| Setting { value, source: in_file() }))
        .unwrap_or_else(|| Setting {
            value: DEFAULT_WORKSPACE.to_owned(),
            source: Source::Default,
        });
    let keys = keys(variable, file, path, &folder.value)?;
    Ok(DataConfig { folder, workspace, keys })
}

fn keys(
    variable: &dyn Fn(&str) -> Option<String>,
    file: &File,
    path: &Path,
    folder: &Path,
) -> Result<Setting<KeySource>, CliError> {
    let at = |path: PathBuf| KeySource::File(KeyFile::at(path));
    let mut given = Vec::new();
    if let Some(text) = variable(KEY) {
        let text = Secret::new(Zeroizing::new(text));
        let from = format!("the environment variable {KEY}");
        given.push((KeySource::Text { from, text }, KEY));
    }
    if let Some(line) = variable(KEY_COMMAND) {
        given.push((KeySource::Command(line), KEY_COMMAND));
    }
    if let Some(path) = variable(KEY_FILE) {
        given.push((at(PathBuf::from(path)), KEY_FILE));
    }
    if let [(_, one), (_, other), ..] = given.as_slice() {
        return Err(CliError::usage(format!("{one} and {other} are both set"))
            .hint("the master keys come from one place"));
    }
    if let Some((value, name)) = given.pop() {
        return Ok(Setting { value, source: Source::Environment(name) });
    }
    let source = || Source::File(path.to_owned());
    match (&file.key_file, &file.key_command) {
        (Some(_), Some(_)) => Err(CliError::usage(format!(
            "{}: key_file and key_command are both set",
            path.display()
        ))
        .hint("the master keys come from one place")),
        (Some(file), None) => Ok(Setting { value: at(file.clone()), source: source() }),
        (None, Some(line)) => {
            Ok(Setting { value: KeySource::Command(line.clone()), source: source() })
        }
        (None, None) => {
            Ok(Setting { value: at(folder.join(KeyFile::NAME)), source: Source::Default })
        }
    }
}

/// The platform's folder for data of programs.
fn platform_folder(variable: &dyn Fn(&str) -> Option<String>) -> Result<PathBuf, CliError> {
    let home = variable("HOME").map(PathBuf::from);
    let folder = if cfg!(target_os = "macos") {
        home.map(|home| home.join("Library").join("Application Support"))
    } else {
        // Relative paths are to be ignored (XDG Base Directory Specification).
        let named = variable("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        named.or_else(|| home.map(|home| home.join(".local").join("share")))
    };
    folder.map(|folder| folder.join("waxseal")).ok_or_else(|| {
        CliError::usage("there is no home folder to keep data in").hint("name one with --data DIR")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse_file;

    fn merged(
        flags: &DataFlags,
        variables: &[(&str, &str)],
        file: &str,
    ) -> Result<DataConfig, CliError> {
        let path = Path::new("waxseal.toml");
        let file = parse_file(path, file)?;
        let variable = |name: &str| {
            variables.iter().find(|(each, _)| *each == name).map(|(_, value)| (*value).to_owned())
        };
        merge(flags, &variable, &file, path)
    }

    #[test]
    fn the_data_folder_comes_from_the_nearest_source() {
        let flags = DataFlags { data: Some("/flag".into()), workspace: None };
        let none = DataFlags::default();
        let home = [("HOME", "/home/a")];
        let all = [("HOME", "/home/a"), ("WAXSEAL_DATA", "/env"), ("XDG_DATA_HOME", "/xdg")];
        let xdg = [("HOME", "/home/a"), ("XDG_DATA_HOME", "/xdg")];
        for (flags, variables, file, expected, source) in [
            (&flags, &all[..], "data = '/file'", "/flag", "flag --data"),
            (&none, &all[..], "data = '/file'", "/env", "environment WAXSEAL_DATA"),
            (&none, &home[..], "data = '/file'", "/file", "file waxseal.toml"),
            (&none, &xdg[..], "", "/xdg/waxseal", "default"),
        ] {
            let merged = merged(flags, variables, file).unwrap();
            assert_eq!(merged.folder.value, Path::new(expected));
            assert_eq!(merged.folder.source.to_string(), source);
        }
        assert!(merged(&none, &[], "").unwrap_err().line().contains("--data DIR"));
    }

    #[test]
    fn the_keys_come_from_one_place() {
        let none = DataFlags::default();
        let home = ("HOME", "/home/a");
        let source = |variables: &[(&str, &str)], file: &str| {
            merged(&none, variables, file).map(|merged| merged.keys.value.to_string())
        };
        assert_eq!(source(&[home], "data = '/d'").unwrap(), "the file /d/master.key");
        assert_eq!(source(&[home], "key_file = '/k'").unwrap(), "the file /k");
        assert_eq!(source(&[home], "key_command = 'pass x'").unwrap(), "a command (not shown)");
        let text = [home, (KEY, "waxseal-keys 1;current a b")];
        let shown = source(&text, "key_file = '/k'").unwrap();
        assert_eq!(shown, "the environment variable WAXSEAL_MASTER_KEY");
        let debug = format!("{:?}", merged(&none, &text, "").unwrap());
        assert!(!debug.contains("current a b"), "{debug}");
        let both = [home, (KEY, "x"), (KEY_FILE, "/k")];
        assert!(source(&both, "").unwrap_err().line().contains("both set"));
        assert!(source(&[home], "key_file = '/k'\nkey_command = 'x'").is_err());
    }

    #[test]
    fn a_lab_keeps_its_data_apart() {
        let folder = Path::new("/tmp/lab");
        let config = load(None, &DataFlags::default(), Some(folder)).unwrap();
        assert_eq!(config.folder.value, folder);
        assert_eq!(config.keys.value.to_string(), "the file /tmp/lab/master.key");
        let flags = DataFlags { data: Some("/real".into()), workspace: None };
        assert!(load(None, &flags, Some(folder)).is_err());
    }
}
