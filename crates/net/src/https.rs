//! One GET over a stream that is already there (RFC 9110, RFC 9112): no redirect is followed, no cookie
//! kept, the body is read up to a limit. It judges no status. The way in is [`get`]; a change must keep
//! every response under the limits.

use crate::limits::{BODY_OCTETS_MAX, HEADER_OCTETS_MAX};
use bytes::Bytes;
use futures::future::{Either, select};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderMap, HeaderName, LOCATION, USER_AGENT};
use hyper_util::rt::TokioIo;
use std::pin::pin;
use tokio::io::{AsyncRead, AsyncWrite};
use waxseal_check::question::{FetchEnd, HttpResponse};

/// What a response cannot be asked for with: how requests name their sender.
const AGENT: &str = concat!("waxseal/", env!("CARGO_PKG_VERSION"));

/// Where a GET goes: the Host field and the path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) authority: &'a str,
    pub(crate) path: &'a str,
}

/// Carries one GET out. The caller sets the time limit.
pub(crate) async fn get<S>(stream: S, request: Request<'_>) -> FetchEnd
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    exchange(stream, request).await.unwrap_or_else(|end| end)
}

async fn exchange<S>(stream: S, request: Request<'_>) -> Result<FetchEnd, FetchEnd>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let broken = |error: &dyn std::error::Error| FetchEnd::HttpMalformed(chain_of(error));
    let built = hyper::Request::get(request.path)
        .header(HOST, request.authority)
        .header(USER_AGENT, AGENT)
        .header(ACCEPT, "*/*")
        .body(Empty::<Bytes>::new())
        .map_err(|error| broken(&error))?;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEADER_OCTETS_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| broken(&error))?;
    let conversation = pin!(async {
        let response = sender.send_request(built).await.map_err(|error| broken(&error))?;
        let status = response.status().as_u16();
        let location = field(response.headers(), &LOCATION);
        let content_type = field(response.headers(), &CONTENT_TYPE);
        let limited = Limited::new(response.into_body(), BODY_OCTETS_MAX);
        let body = match limited.collect().await {
            Ok(body) => body.to_bytes().to_vec(),
            Err(error) if error.is::<LengthLimitError>() => return Err(FetchEnd::TooLarge),
            Err(error) => return Err(broken(error.as_ref())),
        };
        Ok(FetchEnd::Response(HttpResponse { status, location, content_type, body }))
    });
    match select(conversation, pin!(connection)).await {
        Either::Left((end, _)) => end,
        Either::Right((_, conversation)) => conversation.await,
    }
}

fn field(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// The library's word with its causes: its own text alone says "error reading a body".
pub(crate) fn chain_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let word = cause.to_string();
        if !text.contains(&word) {
            text.push_str(": ");
            text.push_str(&word);
        }
        source = cause.source();
    }
    text
}
