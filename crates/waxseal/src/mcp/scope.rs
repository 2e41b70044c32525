//! What an agent may do. Looking needs no permission on a person's own machine; what adds something or acts on
//! the world outside is off unless a person switches it on.

use clap::ValueEnum;

/// A permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Scope {
    /// Add and change connections, without their secrets
    AddConnection,
    /// Send real test messages over stored connections
    TestSend,
}

impl Scope {
    /// Its word.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::AddConnection => "add-connection",
            Self::TestSend => "test-send",
        }
    }
}
