//! The answer to EHLO (RFC 5321 §4.1.1.1): host name, extensions, and the marks of a device that masks
//! them. The way in is [`EhloSeen::from_reply`]. Keep: an extension is offered only when its keyword is
//! the exact first word of a line after the first (RFC 5321 §2.2.1), never a word somewhere in the text.

use super::reply::Reply;
use crate::deviation::Deviation;

/// How many mask characters in a row are a mask: no keyword in use has four X, and decoration by three
/// stars is common.
const MASK_RUN_MIN: usize = 4;

/// The answer to EHLO and what it offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EhloSeen {
    /// The reply as it came, also when it was a refusal.
    pub reply: Reply,
    /// The first word of the first line: the name the server gives itself; none in a refusal.
    pub hostname: Option<String>,
    /// The extensions offered, in order; empty for a refusal.
    pub extensions: Vec<Extension>,
    /// What was tolerated in the extension lines, beside the deviations of the reply.
    pub deviations: Vec<Deviation>,
}

/// One extension line: the keyword in upper case and its parameters as sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// The keyword, in upper case; exact match decides (RFC 5321 §2.2.1). The old line `AUTH=LOGIN` has
    /// the keyword `AUTH=` and the parameter `LOGIN`.
    pub keyword: String,
    /// The parameters, separated by spaces in the line.
    pub parameters: Vec<String>,
}

impl EhloSeen {
    /// Reads the extensions of an accepting reply; a refusal and a reply with differing codes have none.
    pub fn from_reply(reply: Reply) -> Self {
        let mut seen =
            Self { reply, hostname: None, extensions: Vec::new(), deviations: Vec::new() };
        if !seen.accepted() {
            return seen;
        }
        let mut lines = seen.reply.lines.iter();
        seen.hostname = lines
            .next()
            .and_then(|line| line.split(' ').next())
            .filter(|word| !word.is_empty())
            .map(str::to_owned);
        for line in lines {
            let extension = Extension::from_line(line);
            if !extension.as_ref().is_some_and(Extension::follows_grammar) {
                seen.deviations = vec![Deviation::KeywordSyntax];
            }
            seen.extensions.extend(extension);
        }
        seen
    }

    /// Whether EHLO was accepted: a consistent 250.
    pub fn accepted(&self) -> bool {
        self.reply.is_exactly(250)
    }

    /// Whether an extension of exactly this keyword is offered; case does not matter.
    pub fn offers(&self, keyword: &str) -> bool {
        self.extensions.iter().any(|extension| extension.keyword.eq_ignore_ascii_case(keyword))
    }

    /// The sign-in mechanisms offered (RFC 4954 §3), upper case, each once, also from the old `AUTH=` form.
    pub fn auth(&self) -> Vec<String> {
        let mut mechanisms = Vec::new();
        for extension in &self.extensions {
            if !matches!(extension.keyword.as_str(), "AUTH" | "AUTH=") {
                continue;
            }
            for parameter in &extension.parameters {
                let mechanism = parameter.to_ascii_uppercase();
                if !mechanisms.contains(&mechanism) {
                    mechanisms.push(mechanism);
                }
            }
        }
        mechanisms
    }

    /// The largest message in octets that SIZE declares (RFC 1870 §3); 0 means no fixed maximum, `None`
    /// that SIZE is absent or gives no readable number.
    pub fn size(&self) -> Option<u64> {
        let size = self.extensions.iter().find(|extension| extension.keyword == "SIZE")?;
        let digits = size.parameters.first()?;
        digits.bytes().all(|octet| octet.is_ascii_digit()).then(|| digits.parse().ok())?
    }

    /// A keyword that a device on the way has masked: four or more X in a row, as in `XXXXXXXA`.
    pub fn masked_keyword(&self) -> Option<&str> {
        self.extensions
            .iter()
            .map(|extension| extension.keyword.as_str())
            .find(|keyword| has_run(keyword, 'X'))
    }
}

impl Extension {
    fn from_line(line: &str) -> Option<Self> {
        let mut words = line.split(' ').filter(|word| !word.is_empty());
        if line.starts_with(' ') {
            return None;
        }
        let first = words.next()?;
        let mut parameters: Vec<String> = words.map(str::to_owned).collect();
        let mut keyword = first.to_ascii_uppercase();
        if let Some((_, old)) = first.split_once('=').filter(|_| keyword.starts_with("AUTH=")) {
            if !old.is_empty() {
                parameters.insert(0, old.to_owned());
            }
            "AUTH=".clone_into(&mut keyword);
        }
        Some(Self { keyword, parameters })
    }

    /// RFC 5321 §4.1.1.1: letters, digits and hyphens, not starting with a hyphen; parameters of visible
    /// ASCII. The old `AUTH=` form passes, because very many servers send it beside the right one.
    fn follows_grammar(&self) -> bool {
        let keyword = self.keyword.strip_suffix('=').unwrap_or(&self.keyword);
        let keyword_is_good = (keyword == "AUTH" || !self.keyword.ends_with('='))
            && !keyword.is_empty()
            && !keyword.starts_with('-')
            && keyword.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
        keyword_is_good
            && self
                .parameters
                .iter()
                .all(|parameter| parameter.bytes().all(|octet| octet.is_ascii_graphic()))
    }
}

/// Whether a device has masked the greeting with asterisks: its first word is made of `*`, `2` and `0`
/// (what old firewalls let through) with four or more `*` in a row.
pub fn greeting_is_masked(greeting: &Reply) -> bool {
    let word = greeting.lines.first().and_then(|line| line.split(' ').next()).unwrap_or_default();
    has_run(word, '*') && word.chars().all(|letter| matches!(letter, '*' | '2' | '0'))
}

fn has_run(text: &str, mask: char) -> bool {
    let mut run = 0_usize;
    text.chars().any(|letter| {
        run = if letter == mask { run + 1 } else { 0 };
        run >= MASK_RUN_MIN
    })
}

#[cfg(test)]
mod tests;
