//! Scripted web hosts on loopback: MTA-STS policies over HTTPS, issuer downloads over plain HTTP, endpoints of
//! TLS reports (RFC 8461 §3.3, RFC 5280 §4.2.2.1, RFC 8460 §3). HTTP/1.1, one request a connection.
//! The way in: [`WebServer::serve`]; what it answers is data ([`WebBehaviour`]).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::Deserialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::recorder::Recorder;
use crate::scenario::PortState;
use crate::tls::{Farewell, Handshake, Outcome, Prefixed, TlsBehaviour, TlsSide, Wire, from_hex};

/// A request head longer than this is not read on.
const HEAD_LIMIT_BYTES: usize = 16 * 1024;

/// What one web server does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebBehaviour {
    /// The published port; default 443, or 80 for plain HTTP.
    pub port: Option<u16>,
    /// The host's addresses it serves, by index; empty means all.
    pub on: Vec<usize>,
    /// What stands behind the port.
    pub state: PortState,
    /// HTTP without TLS.
    pub plain: bool,
    /// What the TLS side does.
    pub tls: TlsBehaviour,
    /// Answers by path; `"*"` answers every other path, and without it that is 404.
    pub paths: BTreeMap<String, WebResponse>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebResponse {
    /// Status code.
    pub status: u16,
    /// Content-Type; an empty text leaves the field out.
    pub content_type: String,
    /// More header fields.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
    /// The body in hexadecimal, instead of `body`.
    pub body_hex: Option<String>,
    /// So many further octets (`a`) after the body.
    pub fill_bytes: usize,
    /// How the end of the body is shown.
    pub framing: Framing,
    /// Milliseconds before the answer.
    pub pause_ms: u64,
    /// Milliseconds after every octet of the body.
    pub drip_ms: u64,
    /// What follows the body.
    pub end: WebEnd,
}

impl Default for WebResponse {
    fn default() -> Self {
        Self {
            status: 200,
            content_type: "text/plain".into(),
            headers: BTreeMap::new(),
            body: String::new(),
            body_hex: None,
            fill_bytes: 0,
            framing: Framing::Length,
            pause_ms: 0,
            drip_ms: 0,
            end: WebEnd::Close,
        }
    }
}

/// How the end of a body is shown (RFC 9112 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Framing {
    /// Content-Length.
    Length,
    /// Chunked transfer coding.
    Chunked,
    /// Neither: the end of the connection is the end of the body.
    Close,
    /// A Content-Length larger than the body.
    TooLong,
}

/// What a web server does after the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WebEnd {
    /// Closes.
    Close,
    /// Keeps the connection open and silent.
    Hang,
    /// Sends the body again and again until the client leaves.
    Endless,
    /// Resets the connection.
    Reset,
    /// Hangs before the first octet of the answer.
    Silent,
}

impl WebResponse {
    /// A plain answer with this body.
    pub fn with_body(body: impl Into<String>) -> Self {
        Self { body: body.into(), ..Self::default() }
    }

    fn body_octets(&self) -> Vec<u8> {
        let mut body = match &self.body_hex {
            Some(text) => from_hex(text).unwrap_or_default(),
            None => self.body.clone().into_bytes(),
        };
        body.extend(std::iter::repeat_n(b'a', self.fill_bytes));
        body
    }

    /// Gives this answer, with everything that goes wrong with it.
    pub(crate) async fn write(&self, wire: &mut Wire) -> std::io::Result<()> {
        tokio::time::sleep(Duration::from_millis(self.pause_ms)).await;
        if self.end == WebEnd::Silent {
            return hang(wire).await;
        }
        let body = self.body_octets();
        wire.write(self.head(body.len()).as_bytes()).await?;
        write_body(wire, self, &body).await?;
        match self.end {
            WebEnd::Close | WebEnd::Silent => Ok(()),
            WebEnd::Hang => hang(wire).await,
            WebEnd::Endless => loop {
                write_body(wire, self, &body).await?;
                tokio::task::yield_now().await;
            },
            WebEnd::Reset => {
                wire.reset();
                Ok(())
            }
        }
    }

    fn head(&self, body_length: usize) -> String {
        let mut fields =
            vec![format!("HTTP/1.1 {} Lab", self.status), "Server: waxseal-lab".into()];
        if !self.content_type.is_empty() {
            fields.push(format!("Content-Type: {}", self.content_type));
        }
        fields.extend(self.headers.iter().map(|(name, value)| format!("{name}: {value}")));
        match self.framing {
            Framing::Length => fields.push(format!("Content-Length: {body_length}")),
            Framing::TooLong => fields.push(format!("Content-Length: {}", body_length + 1000)),
            Framing::Chunked => fields.push("Transfer-Encoding: chunked".into()),
            Framing::Close => {}
        }
        fields.join("\r\n") + "\r\nConnection: close\r\n\r\n"
    }
}

/// One web server: a name, a published address and port, and what it does.
#[derive(Debug)]
pub(crate) struct WebServer {
    /// The server's name.
    pub(crate) host: String,
    /// The address the lab publishes.
    pub(crate) published: IpAddr,
    /// The logical port.
    pub(crate) port: u16,
    /// What it does.
    pub(crate) behaviour: WebBehaviour,
    /// Binary documents by path, which text cannot hold.
    pub(crate) documents: Vec<(String, Vec<u8>)>,
    /// Its TLS side; `None` for plain HTTP.
    pub(crate) tls: Option<TlsSide>,
    /// Where connections are recorded.
    pub(crate) recorder: Recorder,
    /// Connections accepted so far.
    pub(crate) connections: AtomicUsize,
}

impl WebServer {
    /// Accepts connections until the task is aborted.
    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener) {
        let mut sessions = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    let Ok((tcp, _)) = accepted else { continue };
                    let number = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
                    let server = Arc::clone(&self);
                    sessions.spawn(async move { server.session(tcp, number).await });
                }
                Some(_) = sessions.join_next() => {}
            }
        }
    }

    async fn session(&self, tcp: TcpStream, number: usize) {
        let entry = self.recorder.open(self.published, self.port, &self.host);
        let stream = Prefixed::new(Vec::new(), tcp);
        let mut wire = if let Some(side) = &self.tls {
            let behaviour = &self.behaviour.tls;
            let handshake =
                Handshake { host: &self.host, behaviour, side, connection: number, entry: &entry };
            let (mut wire, outcome) = handshake.serve(stream).await;
            if outcome == Outcome::Ended {
                wire.close(Farewell::Truncated).await;
                return;
            }
            wire
        } else {
            Wire::Clear(stream)
        };
        let Some(head) = read_head(&mut wire).await else { return };
        if self.tls.is_some() {
            head.lines().filter(|line| !line.is_empty()).for_each(|line| entry.tls_command(line));
        } else {
            entry.clear_octets(head.as_bytes());
        }
        let path = head.split(' ').nth(1).unwrap_or("/");
        // A client that leaves early has seen enough.
        let _ = self.answer(&mut wire, path).await;
        wire.close(Farewell::CloseNotify).await;
    }

    async fn answer(&self, wire: &mut Wire, path: &str) -> std::io::Result<()> {
        if let Some((_, document)) = self.documents.iter().find(|(name, _)| name == path) {
            let response = WebResponse {
                content_type: "application/octet-stream".into(),
                ..WebResponse::default()
            };
            wire.write(response.head(document.len()).as_bytes()).await?;
            return wire.write(document).await;
        }
        let missing = WebResponse {
            status: 404,
            ..WebResponse::with_body("the lab has nothing at this address\r\n")
        };
        let paths = &self.behaviour.paths;
        let response = paths.get(path).or_else(|| paths.get("*")).unwrap_or(&missing);
        response.write(wire).await
    }
}

async fn write_body(wire: &mut Wire, response: &WebResponse, body: &[u8]) -> std::io::Result<()> {
    if response.drip_ms > 0 {
        for octet in body {
            wire.write(&[*octet]).await?;
            tokio::time::sleep(Duration::from_millis(response.drip_ms)).await;
        }
        return Ok(());
    }
    if response.framing == Framing::Chunked {
        wire.write(format!("{:x}\r\n", body.len()).as_bytes()).await?;
        wire.write(body).await?;
        let last = if response.end == WebEnd::Endless { "\r\n" } else { "\r\n0\r\n\r\n" };
        return wire.write(last.as_bytes()).await;
    }
    wire.write(body).await
}

async fn hang(wire: &mut Wire) -> std::io::Result<()> {
    let mut sink = [0u8; 4096];
    while wire.read(&mut sink).await? > 0 {}
    Ok(())
}

async fn read_head(wire: &mut Wire) -> Option<String> {
    let mut head = Vec::new();
    let mut buffer = [0u8; 4096];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        match wire.read(&mut buffer).await {
            Ok(count) if count > 0 && head.len() < HEAD_LIMIT_BYTES => {
                head.extend_from_slice(&buffer[..count]);
            }
            Ok(_) | Err(_) => return None,
        }
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

#[cfg(test)]
mod tests;
