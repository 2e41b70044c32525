//! `waxseal backup FILE` and `waxseal restore FILE`: a copy of the live database, and a database from one.
//! The master key is no part of either, and both say so.

use super::connection::data_error;
use super::error::CliError;
use super::exit::Exit;
use super::world::WorldSource;
use super::{block_on, output, text};
use crate::clock;
use crate::config::data::{self, DataFlags};
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};
use waxseal_app::store::{self, BackupSummary, Data, KeyId, Opening};

/// `waxseal backup`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    waxseal backup /backups/waxseal-2026-11-24.db\n  \
    waxseal backup /backups/waxseal.db --json\n\n\
    Others may go on working meanwhile. The master key is not part of the copy: keep its file, apart\n\
    from backups. The output names the keys that the copy needs.\n\n\
    Exit status: 0 written, 2 the file exists or cannot be written, 3 trouble of this machine.")]
pub(crate) struct Backup {
    /// File to write; it must not exist
    file: PathBuf,
    /// Print one JSON object and nothing else
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataFlags,
}

/// `waxseal restore`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    waxseal restore /backups/waxseal-2026-11-24.db\n  \
    waxseal restore /backups/waxseal.db --data /var/lib/waxseal\n\n\
    The folder must hold no database. The master key is separate: put its file into the folder as\n\
    master.key, mode 0600.\n\n\
    Exit status: 0 restored, 1 restored, and keys that it needs are missing, 2 the file or the folder\n\
    cannot be used.")]
pub(crate) struct Restore {
    /// A copy that waxseal backup wrote
    file: PathBuf,
    /// Print one JSON object and nothing else
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataFlags,
}

#[derive(Serialize)]
struct Written<'a> {
    file: String,
    octets: u64,
    schema: i64,
    secrets: i64,
    /// The keys that are needed to open the secrets; they are not in the file.
    key_ids: Vec<&'a str>,
}

#[derive(Serialize)]
struct Restored<'a> {
    #[serde(flatten)]
    written: Written<'a>,
    /// Those of them that the source of the master keys does not have.
    missing_key_ids: Vec<&'a str>,
}

pub(super) fn run(
    command: &Backup,
    config: Option<&Path>,
    world: &WorldSource,
) -> Result<Exit, CliError> {
    let settings = data::load(config, &command.data, world.lab_data())?.settings();
    block_on(async {
        let data = Data::open(settings, Opening::Existing, clock::now())
            .await
            .map_err(|error| data_error(&error))?;
        let summary = data.backup(&command.file).await.map_err(|error| data_error(&error))?;
        data.close().await;
        if command.json {
            output::json(&written(&summary))?;
        } else {
            output::data(&text::fields(&lines(&summary)))?;
        }
        output::note(
            "The master key is not part of the copy. Keep its file as well, in another place than the copy.",
        );
        Ok(Exit::Good)
    })
}

pub(super) fn run_restore(
    command: &Restore,
    config: Option<&Path>,
    world: &WorldSource,
) -> Result<Exit, CliError> {
    let settings = data::load(config, &command.data, world.lab_data())?.settings();
    block_on(async {
        let done =
            store::restore(&command.file, &settings).await.map_err(|error| data_error(&error))?;
        if command.json {
            let missing_key_ids = words(&done.missing);
            output::json(&Restored { written: written(&done.summary), missing_key_ids })?;
        } else {
            let mut lines = lines(&done.summary);
            let missing: Vec<String> = done.missing.iter().map(ToString::to_string).collect();
            lines.extend(text::list("missing keys", &missing));
            output::data(&text::fields(&lines))?;
        }
        if done.missing.is_empty() {
            return Ok(Exit::Good);
        }
        output::note(&format!(
            "The master key is separate from a backup. Put the key file that has these keys in place: {}",
            settings.keys
        ));
        Ok(Exit::Problem)
    })
}

fn written(summary: &BackupSummary) -> Written<'_> {
    Written {
        file: summary.path.display().to_string(),
        octets: summary.octets,
        schema: summary.schema,
        secrets: summary.secrets,
        key_ids: words(&summary.key_ids),
    }
}

fn lines(summary: &BackupSummary) -> Vec<(&'static str, String)> {
    let mut lines = vec![
        ("file", summary.path.display().to_string()),
        ("octets", summary.octets.to_string()),
        ("schema", summary.schema.to_string()),
        ("secrets", summary.secrets.to_string()),
    ];
    let ids: Vec<String> = summary.key_ids.iter().map(ToString::to_string).collect();
    lines.extend(text::list("needs keys", &ids));
    lines
}

fn words(ids: &[KeyId]) -> Vec<&str> {
    ids.iter().map(KeyId::as_str).collect()
}
