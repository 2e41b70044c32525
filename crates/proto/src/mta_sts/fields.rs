//! The grammar that MTA-STS and TLS reporting records share: a version, then `name=value` fields between
//! semicolons (RFC 8461 §3.1, RFC 8460 §3). It knows no field. Splitting never fails; what departs from
//! the grammar is visible in the parts, so that a caller can report every fault at once.

/// A record cut at its semicolons.
pub(crate) struct Fields<'a> {
    /// The first part, as it stands, with the spaces around it.
    pub(crate) version: &'a str,
    /// The parts after it, without the one that a final semicolon leaves empty.
    pub(crate) rest: Vec<Field<'a>>,
    /// White space stands behind the last field without a semicolon between, which the grammar
    /// does not allow and every known sender ignores.
    pub(crate) space_at_end: bool,
}

/// One part between semicolons.
pub(crate) enum Field<'a> {
    /// Nothing between two semicolons.
    Empty,
    /// Text without `=`.
    Bare(&'a str),
    /// A pair, cut at the first `=`; spaces next to the `=` are kept.
    Pair(&'a str, &'a str),
}

/// What is left of the TXT records at a name after those of other kinds are dropped.
pub(crate) enum Selection {
    NearMisses(Vec<String>),
    None,
    One(String),
    Several(Vec<String>),
}

impl<'a> Fields<'a> {
    pub(crate) fn split(text: &'a str) -> Self {
        let mut parts: Vec<&str> = text.split(';').collect();
        let last = parts.last().copied().unwrap_or_default();
        let space_at_end = parts.len() > 1 && last.ends_with(is_wsp) && !trim_wsp(last).is_empty();
        if parts.len() > 1 && trim_wsp(last).is_empty() {
            parts.pop();
        }
        let mut parts = parts.into_iter();
        let version = parts.next().unwrap_or_default();
        let rest = parts
            .map(|part| match (trim_wsp(part), part.split_once('=')) {
                ("", _) => Field::Empty,
                (bare, None) => Field::Bare(bare),
                (trimmed, Some(_)) => {
                    trimmed.split_once('=').map_or(Field::Bare(trimmed), |(n, v)| Field::Pair(n, v))
                }
            })
            .collect();
        Self { version, rest, space_at_end }
    }

    /// All parts with a name, the version too, trimmed, the first of a name only: what a tool shows.
    pub(crate) fn tags(&self) -> Vec<(String, String)> {
        let version = match self.version.split_once('=') {
            Some(pair) => Some(pair),
            None if trim_wsp(self.version).is_empty() => None,
            None => Some((self.version, "")),
        };
        let rest = self.rest.iter().filter_map(|field| match *field {
            Field::Empty => None,
            Field::Bare(name) => Some((name, "")),
            Field::Pair(name, value) => Some((name, value)),
        });
        let mut tags: Vec<(String, String)> = Vec::new();
        for (name, value) in version.into_iter().chain(rest) {
            let (name, value) = (trim_wsp(name), trim_wsp(value));
            if !tags.iter().any(|(known, _)| known == name) {
                tags.push((name.to_owned(), value.to_owned()));
            }
        }
        tags
    }
}

/// Keeps the records that start with `prefix` (RFC 8461 §3.1, RFC 8460 §3: exactly). Those that only
/// look as if they were meant to are kept apart.
pub(crate) fn select<S: AsRef<str>>(
    texts: impl IntoIterator<Item = S>,
    prefix: &str,
    near_starts: &[&str],
) -> Selection {
    let (mut meant, mut near) = (Vec::new(), Vec::new());
    for text in texts {
        let text = text.as_ref();
        if text.starts_with(prefix) {
            meant.push(text.to_owned());
        } else if looks_meant(text, near_starts) {
            near.push(text.to_owned());
        }
    }
    match (meant.pop(), meant.is_empty()) {
        (Some(only), true) => Selection::One(only),
        (Some(last), false) => {
            meant.push(last);
            Selection::Several(meant)
        }
        (None, _) if near.is_empty() => Selection::None,
        (None, _) => Selection::NearMisses(near),
    }
}

/// Whether a text starts like one of these once case, quotes, backslashes and spaces are ignored.
fn looks_meant(text: &str, near_starts: &[&str]) -> bool {
    let plain: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !c.is_control())
        .filter(|c| !matches!(c, '"' | '\'' | '\\' | '`' | '\u{feff}' | '\u{201c}'..='\u{201f}'))
        .take(24)
        .flat_map(char::to_lowercase)
        .collect();
    near_starts.iter().any(|start| plain.starts_with(start))
}

/// An extension name: `(ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / ".")`.
pub(crate) fn is_extension_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    name.len() <= 32
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(inner)
}

/// An extension value: `1*(%x21-3A / %x3C / %x3E-7E)`, printable ASCII without `;`, `=` and space.
pub(crate) fn is_extension_value(value: &str) -> bool {
    !value.is_empty() && value.chars().all(|c| c.is_ascii_graphic() && !matches!(c, ';' | '='))
}

pub(crate) fn trim_wsp(text: &str) -> &str {
    text.trim_matches(is_wsp)
}

/// WSP of RFC 5234: space or tab, nothing else.
pub(crate) const fn is_wsp(c: char) -> bool {
    matches!(c, ' ' | '\t')
}
