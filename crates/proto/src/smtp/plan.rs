//! What a probe session is asked to do and what it asks of its driver (RFC 3207 §4). Values only: the
//! session itself is [`super::session`]. Keep: an action carries octets only as an encoded command.

use super::command::EhloName;
use super::seen::Stage;

/// How far a session goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// To the QUIT after the second EHLO.
    Quit,
    /// To the moment TLS may start: the caller takes the connection over at [`Action::StartTls`] for a
    /// hand-made hello, and this session sends nothing more.
    StartTls,
}

/// What a session is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbePlan {
    /// The name given in EHLO.
    pub ehlo_name: EhloName,
    /// How far it goes.
    pub until: Until,
}

/// What the driver does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read some octets and report them, with the time limit of this stage.
    Read {
        /// The stage that waits.
        stage: Stage,
    },
    /// Write these octets, all of them.
    Write(Vec<u8>),
    /// Start TLS now on the bare stream. The session holds no unread octet, and the driver must not either;
    /// it reports with [`super::session::ProbeSession::handle_handshake`] or [`super::session::ProbeSession::handle_injected`].
    StartTls,
    /// Close the connection; nothing more is sent.
    Close,
    /// The session is over.
    Done,
}

/// Whether the certificate of the finished handshake proved the identity asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// It did.
    Yes,
    /// It did not: only QUIT follows.
    No,
}
