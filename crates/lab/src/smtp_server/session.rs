//! One session of a scripted mail server: reads lines, looks the answer up in the behaviour, carries the steps
//! out (RFC 5321 §4, RFC 3207 §4). Octets that arrive behind STARTTLS go to TLS, never to the next command.
//! The way in: [`run`].

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;

use super::MailServer;
use super::behaviour::{Action, Stage, Step};
use super::transaction::Transaction;
use crate::recorder::Entry;
use crate::tls::{Farewell, Handshake, Outcome, Prefixed, Wire, from_hex};

/// A command line longer than this ends the session.
const LINE_LIMIT_BYTES: usize = 64 * 1024;
/// The size of the pieces in which `fill` writes.
const FILL_PIECE_BYTES: usize = 64 * 1024;

/// Whether a session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Goes,
    Over,
}

/// One session.
pub(super) struct Session {
    /// Whose.
    pub(super) server: Arc<MailServer>,
    wire: Wire,
    /// In clear or inside TLS.
    pub(super) stage: Stage,
    /// What was read and not yet used.
    pub(super) buffer: Vec<u8>,
    entry: Entry,
    number: usize,
    /// What was said of sign-in and mail.
    pub(super) transaction: Transaction,
}

/// Serves one connection to its end; `number` counts the server's connections from 1.
pub(super) async fn run(server: Arc<MailServer>, tcp: TcpStream, number: usize) {
    let entry = server.recorder.open(server.published, server.port, &server.host);
    // Without it an injected reply could arrive in two segments.
    let _ = tcp.set_nodelay(true);
    let wire = Wire::Clear(Prefixed::new(Vec::new(), tcp));
    let mut session = Session {
        server,
        wire,
        stage: Stage::Clear,
        buffer: Vec::new(),
        entry,
        number,
        transaction: Transaction::default(),
    };
    session.serve().await;
    session.farewell().await;
}

impl Session {
    async fn serve(&mut self) {
        let server = Arc::clone(&self.server);
        let behaviour = &server.behaviour;
        if let Some(limit) = behaviour.limit.as_ref().filter(|limit| self.number > limit.accepts) {
            self.steps(&limit.then.steps()).await;
            return;
        }
        if behaviour.implicit_tls && self.start_tls().await == Flow::Over {
            return;
        }
        let greeting = behaviour.greeting.clone().unwrap_or_else(|| {
            Action::Text(format!("220 {} ESMTP lab, relays nothing", self.server.host))
        });
        if self.steps(&greeting.steps()).await == Flow::Over {
            return;
        }
        while let Some(line) = self.line().await {
            if self.command(&line).await == Flow::Over {
                return;
            }
        }
    }

    /// The next command line without its line end; `None` when the client is gone.
    pub(super) async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.iter().position(|octet| *octet == b'\n') {
                let octets: Vec<u8> = self.buffer.drain(..=end).collect();
                self.note(&octets);
                return Some(String::from_utf8_lossy(&octets).trim_end().to_owned());
            }
            if self.buffer.len() > LINE_LIMIT_BYTES || !self.fill_buffer().await {
                let rest = std::mem::take(&mut self.buffer);
                self.note(&rest);
                return None;
            }
        }
    }

    pub(super) async fn fill_buffer(&mut self) -> bool {
        let mut octets = [0u8; 4096];
        match self.wire.read(&mut octets).await {
            Ok(count) if count > 0 => {
                self.buffer.extend_from_slice(&octets[..count]);
                true
            }
            Ok(_) => false,
            Err(error) => {
                self.entry.note(|record| record.tls_error = Some(error.to_string()));
                false
            }
        }
    }

    /// Records what the client said: after a handshake that failed it is in clear again.
    fn note(&self, octets: &[u8]) {
        match &self.wire {
            Wire::Clear(_) | Wire::Gone => self.entry.clear_octets(octets),
            Wire::Tls(_) | Wire::Old(_) => {
                for line in String::from_utf8_lossy(octets).lines() {
                    self.entry.tls_command(line.trim_end());
                }
            }
        }
    }

    /// Records a message that came in clear; inside TLS it is no command.
    pub(super) fn note_message(&self, octets: &[u8]) {
        if matches!(self.wire, Wire::Clear(_)) {
            self.entry.clear_octets(octets);
        }
    }

    pub(super) async fn steps(&mut self, steps: &[Step]) -> Flow {
        for step in steps {
            if self.step(step).await == Flow::Over {
                return Flow::Over;
            }
        }
        Flow::Goes
    }

    async fn write(&mut self, octets: &[u8]) -> Flow {
        if self.wire.write(octets).await.is_ok() { Flow::Goes } else { Flow::Over }
    }

    async fn step(&mut self, step: &Step) -> Flow {
        match step {
            Step::Send(text) => self.write(text.as_bytes()).await,
            Step::SendHex(text) => self.write(&from_hex(text).unwrap_or_default()).await,
            Step::PauseMs(pause) => {
                tokio::time::sleep(Duration::from_millis(*pause)).await;
                Flow::Goes
            }
            Step::Drip { text, pause_ms } => {
                for octet in text.as_bytes() {
                    if self.write(&[*octet]).await == Flow::Over {
                        return Flow::Over;
                    }
                    tokio::time::sleep(Duration::from_millis(*pause_ms)).await;
                }
                Flow::Goes
            }
            Step::Repeat { text, times, pause_ms } => {
                let mut round = 0;
                while *times == 0 || round < *times {
                    if self.write(text.as_bytes()).await == Flow::Over {
                        return Flow::Over;
                    }
                    if *pause_ms > 0 {
                        tokio::time::sleep(Duration::from_millis(*pause_ms)).await;
                    }
                    round += 1;
                }
                Flow::Goes
            }
            Step::Fill { text, bytes } => self.fill(text, *bytes).await,
            Step::Hang => self.hang().await,
            Step::Close => {
                self.farewell().await;
                Flow::Over
            }
            Step::Reset => {
                self.wire.reset();
                Flow::Over
            }
            Step::Tls => self.start_tls().await,
        }
    }

    async fn fill(&mut self, text: &str, bytes: u64) -> Flow {
        let repeats = (FILL_PIECE_BYTES / text.len().max(1)).max(1);
        let piece = text.repeat(repeats);
        let mut left = usize::try_from(bytes).unwrap_or(usize::MAX);
        while left > 0 && !piece.is_empty() {
            let count = left.min(piece.len());
            if self.write(&piece.as_bytes()[..count]).await == Flow::Over {
                return Flow::Over;
            }
            left -= count;
        }
        Flow::Goes
    }

    async fn hang(&mut self) -> Flow {
        while self.fill_buffer().await {
            let octets = std::mem::take(&mut self.buffer);
            self.note(&octets);
        }
        Flow::Over
    }

    async fn farewell(&mut self) {
        let rest = std::mem::take(&mut self.buffer);
        self.note(&rest);
        let farewell = if self.server.behaviour.tls.drop_close_notify {
            Farewell::Truncated
        } else {
            Farewell::CloseNotify
        };
        let late = self.wire.close(farewell).await;
        self.entry.clear_octets(&late);
    }

    async fn start_tls(&mut self) -> Flow {
        let Wire::Clear(mut stream) = std::mem::replace(&mut self.wire, Wire::Gone) else {
            return Flow::Over;
        };
        stream.unread(std::mem::take(&mut self.buffer));
        let server = Arc::clone(&self.server);
        let side = Handshake {
            host: &server.host,
            behaviour: &server.behaviour.tls,
            side: &server.tls,
            connection: self.number,
            entry: &self.entry,
        };
        let (wire, outcome) = side.serve(stream).await;
        self.wire = wire;
        self.stage = Stage::Tls;
        self.transaction = Transaction::default();
        match outcome {
            Outcome::Completed => Flow::Goes,
            Outcome::Ended => Flow::Over,
        }
    }
}
