//! Tests of the transcript: limits, and secrets in clear and in base64.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::{Line, Transcript};
use crate::limits::{TRANSCRIPT_LINE_OCTETS_MAX, TRANSCRIPT_LINES_MAX};
use crate::secret::Secret;
use crate::smtp::command::Command;

const SECRET: &str = "k7~Zq?vN>fLw03xPbT9u";

fn redacted(line: &str) -> String {
    let mut transcript = Transcript::default();
    transcript.push_server(line);
    transcript.redact(&[Secret::new(SECRET.to_owned())]);
    transcript.lines.first().unwrap().text().to_owned()
}

#[test]
fn commands_server_lines_and_notes_keep_their_order() {
    let mut transcript = Transcript::default();
    transcript.push_server("220 hi");
    transcript.push_command(&Command::Quit);
    transcript.push_note("closed");
    assert_eq!(
        transcript.lines,
        [
            Line::Server("220 hi".to_owned()),
            Line::Client("QUIT".to_owned()),
            Line::Note("closed".to_owned())
        ]
    );
}

#[test]
fn lines_and_their_number_are_limited() {
    let mut transcript = Transcript::default();
    for _ in 0..TRANSCRIPT_LINES_MAX * 2 {
        transcript.push_server(&"\u{fc}".repeat(TRANSCRIPT_LINE_OCTETS_MAX));
    }
    assert_eq!(transcript.lines.len(), TRANSCRIPT_LINES_MAX);
    assert!(transcript.lines.iter().all(|line| line.text().len() <= TRANSCRIPT_LINE_OCTETS_MAX));
    assert!(matches!(transcript.lines.last(), Some(Line::Note(_))));
}

#[test]
fn a_secret_is_hidden_in_clear_and_in_base64_at_every_offset() {
    assert_eq!(
        redacted(&format!("535 bad password {SECRET} given")),
        "535 bad password [secret] given"
    );
    for before in ["", "a", "ab", "abc", "\0user\0"] {
        for after in ["", "x", "yz"] {
            let plain = format!("{before}{SECRET}{after}");
            for encoded in [STANDARD.encode(&plain), URL_SAFE_NO_PAD.encode(&plain)] {
                assert_eq!(redacted(&format!("334 {encoded}")), "334 [secret]", "{plain}");
            }
        }
    }
    assert_eq!(redacted("250 nothing here"), "250 nothing here");
}

#[test]
fn a_secret_that_the_cut_went_through_is_hidden_by_its_beginning() {
    for (text, start) in [(SECRET.to_owned(), "k7~Z"), (STANDARD.encode(SECRET), "azd+")] {
        for kept in 4..text.len() {
            let line = format!("{} {text} tail", "x".repeat(TRANSCRIPT_LINE_OCTETS_MAX - 7 - kept));
            let shown = redacted(&line);
            assert!(!shown.contains(start), "{kept}: {shown}");
        }
    }
}

#[test]
fn short_secrets_and_secrets_like_the_mark_end_the_search() {
    for secret in ["ab", "secret", "cret", "\u{b1e7}\u{2d}"] {
        let mut transcript = Transcript::default();
        transcript.push_server("250 ab secret [secret] c2VjcmV0");
        transcript.redact(&[Secret::new(secret.to_owned())]);
        assert_eq!(transcript.lines.len(), 1);
    }
}
