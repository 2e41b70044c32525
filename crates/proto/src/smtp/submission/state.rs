//! Where a submission stands (RFC 5321 §3.3): what is awaited, what is about to be written, and the step a
//! person sees for it. The transitions are in [`super`]; keep every reply that is awaited in one of these.

use super::plan::Step;
use super::transfer::{Outgoing, Part};
use crate::smtp::command::Command;
use crate::smtp::prelude::Asked;
use crate::smtp::sasl::exchange::AuthLine;
use crate::tls::mode::Mode;

#[derive(Debug)]
pub(super) enum State {
    Await,
    Send(Line),
    Handshake,
    Closing,
    Done,
}

/// What is about to be written.
#[derive(Debug)]
pub(super) enum Line {
    Command(Command),
    SignIn(AuthLine),
    Transfer(Outgoing),
}

/// What a reply answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    Prelude(Asked),
    SignIn,
    Transfer(Part),
}

impl Awaited {
    /// The step a reply belongs to. With TLS from the first octet there is one EHLO only.
    pub(super) const fn step(self, mode: Mode) -> Step {
        match self {
            Self::Prelude(asked) => match (asked, mode) {
                (Asked::Greeting, _) => Step::Greeting,
                (Asked::Ehlo | Asked::Helo, _) | (Asked::EhloAfterTls, Mode::Tls) => Step::Ehlo,
                (Asked::StartTls, _) => Step::StartTls,
                (Asked::EhloAfterTls, Mode::None | Mode::Starttls) => Step::EhloAfterTls,
                (Asked::Quit, _) => Step::Quit,
            },
            Self::SignIn => Step::SignIn,
            Self::Transfer(part) => part.step(),
        }
    }
}
