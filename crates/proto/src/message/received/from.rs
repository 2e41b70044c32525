//! The `from` clause with the comments that servers add (RFC 5321 §4.4 `TCP-info` and its many other
//! forms): the name given, the address seen, the name found for it. The way in is [`FromHost::read`].
//! Keep: the reverse name and the EHLO name are only filled in where the form says which is which.

use super::lexer::Piece;
use std::net::{IpAddr, Ipv4Addr};

/// Who handed the message over, as the receiving server wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FromHost {
    /// The first word of the clause as written: the EHLO name, the reverse name or an address in brackets,
    /// depending on the server.
    pub name: Option<String>,
    /// The address the connection came from; an IPv4 address mapped into IPv6 is shown as IPv4.
    pub ip: Option<IpAddr>,
    /// The name that the receiving server found for that address.
    pub rdns: Option<String>,
    /// The name that the client gave in EHLO or HELO.
    pub helo: Option<String>,
    /// The clause says that the message came from the machine itself (`[local]`, `[UNIX: localhost]`).
    pub on_machine: bool,
}

/// What one comment of the clause says.
#[derive(Default)]
struct CommentSeen<'a> {
    bracketed: Option<IpAddr>,
    bare: Option<IpAddr>,
    helo: Option<&'a str>,
    rdns: Option<&'a str>,
    verified: bool,
    on_machine: bool,
}

/// Comments that speak of something else than the peer's names and address.
const OTHER_COMMENTS: [&str; 9] = [
    "using ",
    "no client cert",
    "client cn",
    "client did not present",
    "authenticated ",
    "envelope",
    "misconfigured sender",
    "auth:",
    "version=",
];

impl FromHost {
    /// Reads the pieces between `from` and the next clause.
    pub(super) fn read(pieces: &[Piece<'_>]) -> Self {
        let mut words = pieces.iter().filter_map(|piece| match piece {
            Piece::Word(word, _) => Some(*word),
            Piece::Comment(_) | Piece::Semicolon(_) => None,
        });
        let first = match pieces.first() {
            Some(Piece::Word(_, _)) => words.next(),
            Some(Piece::Comment(_) | Piece::Semicolon(_)) | None => None,
        };
        let mut host = Self {
            name: first.map(|word| word.trim_end_matches(',').to_owned()),
            ..Self::default()
        };
        let (mut bracketed, mut bare) = (words.filter(|w| w.starts_with('[')).find_map(ip), None);
        let mut verified = false;
        for piece in pieces {
            let Piece::Comment(text) = piece else { continue };
            let seen = comment(text);
            bracketed = bracketed.or(seen.bracketed);
            bare = bare.or(seen.bare);
            host.helo = host.helo.or_else(|| seen.helo.map(str::to_owned));
            host.rdns = host.rdns.or_else(|| seen.rdns.map(str::to_owned));
            host.on_machine |= seen.on_machine;
            verified |= seen.verified;
        }
        let literal = first.and_then(ip);
        host.ip = bracketed.or(bare).or(literal);
        host.settle_names(literal.is_some(), verified);
        // `(HELO )`: the client gave an empty name.
        host.helo = host.helo.filter(|name| !name.is_empty());
        host
    }

    /// Decides which of the two names the first word is.
    fn settle_names(&mut self, first_is_address: bool, verified: bool) {
        let Some(name) = self.name.clone() else { return };
        let is_name = !first_is_address && !name.eq_ignore_ascii_case("unknown");
        if self.helo.is_some() {
            // qmail and Exim: the reverse name first, the EHLO name in a comment.
            if self.rdns.is_none() && is_name {
                self.rdns = Some(name);
            }
        } else if self.rdns.is_some() {
            // Postfix and Sendmail: the EHLO name first, the reverse name in a comment.
            self.helo = Some(name);
        } else if verified && is_name {
            // CommuniGate: one name that stands for both.
            self.rdns = Some(name.clone());
            self.helo = Some(name);
        } else if is_name && self.ip.is_some() {
            self.helo = Some(name);
        }
    }
}

fn comment(text: &str) -> CommentSeen<'_> {
    let mut seen = CommentSeen::default();
    let lower = text.trim_start().to_ascii_lowercase();
    if OTHER_COMMENTS.iter().any(|start| lower.starts_with(start)) {
        return seen;
    }
    let mut words = text.split(|c: char| c.is_ascii_whitespace() || c == ',');
    let mut candidate = None;
    let mut is_first = true;
    while let Some(word) = words.next() {
        if word.is_empty() {
            continue;
        }
        if word.eq_ignore_ascii_case("helo") || word.eq_ignore_ascii_case("ehlo") {
            seen.helo = words.next().or(Some(""));
        } else if let Some(name) = value_of(word, "helo") {
            seen.helo = Some(name);
        } else if let Some(address) = ip(word) {
            let slot = if word.contains('[') { &mut seen.bracketed } else { &mut seen.bare };
            slot.get_or_insert(address);
        } else if is_local_mark(word) {
            seen.on_machine = true;
        } else if word.eq_ignore_ascii_case("verified") {
            seen.verified = true;
        } else if is_first {
            candidate = Some(word);
        }
        is_first = false;
    }
    // Only `name [address]` makes the name a reverse name; a lone word is a remark.
    if seen.bracketed.is_some() || seen.bare.is_some() {
        seen.rdns = candidate.and_then(reverse_name);
    }
    seen
}

fn value_of<'a>(word: &'a str, key: &str) -> Option<&'a str> {
    let (name, value) = word.split_once('=')?;
    name.eq_ignore_ascii_case(key).then_some(value)
}

fn is_local_mark(word: &str) -> bool {
    word.eq_ignore_ascii_case("[local]") || word.eq_ignore_ascii_case("[[UNIX:")
}

/// The name before an address, without the remote user and the final dot; remarks are no names.
fn reverse_name(word: &str) -> Option<&str> {
    let name = word.rsplit_once('@').map_or(word, |(_, name)| name);
    let name = name.strip_suffix('.').unwrap_or(name);
    let remark = ["unknown", "softdnserr", "account", "unverified", "port", "peer"];
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_');
    let known = !remark.iter().any(|remark| name.eq_ignore_ascii_case(remark));
    (known && !name.is_empty() && name.bytes().all(plain)).then_some(name)
}

/// The address in a word: bare, in brackets, with `IPv6:`, a scope, a port or a remote user around it.
pub(super) fn ip(word: &str) -> Option<IpAddr> {
    let word = value_of(word, "ip").unwrap_or(word);
    let word = match word.find('[') {
        Some(open) => {
            let inner = word.get(open + 1..)?;
            inner.get(..inner.find(']').unwrap_or(inner.len()))?
        }
        None => word,
    };
    let word = word.rsplit_once('@').map_or(word, |(_, address)| address);
    let word = word.trim_matches(|c: char| matches!(c, ',' | ';' | '"' | '\'' | '<' | '>' | ']'));
    let tagged = word.get(..5).is_some_and(|tag| tag.eq_ignore_ascii_case("ipv6:"));
    let word = if tagged { word.get(5..)? } else { word };
    let word = word.split_once('%').map_or(word, |(address, _)| address);
    let parsed = word.parse().ok().or_else(|| with_port(word))?;
    Some(match parsed {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4),
        IpAddr::V4(v4) => IpAddr::V4(v4),
    })
}

/// `192.0.2.1:25` and `192.0.2.1.25`.
fn with_port(word: &str) -> Option<IpAddr> {
    let (address, port) = word.rsplit_once(':').or_else(|| word.rsplit_once('.'))?;
    let port_is_number = !port.is_empty() && port.bytes().all(|octet| octet.is_ascii_digit());
    let address: Ipv4Addr = address.parse().ok().filter(|_| port_is_number)?;
    Some(IpAddr::V4(address))
}

#[cfg(test)]
mod tests {
    use super::super::lexer::pieces;
    use super::*;

    #[test]
    fn forms_of_servers_are_read() {
        // Clause; address, reverse name, EHLO name.
        let table = [
            ("mx.a (r.b [192.0.2.1])", "192.0.2.1 r.b mx.a"),
            ("mx.a (unknown [192.0.2.1])", "192.0.2.1 - mx.a"),
            ("mx.a (r.b. [192.0.2.1])", "192.0.2.1 r.b mx.a"),
            ("mx.a (r.b [IPv6:2001:db8::1])", "2001:db8::1 r.b mx.a"),
            ("unknown (HELO mx.a) (192.0.2.1)", "192.0.2.1 - mx.a"),
            ("r.b (HELO mx.a) (user@192.0.2.1)", "192.0.2.1 r.b mx.a"),
            ("127.0.0.1  (EHLO mx.a) (192.0.2.1)", "192.0.2.1 - mx.a"),
            ("r.b ([192.0.2.1] helo=mx.a)", "192.0.2.1 r.b mx.a"),
            ("([192.0.2.1:50387] helo=mx.a)", "192.0.2.1 - mx.a"),
            ("mx.a ([192.0.2.1]:52313)", "192.0.2.1 - mx.a"),
            ("mx.a (softdnserr [::ffff:192.0.2.1])", "192.0.2.1 - mx.a"),
            ("mx.a ([192.0.2.1.63559])", "192.0.2.1 - mx.a"),
            ("mx.a ([192.0.2.1] verified)", "192.0.2.1 mx.a mx.a"),
            ("[192.0.2.1] (account u@d HELO mx.a)", "192.0.2.1 - mx.a"),
            ("mx.a (2001:db8::1)", "2001:db8::1 - mx.a"),
            (
                "mx.a (r.b [192.0.2.1]) (using TLSv1.3 with cipher X (256/256 bits))",
                "192.0.2.1 r.b mx.a",
            ),
            ("r.b [192.0.2.1] (EHLO mx.a)", "192.0.2.1 r.b mx.a"),
            ("mx.a (ident@r.b [192.0.2.1] (may be forged))", "192.0.2.1 r.b mx.a"),
            ("r.b(192.0.2.1, HELO mx.a)", "192.0.2.1 r.b mx.a"),
            ("mx10.a (HELO ) (192.0.2.1)", "192.0.2.1 mx10.a -"),
            (
                "unknown (HELO [192.0.2.9]) ([192.0.2.1]) (envelope-sender <u@192.0.2.7>)",
                "192.0.2.1 - [192.0.2.9]",
            ),
            ("r.b (port=25 helo=mx.a ip=192.0.2.1)", "192.0.2.1 r.b mx.a"),
            ("[(192.0.2.1)]", "192.0.2.1 - ["),
            ("mx.a", "- - -"),
        ];
        for (clause, expected) in table {
            let host = FromHost::read(&pieces(clause));
            let dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
            let ip = dash(host.ip.map(|ip| ip.to_string()));
            let shown = format!("{ip} {} {}", dash(host.rdns), dash(host.helo));
            assert_eq!(shown, expected, "{clause}");
        }
    }
}
