//! A stream that remembers the first raw octets of each direction, below TLS. What was spoken on a port,
//! and whether plain octets came where TLS was due (RFC 3207 §6), is read from here and not from the TLS
//! library's error. It changes no octet. The way in is [`Tapped::new`]; the record outlives the stream.

use crate::limits::TAP_OCTETS_MAX;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use waxseal_proto::tls::tap::{FirstOctets, first_octets};

/// What passed through a [`Tapped`] stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TapRecord {
    /// The first octets received, at most [`TAP_OCTETS_MAX`].
    pub(crate) received_first: Vec<u8>,
    /// The first octets sent, at most [`TAP_OCTETS_MAX`].
    pub(crate) sent_first: Vec<u8>,
    /// All octets received.
    pub(crate) received: usize,
    /// The peer closed.
    pub(crate) closed: bool,
}

/// The record of a stream, shared with whoever reads it afterwards.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tap(Arc<Mutex<TapRecord>>);

impl Tap {
    /// What passed until now.
    pub(crate) fn record(&self) -> TapRecord {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn received(&self, octets: &[u8]) {
        let mut record = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        record.received = record.received.saturating_add(octets.len());
        record.closed |= octets.is_empty();
        keep_first(&mut record.received_first, octets);
    }

    fn sent(&self, octets: &[u8]) {
        let mut record = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keep_first(&mut record.sent_first, octets);
    }
}

impl TapRecord {
    /// The first octets received, if they are no TLS record (RFC 9846 §5.1).
    pub(crate) fn not_tls(&self) -> Option<Vec<u8>> {
        match first_octets(&self.received_first) {
            FirstOctets::Binary | FirstOctets::SmtpReply { .. } | FirstOctets::Text => {
                Some(self.received_first.clone())
            }
            FirstOctets::Nothing
            | FirstOctets::RecordTooLong { .. }
            | FirstOctets::TlsAlert(_)
            | FirstOctets::TlsHandshake
            | FirstOctets::TlsIncomplete
            | FirstOctets::TlsOther(_) => None,
        }
    }
}

fn keep_first(kept: &mut Vec<u8>, octets: &[u8]) {
    let room = TAP_OCTETS_MAX.saturating_sub(kept.len());
    kept.extend(octets.iter().take(room));
}

/// A stream with a tap on it.
#[derive(Debug)]
pub(crate) struct Tapped<S> {
    inner: S,
    tap: Tap,
}

impl<S> Tapped<S> {
    /// Puts a fresh tap on a stream.
    pub(crate) fn new(inner: S) -> Self {
        Self { inner, tap: Tap::default() }
    }

    /// The record, to keep beside the stream.
    pub(crate) fn tap(&self) -> Tap {
        self.tap.clone()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tapped<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let ready = Pin::new(&mut self.inner).poll_read(context, buffer);
        if let Poll::Ready(Ok(())) = ready {
            self.tap.received(buffer.filled().get(before..).unwrap_or_default());
        }
        ready
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tapped<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let ready = Pin::new(&mut self.inner).poll_write(context, octets);
        if let Poll::Ready(Ok(count)) = ready {
            self.tap.sent(octets.get(..count).unwrap_or_default());
        }
        ready
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn the_first_octets_of_each_direction_are_kept_and_no_more() {
        let (near, mut far) = tokio::io::duplex(1024);
        let mut stream = Tapped::new(near);
        let tap = stream.tap();
        far.write_all(&[b'x'; 100]).await.unwrap();
        drop(far.shutdown().await);
        stream.write_all(b"EHLO").await.unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        let record = tap.record();
        assert_eq!(record.received_first, vec![b'x'; TAP_OCTETS_MAX]);
        assert_eq!(record.received, 100);
        assert_eq!(record.sent_first, b"EHLO");
        assert!(record.closed);
    }

    #[test]
    fn tls_is_told_from_anything_else_by_the_record_header() {
        for (octets, tls) in [
            (&b""[..], true),
            (b"\x16", true),
            (b"\x16\x03\x03\x00\x7a", true),
            (b"\x15\x03\x01\x00\x02\x02\x28", true),
            (b"220 mail", false),
            (b"\x16\x16", false),
            (b"\x80\x2e\x01", false),
        ] {
            let record = TapRecord { received_first: octets.to_vec(), ..TapRecord::default() };
            assert_eq!(record.not_tls().is_none(), tls, "{octets:?}");
        }
    }
}
