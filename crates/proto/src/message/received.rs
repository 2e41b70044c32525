//! One `Received` line (RFC 5321 §4.4, RFC 5322 §3.6.7, with-words of RFC 3848) as a hop: who handed the
//! message to whom, how, when, and what the line says about TLS. Every form in use is read; nothing is
//! guessed, so what a line does not say stays `None`. The way in is [`Hop::parse`]. Keep: a hop within
//! one machine is never called unencrypted, and a claim is never called a proof.

mod from;
mod lexer;
#[cfg(test)]
mod tests;
mod tls;
mod with;

pub use from::FromHost;
pub use tls::{TlsNote, TlsVersionNoted};
pub use with::WithProtocol;

use super::date::{self, DateDeviation};
use crate::limits::RECEIVED_OCTETS_MAX;
use jiff::Timestamp;
use lexer::Piece;
use std::net::IpAddr;

/// What a line says about the protection of one hand-over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protection {
    /// The line says that TLS was used.
    Encrypted,
    /// The message did not leave the machine or names no other one: nothing to encrypt.
    Local,
    /// The line names a protocol without TLS (RFC 3848: no S) and no TLS details.
    NotEncrypted,
    /// The line names neither a protocol nor TLS.
    NotStated,
    /// Handed in over the web or fetched from a mailbox; the line does not say how that was protected.
    OtherTransport,
}

/// What a line departed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReceivedDeviation {
    /// Something about its date.
    Date(DateDeviation),
    /// No date that can be read (RFC 5322 §3.6.7).
    DateMissing,
    /// Longer than the limit; the rest was not read.
    OverLimit,
}

/// One hand-over of the message, as the receiving server wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Who handed it over.
    pub from: FromHost,
    /// The server that took it and wrote the line.
    pub by: Option<String>,
    /// That server's address, where the line has it.
    pub by_ip: Option<IpAddr>,
    /// The protocol, where it is a known one.
    pub with: Option<WithProtocol>,
    /// The `with` clause as written.
    pub with_text: Option<String>,
    /// The server's identifier for it.
    pub id: Option<String>,
    /// The recipient.
    pub for_recipient: Option<String>,
    /// The `via` clause as written.
    pub via: Option<String>,
    /// When, by that server's clock.
    pub date: Option<Timestamp>,
    /// What it says about TLS.
    pub tls: TlsNote,
    /// What that comes to.
    pub protection: Protection,
    /// What was tolerated.
    pub deviations: Vec<ReceivedDeviation>,
    /// The value as it came, folds included.
    pub raw: String,
}

impl Protection {
    /// The stable word, as reports show it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Encrypted => "encrypted",
            Self::Local => "local",
            Self::NotEncrypted => "not-encrypted",
            Self::NotStated => "not-stated",
            Self::OtherTransport => "other-transport",
        }
    }

    /// Whether the hand-over was encrypted, where the line says; `None` where it does not or where there
    /// was no network between.
    pub const fn encrypted(self) -> Option<bool> {
        match self {
            Self::Encrypted => Some(true),
            Self::NotEncrypted => Some(false),
            Self::Local | Self::NotStated | Self::OtherTransport => None,
        }
    }
}

impl ReceivedDeviation {
    /// The stable word for this deviation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Date(DateDeviation::AsctimeOrder) => "date-asctime-order",
            Self::Date(DateDeviation::ShortYear) => "date-short-year",
            Self::Date(DateDeviation::UnknownZone) => "date-unknown-zone",
            Self::Date(DateDeviation::ZoneMissing) => "date-zone-missing",
            Self::DateMissing => "date-missing",
            Self::OverLimit => "over-limit",
        }
    }
}

/// A clause of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clause {
    By,
    For,
    From,
    Id,
    Via,
    With,
}

/// The pieces of each clause; the first of a repeated clause counts.
#[derive(Default)]
struct Clauses<'a> {
    by: Option<Vec<Piece<'a>>>,
    recipient: Option<Vec<Piece<'a>>>,
    from: Option<Vec<Piece<'a>>>,
    id: Option<Vec<Piece<'a>>>,
    via: Option<Vec<Piece<'a>>>,
    with: Option<Vec<Piece<'a>>>,
}

impl Hop {
    /// Reads the value of one `Received` field, folded or not.
    pub fn parse(raw: &str) -> Self {
        let mut deviations = Vec::new();
        let end = raw.floor_char_boundary(RECEIVED_OCTETS_MAX.min(raw.len()));
        let text = raw.get(..end).unwrap_or_default();
        if end < raw.len() {
            deviations.push(ReceivedDeviation::OverLimit);
        }
        let (line, date) = without_date(text);
        match &date {
            Some(seen) => {
                deviations.extend(seen.deviations.iter().copied().map(ReceivedDeviation::Date));
            }
            None => deviations.push(ReceivedDeviation::DateMissing),
        }
        let clauses = Clauses::read(&line);
        let with_words = words(clauses.with.as_deref().unwrap_or_default());
        let with_words: Vec<&str> = with_words.collect();
        let mut hop = Self {
            from: clauses.from.as_deref().map(FromHost::read).unwrap_or_default(),
            by: clauses.by.as_deref().and_then(host),
            by_ip: clauses.by.as_deref().and_then(first_ip),
            with: WithProtocol::find(with_words.iter().copied()),
            with_text: joined(&with_words),
            id: clauses.id.as_deref().and_then(bare_word),
            for_recipient: clauses.recipient.as_deref().and_then(bare_word),
            via: joined(&words(clauses.via.as_deref().unwrap_or_default()).collect::<Vec<_>>()),
            date: date.map(|seen| seen.at),
            tls: TlsNote::read(&line, &with_words),
            protection: Protection::NotStated,
            deviations,
            raw: raw.to_owned(),
        };
        hop.protection = hop.judged();
        hop
    }

    /// Whether the line claims TLS.
    pub fn claims_tls(&self) -> bool {
        self.tls.says_tls() || self.with.is_some_and(WithProtocol::implies_tls)
    }

    fn judged(&self) -> Protection {
        if self.claims_tls() {
            return Protection::Encrypted;
        }
        if self.is_within_one_machine() {
            return Protection::Local;
        }
        match self.with {
            Some(
                WithProtocol::Http | WithProtocol::Imap | WithProtocol::Mms | WithProtocol::Pop3,
            ) => Protection::OtherTransport,
            Some(WithProtocol::Local) => Protection::Local,
            Some(_) => Protection::NotEncrypted,
            None => self.judged_by_via(),
        }
    }

    fn judged_by_via(&self) -> Protection {
        let via = self.via.as_deref().unwrap_or_default().to_ascii_uppercase();
        match via.as_str() {
            "HTTP" | "HTTPS" => Protection::OtherTransport,
            "ESMTP" | "SMTP" => Protection::NotEncrypted,
            _ => Protection::NotStated,
        }
    }

    /// Whether nothing crossed a network: the line names no peer, a loopback peer, or the same host at
    /// both ends. An EHLO name alone proves nothing, so a foreign address wins over an equal name.
    fn is_within_one_machine(&self) -> bool {
        let loopback = |ip: IpAddr| ip.is_loopback() || ip.is_unspecified();
        match (self.from.ip, self.from.name.as_deref()) {
            (Some(ip), _) if loopback(ip) => true,
            (Some(ip), name) => {
                let same_ip = self.by_ip == Some(ip);
                let same_name = name.is_some() && name == self.by.as_deref();
                let is_store =
                    self.with_text.as_deref().is_some_and(|text| text.starts_with("mapi"));
                same_ip || (same_name && is_store)
            }
            (None, None) => true,
            (None, Some(name)) => {
                let is_own = ["localhost", "localhost.localdomain", "MAILER-DAEMON"]
                    .iter()
                    .any(|own| name.eq_ignore_ascii_case(own));
                let same = self.by.as_deref().is_some_and(|by| by.eq_ignore_ascii_case(name));
                self.from.on_machine || is_own || same || !name.contains('.')
            }
        }
    }
}

/// The pieces of the line without its date, and the date.
fn without_date(text: &str) -> (Vec<Piece<'_>>, Option<date::DateSeen>) {
    let mut pieces = lexer::pieces(text);
    let candidates = pieces.iter().enumerate().rev().filter_map(|(index, piece)| match piece {
        Piece::Semicolon(after) => Some((index, *after)),
        Piece::Comment(_) | Piece::Word(..) => None,
    });
    // A line without a semicolon may still end in a date; only a day's name can start it.
    let days = pieces.iter().enumerate().filter_map(|(index, piece)| match piece {
        Piece::Word(word, at) if date::is_day(word) => Some((index, *at)),
        Piece::Comment(_) | Piece::Semicolon(_) | Piece::Word(..) => None,
    });
    let found = candidates.chain(days).find_map(|(index, at)| {
        let seen = date::parse_prefix(text.get(at..)?)?;
        Some((index, at + seen.octets, seen))
    });
    let Some((index, end, seen)) = found else { return (pieces, None) };
    let rest = text.get(end..).unwrap_or_default();
    pieces.truncate(index);
    pieces.push(Piece::Semicolon(end));
    pieces.extend(lexer::pieces(rest));
    (pieces, Some(seen))
}

impl<'a> Clauses<'a> {
    fn read(pieces: &[Piece<'a>]) -> Self {
        let mut clauses = Self::default();
        let mut open: Option<Clause> = None;
        for piece in pieces {
            let started = match piece {
                Piece::Word(word, _) => clauses.starts(word),
                Piece::Comment(text) => {
                    if clauses.is_sender_in_comment(text) {
                        clauses.from = Some(vec![Piece::Comment("[local]")]);
                    }
                    None
                }
                Piece::Semicolon(_) => {
                    open = None;
                    continue;
                }
            };
            if let Some(clause) = started {
                open = Some(clause);
                clauses.slot(clause).get_or_insert_default();
            } else if let Some(clause) = open {
                clauses.slot(clause).get_or_insert_default().push(*piece);
            }
        }
        clauses
    }

    /// The clause that a word opens. A word that already opened one is text, so that `from <sender>` after
    /// `for` is no peer.
    fn starts(&mut self, word: &str) -> Option<Clause> {
        let word = word.to_ascii_lowercase();
        let clause = match word.as_str() {
            "by" => Clause::By,
            "for" => Clause::For,
            "from" if self.by.is_none() => Clause::From,
            "id" => Clause::Id,
            "via" => Clause::Via,
            "with" => Clause::With,
            _ => return None,
        };
        self.slot(clause).is_none().then_some(clause)
    }

    /// Sendmail's `(from user@host)` before `by`: mail made on the machine.
    fn is_sender_in_comment(&self, text: &str) -> bool {
        self.from.is_none() && self.by.is_none() && text.trim_start().starts_with("from ")
    }

    const fn slot(&mut self, clause: Clause) -> &mut Option<Vec<Piece<'a>>> {
        match clause {
            Clause::By => &mut self.by,
            Clause::For => &mut self.recipient,
            Clause::From => &mut self.from,
            Clause::Id => &mut self.id,
            Clause::Via => &mut self.via,
            Clause::With => &mut self.with,
        }
    }
}

fn words<'a>(pieces: &[Piece<'a>]) -> impl Iterator<Item = &'a str> {
    pieces.iter().filter_map(|piece| match piece {
        Piece::Word(word, _) => Some(*word),
        Piece::Comment(_) | Piece::Semicolon(_) => None,
    })
}

fn joined(words: &[&str]) -> Option<String> {
    (!words.is_empty()).then(|| words.join(" "))
}

/// The first word without the marks around it.
fn bare_word(pieces: &[Piece<'_>]) -> Option<String> {
    let word = words(pieces).next()?.trim_end_matches(',');
    let bare =
        word.strip_prefix('<').map_or(word, |inner| inner.split('>').next().unwrap_or(inner));
    (!bare.is_empty()).then(|| bare.to_owned())
}

/// The name or address of the receiving server.
fn host(pieces: &[Piece<'_>]) -> Option<String> {
    let word = words(pieces).next()?.trim_end_matches(',');
    if word.starts_with('[')
        && let Some(address) = from::ip(word)
    {
        return Some(address.to_string());
    }
    let bare = word.trim_matches(['[', ']', '<', '>']);
    let bare = bare.strip_suffix('.').unwrap_or(bare);
    (!bare.is_empty()).then(|| bare.to_owned())
}

/// The first address among words and comments.
fn first_ip(pieces: &[Piece<'_>]) -> Option<IpAddr> {
    pieces.iter().find_map(|piece| match piece {
        Piece::Word(word, _) => from::ip(word),
        Piece::Comment(text) => text.split_ascii_whitespace().find_map(from::ip),
        Piece::Semicolon(_) => None,
    })
}
