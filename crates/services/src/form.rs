//! Bodies of type `multipart/form-data` (RFC 7578), as Mailgun takes them.
//!
//! Field names are constants and checked header names, so none can break a part's head. The way in is
//! [`Form`]. Invariant: the boundary occurs in no value.

use aws_lc_rs::digest;

/// A form under construction.
#[derive(Debug, Default)]
pub(crate) struct Form {
    parts: Vec<(Head, Vec<u8>)>,
}

#[derive(Debug)]
enum Head {
    Field(String),
    File { field: &'static str, name: &'static str },
}

impl Form {
    /// Adds a field.
    pub(crate) fn field(mut self, name: impl Into<String>, value: impl AsRef<[u8]>) -> Self {
        self.parts.push((Head::Field(name.into()), value.as_ref().to_vec()));
        self
    }

    /// Adds a file.
    pub(crate) fn file(mut self, field: &'static str, name: &'static str, bytes: &[u8]) -> Self {
        self.parts.push((Head::File { field, name }, bytes.to_vec()));
        self
    }

    /// The content type with the boundary, and the body.
    pub(crate) fn finish(self) -> (String, Vec<u8>) {
        let boundary = self.boundary();
        let mut body = Vec::new();
        for (head, value) in &self.parts {
            let head = match head {
                Head::Field(name) => format!("Content-Disposition: form-data; name=\"{name}\"\r\n"),
                Head::File { field, name } => format!(
                    "Content-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
                     Content-Type: application/octet-stream\r\n"
                ),
            };
            body.extend_from_slice(format!("--{boundary}\r\n{head}\r\n").as_bytes());
            body.extend_from_slice(value);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        (format!("multipart/form-data; boundary={boundary}"), body)
    }

    /// A hash over all values: the same form has the same body, and no value can hold its own hash but by
    /// chance, which the loop excludes.
    fn boundary(&self) -> String {
        for round in 0_u32.. {
            let mut context = digest::Context::new(&digest::SHA256);
            context.update(&round.to_be_bytes());
            for (_, value) in &self.parts {
                context.update(value);
            }
            let hash = crate::sigv4::hex(context.finish().as_ref());
            let boundary = format!("waxseal-{}", hash.get(..32).unwrap_or_default());
            let holds = |value: &[u8]| {
                value.windows(boundary.len()).any(|window| window == boundary.as_bytes())
            };
            if !self.parts.iter().any(|(_, value)| holds(value)) {
                return boundary;
            }
        }
        // 2^32 hashes, every one of them inside the values: there is no such form.
        String::from("waxseal")
    }
}
