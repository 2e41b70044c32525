//! Why a command could not do its job: one line that names the thing and the stage, a hint for what to do
//! next, and the exit status. A peer's fault is never one of these; it is part of a report.

use super::exit::Exit;
use crate::escape;
use std::error::Error;
use std::path::Path;

/// A command that could not do its job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CliError {
    message: String,
    hint: Option<String>,
    exit: Exit,
}

impl CliError {
    /// Bad usage or unreadable input.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, exit: Exit::Usage }
    }

    /// Something this machine did not give.
    pub(crate) fn undetermined(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, exit: Exit::Undetermined }
    }

    /// A file that cannot be read or written.
    pub(crate) fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::usage(format!("{}: {error}", path.display()))
    }

    /// With what to do next.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The exit status.
    pub(crate) const fn exit(&self) -> Exit {
        self.exit
    }

    /// The one line on standard error.
    pub(crate) fn line(&self) -> String {
        let message = escape::line(&self.message);
        self.hint.as_ref().map_or_else(
            || format!("waxseal: {message}"),
            |hint| format!("waxseal: {message} (hint: {})", escape::line(hint)),
        )
    }
}

/// An error with its sources, joined by colons, each said once.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_harmless_line() {
        let error = CliError::usage("zone file \"a\u{1b}b\nc\" is bad").hint("try another");
        assert_eq!(
            error.line(),
            "waxseal: zone file \"a\\u{1b}b\\u{a}c\" is bad (hint: try another)"
        );
        assert_eq!(error.exit().number(), 2);
    }
}
