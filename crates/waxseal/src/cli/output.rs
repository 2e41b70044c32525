//! Standard output and standard error: data goes to the one, everything else to the other. Colour only on a
//! terminal and without `NO_COLOR`; a reader that went away is no error. Nothing is escaped here: what comes
//! in is already safe.

use super::error::CliError;
use crate::escape;
use crate::limits::{WIDTH_DEFAULT_CHARS, WIDTH_MAX_CHARS};
use crate::render::Palette;
use anstream::ColorChoice;
use serde::Serialize;
use std::io::{ErrorKind, IsTerminal, Write};

/// Writes data to standard output.
pub(crate) fn data(text: &str) -> Result<(), CliError> {
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(CliError::undetermined(format!("standard output: {error}")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes one JSON object and a line end to standard output.
pub(crate) fn json(value: &impl Serialize) -> Result<(), CliError> {
    data(&json_line(value)?)
}

/// One JSON object and a line end, safe to show.
pub(crate) fn json_line(value: &impl Serialize) -> Result<String, CliError> {
    let text = serde_json::to_string(value)
        .map_err(|error| CliError::undetermined(format!("json: {error}")))?;
    Ok(format!("{}\n", escape::json(&text)))
}

/// A line for people on standard error. Where it cannot be written, nobody is there to be told.
pub(crate) fn note(line: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}

/// Whether people watch standard error.
pub(crate) fn is_watched() -> bool {
    std::io::stderr().is_terminal()
}

/// Colours for standard output, or none.
pub(crate) fn palette() -> Palette {
    match anstream::AutoStream::choice(&std::io::stdout()) {
        ColorChoice::Always | ColorChoice::AlwaysAnsi => Palette::coloured(),
        ColorChoice::Auto | ColorChoice::Never => Palette::plain(),
    }
}

/// Columns for text.
pub(crate) fn width() -> usize {
    std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok())
        .filter(|columns| *columns > 0)
        .map_or(WIDTH_DEFAULT_CHARS, |columns: usize| columns.min(WIDTH_MAX_CHARS))
}
