//! Quoted-printable (RFC 2045 §6.7) of UTF-8 text: lines of at most 76 octets of ASCII, ended by CRLF. The
//! way in is [`encode`]. Keep: the result never holds `=_`, which the boundary of a message begins with.

use crate::limits::QUOTED_PRINTABLE_LINE_OCTETS_MAX;

/// Encodes text; any of CRLF, LF and CR ends a line, and the last line gets an end.
pub(crate) fn encode(text: &str) -> String {
    let unified = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut encoded = String::with_capacity(unified.len().saturating_mul(2));
    for line in unified.strip_suffix('\n').unwrap_or(&unified).split('\n') {
        encode_line(line, &mut encoded);
        encoded.push_str("\r\n");
    }
    encoded
}

fn encode_line(line: &str, encoded: &mut String) {
    let mut width = 0_usize;
    let octets = line.as_bytes();
    for (index, octet) in octets.iter().enumerate() {
        let is_last = index.saturating_add(1) == octets.len();
        let token = match octet {
            // A space at the end of a line would be lost on the way.
            b' ' | b'\t' if is_last => hex(*octet),
            b'=' => hex(*octet),
            b' '..=b'~' | b'\t' => char::from(*octet).to_string(),
            _ => hex(*octet),
        };
        // One place stays free for the soft line end.
        if width.saturating_add(token.len()) >= QUOTED_PRINTABLE_LINE_OCTETS_MAX {
            encoded.push_str("=\r\n");
            width = 0;
        }
        width = width.saturating_add(token.len());
        encoded.push_str(&token);
    }
}

fn hex(octet: u8) -> String {
    format!("={octet:02X}")
}

#[cfg(test)]
mod tests {
    use super::encode;
    use proptest::prelude::*;

    fn decode(encoded: &str) -> Vec<u8> {
        let joined = encoded.replace("=\r\n", "");
        let mut octets = Vec::new();
        let mut rest = joined.as_bytes();
        while let Some((first, after)) = rest.split_first() {
            if *first == b'=' {
                let digits = std::str::from_utf8(&after[..2]).unwrap();
                octets.push(u8::from_str_radix(digits, 16).unwrap());
                rest = &after[2..];
            } else {
                octets.push(*first);
                rest = after;
            }
        }
        octets
    }

    #[test]
    fn text_is_encoded_as_the_standard_shows() {
        for (text, expected) in [
            ("", "\r\n"),
            ("a\nb", "a\r\nb\r\n"),
            ("a\r\nb\rc\n", "a\r\nb\r\nc\r\n"),
            ("a=b", "a=3Db\r\n"),
            ("end ", "end=20\r\n"),
            ("\u{fc}", "=C3=BC\r\n"),
        ] {
            assert_eq!(encode(text), expected);
        }
    }

    proptest! {
        #[test]
        fn lines_stay_short_and_nothing_is_lost(text in "[\\PC \n]{0,300}") {
            let encoded = encode(&text);
            prop_assert!(encoded.is_ascii() && !encoded.contains("=_"));
            prop_assert!(encoded.split("\r\n").all(|line| line.len() <= 76 && !line.contains('\n')));
            let back = String::from_utf8(decode(&encoded)).unwrap().replace("\r\n", "\n");
            prop_assert_eq!(back.strip_suffix('\n').unwrap(), text.strip_suffix('\n').unwrap_or(&text));
        }
    }
}
