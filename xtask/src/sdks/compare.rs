//! Two requests for the same message, taken apart into named pieces, and the list of differences that are
//! known with their reasons.
//!
//! The way in is [`Differences::unlisted`]. Every piece counts: a header that only one of them has is a
//! difference, and so is every value of the body.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The committed list.
#[derive(Debug)]
pub(super) struct Differences {
    listed: Vec<Listed>,
    seen: BTreeSet<usize>,
}

/// One listed difference.
#[derive(Debug, PartialEq, Eq)]
struct Listed {
    /// The service, or `*`.
    service: String,
    /// The piece.
    at: String,
    kind: String,
}

/// What differs in a piece.
const KINDS: [&str; 3] = ["only-library", "only-binary", "value"];

impl Differences {
    /// Reads the list.
    ///
    /// # Errors
    /// When it is not of the expected form, or an entry has no reason.
    pub(super) fn read(text: &str) -> Result<Self> {
        let table: toml::Table = toml::from_str(text)?;
        let entries = table.get("difference").and_then(toml::Value::as_array);
        let mut listed = Vec::new();
        for entry in entries.context("no [[difference]]")? {
            let field = |name: &str| {
                let text = entry.get(name).and_then(toml::Value::as_str).map(String::from);
                text.filter(|text| !text.is_empty()).with_context(|| format!("{entry}: no {name}"))
            };
            field("reason")?;
            let kind = field("kind")?;
            if !KINDS.contains(&kind.as_str()) {
                bail!("{entry}: kind is none of {KINDS:?}");
            }
            listed.push(Listed { service: field("service")?, at: field("at")?, kind });
        }
        Ok(Self { listed, seen: BTreeSet::new() })
    }

    /// Every difference between two requests that is not listed.
    ///
    /// # Errors
    /// When a request cannot be taken apart.
    pub(super) fn unlisted(
        &mut self,
        service: &str,
        theirs: &Value,
        ours: &Value,
    ) -> Result<Vec<String>> {
        let (theirs, ours) = (pieces(theirs)?, pieces(ours)?);
        let names: BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
        let mut problems = Vec::new();
        for name in names {
            let (kind, what) = match (theirs.get(name), ours.get(name)) {
                (Some(theirs), Some(ours)) if theirs == ours => continue,
                (Some(theirs), Some(ours)) => ("value", format!("{theirs:?} and {ours:?}")),
                (Some(theirs), None) => ("only-library", format!("{theirs:?}")),
                (None, Some(ours)) => ("only-binary", format!("{ours:?}")),
                (None, None) => continue,
            };
            let is_this = |listed: &Listed| {
                (listed.service == service || listed.service == "*")
                    && listed.at == *name
                    && listed.kind == kind
            };
            match self.listed.iter().position(is_this) {
                Some(place) => {
                    self.seen.insert(place);
                }
                None => problems.push(format!("{name}: {kind}: {what}")),
            }
        }
        Ok(problems)
    }

    /// What is listed and was not seen.
    pub(super) fn unseen(&self) -> Vec<String> {
        let unseen = self.listed.iter().enumerate().filter(|(place, _)| !self.seen.contains(place));
        unseen.map(|(_, l)| format!("{}: {}: {}", l.service, l.at, l.kind)).collect()
    }
}

/// A request as named pieces: method, path, headers, and every value of the body.
fn pieces(request: &Value) -> Result<BTreeMap<String, String>> {
    let text = |name: &str| request[name].as_str().with_context(|| format!("no {name}"));
    let mut pieces = BTreeMap::from([
        ("method".to_owned(), text("method")?.to_owned()),
        ("path".to_owned(), text("path")?.to_owned()),
    ]);
    let mut content_type = String::new();
    for pair in request["headers"].as_array().context("no headers")? {
        let (Some(name), Some(value)) = (pair[0].as_str(), pair[1].as_str()) else {
            bail!("a header that is no pair of texts");
        };
        let name = name.to_lowercase();
        let mut value = value;
        if name == "content-type" {
            value.clone_into(&mut content_type);
            // The boundary is made up for each request.
            value = value.split("; boundary=").next().unwrap_or_default();
        }
        if let ("authorization", Some(signed)) = (name.as_str(), value.strip_prefix("AWS4-")) {
            for field in signed.split([' ', ',']).filter_map(|field| field.split_once('=')) {
                pieces.insert(format!("signature {}", field.0), without_date(field.1));
            }
            value = "AWS4";
        }
        let value = if name == "x-amz-date" { without_date(value) } else { value.to_owned() };
        pieces.insert(format!("header {name}"), value);
    }
    let body = text("body")?;
    if let Some((_, boundary)) = content_type.split_once("; boundary=") {
        form(body, boundary, &mut pieces)?;
    } else {
        let body: Value = serde_json::from_str(body).context("the body is no JSON")?;
        flatten("body".to_owned(), &body, &mut pieces);
    }
    Ok(pieces)
}

/// A date, and a date with a time of day, differ or not as the clock will have it.
fn without_date(value: &str) -> String {
    let letters = |piece: &str| match piece.len() {
        8 if piece.bytes().all(|each| each.is_ascii_digit()) => "DATE".to_owned(),
        16 if piece.ends_with('Z') => "DATEandTIME".to_owned(),
        _ => piece.to_owned(),
    };
    value.split('/').map(letters).collect::<Vec<_>>().join("/")
}

fn flatten(name: String, value: &Value, pieces: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(members) => {
            for (member, value) in members {
                flatten(format!("{name}.{member}"), value, pieces);
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                flatten(format!("{name}[{place}]"), item, pieces);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            pieces.insert(name, value.to_string());
        }
    }
}

fn form(body: &str, boundary: &str, pieces: &mut BTreeMap<String, String>) -> Result<()> {
    let delimiter = format!("--{boundary}");
    for part in body.split(&delimiter).skip(1).filter(|part| !part.starts_with("--")) {
        let (head, value) = part.split_once("\r\n\r\n").context("a part without a blank line")?;
        let name = head.split("name=\"").nth(1).and_then(|rest| rest.split('"').next());
        let name = format!("field {}", name.context("a part without a name")?);
        let value = value.strip_suffix("\r\n").context("a part without an end")?;
        if pieces.insert(name.clone(), value.to_owned()).is_some() {
            bail!("{name} stands twice");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(headers: &[(&str, &str)], body: &str) -> Value {
        json!({ "method": "POST", "path": "/a", "headers": headers, "body": body })
    }

    const LIST: &str = "[[difference]]\nservice = '*'\nat = 'header user-agent'\nkind = 'value'\nreason = 'r'\n\
        [[difference]]\nservice = 's'\nat = 'body.a'\nkind = 'only-library'\nreason = 'r'\n";

    #[test]
    fn what_is_not_listed_is_named() {
        let mut list = Differences::read(LIST).unwrap();
        let theirs = request(&[("User-Agent", "x")], r#"{"a":1,"b":[{"c":"d"}]}"#);
        let ours = request(&[("user-agent", "y"), ("Accept", "z")], r#"{"b":[{"c":"e"}]}"#);
        let problems = list.unlisted("s", &theirs, &ours).unwrap();
        assert_eq!(
            problems,
            [r#"body.b[0].c: value: "\"d\"" and "\"e\"""#, r#"header accept: only-binary: "z""#]
        );
        assert!(list.unseen().is_empty());
        let list = Differences::read(LIST).unwrap();
        assert_eq!(list.unseen(), ["*: header user-agent: value", "s: body.a: only-library"]);
        assert!(
            Differences::read("[[difference]]\nservice = 's'\nat = 'x'\nkind = 'value'").is_err()
        );
    }

    #[test]
    fn forms_and_signatures_are_taken_apart() {
        let body = "--B\r\nContent-Disposition: form-data; name=\"to\"\r\n\r\na\r\n--B--\r\n";
        let form = request(&[("Content-Type", "multipart/form-data; boundary=B")], body);
        let found = pieces(&form).unwrap();
        assert_eq!(found.get("field to").map(String::as_str), Some("a"));
        assert_eq!(
            found.get("header content-type").map(String::as_str),
            Some("multipart/form-data")
        );
        let signed = "AWS4-HMAC-SHA256 Credential=K/20260105/r/ses/aws4_request, SignedHeaders=host, Signature=00";
        let found = pieces(&request(&[("Authorization", signed)], "{}")).unwrap();
        assert_eq!(found.get("signature SignedHeaders").map(String::as_str), Some("host"));
        let scope = "K/DATE/r/ses/aws4_request";
        assert_eq!(found.get("signature Credential").map(String::as_str), Some(scope));
        assert_eq!(found.get("header authorization").map(String::as_str), Some("AWS4"));
    }
}
