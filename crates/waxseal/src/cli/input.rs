//! Files given on the command line; `-` is standard input. A file is read up to a limit and never further.

use super::error::CliError;
use crate::limits::INPUT_FILE_OCTETS_MAX;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

static STDIN_IS_READ: AtomicBool = AtomicBool::new(false);

/// The octets of a file, or of standard input for `-`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    read_at_most(path, INPUT_FILE_OCTETS_MAX)
}

/// The text of a file, or of standard input for `-`.
pub(crate) fn read_text(path: &Path) -> Result<String, CliError> {
    String::from_utf8(read(path)?)
        .map_err(|_| CliError::usage(format!("{}: not UTF-8 text", path.display())))
}

/// At most so many octets of a file; more is an error.
pub(crate) fn read_at_most(path: &Path, octets_max: u64) -> Result<Vec<u8>, CliError> {
    let wrong = |error: &std::io::Error| CliError::file(path, error);
    let octets = if path == Path::new("-") {
        // What the first reader took is gone, and the second one would judge nothing.
        if STDIN_IS_READ.swap(true, Ordering::Relaxed) {
            return Err(CliError::usage("-: standard input is named twice")
                .hint("give one of the two as a file"));
        }
        take(std::io::stdin().lock(), octets_max)
    } else {
        File::open(path).and_then(|file| take(file, octets_max))
    }
    .map_err(|error| wrong(&error))?;
    if u64::try_from(octets.len()).unwrap_or(u64::MAX) > octets_max {
        return Err(CliError::usage(format!(
            "{}: larger than {octets_max} octets",
            path.display()
        )));
    }
    Ok(octets)
}

fn take(reader: impl Read, octets_max: u64) -> std::io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    reader.take(octets_max.saturating_add(1)).read_to_end(&mut octets)?;
    Ok(octets)
}
