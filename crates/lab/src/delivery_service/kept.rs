//! What services were asked, kept so that a test can look at it: every request with what became of it.
//! The way in: [`Ledger`]; a session folder gets the same as lines of JSON.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use serde::{Deserialize, Serialize};

use super::ServiceName;
use super::request::Request;

/// Requests kept; more than any test makes.
const KEPT_MAX: usize = 10_000;
/// The file of a session folder, one request a line.
pub(crate) const FILE: &str = "requests.jsonl";

/// One request to a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptRequest {
    /// The service.
    pub service: ServiceName,
    /// The name it was asked under.
    pub host: String,
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Header fields in the order sent, names as written. The keys in them open nothing.
    pub headers: Vec<(String, String)>,
    /// The body as text; empty when it is none.
    pub body: String,
    /// The body in base64, when it is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// Status of the answer.
    pub status: u16,
    /// What became of it.
    pub verdict: Verdict,
}

impl KeptRequest {
    /// The octets of the body.
    pub fn body_octets(&self) -> Vec<u8> {
        match &self.body_base64 {
            Some(text) => {
                base64::engine::general_purpose::STANDARD.decode(text).unwrap_or_default()
            }
            None => self.body.clone().into_bytes(),
        }
    }

    /// The value of the first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(each, _)| each.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Messages were taken, under these ids.
    Accepted(Vec<String>),
    /// A question was answered.
    Answered,
    /// The scenario made it fail; the request itself was not at fault, or not looked at.
    Faulted,
    /// The request differs from what the service documents, or its account may not do this.
    Refused(Vec<String>),
    /// A message that had been taken before, found by its idempotency key.
    Replayed(Vec<String>),
}

#[derive(Debug, Default)]
struct Book {
    requests: Vec<KeptRequest>,
    file: Option<PathBuf>,
}

/// The book of a lab; clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    book: Arc<Mutex<Book>>,
}

impl Ledger {
    /// All requests so far, in the order they were answered.
    pub(crate) fn requests(&self) -> Vec<KeptRequest> {
        self.with(|book| book.requests.clone())
    }

    /// From now on also written into this folder.
    pub(crate) fn write_to(&self, folder: &Path) {
        self.with(|book| book.file = Some(folder.join(FILE)));
    }

    pub(super) fn keep(
        &self,
        service: ServiceName,
        host: &str,
        request: &Request,
        (status, verdict): (u16, Verdict),
    ) {
        let text = String::from_utf8(request.body.clone()).ok();
        let encoded = || base64::engine::general_purpose::STANDARD.encode(&request.body);
        let kept = KeptRequest {
            service,
            host: host.to_owned(),
            method: request.method.clone(),
            path: request.target.clone(),
            headers: request.headers.clone(),
            body_base64: text.is_none().then(encoded),
            body: text.unwrap_or_default(),
            status,
            verdict,
        };
        self.with(|book| {
            if let Some(path) = &book.file {
                let line = serde_json::to_string(&kept).unwrap_or_default();
                let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
                // The folder may be gone already when a session ends.
                let _ = file.and_then(|mut file| writeln!(file, "{line}"));
            }
            if book.requests.len() < KEPT_MAX {
                book.requests.push(kept);
            }
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut Book) -> T) -> T {
        work(&mut self.book.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
