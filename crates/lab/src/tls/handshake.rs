//! One TLS handshake as server: reads the ClientHello, then answers by hand where the behaviour says so, or
//! hands the connection to the full server (RFC 8446 §4.1.2, RFC 6066 §3).
//! The way in: [`Handshake::serve`]. What the client sent is never lost: the full server reads it again.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use super::behaviour::{TlsBehaviour, TlsStep};
use super::hello::{self, ClientHello};
use super::old::{self, OldStream, OldTlsError};
use super::raw;
use super::side::TlsSide;
use super::wire::{Prefixed, Wire};
use crate::recorder::Entry;

/// How a handshake ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The session is encrypted.
    Completed,
    /// Nothing more is to be served; the wire is still to be closed.
    Ended,
}

/// What one handshake needs to know.
#[derive(Debug)]
pub(crate) struct Handshake<'a> {
    /// The server's name.
    pub(crate) host: &'a str,
    /// What it does.
    pub(crate) behaviour: &'a TlsBehaviour,
    /// The full server.
    pub(crate) side: &'a TlsSide,
    /// Which connection to the server this is, from 1.
    pub(crate) connection: usize,
    /// The record of the connection.
    pub(crate) entry: &'a Entry,
}

impl Handshake<'_> {
    /// Serves the handshake on a stream whose next octets are the client's first.
    pub(crate) async fn serve(&self, mut stream: Prefixed) -> (Wire, Outcome) {
        let read = hello::read_client_hello(&mut stream).await;
        let Some(hello) = read.hello else {
            self.entry.clear_octets(&read.octets);
            return self.accept(stream, read.octets).await;
        };
        self.entry.note(|record| {
            record.server_name.clone_from(&hello.server_name);
            record.hello_length = Some(hello.length);
        });
        let mut rules = self.behaviour.script.iter();
        if let Some(rule) = rules.find(|rule| hello.fulfils(&rule.when, self.connection)) {
            return self.by_hand(stream, &rule.then, &hello).await;
        }
        if self.behaviour.strict_sni && hello.server_name.as_deref() != Some(self.host) {
            return self.by_hand(stream, &[TlsStep::Alert(112)], &hello).await;
        }
        self.accept(stream, read.octets).await
    }

    /// Continues with the full TLS server.
    async fn accept(&self, mut stream: Prefixed, octets: Vec<u8>) -> (Wire, Outcome) {
        if octets.is_empty() {
            return (Wire::Clear(stream), Outcome::Ended);
        }
        stream.unread(octets);
        let acceptor = TlsAcceptor::from(Arc::clone(&self.side.config));
        match acceptor.accept(stream).into_fallible().await {
            Ok(stream) => {
                self.completed();
                (Wire::Tls(Box::new(stream)), Outcome::Completed)
            }
            Err((error, stream)) => {
                self.entry.note(|record| record.tls_error = Some(error.to_string()));
                (Wire::Clear(stream), Outcome::Ended)
            }
        }
    }

    fn completed(&self) {
        let vouched = self.side.is_vouched_for();
        self.entry.note(|record| {
            record.tls_completed = true;
            record.vouched = vouched;
        });
    }

    fn old(&self, result: Result<OldStream, (OldTlsError, Prefixed)>) -> (Wire, Outcome) {
        match result {
            Ok(stream) => {
                self.completed();
                (Wire::Old(Box::new(stream)), Outcome::Completed)
            }
            Err((error, stream)) => {
                self.entry.note(|record| record.tls_error = Some(error.to_string()));
                (Wire::Clear(stream), Outcome::Ended)
            }
        }
    }

    /// Answers a ClientHello by hand.
    async fn by_hand(
        &self,
        mut stream: Prefixed,
        steps: &[TlsStep],
        hello: &ClientHello,
    ) -> (Wire, Outcome) {
        let mut sink = [0u8; 4096];
        for step in steps {
            match step {
                TlsStep::PauseMs(pause) => {
                    tokio::time::sleep(Duration::from_millis(*pause)).await;
                }
                TlsStep::Read => {
                    if !matches!(stream.read(&mut sink).await, Ok(count) if count > 0) {
                        break;
                    }
                }
                TlsStep::Hang => {
                    while matches!(stream.read(&mut sink).await, Ok(count) if count > 0) {}
                    break;
                }
                TlsStep::Close => break,
                TlsStep::OldTls(settings) => {
                    return self.old(old::accept(stream, settings, hello, &self.side.issued).await);
                }
                TlsStep::Reset => {
                    let mut wire = Wire::Clear(stream);
                    wire.reset();
                    return (wire, Outcome::Ended);
                }
                TlsStep::Alert(_)
                | TlsStep::Warning(_)
                | TlsStep::ServerHello(_)
                | TlsStep::HelloRetryRequest(_)
                | TlsStep::Certificate
                | TlsStep::EmptyCertificate
                | TlsStep::DhKeyExchange(_)
                | TlsStep::ServerHelloDone
                | TlsStep::SendHex(_) => {
                    let octets = raw::octets(step, hello, &self.side.issued);
                    if stream.write_all(&octets).await.is_err() {
                        break;
                    }
                }
            }
        }
        (Wire::Clear(stream), Outcome::Ended)
    }
}
