//! What replies mean: permanence by the first digit (RFC 5321 §4.2.1), scope by the enhanced code
//! (RFC 3463 §3), and the kinds of refusal at the greeting, EHLO and STARTTLS. Words in the text only tell
//! one refusal from another; they never turn a refusal into an acceptance. The way in is
//! [`classify_greeting`], [`classify_ehlo`] and [`classify_starttls`].

use super::reply::{EnhancedCode, Reply, ReplyCode};

/// What the first digit says about trying again (RFC 5321 §4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permanence {
    /// 2yz: done.
    Positive,
    /// 3yz: go on with the rest of the command.
    Intermediate,
    /// 4yz: not now.
    Transient,
    /// 5yz: not in this form.
    Permanent,
    /// A first digit the standard does not know.
    Other,
}

/// What a refusal is about, and so what must change before another attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// This connection.
    Session,
    /// The host that replied, for this client.
    Host,
    /// The message.
    Message,
    /// The recipient.
    Recipient,
}

/// What a greeting lets the client do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GreetingClass {
    /// 220: go on.
    Ready,
    /// 4yz: too many connections, too much load, or simply later.
    Throttled,
    /// 4yz: refused once on purpose.
    Greylisted,
    /// 5yz: the address of the client has a bad name.
    ReputationBlocked,
    /// Any other reply.
    Rejected,
    /// 220 in a reply whose lines contradict each other.
    Malformed,
}

/// What a reply to EHLO lets the client do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EhloClass {
    /// 250: go on.
    Accepted,
    /// 500 or 502: the command itself is unknown.
    NotUnderstood,
    /// 501 5.5.4, 504, or 550 that names HELO: the name we gave is refused.
    NameRejected,
    /// 4yz: refused once on purpose.
    Greylisted,
    /// Other 4yz.
    Throttled,
    /// 5yz: the address of the client has a bad name.
    ReputationBlocked,
    /// Any other reply, and 250 in a reply whose lines contradict each other.
    Refused,
}

/// What a reply to STARTTLS lets the client do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StartTlsClass {
    /// A single 220 without any deviation: start TLS.
    Go,
    /// 454 and other 4yz: not now.
    Unavailable,
    /// 5yz.
    Refused,
    /// 220 with a deviation: the server may already wait for TLS, but the reply is not to be trusted.
    Malformed,
    /// Any other code.
    Unexpected,
}

impl Permanence {
    /// The permanence of a code.
    pub const fn of(code: ReplyCode) -> Self {
        match code.first_digit() {
            2 => Self::Positive,
            3 => Self::Intermediate,
            4 => Self::Transient,
            5 => Self::Permanent,
            _ => Self::Other,
        }
    }

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Intermediate => "intermediate",
            Self::Transient => "transient",
            Self::Permanent => "permanent",
            Self::Other => "other",
        }
    }
}

impl Scope {
    /// What an enhanced code is about (RFC 3463 §3); `None` for a subject without a meaning.
    pub const fn of(code: EnhancedCode) -> Option<Self> {
        match (code.subject, code.detail) {
            // The sender's address and the size of the message travel with the message.
            (1, 7 | 8) | (2 | 3, 3 | 4) | (6 | 7, _) => Some(Self::Message),
            (1 | 2, _) => Some(Self::Recipient),
            (3 | 4, _) => Some(Self::Host),
            (5, _) => Some(Self::Session),
            _ => None,
        }
    }

    /// What a refusal before any message is about: a 4yz concerns this connection, a 5yz this host.
    pub const fn before_mail(code: ReplyCode) -> Self {
        match Permanence::of(code) {
            Permanence::Permanent => Self::Host,
            Permanence::Positive
            | Permanence::Intermediate
            | Permanence::Transient
            | Permanence::Other => Self::Session,
        }
    }

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Host => "host",
            Self::Message => "message",
            Self::Recipient => "recipient",
        }
    }
}

/// Words with which servers limit rate or load.
const THROTTLING_WORDS: [&str; 9] = [
    "too many",
    "too much",
    "rate",
    "limit",
    "throttl",
    "busy",
    "load",
    "resources",
    "connections",
];
/// Words by which greylisting names itself.
const GREYLISTING_WORDS: [&str; 4] = ["greylist", "graylist", "grey list", "gray list"];
/// Words that a greylisting server uses without naming it.
const LATER_WORDS: [&str; 3] = ["try again later", "try again in", "retry later"];
/// Words of a refusal for the bad name of the client's address.
const REPUTATION_WORDS: [&str; 16] = [
    "blocked",
    "blacklist",
    "blacklisted",
    "blocklist",
    "blocklisted",
    "black list",
    "block list",
    "listed",
    "spamhaus",
    "spamcop",
    "barracuda",
    "dnsbl",
    "rbl",
    "reputation",
    "banned",
    "sorbs",
];
/// Words by which a refusal names the EHLO argument.
const EHLO_NAME_WORDS: [&str; 4] = ["helo", "ehlo", "hostname", "host name"];

/// What a greeting lets the client do (RFC 5321 §3.1, RFC 7504 §3).
pub fn classify_greeting(greeting: &Reply) -> GreetingClass {
    if greeting.code.number() == 220 {
        return if greeting.is_consistent() {
            GreetingClass::Ready
        } else {
            GreetingClass::Malformed
        };
    }
    if is_greylisting(greeting) {
        GreetingClass::Greylisted
    } else if Permanence::of(greeting.code) == Permanence::Transient {
        GreetingClass::Throttled
    } else if is_reputation_block(greeting) {
        GreetingClass::ReputationBlocked
    } else {
        GreetingClass::Rejected
    }
}

/// What a reply to EHLO lets the client do (RFC 5321 §3.2, §4.1.1.1).
pub fn classify_ehlo(reply: &Reply) -> EhloClass {
    if reply.is_exactly(250) {
        EhloClass::Accepted
    } else if matches!(reply.code.number(), 500 | 502) {
        EhloClass::NotUnderstood
    } else if is_greylisting(reply) {
        EhloClass::Greylisted
    } else if Permanence::of(reply.code) == Permanence::Transient {
        EhloClass::Throttled
    } else if is_reputation_block(reply) {
        EhloClass::ReputationBlocked
    } else if is_name_rejected(reply) {
        EhloClass::NameRejected
    } else {
        EhloClass::Refused
    }
}

/// What a reply to STARTTLS lets the client do (RFC 3207 §4).
pub fn classify_starttls(reply: &Reply) -> StartTlsClass {
    match (reply.code.number(), Permanence::of(reply.code)) {
        (220, _) if reply.is_clean() => StartTlsClass::Go,
        (220, _) => StartTlsClass::Malformed,
        (_, Permanence::Transient) => StartTlsClass::Unavailable,
        (_, Permanence::Permanent) => StartTlsClass::Refused,
        (_, Permanence::Positive | Permanence::Intermediate | Permanence::Other) => {
            StartTlsClass::Unexpected
        }
    }
}

/// Whether the server limits rate or load: 421, or 450, 451 or 452 that says so by enhanced code
/// (4.3.2, 4.4.5, 4.7.x) or by word. Greylisting is told apart by [`is_greylisting`].
pub fn is_throttling(reply: &Reply) -> bool {
    let by_code = matches!(
        reply.enhanced,
        Some(
            EnhancedCode { class: 4, subject: 3, detail: 2 }
                | EnhancedCode { class: 4, subject: 4, detail: 5 }
                | EnhancedCode { class: 4, subject: 7, .. }
        )
    );
    !is_greylisting(reply)
        && match reply.code.number() {
            421 => true,
            450..=452 => by_code || holds_any_start(reply, &THROTTLING_WORDS),
            _ => false,
        }
}

/// Whether the server refuses a first attempt on purpose: 4yz that names greylisting, or 450 or 451 with
/// 4.7.1 or "try again later" and no word about load.
pub fn is_greylisting(reply: &Reply) -> bool {
    if Permanence::of(reply.code) != Permanence::Transient {
        return false;
    }
    if holds_any_start(reply, &GREYLISTING_WORDS) {
        return true;
    }
    let hinted = reply.enhanced == Some(EnhancedCode { class: 4, subject: 7, detail: 1 })
        || holds_any_start(reply, &LATER_WORDS);
    matches!(reply.code.number(), 450 | 451) && hinted && !holds_any_start(reply, &THROTTLING_WORDS)
}

/// Whether the address of the client is refused for its bad name: 521, 550, 553 or 554 with a word that
/// says so.
pub fn is_reputation_block(reply: &Reply) -> bool {
    matches!(reply.code.number(), 521 | 550 | 553 | 554)
        && REPUTATION_WORDS.iter().any(|word| holds_word(&text_of(reply), word))
}

/// Whether the name given in EHLO is refused: 501 and 504 speak of the argument (RFC 5321 §4.2.2), and the
/// name is the only one; 550, 553 and 554 count when they name it.
fn is_name_rejected(reply: &Reply) -> bool {
    let names_it = EHLO_NAME_WORDS.iter().any(|word| holds_word(&text_of(reply), word));
    match reply.code.number() {
        501 | 504 => true,
        550 | 553 | 554 => names_it,
        _ => false,
    }
}

fn text_of(reply: &Reply) -> String {
    reply.message().to_ascii_lowercase()
}

/// Whether any of the words starts at a word boundary: `limit` also finds `limited`, not `unlimited`.
fn holds_any_start(reply: &Reply, words: &[&str]) -> bool {
    let text = text_of(reply);
    words.iter().any(|word| boundaries(&text, word).any(|(before, _)| before))
}

/// Whether the word stands on its own in the text.
fn holds_word(text: &str, word: &str) -> bool {
    boundaries(text, word).any(|(before, after)| before && after)
}

/// For each place of the word: whether it begins, and whether it ends, at a word boundary.
fn boundaries<'text>(
    text: &'text str,
    word: &'text str,
) -> impl Iterator<Item = (bool, bool)> + 'text {
    text.match_indices(word).map(move |(start, found)| {
        let before = text.get(..start).and_then(|part| part.chars().next_back());
        let after = text.get(start + found.len()..).and_then(|part| part.chars().next());
        let is_edge = |neighbour: Option<char>| !neighbour.is_some_and(char::is_alphanumeric);
        (is_edge(before), is_edge(after))
    })
}

#[cfg(test)]
mod tests;
