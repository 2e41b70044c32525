//! The floor: the least a checker of STARTTLS can do (RFC 3207 §4) with the same libraries as the product:
//! connect, greeting, EHLO, STARTTLS, one full handshake with chain and name verified, QUIT. It forms no
//! judgement, keeps nothing and writes no report, so a product can come close to it but not reach it.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, bail};
use rustls::client::Resumption;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::arguments::Arguments;
use crate::targets::{self, Target};

/// How much of the dialogue is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialogue {
    /// QUIT right after the handshake, and no wait for its answer.
    Least,
    /// EHLO inside TLS, QUIT, their answers, and the end of TLS: what the product does.
    Whole,
}

/// Probes every target and fails unless all were verified.
///
/// # Errors
/// When a session did not get to its end.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let folder = arguments.folder()?;
    let at_once = arguments.number("at-once", 50)?;
    let dialogue = match arguments.required("dialogue")? {
        "least" => Dialogue::Least,
        "whole" => Dialogue::Whole,
        other => bail!("no dialogue is called '{other}'"),
    };
    let targets = Arc::new(targets::read(&folder)?);
    let connector = connector(&folder)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let next = Arc::new(AtomicUsize::new(0));
    runtime.block_on(async {
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..at_once {
            let (targets, next) = (Arc::clone(&targets), Arc::clone(&next));
            let connector = connector.clone();
            workers.spawn(async move {
                while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
                    session(target, &connector, dialogue).await?;
                }
                io::Result::Ok(())
            });
        }
        while let Some(ended) = workers.join_next().await {
            ended??;
        }
        Ok(())
    })
}

fn connector(folder: &Path) -> Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(folder.join("ca.pem"))? {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}

async fn session(target: &Target, connector: &TlsConnector, dialogue: Dialogue) -> io::Result<()> {
    let mut stream = TcpStream::connect(target.socket).await?;
    stream.set_nodelay(true)?;
    let mut buffer = [0; 1024];
    reply(&mut stream, &mut buffer).await?;
    stream.write_all(b"EHLO [127.0.0.1]\r\n").await?;
    reply(&mut stream, &mut buffer).await?;
    stream.write_all(b"STARTTLS\r\n").await?;
    reply(&mut stream, &mut buffer).await?;
    let name = ServerName::try_from(target.host.clone()).map_err(io::Error::other)?;
    let mut stream = connector.connect(name, stream).await?;
    if dialogue == Dialogue::Whole {
        stream.write_all(b"EHLO [127.0.0.1]\r\n").await?;
        stream.flush().await?;
        reply(&mut stream, &mut buffer).await?;
    }
    stream.write_all(b"QUIT\r\n").await?;
    stream.flush().await?;
    if dialogue == Dialogue::Whole {
        reply(&mut stream, &mut buffer).await?;
        stream.shutdown().await?;
    }
    Ok(())
}

/// Reads up to the last line of a reply, which must be a positive one.
async fn reply(stream: &mut (impl AsyncRead + Unpin), buffer: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    loop {
        let free = buffer.get_mut(filled..).filter(|free| !free.is_empty());
        let Some(free) = free else { return Err(io::Error::other("a reply too long")) };
        let count = stream.read(free).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        filled += count;
        let text = buffer.get(..filled).unwrap_or_default();
        let last = text.split_inclusive(|octet| *octet == b'\n').next_back().unwrap_or_default();
        if last.ends_with(b"\r\n") && last.get(3) == Some(&b' ') {
            return match text.first() {
                Some(b'2') => Ok(()),
                _ => Err(io::Error::other("a negative reply")),
            };
        }
    }
}
