//! One request and its answer on an open line (RFC 9112 §2.1, §6): hands the request over, notes when its last
//! octet was taken, and reads the answer up to the limits. The way in is [`exchange`]; a change must keep
//! every wait and every read under a limit, and no word of an error may hold what was sent.

use crate::https::chain_of;
use crate::limits::{BODY_PIECE_OCTETS, LOCATION_CHARS_MAX, Limits};
use crate::service_driver::Teller;
use crate::tls::SecureStream;
use bytes::Bytes;
use futures::future::{Either, select};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{Connection, SendRequest};
use hyper::header::{CONTENT_LENGTH, HOST, HeaderName, HeaderValue, LOCATION};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use tokio::sync::oneshot;
use tokio::time::timeout;
use waxseal_check::call::{Breakage, CallEnd, CallEvent, CallStep, StepResult};
use waxseal_services::http::{
    Completeness, HTTPS_PORT, HeaderContent, HttpRequest, HttpResponse, Method,
};
use waxseal_services::limits::RESPONSE_OCTETS_MAX;

/// An open connection and what moves its octets.
pub(crate) struct Opened {
    pub(crate) sender: SendRequest<Progress>,
    pub(crate) connection: Pin<Box<Connection<TokioIo<Box<SecureStream>>, Progress>>>,
}

/// What became of a request on a line.
pub(crate) enum Exchange {
    /// Nothing of it was written: the line had closed.
    NotBegun,
    /// It ended so.
    Ended(CallEnd),
}

/// A body that says when all of it was taken.
pub(crate) struct Progress {
    left: Bytes,
    taken: Option<oneshot::Sender<()>>,
}

impl Progress {
    fn tell_if_taken(&mut self) {
        if self.left.is_empty()
            && let Some(taken) = self.taken.take()
        {
            // Nobody listens any more once the exchange is over.
            let _ = taken.send(());
        }
    }
}

impl Drop for Progress {
    /// An empty body is never asked for a piece: it is taken when the header is.
    fn drop(&mut self) {
        self.tell_if_taken();
    }
}

impl Body for Progress {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let length = self.left.len().min(BODY_PIECE_OCTETS);
        let piece = self.left.split_to(length);
        self.tell_if_taken();
        Poll::Ready((!piece.is_empty()).then(|| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(u64::try_from(self.left.len()).unwrap_or(u64::MAX))
    }
}

/// A request as HTTP writes it, and who hears when all of it was taken.
pub(crate) struct Written {
    request: hyper::Request<Progress>,
    taken: oneshot::Receiver<()>,
}

/// A request as HTTP writes it; `None` when a header cannot be one.
pub(crate) fn written(request: &HttpRequest) -> Option<Written> {
    let host = request.host.as_str();
    let authority = if request.port == HTTPS_PORT {
        host.to_owned()
    } else {
        format!("{host}:{}", request.port)
    };
    let method = match request.method {
        Method::Get => hyper::Method::GET,
        Method::Post => hyper::Method::POST,
    };
    let mut built = hyper::Request::builder()
        .method(method)
        .uri(&request.path_and_query)
        .header(HOST, authority);
    for header in &request.headers {
        let name = HeaderName::from_bytes(header.name.as_bytes()).ok()?;
        let value = match &header.value {
            HeaderContent::Plain(value) => HeaderValue::from_str(value).ok()?,
            HeaderContent::Secret(value) => {
                let mut value = HeaderValue::from_str(value.expose()).ok()?;
                value.set_sensitive(true);
                value
            }
        };
        built = built.header(name, value);
    }
    if request.method == Method::Post {
        built = built.header(CONTENT_LENGTH, request.body.len());
    }
    let (teller, taken) = oneshot::channel();
    let left = Bytes::copy_from_slice(&request.body);
    let request = built.body(Progress { left, taken: Some(teller) }).ok()?;
    Some(Written { request, taken })
}

/// Hands a request over and reads the answer.
pub(crate) async fn exchange(
    limits: &Limits,
    opened: &mut Opened,
    written: Written,
    teller: &mut Teller<'_>,
) -> Exchange {
    let Opened { sender, connection } = opened;
    let mut conversation = pin!(converse(limits, sender, written, teller));
    match select(conversation.as_mut(), connection.as_mut()).await {
        Either::Left((exchange, _)) => exchange,
        // The connection is over; what had come before is still to be read.
        Either::Right(_) => conversation.await,
    }
}

async fn converse(
    limits: &Limits,
    sender: &mut SendRequest<Progress>,
    Written { request, taken }: Written,
    teller: &mut Teller<'_>,
) -> Exchange {
    let mut response = pin!(sender.try_send_request(request));
    teller.begin(CallStep::Request);
    let handing_over = pin!(async {
        if taken.await.is_err() {
            // Dropped before it was whole: only the response can say why.
            std::future::pending::<()>().await;
        }
    });
    let early = match timeout(limits.service_request, select(handing_over, response.as_mut())).await
    {
        Err(_) => return failed(teller, CallEnd::TimedOut(CallStep::Request)),
        Ok(Either::Left(_)) => None,
        Ok(Either::Right((early, _))) => Some(early),
    };
    let (step, answered) = if let Some(early) = early {
        (CallStep::Request, early)
    } else {
        teller.end(StepResult::Passed);
        teller.begin(CallStep::Answer);
        match timeout(limits.service_answer, response.as_mut()).await {
            Err(_) => return failed(teller, CallEnd::TimedOut(CallStep::Answer)),
            Ok(answered) => (CallStep::Answer, answered),
        }
    };
    match answered {
        Ok(response) => {
            if step == CallStep::Request {
                teller.end(StepResult::Passed);
                teller.begin(CallStep::Answer);
            }
            Exchange::Ended(answer(limits, response, teller).await)
        }
        Err(mut refused) => match refused.take_message() {
            Some(_) => {
                teller.end(StepResult::Failed);
                Exchange::NotBegun
            }
            None => failed(teller, CallEnd::Broken(step, breakage(refused.error()))),
        },
    }
}

fn failed(teller: &mut Teller<'_>, end: CallEnd) -> Exchange {
    teller.end(StepResult::Failed);
    Exchange::Ended(end)
}

/// Reads an answer whose header has come.
async fn answer(
    limits: &Limits,
    response: hyper::Response<Incoming>,
    teller: &mut Teller<'_>,
) -> CallEnd {
    let status = response.status().as_u16();
    teller.tell(CallEvent::Status(status));
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    if response.status().is_redirection() {
        let location = response.headers().get(LOCATION).map(text);
        let location = location.map(|text| text.chars().take(LOCATION_CHARS_MAX).collect());
        teller.end(StepResult::Failed);
        return CallEnd::Redirected { status, location };
    }
    let headers: Vec<(String, String)> = response
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect();
    let mut body = Vec::new();
    let reading = read(response.into_body(), &mut body);
    // A body that stops coming is cut where it stopped: the status has been said.
    let completeness = timeout(limits.service_answer, reading).await.unwrap_or(Completeness::Cut);
    teller.end(StepResult::Passed);
    CallEnd::Answered(HttpResponse::new(status, headers, body, completeness))
}

async fn read(mut incoming: Incoming, body: &mut Vec<u8>) -> Completeness {
    while let Some(frame) = incoming.frame().await {
        let Ok(frame) = frame else { return Completeness::Cut };
        let Ok(piece) = frame.into_data() else { continue };
        let room = RESPONSE_OCTETS_MAX.saturating_sub(body.len());
        body.extend_from_slice(piece.get(..room).unwrap_or(&piece));
        if piece.len() > room {
            return Completeness::Cut;
        }
    }
    Completeness::Whole
}

fn breakage(error: &hyper::Error) -> Breakage {
    if error.is_parse() {
        // The library's own question about the size is there for servers only.
        match chain_of(error) {
            word if word.contains("too large") => Breakage::HeaderTooLarge,
            word => Breakage::Malformed(word),
        }
    } else {
        Breakage::Closed
    }
}
