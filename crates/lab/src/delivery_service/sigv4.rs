//! Checks AWS Signature Version 4 over HTTP headers, as the service side does ("Signature Version 4 signing
//! process"; HMAC of RFC 2104 with SHA-256).
//!
//! Written from AWS's description alone, so that a client's mistake is not made twice. The way in:
//! [`Checked::of`]; what is wrong comes back as the error that AWS names.

use std::fmt::Write as _;

use aws_lc_rs::{constant_time, digest, hmac};
use time::{Date, Month, OffsetDateTime, Time};

use super::form::decoded;
use super::request::Request;

/// How far a request's date may be from the service's clock.
const WINDOW_S: i64 = 300;

/// What the service knows of a key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownKey<'a> {
    pub(crate) id: &'a str,
    pub(crate) secret: &'a str,
    /// Of temporary credentials.
    pub(crate) session_token: Option<&'a str>,
}

/// For what a signature must be good.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
    /// Seconds since 1970.
    pub(crate) now: i64,
}

/// Why a signature is refused: AWS's error type and message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignatureFault {
    pub(crate) kind: &'static str,
    pub(crate) message: String,
}

fn fault(kind: &'static str, message: impl Into<String>) -> SignatureFault {
    SignatureFault { kind, message: message.into() }
}

/// A request whose signature was found good.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checked;

impl Checked {
    /// Checks date, scope, signed headers, token and signature, in this order.
    pub(crate) fn of(
        request: &Request,
        key: KnownKey<'_>,
        target: Target<'_>,
    ) -> Result<Self, SignatureFault> {
        let missing =
            || fault("MissingAuthenticationTokenException", "Missing Authentication Token");
        let authorization = request.header("authorization").ok_or_else(missing)?;
        let parts = Parts::read(authorization)?;
        let date = request.header("x-amz-date").ok_or_else(|| {
            fault(
                "IncompleteSignatureException",
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
            )
        })?;
        parts.fits(date, target)?;
        check_window(date, target.now)?;
        check_signed_headers(request, &parts)?;
        let unknown = || {
            fault(
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            )
        };
        if parts.key_id != key.id {
            return Err(unknown());
        }
        if request.header("x-amz-security-token") != key.session_token {
            return Err(unknown());
        }
        let signature = parts.signature_of(request, date, key.secret);
        if constant_time::verify_slices_are_equal(signature.as_bytes(), parts.signature.as_bytes())
            .is_err()
        {
            return Err(fault(
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided. Check your AWS \
                 Secret Access Key and signing method. Consult the service documentation for details.",
            ));
        }
        Ok(Self)
    }
}

/// The Authorization header taken apart.
struct Parts<'a> {
    key_id: &'a str,
    /// Date, region, service, `aws4_request`.
    scope: Vec<&'a str>,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    fn read(authorization: &'a str) -> Result<Self, SignatureFault> {
        let incomplete = |what: &str| {
            fault("IncompleteSignatureException", format!("Authorization header requires {what}."))
        };
        let rest = authorization
            .strip_prefix("AWS4-HMAC-SHA256 ")
            .ok_or_else(|| incomplete("the algorithm AWS4-HMAC-SHA256"))?;
        let field = |name: &str| {
            rest.split(',')
                .find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
                .ok_or_else(|| incomplete(&format!("'{name}' parameter")))
        };
        let mut credential = field("Credential")?.split('/');
        Ok(Self {
            key_id: credential.next().unwrap_or_default(),
            scope: credential.collect(),
            signed_headers: field("SignedHeaders")?.split(';').collect(),
            signature: field("Signature")?,
        })
    }

    /// Compares the scope with the request's date and the endpoint.
    fn fits(&self, date: &str, target: Target<'_>) -> Result<(), SignatureFault> {
        let invalid = |message: String| fault("InvalidSignatureException", message);
        let [day, region, service, end] = self.scope.as_slice() else {
            return Err(fault(
                "IncompleteSignatureException",
                "Credential must have exactly 5 slash-delimited elements.",
            ));
        };
        if *end != "aws4_request" {
            return Err(invalid(
                "Credential should be scoped with a valid terminator: 'aws4_request'.".into(),
            ));
        }
        if *region != target.region {
            return Err(invalid("Credential should be scoped to a valid region. ".into()));
        }
        if *service != target.service {
            return Err(invalid(format!(
                "Credential should be scoped to correct service: '{}'. ",
                target.service
            )));
        }
        if !date.starts_with(day) || day.len() != 8 {
            return Err(invalid(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
                 '{day}' != '{}'.",
                date.get(..8).unwrap_or(date)
            )));
        }
        Ok(())
    }

    /// The signature that belongs to the request.
    fn signature_of(&self, request: &Request, date: &str, secret: &str) -> String {
        let canonical = canonical_request(request, &self.signed_headers);
        let scope = self.scope.join("/");
        let hash = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
        let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{hash}");
        let mut key = format!("AWS4{secret}").into_bytes();
        for part in &self.scope {
            key = mac(&key, part);
        }
        hex(&mac(&key, &text))
    }
}

fn check_window(date: &str, now: i64) -> Result<(), SignatureFault> {
    let Some(at) = moment(date) else {
        return Err(fault(
            "IncompleteSignatureException",
            "Date must be in ISO-8601 'basic format'.",
        ));
    };
    let here = stamp(now);
    if at < now - WINDOW_S {
        let edge = stamp(now - WINDOW_S);
        return Err(fault(
            "InvalidSignatureException",
            format!("Signature expired: {date} is now earlier than {edge} ({here} - 5 min.)"),
        ));
    }
    if at > now + WINDOW_S {
        let edge = stamp(now + WINDOW_S);
        return Err(fault(
            "InvalidSignatureException",
            format!(
                "Signature not yet current: {date} is still later than {edge} ({here} + 5 min.)"
            ),
        ));
    }
    Ok(())
}

/// Seconds since 1970 of `YYYYMMDDTHHMMSSZ`.
fn moment(date: &str) -> Option<i64> {
    let (day, clock) = date.strip_suffix('Z')?.split_once('T')?;
    let digits = |text: &str, length| {
        let is_plain = text.len() == length && text.bytes().all(|each| each.is_ascii_digit());
        is_plain.then(|| text.parse::<u32>().ok())?
    };
    let (day, clock) = (digits(day, 8)?, digits(clock, 6)?);
    let small = |number: u32| u8::try_from(number % 100).ok();
    let month = Month::try_from(small(day / 100)?).ok()?;
    let day = Date::from_calendar_date(i32::try_from(day / 10_000).ok()?, month, small(day)?);
    let clock = Time::from_hms(small(clock / 10_000)?, small(clock / 100)?, small(clock)?);
    Some(day.ok()?.with_time(clock.ok()?).assume_utc().unix_timestamp())
}

/// The other way round.
fn stamp(seconds: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (hour, minute, second) = at.to_hms();
    let (year, month, day) = at.to_calendar_date();
    format!("{year:04}{:02}{day:02}T{hour:02}{minute:02}{second:02}Z", u8::from(month))
}

/// Signed must be the host, the content type where there is one, and everything that begins with `x-amz-`;
/// the list is sorted and names only headers that were sent.
fn check_signed_headers(request: &Request, parts: &Parts<'_>) -> Result<(), SignatureFault> {
    let signed = &parts.signed_headers;
    let names = request.headers.iter().map(|(name, _)| name.to_ascii_lowercase());
    let needed = names.filter(|name| {
        matches!(name.as_str(), "host" | "content-type") || name.starts_with("x-amz-")
    });
    for name in needed {
        if !signed.contains(&name.as_str()) {
            return Err(fault(
                "InvalidSignatureException",
                format!("'{name}' must be a 'SignedHeader' in the AWS Authorization."),
            ));
        }
    }
    let sent =
        |name: &&str| request.headers.iter().any(|(each, _)| each.to_ascii_lowercase() == **name);
    if !signed.iter().all(sent) || !signed.is_sorted() || !signed.contains(&"host") {
        return Err(fault(
            "IncompleteSignatureException",
            "The signed headers are not those of the request.",
        ));
    }
    Ok(())
}

fn canonical_request(request: &Request, signed: &[&str]) -> String {
    let mut text = format!(
        "{}\n{}\n{}\n",
        request.method,
        canonical_path(request.path()),
        canonical_query(request.query())
    );
    for name in signed {
        let values = request.headers.iter().filter(|(each, _)| each.eq_ignore_ascii_case(name));
        let values: Vec<String> = values
            .map(|(_, value)| value.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        let _ = writeln!(text, "{name}:{}", values.join(","));
    }
    let hash = hex(digest::digest(&digest::SHA256, &request.body).as_ref());
    let _ = write!(text, "\n{}\n{hash}", signed.join(";"));
    text
}

/// The path with dot segments taken out and every segment escaped once more, as all services but S3 want it.
fn canonical_path(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        match segment {
            "." => {}
            ".." => {
                segments.pop();
            }
            _ => segments.push(segment),
        }
    }
    let joined = segments.iter().map(|each| escaped(each.as_bytes())).collect::<Vec<_>>().join("/");
    let end = if path.ends_with('/') && !joined.is_empty() { "/" } else { "" };
    format!("/{joined}{end}")
}

fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let again = |text: &str| escaped(&decoded(text).unwrap_or_default());
            (again(name), again(value))
        })
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// Percent-encoding of everything but unreserved letters (RFC 3986 §2.3).
fn escaped(octets: &[u8]) -> String {
    let mut text = String::new();
    for octet in octets {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(octet) {
            text.push(char::from(*octet));
        } else {
            let _ = write!(text, "%{octet:02X}");
        }
    }
    text
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// Signs a test's request the way this side checks it.
#[cfg(test)]
pub(super) fn sign(request: &mut Request, key: KnownKey<'_>, target: Target<'_>) {
    let date = stamp(target.now);
    request.headers.push(("X-Amz-Date".into(), date.clone()));
    let mut names: Vec<String> =
        request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    let parts = Parts {
        key_id: key.id,
        scope: vec![&date[..8], target.region, target.service, "aws4_request"],
        signed_headers: names.iter().map(String::as_str).collect(),
        signature: "",
    };
    let value = format!(
        "AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
        key.id,
        parts.scope.join("/"),
        names.join(";"),
        parts.signature_of(request, &date, key.secret)
    );
    request.headers.push(("Authorization".into(), value));
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_440_938_160;
    const KEY: KnownKey<'_> = KnownKey {
        id: "AKIDEXAMPLE",
        secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        session_token: None,
    };
    const TARGET: Target<'_> = Target { region: "us-east-1", service: "service", now: NOW };

    fn header(request: &mut Request, name: &str, value: &str) {
        request.headers.push((name.into(), value.into()));
    }

    /// AWS's published vectors, whose signatures this side must find good, and bad after any change.
    #[test]
    fn published_vectors_are_accepted_and_changes_are_not() {
        let text = include_str!("../../../services/vectors/sigv4/vectors.json");
        let vectors: Vec<serde_json::Value> = serde_json::from_str(text).unwrap();
        assert_eq!(vectors.len(), 16);
        for vector in vectors {
            let name = vector["name"].as_str().unwrap();
            let canonical = vector["canonical_request"].as_str().unwrap();
            let signed = canonical.rsplit('\n').nth(1).unwrap();
            let mut request = Request {
                method: vector["method"].as_str().unwrap().into(),
                target: vector["path_and_query"].as_str().unwrap().into(),
                headers: Vec::new(),
                body: vector["body"].as_str().unwrap().as_bytes().to_vec(),
            };
            for pair in vector["headers"].as_array().unwrap() {
                header(&mut request, pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
            }
            header(&mut request, "X-Amz-Date", "20150830T123600Z");
            let token = vector["session_token"].as_str();
            if let Some(token) = token {
                header(&mut request, "X-Amz-Security-Token", token);
            }
            let scope = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request";
            let signature = vector["signature"].as_str().unwrap();
            header(
                &mut request,
                "Authorization",
                &format!(
                    "AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={signed}, Signature={signature}"
                ),
            );
            let key = KnownKey { session_token: token, ..KEY };
            let judge = |request: &Request| Checked::of(request, key, TARGET).err();
            assert_eq!(judge(&request), None, "{name}\n{}", canonical_request(&request, &[]));
            let mut changed = request.clone();
            changed.body.push(b'x');
            assert_eq!(judge(&changed).unwrap().kind, "InvalidSignatureException", "{name}");
            let mut changed = request.clone();
            changed.target.push('x');
            assert_eq!(judge(&changed).unwrap().kind, "InvalidSignatureException", "{name}");
            let mut changed = request.clone();
            changed.headers[0].1.push('x');
            assert_eq!(judge(&changed).unwrap().kind, "InvalidSignatureException", "{name}");
        }
    }

    const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
        SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";

    /// The first vector, with one header replaced, or left out for an empty value.
    fn with(name: &str, value: &str) -> Request {
        let mut request =
            Request { method: "GET".into(), target: "/".into(), ..Request::default() };
        header(&mut request, "Host", "example.amazonaws.com");
        header(&mut request, "X-Amz-Date", "20150830T123600Z");
        header(&mut request, "Authorization", AUTHORIZATION);
        request.headers.retain(|(each, _)| each != name);
        if !value.is_empty() {
            header(&mut request, name, value);
        }
        request
    }

    #[test]
    fn every_changed_header_has_its_refusal() {
        let incomplete = "IncompleteSignatureException";
        let invalid = "InvalidSignatureException";
        let order = AUTHORIZATION.replace("host;x-amz-date", "x-amz-date;host");
        let other = AUTHORIZATION.replace("AKIDEXAMPLE", "AKIDOTHER");
        let cases = [
            ("Authorization", "", "MissingAuthenticationTokenException", "Missing"),
            ("Authorization", "Bearer x", incomplete, "algorithm"),
            ("X-Amz-Date", "", incomplete, "X-Amz-Date"),
            ("X-Amz-Date", "20150830", incomplete, "ISO-8601"),
            ("X-Amz-Date", "20150831T123600Z", invalid, "'20150830' != '20150831'"),
            ("X-Amz-Security-Token", "t", invalid, "'x-amz-security-token' must be"),
            ("Content-Type", "x/y", invalid, "'content-type' must be"),
            ("Authorization", &order, incomplete, "signed headers"),
            ("Authorization", &other, "UnrecognizedClientException", "token included"),
        ];
        for (name, value, kind, words) in cases {
            let fault = Checked::of(&with(name, value), KEY, TARGET).unwrap_err();
            assert_eq!(fault.kind, kind, "{}", fault.message);
            assert!(fault.message.contains(words), "{}", fault.message);
        }
    }

    #[test]
    fn scope_clock_and_token_have_their_refusals() {
        let good = with("", "");
        assert!(Checked::of(&good, KEY, TARGET).is_ok());
        let cases = [
            (Target { region: "eu-west-1", ..TARGET }, "valid region"),
            (Target { service: "ses", ..TARGET }, "correct service: 'ses'"),
            (
                Target { now: NOW + 301, ..TARGET },
                "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)",
            ),
            (
                Target { now: NOW - 301, ..TARGET },
                "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z",
            ),
        ];
        for (target, words) in cases {
            let fault = Checked::of(&good, KEY, target).unwrap_err();
            assert_eq!(fault.kind, "InvalidSignatureException");
            assert!(fault.message.contains(words), "{}", fault.message);
        }
        let temporary = KnownKey { session_token: Some("t"), ..KEY };
        let fault = Checked::of(&good, temporary, TARGET).unwrap_err();
        assert_eq!(fault.kind, "UnrecognizedClientException");
    }
}
