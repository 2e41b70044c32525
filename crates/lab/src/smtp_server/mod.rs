//! Scripted mail servers on loopback (RFC 5321, RFC 3207). What they do is data ([`SmtpBehaviour`]); every
//! connection is recorded octet by octet. They relay nothing and deliver nothing; what a submission server
//! accepts is kept in the lab's mailbox.
//! The way in: [`MailServer::serve`]. A server never decides anything that its behaviour does not say.

mod behaviour;
mod scram;
mod service;
mod session;
mod sign_in;
mod submission;
mod transaction;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub use behaviour::{Action, ConnectionLimit, SmtpBehaviour, Step};
pub use service::{Account, ScramFault, SubmissionService, TEST_PASSWORD, TEST_TOKEN, TEST_USER};

use crate::recorder::Recorder;
use crate::tls::TlsSide;

/// One mail server: a name, a published address and port, and what it does.
#[derive(Debug)]
pub(crate) struct MailServer {
    /// The server's name.
    pub(crate) host: String,
    /// The address the lab publishes.
    pub(crate) published: IpAddr,
    /// The logical port.
    pub(crate) port: u16,
    /// What it does.
    pub(crate) behaviour: SmtpBehaviour,
    /// Its TLS side.
    pub(crate) tls: TlsSide,
    /// Where connections are recorded.
    pub(crate) recorder: Recorder,
    /// Connections accepted so far.
    pub(crate) connections: Arc<AtomicUsize>,
}

impl MailServer {
    /// Accepts connections until the task is aborted.
    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener) {
        let mut sessions = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    let Ok((tcp, _)) = accepted else { continue };
                    let number = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
                    sessions.spawn(session::run(Arc::clone(&self), tcp, number));
                }
                Some(_) = sessions.join_next() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
