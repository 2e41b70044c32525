//! The submission server of `send` (RFC 6409): STARTTLS or TLS from the first octet, AUTH PLAIN inside TLS
//! only, PIPELINING, one account. It keeps a count of messages and nothing else.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::{HOST, Mode};
use crate::pki::Pki;

/// Octets a session may hold unread: the message of the benchmark is a few hundred.
const PENDING_OCTETS_MAX: usize = 64 * 1024;

/// How many messages were taken.
#[derive(Clone, Debug, Default)]
pub(super) struct Mailbox(Arc<AtomicU64>);

impl Mailbox {
    /// The count so far.
    pub(super) fn messages(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Starts a server on a loopback port.
///
/// # Errors
/// When the certificate or the socket cannot be made.
pub(super) async fn start(pki: &Pki, mode: Mode, mailbox: &Mailbox) -> Result<SocketAddr> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(pki.chain(HOST)?, pki.leaf_key())?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let mailbox = mailbox.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, mailbox) = (acceptor.clone(), mailbox.clone());
            tokio::spawn(async move {
                let _ = serve(stream, &acceptor, mode, &mailbox).await;
            });
        }
    });
    Ok(address)
}

async fn serve(
    mut stream: TcpStream,
    acceptor: &TlsAcceptor,
    mode: Mode,
    mailbox: &Mailbox,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    if mode == Mode::Starttls {
        stream.write_all(b"220 smtp.bench.test ESMTP\r\n").await?;
        let features = b"250-smtp.bench.test\r\n250-PIPELINING\r\n250 STARTTLS\r\n";
        if !session(&mut stream, features, None).await? {
            return Ok(());
        }
    }
    let mut stream = acceptor.accept(stream).await?;
    if mode == Mode::Tls {
        stream.write_all(b"220 smtp.bench.test ESMTP\r\n").await?;
        stream.flush().await?;
    }
    let features = b"250-smtp.bench.test\r\n250-PIPELINING\r\n250 AUTH PLAIN\r\n";
    session(&mut stream, features, Some(mailbox)).await?;
    stream.shutdown().await
}

/// Answers commands until STARTTLS (true) or the end of the session (false). All commands that came at
/// once are answered at once (RFC 2920 §3.2).
async fn session(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    features: &[u8],
    mailbox: Option<&Mailbox>,
) -> std::io::Result<bool> {
    let mut pending: Vec<u8> = Vec::new();
    let mut in_data = false;
    let mut buffer = vec![0; 4096];
    loop {
        let count = stream.read(&mut buffer).await?;
        pending.extend_from_slice(buffer.get(..count).unwrap_or_default());
        if count == 0 || pending.len() > PENDING_OCTETS_MAX {
            return Ok(false);
        }
        let mut replies = Vec::new();
        let mut end = None;
        while let Some(place) = pending.windows(2).position(|pair| pair == b"\r\n") {
            let line: Vec<u8> = pending.drain(..place + 2).collect();
            if in_data {
                if line == b".\r\n" {
                    in_data = false;
                    mailbox.map(|mailbox| mailbox.0.fetch_add(1, Ordering::SeqCst));
                    replies.extend_from_slice(b"250 2.0.0 kept\r\n");
                }
                continue;
            }
            let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
            match (verb.as_slice(), mailbox.is_some()) {
                (b"EHLO", _) => replies.extend_from_slice(features),
                (b"STAR", false) => {
                    replies.extend_from_slice(b"220 go ahead\r\n");
                    end = Some(true);
                }
                (b"AUTH", true) => replies.extend_from_slice(b"235 2.7.0 welcome\r\n"),
                (b"MAIL" | b"RCPT", true) => replies.extend_from_slice(b"250 ok\r\n"),
                (b"DATA", true) => {
                    replies.extend_from_slice(b"354 go ahead\r\n");
                    in_data = true;
                }
                (b"QUIT", _) => {
                    replies.extend_from_slice(b"221 bye\r\n");
                    end = Some(false);
                }
                _ => replies.extend_from_slice(b"502 not here\r\n"),
            }
        }
        stream.write_all(&replies).await?;
        stream.flush().await?;
        if let Some(end) = end {
            return Ok(end);
        }
    }
}
