//! The transport over standard input and output: one JSON-RPC message on a line. What is no message gets an
//! error instead of silence, and a line that is too long is never held in memory.
//!
//! The way in is [`Lines`]. Keep: [`Lines::receive`] may be dropped at every wait without losing anything, since
//! the service drops it whenever something else happens first; and only one task writes, so that no two
//! messages mix.

use crate::limits::{MCP_FAREWELL, MCP_LINE_OCTETS_MAX, MCP_LINES_WAITING_MAX};
use rmcp::RoleServer;
use rmcp::model::{ErrorCode, ErrorData, JsonRpcError, RequestId};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use serde_json::Value;
use std::io;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A line to be written, and who waits for it.
type Outgoing = (Vec<u8>, Option<oneshot::Sender<io::Result<()>>>);

/// A reader of lines with a writer of its own.
pub(super) struct Lines<R> {
    read: BufReader<R>,
    line: Vec<u8>,
    /// The rest of a line that was too long is being passed over.
    passing_over: bool,
    /// An error that is to be written before anything else is read.
    owed: Option<Vec<u8>>,
    out: Option<mpsc::Sender<Outgoing>>,
    writer: JoinHandle<()>,
}

/// What one step of reading came to.
enum Step {
    Ended,
    Line,
    More,
    TooLong,
}

impl<R: AsyncRead + Unpin + Send> Lines<R> {
    /// A transport over these two ends. The writer ends with the transport.
    pub(super) fn new<W>(read: R, write: W) -> Self
    where
        W: AsyncWrite + Unpin + Send + 'static,
    {
        let (out, waiting) = mpsc::channel(MCP_LINES_WAITING_MAX);
        Self {
            read: BufReader::new(read),
            line: Vec::new(),
            passing_over: false,
            owed: None,
            out: Some(out),
            writer: tokio::spawn(write_all(write, waiting)),
        }
    }

    /// Takes what is there, at most to the end of a line. Nothing waits between looking and taking.
    async fn step(&mut self) -> io::Result<Step> {
        let there = self.read.fill_buf().await?;
        if there.is_empty() {
            return Ok(Step::Ended);
        }
        let end = there.iter().position(|octet| *octet == b'\n');
        let taken = end.map_or(there.len(), |at| at + 1);
        let fits = self.line.len() + taken <= MCP_LINE_OCTETS_MAX;
        if !self.passing_over && fits {
            self.line.extend(there.iter().take(taken));
        }
        self.read.consume(taken);
        let was_passing_over = self.passing_over;
        self.passing_over = end.is_none() && (was_passing_over || !fits);
        if was_passing_over {
            return Ok(Step::More);
        }
        if !fits {
            self.line.clear();
            return Ok(Step::TooLong);
        }
        Ok(if end.is_some() { Step::Line } else { Step::More })
    }

    /// The message of a whole line; none for an empty one and for a notification that nobody knows.
    fn read_line(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        let line = std::mem::take(&mut self.line);
        let text = line.trim_ascii();
        if text.is_empty() {
            return None;
        }
        let message = serde_json::from_slice(text).ok();
        if message.is_none() {
            self.owed = complaint(text);
        }
        message
    }
}

impl<R: AsyncRead + Unpin + Send + 'static> Transport<RoleServer> for Lines<R> {
    type Error = io::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), io::Error>> + Send + 'static {
        let out = self.out.clone();
        async move {
            let line = serde_json::to_vec(&item)?;
            let (written, is_written) = oneshot::channel();
            let out = out.ok_or_else(closed)?;
            out.send((line, Some(written))).await.map_err(|_| closed())?;
            is_written.await.map_err(|_| closed())?
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            if self.owed.is_some() {
                let place = self.out.as_ref()?.reserve().await.ok()?;
                if let Some(error) = self.owed.take() {
                    place.send((error, None));
                }
            }
            match self.step().await {
                Ok(Step::Line) => {
                    if let Some(message) = self.read_line() {
                        return Some(message);
                    }
                }
                Ok(Step::More) => {}
                Ok(Step::TooLong) => {
                    let text = format!("a line has at most {MCP_LINE_OCTETS_MAX} octets");
                    self.owed = error(None, ErrorData::new(ErrorCode::INVALID_REQUEST, text, None));
                }
                // The rest of a line without an end is no message.
                Ok(Step::Ended) | Err(_) => return None,
            }
        }
    }

    async fn close(&mut self) -> Result<(), io::Error> {
        self.out = None;
        // What is under way is written, unless nobody reads any more.
        let _ = timeout(MCP_FAREWELL, &mut self.writer).await;
        Ok(())
    }
}

fn closed() -> io::Error {
    io::ErrorKind::NotConnected.into()
}

async fn write_all<W>(mut write: W, mut waiting: mpsc::Receiver<Outgoing>)
where
    W: AsyncWrite + Unpin + Send,
{
    while let Some((mut line, told)) = waiting.recv().await {
        line.push(b'\n');
        let mut written = write.write_all(&line).await;
        if written.is_ok() {
            written = write.flush().await;
        }
        if let Some(told) = told {
            let _ = told.send(written);
        }
    }
}

/// The error for a line that is no message (JSON-RPC 2.0 §5.1). A notification that nobody knows is passed over:
/// editors send theirs to every program that they start.
fn complaint(line: &[u8]) -> Option<Vec<u8>> {
    let Ok(value) = serde_json::from_slice::<Value>(line) else {
        return error(None, ErrorData::parse_error("this line is not JSON", None));
    };
    let id = value.get("id").cloned();
    let is_notification = id.is_none() && value.get("method").is_some_and(Value::is_string);
    if is_notification {
        return None;
    }
    let id = id.and_then(|id| serde_json::from_value::<RequestId>(id).ok());
    error(id, ErrorData::invalid_request("this is no message of the protocol", None))
}

fn error(id: Option<RequestId>, what: ErrorData) -> Option<Vec<u8>> {
    let mut value = serde_json::to_value(JsonRpcError::new(id, what)).ok()?;
    // Required by JSON-RPC 2.0 where the id cannot be read; the library leaves it out.
    if let Some(fields) = value.as_object_mut() {
        fields.entry("id").or_insert(Value::Null);
    }
    serde_json::to_vec(&value).ok()
}
