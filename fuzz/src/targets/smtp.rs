//! SMTP replies, answers to EHLO, and transcripts (RFC 5321 §4.2).
//!
//! Beyond "no panic": how a reply was cut into packets never changes what is read.

use waxseal_proto::limits::TRANSCRIPT_LINES_MAX;
use waxseal_proto::secret::Secret;
use waxseal_proto::smtp::ehlo::{EhloSeen, greeting_is_masked};
use waxseal_proto::smtp::reply::{Progress, Reply, ReplyReader, parse_reply_file};
use waxseal_proto::smtp::reply_class::{
    classify_ehlo, classify_greeting, classify_starttls, is_greylisting, is_reputation_block,
    is_throttling,
};
use waxseal_proto::smtp::transcript::Transcript;

/// A secret that no input contains by chance.
const CANARY: &str = "canary-4rT9vQ2mXw8KzLp6";

/// Reads replies whole and octet by octet: both see the same.
pub fn reply(data: &[u8]) {
    let whole = replies(data, data.len().max(1));
    let single = replies(data, 1);
    assert_eq!(whole, single, "replies depend on how the octets were cut");
}

fn replies(data: &[u8], piece: usize) -> Vec<Progress> {
    let mut reader = ReplyReader::new();
    let mut found = Vec::new();
    for mut rest in data.chunks(piece) {
        while !rest.is_empty() {
            let fed = reader.feed(rest);
            assert!(fed.consumed <= rest.len(), "more consumed than given");
            rest = rest.get(fed.consumed..).unwrap_or_default();
            match fed.progress {
                Progress::NeedMore => assert!(rest.is_empty(), "octets left, yet more needed"),
                done
                @ (Progress::Complete(_) | Progress::NotReply(_) | Progress::CapReached(_)) => {
                    found.push(done);
                }
            }
        }
    }
    found
}

/// Reads a saved reply.
pub fn reply_file(data: &[u8]) {
    if let Ok(read) = parse_reply_file(data) {
        assert!(read.trailing <= data.len(), "more trailing octets than there are");
        classify(&read.reply);
    }
}

fn classify(reply: &Reply) {
    let _ = (classify_greeting(reply), classify_ehlo(reply), classify_starttls(reply));
    let _ = (is_greylisting(reply), is_reputation_block(reply), is_throttling(reply));
    let _ = (greeting_is_masked(reply), reply.message(), reply.is_clean());
}

/// Reads the answer to EHLO.
pub fn ehlo(data: &[u8]) {
    let Ok(read) = parse_reply_file(data) else { return };
    let seen = EhloSeen::from_reply(read.reply);
    let _ = (seen.auth(), seen.size(), seen.masked_keyword(), seen.accepted());
    assert_eq!(seen.offers("STARTTLS"), seen.offers("starttls"), "keywords depend on case");
}

/// Writes any lines into a transcript, with a secret among them: it never shows.
pub fn transcript(data: &[u8]) {
    let mut transcript = Transcript::default();
    let text = String::from_utf8_lossy(data);
    for line in text.lines() {
        transcript.push_server(line);
        let (start, end) = line.split_at(line.floor_char_boundary(line.len() / 2));
        transcript.push_server(&format!("{start}{CANARY}{end}"));
        transcript.push_note(line);
    }
    transcript.redact(&[Secret::new(CANARY.to_owned())]);
    assert!(transcript.lines.len() <= TRANSCRIPT_LINES_MAX, "a transcript without end");
    let shows = transcript.lines.iter().any(|line| line.text().contains(CANARY));
    assert!(!shows, "a secret is in the transcript");
}
