//! The transcript of a session: lines in both directions, never a secret, because what we send enters as a
//! typed command and what we receive is searched for known secrets.

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Sent by us.
    Client(String),
    /// Sent by the server, without line end, invalid octets replaced.
    Server(String),
    /// An event, for example `TLS 1.3 established`.
    Note(String),
}

/// The lines of one session, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transcript {
    /// The lines.
    pub lines: Vec<Line>,
}
