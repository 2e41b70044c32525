//! A running site, and requests to it over real sockets.

use crate::program::program;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

/// A running `waxseal serve`; it ends with this value.
pub(crate) struct Running {
    child: Child,
    /// Where it keeps its data.
    data: tempfile::TempDir,
    /// What it says besides its address.
    notes: BufReader<std::process::ChildStderr>,
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
}

impl Running {
    /// Starts a command that prints its address first.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let (child, notes, address) = begin(arguments, data.path());
        Self { child, data, notes, address }
    }

    /// Ends it and starts it again with the same data, at another address.
    pub(crate) fn restart(&mut self, arguments: &[&str]) {
        self.stop();
        (self.child, self.notes, self.address) = begin(arguments, self.data.path());
    }

    /// The folder of its database.
    pub(crate) fn data_folder(&self) -> std::path::PathBuf {
        self.data.path().join("waxseal")
    }

    /// The path of the link that the first start prints.
    pub(crate) fn first_link(&mut self) -> String {
        let mut line = String::new();
        self.notes.read_line(&mut line).unwrap();
        let at = line.find("/enter/").unwrap_or_else(|| panic!("{line:?}"));
        line[at..].trim().to_owned()
    }

    /// How many files the process holds open, and its memory in kilobytes; none where the system does not tell.
    pub(crate) fn used(&self) -> Option<(usize, usize)> {
        let folder = format!("/proc/{}", self.child.id());
        let files = std::fs::read_dir(format!("{folder}/fd")).ok()?.count();
        let status = std::fs::read_to_string(format!("{folder}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some((files, line.trim().split(' ').next()?.parse().ok()?))
    }

    /// The next line that it says besides its address.
    pub(crate) fn note(&mut self) -> String {
        let mut line = String::new();
        self.notes.read_line(&mut line).unwrap();
        line
    }

    /// Sends the process a signal, by its own id.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = std::process::Command::new("kill").args([&format!("-{name}"), &id]).status();
        assert!(sent.unwrap().success());
    }

    /// The session folder that a lab prints after its link.
    pub(crate) fn session(&mut self) -> String {
        let mut line = String::new();
        while !line.starts_with("Session folder") {
            line.clear();
            assert!(self.notes.read_line(&mut line).unwrap() > 0, "no session folder");
        }
        line.rsplit(' ').next().unwrap().trim().to_owned()
    }

    /// Asks the process to end, by its own id, and says how it ended.
    pub(crate) fn stop(&mut self) -> i32 {
        let id = self.child.id().to_string();
        std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap();
        self.child.wait().unwrap().code().unwrap_or(-1)
    }

    /// One request on a connection of its own.
    pub(crate) fn send(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut octets = Vec::new();
        stream.read_to_end(&mut octets).unwrap();
        Answer::read(&octets)
    }

    /// `GET`.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.get_with(path, "")
    }

    /// `POST` of a form, with further header lines.
    pub(crate) fn post(&self, path: &str, headers: &str, body: &str) -> Answer {
        let host = &self.address;
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Connection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    /// A request with a JSON body, and its answer as JSON.
    pub(crate) fn json(&self, method: &str, path: &str, body: &str) -> (Answer, serde_json::Value) {
        self.ask((method, path), "", body)
    }

    /// A request with a JSON body and further header lines, each ended by CRLF, and its answer as JSON.
    pub(crate) fn ask(
        &self,
        (method, path): (&str, &str),
        headers: &str,
        body: &str,
    ) -> (Answer, serde_json::Value) {
        let host = &self.address;
        let answer = self.send(&format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        let value = serde_json::from_str(&answer.body).unwrap_or_default();
        (answer, value)
    }

    /// `GET` with further header lines, each ended by CRLF.
    pub(crate) fn get_with(&self, path: &str, headers: &str) -> Answer {
        let host = &self.address;
        self.send(&format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Connection: close\r\n\r\n"
        ))
    }
}

fn begin(
    arguments: &[&str],
    data: &std::path::Path,
) -> (Child, BufReader<std::process::ChildStderr>, String) {
    let mut child = program()
        .env("XDG_DATA_HOME", data)
        .args(arguments)
        .args(["--listen", "127.0.0.1:0", "--quiet"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let notes = BufReader::new(child.stderr.take().unwrap());
    let address = line.trim().split_once("://").unwrap_or_else(|| panic!("{line:?}")).1;
    (child, notes, address.to_owned())
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Answer {
    fn read(octets: &[u8]) -> Self {
        let text = String::from_utf8_lossy(octets);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text:?}"));
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: BTreeMap<String, String> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let chunked = headers.get("transfer-encoding").is_some_and(|value| value == "chunked");
        let body = if chunked { unchunked(body) } else { body.to_owned() };
        Self { status, headers, body }
    }
}

/// The content of a body in chunks (RFC 9112 §7.1).
fn unchunked(mut body: &str) -> String {
    let mut out = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let Ok(size @ 1..) = usize::from_str_radix(size, 16) else { break };
        let Some(chunk) = rest.get(..size) else { break };
        out.push_str(chunk);
        body = rest.get(size..).unwrap_or_default().trim_start_matches("\r\n");
    }
    out
}
