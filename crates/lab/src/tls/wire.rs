//! The octet stream of one connection, in clear or inside TLS, with the ways of ending it that faults need:
//! in order, without close_notify, by reset. It knows no SMTP. The way in: [`Wire`].

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::old::OldStream;

/// How long a closing server still reads what the client sends, so that its FIN is not turned into a reset.
const LINGER: Duration = Duration::from_secs(2);

/// Octets kept of what a client sends to a server that has closed.
const LATE_LIMIT_BYTES: usize = 64 * 1024;

/// A TCP stream with octets that were read ahead.
#[derive(Debug)]
pub(crate) struct Prefixed {
    prefix: Vec<u8>,
    /// The stream itself.
    pub(crate) tcp: TcpStream,
}

impl Prefixed {
    /// A stream that first yields `prefix`.
    pub(crate) fn new(prefix: Vec<u8>, tcp: TcpStream) -> Self {
        Self { prefix, tcp }
    }

    /// Gives octets back, to be read again first.
    pub(crate) fn unread(&mut self, octets: Vec<u8>) {
        let rest = std::mem::replace(&mut self.prefix, octets);
        self.prefix.extend(rest);
    }
}

impl AsyncRead for Prefixed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.prefix.is_empty() {
            return Pin::new(&mut self.tcp).poll_read(context, buffer);
        }
        let count = self.prefix.len().min(buffer.remaining());
        buffer.put_slice(&self.prefix[..count]);
        self.prefix.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Prefixed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) enum Wire {
    /// In clear.
    Clear(Prefixed),
    /// Inside TLS.
    Tls(Box<TlsStream<Prefixed>>),
    /// Inside TLS made by hand.
    Old(Box<OldStream>),
    /// Ended.
    Gone,
}

impl Wire {
    /// Reads some octets; 0 at the end of the stream.
    pub(crate) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Clear(stream) => stream.read(buffer).await,
            Self::Tls(stream) => stream.read(buffer).await,
            Self::Old(stream) => stream.read(buffer).await,
            Self::Gone => Ok(0),
        }
    }

    /// Writes octets in one segment as far as TCP allows.
    pub(crate) async fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        match self {
            Self::Clear(stream) => stream.write_all(octets).await,
            Self::Tls(stream) => {
                stream.write_all(octets).await?;
                stream.flush().await
            }
            Self::Old(stream) => stream.write(octets).await,
            Self::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Ends the connection in order; inside TLS with close_notify unless `farewell` says otherwise. Gives what
    /// the client still sent in clear.
    pub(crate) async fn close(&mut self, farewell: Farewell) -> Vec<u8> {
        let in_clear = matches!(self, Self::Clear(_));
        let mut tcp = match std::mem::replace(self, Self::Gone) {
            Self::Clear(stream) => stream.tcp,
            Self::Tls(mut stream) => {
                if farewell == Farewell::CloseNotify {
                    stream.get_mut().1.send_close_notify();
                    // A client that is gone already needs no farewell.
                    let _ = stream.flush().await;
                }
                stream.into_inner().0.tcp
            }
            Self::Old(mut stream) => {
                if farewell == Farewell::CloseNotify {
                    // As above.
                    let _ = stream.close_notify().await;
                }
                stream.below.tcp
            }
            Self::Gone => return Vec::new(),
        };
        // Closing what is closed is no fault of the script.
        let _ = tcp.shutdown().await;
        let mut sink = [0u8; 4096];
        let mut late = Vec::new();
        let drained = async {
            while let Ok(count) = tcp.read(&mut sink).await
                && count > 0
            {
                if in_clear && late.len() < LATE_LIMIT_BYTES {
                    late.extend_from_slice(&sink[..count]);
                }
            }
        };
        let _ = tokio::time::timeout(LINGER, drained).await;
        late
    }

    /// Ends the connection with a reset.
    pub(crate) fn reset(&mut self) {
        let tcp = match std::mem::replace(self, Self::Gone) {
            Self::Clear(stream) => stream.tcp,
            Self::Tls(stream) => stream.into_inner().0.tcp,
            Self::Old(stream) => stream.below.tcp,
            Self::Gone => return,
        };
        // Without the option the drop sends FIN; a client still sees the end.
        let _ = tcp.set_zero_linger();
    }
}

/// How a TLS session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Farewell {
    /// With close_notify.
    CloseNotify,
    /// Without.
    Truncated,
}
