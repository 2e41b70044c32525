//! AWS Signature Version 4 over HTTP headers, by hand (AWS "Signature Version 4 signing process"; HMAC of
//! RFC 2104, SHA-256).
//!
//! Paths are fixed by this crate, so dot segments are not normalised and nothing is percent-encoded twice.
//! The way in is [`sign`]. Invariant: the secret key is used for the first HMAC and appears nowhere else.

use aws_lc_rs::{digest, hmac};
use jiff::Timestamp;
use waxseal_proto::secret::Secret;

/// What the signature is made with.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: Secret<String>,
    /// Of temporary credentials; to be among the signed headers.
    pub(crate) session_token: Option<Secret<String>>,
}

/// Where the signature is good.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope<'a> {
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
    pub(crate) at: Timestamp,
}

/// What is signed. `headers` has `host` and `x-amz-date`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ToSign<'a> {
    pub(crate) method: &'a str,
    pub(crate) path_and_query: &'a str,
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: &'a [u8],
}

/// The value of the `Authorization` header.
pub(crate) fn sign(credentials: &Credentials, scope: Scope<'_>, request: ToSign<'_>) -> String {
    let (canonical, signed_headers) = canonical_request(request);
    let to_sign = string_to_sign(scope, &canonical);
    let date = stamp(scope.at).get(..8).unwrap_or_default().to_string();
    let first = format!("AWS4{}", credentials.secret_access_key.expose());
    let key = [date.as_str(), scope.region, scope.service, "aws4_request"]
        .iter()
        .fold(first.into_bytes(), |key, part| mac(&key, part));
    format!(
        "AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={signed_headers}, Signature={}",
        credentials.access_key_id,
        scope_text(scope),
        hex(&mac(&key, &to_sign))
    )
}

/// `YYYYMMDDTHHMMSSZ`, the value of `X-Amz-Date`.
pub(crate) fn stamp(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn scope_text(scope: Scope<'_>) -> String {
    let date = stamp(scope.at).get(..8).unwrap_or_default().to_string();
    format!("{date}/{}/{}/aws4_request", scope.region, scope.service)
}

/// Method, path, query, headers, their names, the body's hash; and the names again.
fn canonical_request(request: ToSign<'_>) -> (String, String) {
    let (path, query) =
        request.path_and_query.split_once('?').unwrap_or((request.path_and_query, ""));
    let mut parameters: Vec<(&str, &str)> = query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .collect();
    parameters.sort_unstable();
    let parameters: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut headers: Vec<(String, String)> = request
        .headers
        .iter()
        .map(|(name, value)| {
            let words: Vec<&str> = value.split_whitespace().collect();
            (name.to_ascii_lowercase(), words.join(" "))
        })
        .collect();
    headers.sort_unstable();
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(";");
    let lines: Vec<String> =
        headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let lines = lines.concat();
    let hash = hex(digest::digest(&digest::SHA256, request.body).as_ref());
    let canonical =
        format!("{}\n{path}\n{}\n{lines}\n{names}\n{hash}", request.method, parameters.join("&"));
    (canonical, names)
}

fn string_to_sign(scope: Scope<'_>, canonical: &str) -> String {
    let hash = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
    format!("AWS4-HMAC-SHA256\n{}\n{}\n{hash}", stamp(scope.at), scope_text(scope))
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

/// Lower-case hexadecimal.
pub(crate) fn hex(octets: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    octets.iter().flat_map(|octet| [digit(octet >> 4), digit(octet & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Vector {
        name: String,
        method: String,
        path_and_query: String,
        headers: Vec<(String, String)>,
        body: String,
        session_token: Option<String>,
        canonical_request: String,
        string_to_sign: String,
        signature: String,
    }

    #[test]
    fn awss_published_vectors_pass() {
        let vectors: Vec<Vector> =
            serde_json::from_str(include_str!("../vectors/sigv4/vectors.json")).unwrap();
        assert_eq!(vectors.len(), 16);
        for vector in vectors {
            let credentials = Credentials {
                access_key_id: "AKIDEXAMPLE".into(),
                secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into()),
                session_token: vector.session_token.map(Secret::new),
            };
            let scope = Scope {
                region: "us-east-1",
                service: "service",
                at: "2015-08-30T12:36:00Z".parse().unwrap(),
            };
            let mut headers: Vec<(&str, &str)> = vector
                .headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            let stamp = stamp(scope.at);
            headers.push(("X-Amz-Date", &stamp));
            if let Some(token) = &credentials.session_token {
                headers.push(("X-Amz-Security-Token", token.expose()));
            }
            let request = ToSign {
                method: &vector.method,
                path_and_query: &vector.path_and_query,
                headers: &headers,
                body: vector.body.as_bytes(),
            };
            let (canonical, _) = canonical_request(request);
            assert_eq!(canonical, vector.canonical_request, "{}", vector.name);
            assert_eq!(string_to_sign(scope, &canonical), vector.string_to_sign, "{}", vector.name);
            let signed = sign(&credentials, scope, request);
            assert!(
                signed.ends_with(&format!("Signature={}", vector.signature)),
                "{}",
                vector.name
            );
        }
    }
}
