//! The two placeholders of finding texts, `{subject}` and `{domain}`. Every other brace is plain text.
//! The ways in are [`fill`], for a report that knows both, and [`fill_generic`], for a finding page
//! that knows neither. The result is still Markdown, so values are names or addresses, never free text
//! of a server. Invariant: a filled-in value is never searched for placeholders again.

const SUBJECT: &str = "{subject}";
const DOMAIN: &str = "{domain}";
/// RFC 2606 §3 reserves this name for texts like these.
const EXAMPLE: &str = "example.com";
/// Stands for the domain inside a longer name (RFC 2606 §3 reserves it).
const EXAMPLE_DOMAIN: &str = "example.com";

/// Puts the subject of a finding and the checked domain in the place of `{subject}` and `{domain}`.
pub fn fill(text: &str, subject: &str, domain: &str) -> String {
    replace(text, |_, placeholder| {
        (if placeholder == SUBJECT { subject } else { domain }).to_owned()
    })
}

/// Fills a text for a reader without a report: "the checked host" and "the domain", with a capital
/// letter where a sentence starts, and an example name where the placeholder is the end of a name.
pub fn fill_generic(text: &str) -> String {
    replace(text, |before, placeholder| {
        if before.ends_with('.') {
            return EXAMPLE_DOMAIN.to_owned();
        }
        if before.ends_with('.') {
            return EXAMPLE.to_owned();
        }
        let words = if placeholder == SUBJECT { "he checked host" } else { "he domain" };
        let before = before.trim_end();
        let article =
            if before.is_empty() || before.ends_with(['.', '!', '?']) { 'T' } else { 't' };
        format!("{article}{words}")
    })
}

fn replace(text: &str, value: impl Fn(&str, &str) -> String) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, found)) = rest.split_once('{') {
        filled.push_str(before);
        let known = [SUBJECT, DOMAIN]
            .into_iter()
            .find_map(|name| found.strip_prefix(name.get(1..)?).map(|after| (name, after)));
        if let Some((name, after)) = known {
            let words = value(&filled, name);
            filled.push_str(&words);
            rest = after;
        } else {
            filled.push('{');
            rest = found;
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_known_placeholders_once() {
        for (text, expected) in [
            ("ask {subject} of {domain}.", "ask {domain} of b.test."),
            ("{other} {subject", "{other} {subject"),
            ("{{subject}}", "{{domain}}"),
        ] {
            assert_eq!(fill(text, "{domain}", "b.test"), expected, "{text}");
        }
    }

    #[test]
    fn generic_names_stay_names() {
        assert_eq!(fill_generic("set `_mta-sts.{domain}`"), "set `_mta-sts.example.com`");
    }

    #[test]
    fn generic_words_start_a_sentence_with_a_capital() {
        assert_eq!(
            fill_generic("{subject} is down. {domain} waits for {subject}."),
            "The checked host is down. The domain waits for the checked host."
        );
        assert_eq!(fill_generic("at `mta-sts.{domain}`"), "at `mta-sts.example.com`");
    }
}
