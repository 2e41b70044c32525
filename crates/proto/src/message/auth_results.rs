//! `Authentication-Results` fields (RFC 8601 §2.2): what a receiving server says about SPF, DKIM, DMARC
//! and ARC. Microsoft's form without an authserv-id is read too. Nothing is verified here, and anyone can
//! write such a field (RFC 8601 §7.1): only one written by a server the reader trusts counts. The way in is
//! [`of_block`]. Keep: values stay as written, and an unreadable part loses nothing of the others.

use super::header::{HeaderBlock, unfold};
use crate::limits::AUTH_RESULTS_MAX;

/// One field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthResults {
    /// The server that claims to have written it; Microsoft leaves it out.
    pub authserv_id: Option<String>,
    /// The results in order; empty for `none`.
    pub results: Vec<AuthResult>,
    /// How many `Received` lines stand above the field.
    pub received_above: usize,
    /// The value on one line.
    pub raw: String,
}

/// One result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthResult {
    /// The method in lower case: `spf`, `dkim`, `dmarc`, `arc` and others.
    pub method: String,
    /// The result in lower case: `pass`, `fail`, `none`, …
    pub result: String,
    /// The reason given.
    pub reason: Option<String>,
    /// Property (`header.d`, `smtp.mailfrom`, in lower case) and its value as written.
    pub properties: Vec<(String, String)>,
    /// Its comments.
    pub comments: Vec<String>,
}

impl AuthResult {
    /// The first value of a property.
    pub fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// All `Authentication-Results` fields of a header block, in order.
pub fn of_block(block: &HeaderBlock) -> Vec<AuthResults> {
    let mut received_above = 0;
    let mut found = Vec::new();
    for field in &block.fields {
        if field.is("Received") {
            received_above += 1;
        } else if field.is("Authentication-Results") {
            found.push(AuthResults { received_above, ..AuthResults::parse(&field.raw) });
        }
    }
    found
}

/// The part between two semicolons.
#[derive(Default)]
struct Part {
    words: Vec<String>,
    comments: Vec<String>,
}

impl AuthResults {
    /// Reads the value of one field, folded or not.
    pub fn parse(raw: &str) -> Self {
        let raw = unfold(raw);
        let mut found = Self { raw: raw.clone(), ..Self::default() };
        for (index, part) in parts(&raw).into_iter().enumerate() {
            let words = joined_pairs(part.words);
            let is_server = index == 0 && words.first().is_some_and(|word| !word.contains('='));
            if is_server {
                found.authserv_id = words.into_iter().next();
            } else if let Some(result) = AuthResult::of_words(words, part.comments) {
                found.results.push(result);
            }
            if found.results.len() >= AUTH_RESULTS_MAX {
                break;
            }
        }
        found
    }
}

impl AuthResult {
    fn of_words(words: Vec<String>, comments: Vec<String>) -> Option<Self> {
        let mut pairs = words.into_iter().filter_map(|word| {
            let (key, value) = word.split_once('=')?;
            Some((key.to_ascii_lowercase(), value.to_owned()))
        });
        let (method, result) = pairs.next()?;
        // RFC 8601 §2.2: a version may follow the method.
        let method = method.split('/').next().unwrap_or_default().to_owned();
        if method.is_empty() {
            return None;
        }
        let mut found = Self {
            method,
            result: result.to_ascii_lowercase(),
            reason: None,
            properties: Vec::new(),
            comments,
        };
        for (key, value) in pairs {
            if key == "reason" {
                found.reason.get_or_insert(value);
            } else {
                found.properties.push((key, value));
            }
        }
        Some(found)
    }
}

/// What is being read at one character.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Comment(usize),
    Quoted,
    Text,
}

/// Splits at semicolons outside quotes and comments, words at white space.
fn parts(text: &str) -> Vec<Part> {
    let mut found = Vec::new();
    let (mut part, mut word, mut comment) = (Part::default(), String::new(), String::new());
    let mut reading = Reading::Text;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (reading, c) {
            (Reading::Quoted, '"') => reading = Reading::Text,
            (Reading::Quoted, '\\') => word.extend(chars.next()),
            (Reading::Comment(_), '\\') => comment.extend(chars.next()),
            (Reading::Comment(1), ')') => {
                part.comments.push(std::mem::take(&mut comment));
                reading = Reading::Text;
            }
            (Reading::Comment(depth), c) => {
                reading = match c {
                    '(' => Reading::Comment(depth + 1),
                    ')' => Reading::Comment(depth - 1),
                    _ => reading,
                };
                comment.push(c);
            }
            (Reading::Text, '"') => reading = Reading::Quoted,
            (Reading::Text, '(') => {
                end_word(&mut part, &mut word);
                reading = Reading::Comment(1);
            }
            (Reading::Text, ';') => {
                end_word(&mut part, &mut word);
                found.push(std::mem::take(&mut part));
            }
            (Reading::Text, c) if c.is_ascii_whitespace() => end_word(&mut part, &mut word),
            (Reading::Quoted | Reading::Text, c) => word.push(c),
        }
    }
    end_word(&mut part, &mut word);
    found.push(part);
    found
}

fn end_word(part: &mut Part, word: &mut String) {
    if !word.is_empty() {
        part.words.push(std::mem::take(word));
    }
}

/// Joins `key = value` written with spaces.
fn joined_pairs(words: Vec<String>) -> Vec<String> {
    let mut joined: Vec<String> = Vec::new();
    for word in words {
        match joined.last_mut() {
            Some(last) if is_open(last) && !word.contains('=') => last.push_str(&word),
            Some(last) if word.starts_with('=') && !last.contains('=') => last.push_str(&word),
            Some(_) | None => joined.push(word),
        }
    }
    joined
}

/// Whether a word is `key=` with nothing behind.
fn is_open(word: &str) -> bool {
    word.strip_suffix('=').is_some_and(|key| !key.contains('='))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(results: &AuthResults) -> String {
        let results: Vec<String> = results
            .results
            .iter()
            .map(|one| {
                let properties: Vec<String> =
                    one.properties.iter().map(|(key, value)| format!("{key}={value}")).collect();
                format!("{}={} [{}]", one.method, one.result, properties.join(" "))
            })
            .collect();
        results.join("; ")
    }

    #[test]
    fn fields_of_servers_are_read() {
        let table = [
            (
                "mx.google.com;\r\n dkim=pass header.i=@a.test header.s=s1 header.b=\"Ab/c+d=\";\r\n \
                 spf=pass (google.com: domain of b@a.test designates 192.0.2.1 as permitted sender) \
                 smtp.mailfrom=b@a.test;\r\n dmarc=pass (p=NONE sp=NONE dis=NONE) header.from=a.test",
                "mx.google.com",
                "dkim=pass [header.i=@a.test header.s=s1 header.b=Ab/c+d=]; \
                 spf=pass [smtp.mailfrom=b@a.test]; dmarc=pass [header.from=a.test]",
            ),
            (
                "spf=pass (sender IP is 192.0.2.1)\r\n smtp.mailfrom=a.test; dkim=none (message not signed)\r\n \
                 header.d=none;dmarc=bestguesspass action=none header.from=a.test;compauth=pass reason=109",
                "-",
                "spf=pass [smtp.mailfrom=a.test]; dkim=none [header.d=none]; \
                 dmarc=bestguesspass [action=none header.from=a.test]; compauth=pass []",
            ),
            ("mx.test 1; none", "mx.test", ""),
            (
                "mx.test; SPF/1 = Fail smtp.mailfrom = a.test",
                "mx.test",
                "spf=fail [smtp.mailfrom=a.test]",
            ),
            (
                "mx.test (a;b(c)); arc=pass (i=1) header.oldest-pass=0;",
                "mx.test",
                "arc=pass [header.oldest-pass=0]",
            ),
            (
                "mx.test; dkim=fail reason=\"bad; key\" header.d=a.test",
                "mx.test",
                "dkim=fail [header.d=a.test]",
            ),
            ("", "-", ""),
        ];
        for (raw, server, expected) in table {
            let results = AuthResults::parse(raw);
            assert_eq!(results.authserv_id.as_deref().unwrap_or("-"), server, "{raw}");
            assert_eq!(shown(&results), expected, "{raw}");
        }
        let reasons = AuthResults::parse("mx.test; dkim=fail reason=\"bad; key\"");
        assert_eq!(reasons.results[0].reason.as_deref(), Some("bad; key"));
    }

    #[test]
    fn results_over_the_limit_are_left_out() {
        let many = format!("mx.test{}", "; dkim=pass".repeat(AUTH_RESULTS_MAX + 5));
        assert_eq!(AuthResults::parse(&many).results.len(), AUTH_RESULTS_MAX);
    }

    #[test]
    fn the_place_among_received_lines_is_kept() {
        let block = HeaderBlock::parse(
            b"Authentication-Results: a; none\r\nReceived: x\r\nauthentication-results: b; none\r\n",
        );
        let places: Vec<usize> = of_block(&block).iter().map(|one| one.received_above).collect();
        assert_eq!(places, [0, 1]);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "[ ()\";=\\\\a.\r\n]{0,120}") {
            let found = AuthResults::parse(&text);
            prop_assert!(found.results.iter().all(|one| !one.method.is_empty()));
        }
    }
}
