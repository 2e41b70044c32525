//! The transcript of a session (RFC 5321 §4.2): lines in both directions, never a secret, because what we
//! send enters as a typed command and what we receive is searched for known secrets (servers echo them). The
//! way in is [`Transcript`]; keep it bounded: lines and their length have named limits.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::command::Command;
use crate::limits::{SECRET_SEARCH_OCTETS_MIN, TRANSCRIPT_LINE_OCTETS_MAX, TRANSCRIPT_LINES_MAX};
use crate::secret::Secret;

/// Stands where a secret was.
const HIDDEN: &str = "[secret]";
/// Ends a line that was cut.
const CUT: &str = " [cut]";

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Sent by us.
    Client(String),
    /// Sent by the server, without line end, invalid octets replaced.
    Server(String),
    /// An event, for example `TLS 1.3 established`.
    Note(String),
}

/// The lines of one session, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transcript {
    /// The lines.
    pub lines: Vec<Line>,
}

impl Line {
    /// The text, whoever said it.
    pub fn text(&self) -> &str {
        match self {
            Self::Client(text) | Self::Server(text) | Self::Note(text) => text,
        }
    }

    const fn text_mut(&mut self) -> &mut String {
        match self {
            Self::Client(text) | Self::Server(text) | Self::Note(text) => text,
        }
    }
}

impl Transcript {
    /// Adds a command we sent.
    pub fn push_command(&mut self, command: &Command) {
        self.push(Line::Client(command.to_string()));
    }

    /// Adds a line we sent, in the form that may be shown.
    pub(crate) fn push_client(&mut self, shown: &str) {
        self.push(Line::Client(shortened(shown)));
    }

    /// Adds a line of the server, without its line end; what goes over the limit is cut.
    pub fn push_server(&mut self, line: &str) {
        self.push(Line::Server(shortened(line)));
    }

    /// Adds an event.
    pub fn push_note(&mut self, note: &str) {
        self.push(Line::Note(shortened(note)));
    }

    fn push(&mut self, line: Line) {
        if self.lines.len() + 1 < TRANSCRIPT_LINES_MAX {
            self.lines.push(line);
        } else if self.lines.len() < TRANSCRIPT_LINES_MAX {
            self.lines.push(Line::Note("further lines are left out".to_owned()));
        }
    }

    /// Hides every known secret, in clear or in base64 at any offset, in every line. Secrets shorter than
    /// [`SECRET_SEARCH_OCTETS_MIN`] are not searched for.
    pub fn redact(&mut self, secrets: &[Secret<String>]) {
        for line in &mut self.lines {
            hide_secrets(line.text_mut(), secrets);
        }
    }
}

/// Hides every secret in one text, in clear or in base64 at any offset.
pub(crate) fn hide_secrets(text: &mut String, secrets: &[Secret<String>]) {
    for secret in secrets {
        let secret = secret.expose();
        if secret.len() < SECRET_SEARCH_OCTETS_MIN {
            continue;
        }
        hide_clear(text, secret);
        for core in base64_cores(secret.as_bytes()) {
            hide_base64(text, &core);
        }
    }
}

fn shortened(line: &str) -> String {
    if line.len() <= TRANSCRIPT_LINE_OCTETS_MAX {
        return line.to_owned();
    }
    let end = line.floor_char_boundary(TRANSCRIPT_LINE_OCTETS_MAX - CUT.len());
    format!("{}{CUT}", line.get(..end).unwrap_or_default())
}

fn hide_clear(text: &mut String, secret: &str) {
    if text.contains(secret) {
        *text = text.replace(secret, HIDDEN);
    }
    // A secret that the cut went through is hidden by its beginning.
    if let Some(kept) = text.strip_suffix(CUT)
        && let Some(length) = cut_prefix(kept, secret)
    {
        let end = kept.len().saturating_sub(length);
        *text = format!("{}{HIDDEN}{CUT}", kept.get(..end).unwrap_or_default());
    }
}

/// Hides whole runs of base64 that hold the core, in either alphabet, and a run that the cut went through.
fn hide_base64(text: &mut String, core: &str) {
    let is_base64 =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '/' | '=');
    let mut searched = 0;
    loop {
        // Both alphabets are one octet a character, so places in the copy are places in the text.
        let standard = text.replace('-', "+").replace('_', "/");
        let rest = standard.get(searched..).unwrap_or_default();
        let cut = || {
            let kept = rest.strip_suffix(CUT)?;
            cut_prefix(kept, core).map(|length| kept.len().saturating_sub(length))
        };
        let Some(start) = rest.find(core).or_else(cut) else { return };
        let (before, after) = rest.split_at(start);
        let from = searched + before.trim_end_matches(is_base64).len();
        let to = standard.len() - after.trim_start_matches(is_base64).len();
        text.replace_range(from..to, HIDDEN);
        searched = from + HIDDEN.len();
    }
}

/// The length of the longest end of `kept` that begins `secret`, if it is long enough to tell.
fn cut_prefix(kept: &str, secret: &str) -> Option<usize> {
    (SECRET_SEARCH_OCTETS_MIN..secret.len())
        .rev()
        .find(|length| secret.get(..*length).is_some_and(|start| kept.ends_with(start)))
}

/// What of the base64 form of a secret is the same whatever stands around it, at each of three offsets.
fn base64_cores(secret: &[u8]) -> Vec<String> {
    (0..3_usize)
        .filter_map(|offset| {
            let mut padded = vec![0_u8; offset];
            padded.extend_from_slice(secret);
            let encoded = STANDARD_NO_PAD.encode(&padded);
            let first = (offset * 8).div_ceil(6);
            let last = padded.len() * 8 / 6;
            encoded.get(first..last).map(str::to_owned)
        })
        .filter(|core| core.len() >= SECRET_SEARCH_OCTETS_MIN)
        .collect()
}

#[cfg(test)]
mod tests;
