//! TLS as a mail client sees it (RFC 9846, RFC 5246, RFC 9325): what is asked for, what was seen, how a
//! handshake ended. No handshake is made here: `net` makes it with rustls, or carries the bytes of
//! [`hello`], the hand-made ClientHello that looks at what rustls will not speak. The way in is
//! [`seen::HandshakeSeen`]; [`tap`] tells what the first octets of a peer are, [`suites`] grades.

pub mod danger;
pub mod hello;
pub mod mode;
pub mod requirement;
pub mod seen;
pub mod suites;
pub mod tap;
