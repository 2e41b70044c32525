//! The clock of commands that look at no world: judging a certificate "now" and starting a lab. Everything
//! that looks at a world takes that world's time instead.

use jiff::Timestamp;

/// The present moment.
#[expect(
    clippy::disallowed_methods,
    reason = "offline tools and the lab begin at the present moment"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
