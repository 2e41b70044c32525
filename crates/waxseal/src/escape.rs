//! Foreign text made safe to show: control and bidirectional characters become visible as `\u{..}`, and
//! the marks of HTML, XML and Markdown lose their meaning. Nothing is dropped silently: a text that is cut
//! says by how much. The ways in are [`line`], [`block`], [`html`], [`markdown`] and [`json`]; a change
//! must keep every face passing what peers said through one of them.

use crate::limits::SHOWN_TEXT_CHARS_MAX;
use std::fmt::Write as _;

/// Whether a character could act on a terminal, reorder text or hide in it.
const fn is_harmful(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
        | '\u{e000}'..='\u{f8ff}'
        | '\u{e0000}'..='\u{e0fff}'
        | '\u{f0000}'..='\u{10ffff}')
}

fn push_visible(out: &mut String, c: char) {
    if is_harmful(c) {
        let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
    } else {
        out.push(c);
    }
}

/// One line of foreign text, cut at the limit.
pub(crate) fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(SHOWN_TEXT_CHARS_MAX));
    let mut chars = text.chars();
    for c in chars.by_ref().take(SHOWN_TEXT_CHARS_MAX) {
        push_visible(&mut out, c);
    }
    let more = chars.count();
    if more > 0 {
        let _ = write!(out, "… ({more} more characters)");
    }
    out
}

/// Text of our own that holds foreign parts and may have several lines; it is not cut.
pub(crate) fn block(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' {
            out.push(c);
        } else {
            push_visible(&mut out, c);
        }
    }
    out
}

/// One line of foreign text inside HTML or XML, in content or in a quoted attribute.
pub(crate) fn html(text: &str) -> String {
    marks(&line(text))
}

/// The marks of HTML as entities, for text that is already visible.
pub(crate) fn marks(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

/// One line of foreign text inside Markdown (CommonMark and the tables of GitHub): no mark of it starts a
/// block, a link, a code span or HTML.
pub(crate) fn markdown(text: &str) -> String {
    let shown: Vec<char> = line(text).chars().collect();
    let mut out = String::with_capacity(shown.len());
    let opening = shown.iter().take_while(|c| c.is_ascii_digit()).count();
    for (index, c) in shown.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|at| shown.get(at));
        let after = shown.get(index + 1);
        let inside_word = [before, after].iter().all(|c| c.is_some_and(|c| c.is_alphanumeric()));
        let starts_block = match c {
            '#' | '+' | '-' | '=' => index == 0,
            '.' | ')' => index > 0 && index == opening && after.is_none_or(|c| c.is_whitespace()),
            _ => false,
        };
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A scheme before `//` becomes a link in many readers.
            ':' if after == Some(&'/') => out.push_str("&#58;"),
            '_' if inside_word => out.push('_'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' => {
                out.push('\\');
                out.push(*c);
            }
            _ if starts_block => {
                out.push('\\');
                out.push(*c);
            }
            _ => out.push(*c),
        }
    }
    out
}

/// JSON text with every harmful character as `\uXXXX`: the values stay the same, and a terminal that shows
/// it is safe. Such characters stand inside strings only.
pub(crate) fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmful_characters_become_visible() {
        let table = [
            ("plain ümlaut 日本", "plain ümlaut 日本"),
            ("\u{1b}[31mred\u{7}", "\\u{1b}[31mred\\u{7}"),
            ("a\u{9b}2Jb", "a\\u{9b}2Jb"),
            ("\u{202e}evil\u{2069}", "\\u{202e}evil\\u{2069}"),
            ("x\u{200b}\u{feff}\u{ad}y", "x\\u{200b}\\u{feff}\\u{ad}y"),
            ("two\r\nlines\t", "two\\u{d}\\u{a}lines\\u{9}"),
            ("\u{e0041}", "\\u{e0041}"),
        ];
        for (text, expected) in table {
            assert_eq!(line(text), expected);
        }
        assert_eq!(block("a\n\u{1b}b"), "a\n\\u{1b}b");
    }

    #[test]
    fn long_text_is_cut_and_says_so() {
        let shown = line(&"\0".repeat(10_000));
        assert!(shown.ends_with("… (9400 more characters)"), "{}", &shown[shown.len() - 40..]);
        assert_eq!(shown.matches("\\u{0}").count(), SHOWN_TEXT_CHARS_MAX);
    }

    #[test]
    fn marks_lose_their_meaning() {
        assert_eq!(html("<script>'\"&\u{1b}"), "&lt;script&gt;&#39;&quot;&amp;\\u{1b}");
        let text = markdown("[x](http://e.test) `a` | <b> **c** \u{202e}");
        for raw in ["[x](", "http:", "<b>", "**"] {
            assert!(!text.contains(raw), "{text}");
        }
        assert!(text.contains("\\|") && text.contains("\\`"), "{text}");
        let table = [
            ("TLS_AES_256", "TLS_AES_256"),
            ("_smtp._tls", "\\_smtp.\\_tls"),
            ("1. item", "1\\. item"),
            ("10 mx1.example", "10 mx1.example"),
            ("192.0.2.1", "192.0.2.1"),
            ("# heading", "\\# heading"),
            ("- item", "\\- item"),
            ("03:04:05Z", "03:04:05Z"),
        ];
        for (text, expected) in table {
            assert_eq!(markdown(text), expected);
        }
    }

    #[test]
    fn json_keeps_its_value() {
        let value = "a\u{9b}\u{202e}\u{e0041}\u{7f}é\"";
        let text = json(&serde_json::to_string(value).unwrap());
        assert!(text.chars().all(|c| !is_harmful(c)), "{text}");
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), value);
    }
}
