//! The fields of a form, as Mailgun takes them: `application/x-www-form-urlencoded` (WHATWG URL §5.1) and
//! `multipart/form-data` (RFC 7578). The way in: [`fields`].

use super::request::{Request, find};

/// One field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FormField {
    pub(crate) name: String,
    /// Of a file part.
    pub(crate) file_name: Option<String>,
    pub(crate) value: Vec<u8>,
}

impl FormField {
    /// The value as text; empty when it is none.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.value).unwrap_or_default()
    }
}

/// The fields of a form in the order sent.
pub(crate) fn fields(request: &Request) -> Result<Vec<FormField>, String> {
    match request.media_type().as_str() {
        "application/x-www-form-urlencoded" => encoded(&request.body),
        "multipart/form-data" => multipart(request),
        other => Err(format!("content type {other:?} is no form")),
    }
}

fn encoded(body: &[u8]) -> Result<Vec<FormField>, String> {
    let text = std::str::from_utf8(body).map_err(|_| "the form is not ASCII".to_owned())?;
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let plain = |text: &str| decoded(&text.replace('+', " "));
            let name = String::from_utf8(plain(name)?).map_err(|_| "a name is not UTF-8")?;
            Ok(FormField { name, file_name: None, value: plain(value)? })
        })
        .collect()
}

/// Percent-decoding (RFC 3986 §2.1); a cut or wrong escape is an error.
pub(crate) fn decoded(text: &str) -> Result<Vec<u8>, String> {
    let mut octets = Vec::new();
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        if octet != b'%' {
            octets.push(octet);
            continue;
        }
        let mut digit = || (rest.next()? as char).to_digit(16);
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(format!("{text:?} has a broken escape"));
        };
        octets.push(u8::try_from(high * 16 + low).unwrap_or_default());
    }
    Ok(octets)
}

fn multipart(request: &Request) -> Result<Vec<FormField>, String> {
    let content_type = request.header("content-type").unwrap_or_default();
    let boundary = parameter(content_type, "boundary").ok_or("multipart without a boundary")?;
    let delimiter = format!("--{boundary}");
    let mut rest = request.body.as_slice();
    if !rest.starts_with(delimiter.as_bytes()) {
        return Err("the form does not begin with its boundary".into());
    }
    rest = &rest[delimiter.len()..];
    let next = format!("\r\n{delimiter}");
    let mut fields = Vec::new();
    while !matches!(rest, b"--" | b"--\r\n") {
        let part = rest.strip_prefix(b"\r\n").ok_or("a boundary is followed by something else")?;
        let end = find(part, next.as_bytes()).ok_or("the form does not end with its boundary")?;
        fields.push(one_part(&part[..end])?);
        rest = &part[end + next.len()..];
    }
    Ok(fields)
}

fn one_part(part: &[u8]) -> Result<FormField, String> {
    let split = find(part, b"\r\n\r\n").ok_or("a part without a blank line")?;
    let head = std::str::from_utf8(&part[..split]).map_err(|_| "a part's head is not UTF-8")?;
    let disposition = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-disposition").then_some(value.trim())
    });
    let disposition = disposition.ok_or("a part without Content-Disposition")?;
    if !disposition.starts_with("form-data;") {
        return Err(format!("{disposition:?} is no form-data"));
    }
    Ok(FormField {
        name: parameter(disposition, "name").ok_or("a part without a name")?,
        file_name: parameter(disposition, "filename"),
        value: part[split + 4..].to_vec(),
    })
}

/// A parameter of a header value, quoted or not.
fn parameter(value: &str, name: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|piece| {
        let (key, text) = piece.trim().split_once('=')?;
        key.eq_ignore_ascii_case(name).then(|| text.trim_matches('"').to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(content_type: &str, body: &str) -> Request {
        Request {
            headers: vec![("Content-Type".into(), content_type.into())],
            body: body.as_bytes().to_vec(),
            ..Request::default()
        }
    }

    #[test]
    fn both_kinds_of_form_give_fields() {
        let encoded = request("application/x-www-form-urlencoded", "to=a%40b.example&text=1+%2B+2");
        let texts = |fields: Vec<FormField>| -> Vec<String> {
            fields.iter().map(|field| format!("{}={}", field.name, field.text())).collect()
        };
        assert_eq!(texts(fields(&encoded).unwrap()), ["to=a@b.example", "text=1 + 2"]);
        let body = "--B\r\nContent-Disposition: form-data; name=\"to\"\r\n\r\na@b.example\r\n--B\r\n\
            Content-Disposition: form-data; name=\"message\"; filename=\"m\"\r\nContent-Type: x/y\r\n\r\n1\r\n2\r\n--B--\r\n";
        let form = fields(&request("multipart/form-data; boundary=B", body)).unwrap();
        assert_eq!(form[1].file_name.as_deref(), Some("m"));
        assert_eq!(texts(form), ["to=a@b.example", "message=1\r\n2"]);
    }

    #[test]
    fn broken_forms_are_refused() {
        for (kind, body) in [
            ("application/x-www-form-urlencoded", "to=%4"),
            ("multipart/form-data", "--B--"),
            ("multipart/form-data; boundary=B", "--C--"),
            ("multipart/form-data; boundary=B", "--B\r\n\r\n--B--"),
            (
                "multipart/form-data; boundary=B",
                "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx",
            ),
            ("application/json", "{}"),
        ] {
            assert!(fields(&request(kind, body)).is_err(), "{kind} {body}");
        }
    }
}
