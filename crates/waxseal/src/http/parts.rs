//! A form with a file (RFC 7578): its parts by name. What is no such form has no parts. The way in is
//! [`Parts::read`]; the body was limited before it came here.

use crate::limits::FORM_PARTS_MAX;
use std::collections::BTreeMap;

/// The parts of a form; of several with one name, the first.
#[derive(Debug, Default)]
pub(crate) struct Parts<'a>(BTreeMap<String, &'a [u8]>);

impl<'a> Parts<'a> {
    /// Reads a body of this media type.
    pub(crate) fn read(media_type: &str, body: &'a [u8]) -> Option<Self> {
        let (kind, parameters) = media_type.split_once(';')?;
        if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
            return None;
        }
        let boundary =
            parameters.split(';').find_map(|one| one.trim().strip_prefix("boundary="))?;
        let boundary = boundary.trim_matches('"');
        if boundary.is_empty() {
            return None;
        }
        let mut parts = BTreeMap::new();
        // Between two delimiters; the first one stands at the very beginning.
        let delimiter = format!("\r\n--{boundary}");
        let first = delimiter.trim_start().as_bytes();
        let mut rest = body.strip_prefix(first)?;
        while parts.len() < FORM_PARTS_MAX {
            // After the last delimiter come two hyphens.
            let Some(inner) = rest.strip_prefix(b"\r\n") else { break };
            let Some(end) = find(inner, delimiter.as_bytes()) else { break };
            let (part, after) = inner.split_at(end);
            if let Some((name, content)) = part_of(part) {
                parts.entry(name).or_insert(content);
            }
            rest = after.get(delimiter.len()..).unwrap_or_default();
        }
        Some(Self(parts))
    }

    /// The content of a part; empty if there is none.
    pub(crate) fn get(&self, name: &str) -> &'a [u8] {
        self.0.get(name).copied().unwrap_or_default()
    }
}

/// Name and content of one part.
fn part_of(part: &[u8]) -> Option<(String, &[u8])> {
    let end = find(part, b"\r\n\r\n")?;
    let (head, content) = part.split_at(end);
    let head = std::str::from_utf8(head).ok()?;
    let disposition = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let name = disposition.split(';').find_map(|one| one.trim().strip_prefix("name="))?;
    Some((name.trim_matches('"').to_owned(), content.get(4..).unwrap_or_default()))
}

fn find(octets: &[u8], sought: &[u8]) -> Option<usize> {
    octets.windows(sought.len()).position(|window| window == sought)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=XyZ";

    #[test]
    fn parts_are_found_by_name() {
        let body = b"--XyZ\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nabc\r\n\
            --XyZ\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a;b.eml\"\r\n\
            Content-Type: message/rfc822\r\n\r\nReceived: x\r\n\r\n--Xy \xff\r\n\
            --XyZ\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nother\r\n--XyZ--\r\n";
        let parts = Parts::read(TYPE, body).unwrap();
        assert_eq!(parts.get("token"), b"abc", "the first one");
        assert_eq!(parts.get("file"), b"Received: x\r\n\r\n--Xy \xff");
        assert_eq!(parts.get("nothing"), b"");
    }

    #[test]
    fn what_is_no_such_form_has_no_parts() {
        for (kind, body) in [
            ("application/x-www-form-urlencoded", &b"--XyZ"[..]),
            ("multipart/form-data", b"--XyZ"),
            ("multipart/form-data; boundary=", b"--"),
            (TYPE, b"no delimiter"),
        ] {
            assert!(Parts::read(kind, body).is_none(), "{kind}");
        }
        for body in [
            &b"--XyZ"[..],
            b"--XyZ--",
            b"--XyZ\r\n",
            b"--XyZ\r\nname\r\n--XyZ",
            b"--XyZ\r\n\r\n--XyZ",
        ] {
            assert!(Parts::read(TYPE, body).unwrap().0.is_empty(), "{body:?}");
        }
    }
}
