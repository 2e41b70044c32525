//! The pieces of a `Received` line (RFC 5322 §3.2.2, §3.6.7): words, comments, semicolons. Comments nest;
//! one that never closes ends with its line, so that what follows is still read. The way in is [`pieces`].
//! Keep: linear work for any input.

/// A piece of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// What stood between parentheses, without the outer pair.
    Comment(&'a str),
    /// A semicolon; the octet after it.
    Semicolon(usize),
    /// A run without white space, parentheses or semicolons; the octet where it starts.
    Word(&'a str, usize),
}

/// The pieces in order.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let closes = closing(text);
    let mut next_close = closes.iter().peekable();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(octet) = text.as_bytes().get(at) {
        match octet {
            b'(' => {
                while next_close.peek().is_some_and(|(open, _)| *open < at) {
                    next_close.next();
                }
                let end = match next_close.peek() {
                    Some((open, Some(close))) if *open == at => *close,
                    _ => line_end(text, at),
                };
                found.push(Piece::Comment(text.get(at + 1..end).unwrap_or_default()));
                at = end + 1;
            }
            b';' => {
                at += 1;
                found.push(Piece::Semicolon(at));
            }
            b')' => at += 1,
            octet if octet.is_ascii_whitespace() => at += 1,
            _ => {
                let end = word_end(text, at);
                found.push(Piece::Word(text.get(at..end).unwrap_or_default(), at));
                at = end;
            }
        }
    }
    found
}

/// Each opening parenthesis with its partner, in the order they open.
fn closing(text: &str) -> Vec<(usize, Option<usize>)> {
    let mut found: Vec<(usize, Option<usize>)> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut escaped = false;
    for (at, octet) in text.bytes().enumerate() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match octet {
            b'\\' if !open.is_empty() => escaped = true,
            b'(' => {
                open.push(found.len());
                found.push((at, None));
            }
            b')' => {
                if let Some((_, close)) = open.pop().and_then(|index| found.get_mut(index)) {
                    *close = Some(at);
                }
            }
            _ => {}
        }
    }
    found
}

fn line_end(text: &str, from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    from + rest.find(['\r', '\n']).unwrap_or(rest.len())
}

/// The end of a word; `<…>` without white space is one word whatever it holds.
fn word_end(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let stop = |c: char| c.is_ascii_whitespace() || matches!(c, '(' | ')' | ';');
    if rest.starts_with('<') {
        let end = rest.find(|c: char| c == '>' || c.is_ascii_whitespace());
        if let Some(end) = end.filter(|end| rest.as_bytes().get(*end) == Some(&b'>')) {
            let tail = rest.get(end + 1..).unwrap_or_default();
            return start + end + 1 + tail.find(stop).unwrap_or(tail.len());
        }
    }
    start + rest.find(stop).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_told_apart() {
        use Piece::{Comment, Semicolon, Word};
        let table: &[(&str, &[Piece<'_>])] = &[
            (
                "a (b (c) \\) d) e;",
                &[Word("a", 0), Comment("b (c) \\) d"), Word("e", 15), Semicolon(17)],
            ),
            ("n(v) id", &[Word("n", 0), Comment("v"), Word("id", 5)]),
            ("(open (x)\n by a", &[Comment("open (x)"), Word("by", 11), Word("a", 14)]),
            ("<a;(b)> c)", &[Word("<a;(b)>", 0), Word("c", 8)]),
            ("<a b", &[Word("<a", 0), Word("b", 3)]),
            ("", &[]),
        ];
        for (text, expected) in table {
            assert_eq!(pieces(text), *expected, "{text}");
        }
    }

    #[test]
    fn many_parentheses_are_linear_work() {
        let text = "(".repeat(200_000);
        assert_eq!(pieces(&text).len(), 1);
    }
}
