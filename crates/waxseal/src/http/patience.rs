//! How long a slow visitor is waited for: the whole body of a request has a limit ([`InTime`]), and so has every
//! pause in which nothing of an answer is taken ([`Patient`]). An event stream that is silent by itself is no such
//! pause: nothing waits to be taken then.

use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A wait that begins when it is first looked at.
struct Wait {
    longest: Duration,
    running: Option<Pin<Box<Sleep>>>,
}

impl Wait {
    const fn of(longest: Duration) -> Self {
        Self { longest, running: None }
    }

    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        let running = self.running.get_or_insert_with(|| Box::pin(sleep(self.longest)));
        running.as_mut().poll(context).is_ready()
    }

    fn end(&mut self) {
        self.running = None;
    }
}

fn too_slow() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the visitor is too slow")
}

/// A body that must be there within a time, all pieces together.
pub(super) struct InTime<B> {
    body: B,
    wait: Wait,
}

impl<B> InTime<B> {
    pub(super) const fn new(body: B, longest: Duration) -> Self {
        Self { body, wait: Wait::of(longest) }
    }
}

impl<B> HttpBody for InTime<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<axum::BoxError>,
{
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        if this.wait.is_over(context) {
            return Poll::Ready(Some(Err(too_slow().into())));
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection on which no write waits longer than this.
pub(super) struct Patient<S> {
    stream: S,
    wait: Wait,
}

impl<S> Patient<S> {
    pub(super) const fn new(stream: S, longest: Duration) -> Self {
        Self { stream, wait: Wait::of(longest) }
    }

    /// What a write came to; it fails once it has waited too long.
    fn judge<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.wait.end();
            return written;
        }
        if self.wait.is_over(context) {
            return Poll::Ready(Err(too_slow()));
        }
        Poll::Pending
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, octets);
        this.judge(context, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, slices);
        this.judge(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.stream).poll_flush(context);
        this.judge(context, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let ended = Pin::new(&mut this.stream).poll_shutdown(context);
        this.judge(context, ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    /// Short, because these visitors never come back.
    const LONGEST: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn a_body_that_stays_away_ends_in_an_error() {
        let pieces = |count: usize| {
            let there =
                futures::stream::iter(vec![Ok::<_, std::convert::Infallible>("piece"); count]);
            Body::from_stream(futures::StreamExt::chain(there, futures::stream::pending()))
        };
        let slow = Body::new(InTime::new(pieces(2), LONGEST));
        let error = axum::body::to_bytes(slow, 100).await.unwrap_err();
        assert!(format!("{error:?}").contains("too slow"), "{error:?}");
        let there = Body::new(InTime::new(Body::from("all of it"), Duration::ZERO));
        assert_eq!(axum::body::to_bytes(there, 100).await.unwrap(), "all of it");
    }

    #[tokio::test]
    async fn a_visitor_who_takes_nothing_is_left() {
        let (ours, mut theirs) = tokio::io::duplex(64);
        let mut ours = Patient::new(ours, LONGEST);
        ours.write_all(&[0; 64]).await.unwrap();
        let error = ours.write_all(&[0; 1]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        // What is taken at last begins a new wait.
        theirs.read_exact(&mut [0; 64]).await.unwrap();
        ours.write_all(&[0; 64]).await.unwrap();
        assert_eq!(ours.write_all(&[0; 1]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
