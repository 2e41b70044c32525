//! Every limit of this crate. Times are adjustable as a whole, so that a test world runs with short ones;
//! sizes are constants. A change must keep every read from outside under one of these.

use std::time::Duration;
use waxseal_proto::smtp::seen::Stage;
use waxseal_proto::smtp::submission::Step;

/// Raw octets kept in each direction of a connection, to tell what was spoken. One TLS record header and
/// the start of a banner fit; more would be content.
pub const TAP_OCTETS_MAX: usize = 64;

/// Octets taken from a socket in one read.
pub const READ_OCTETS_MAX: usize = 4096;

/// Octets of an HTTP body: RFC 8461 §3.3 suggests 64 kilobytes for a policy; certificates are smaller.
pub const BODY_OCTETS_MAX: usize = 64 * 1024;

/// Octets of HTTP response headers; hyper's own floor is 8 KiB, and real policy hosts send under 4.
pub const HEADER_OCTETS_MAX: usize = 16 * 1024;

/// Addresses of one family that are tried, of a delivery service or a submission host: the largest publish
/// eight. Counted for each family, so that a machine without IPv6 gets to the others.
pub const ADDRESSES_MAX: usize = 8;

/// Octets of a request's body handed over at once: one TLS record.
pub const BODY_PIECE_OCTETS: usize = 16 * 1024;

/// Characters kept of a Location that is not followed: enough to recognise a host and a page.
pub const LOCATION_CHARS_MAX: usize = 300;

/// EDNS payload announced over UDP: fits every common path without fragments.
pub const UDP_PAYLOAD_OCTETS: u16 = 1232;

/// Octets of a DNS message over TCP (RFC 1035 §4.2.2: the length field has 16 bits).
pub const TCP_MESSAGE_OCTETS_MAX: usize = 65_535;

/// CNAME steps that are followed in one answer. RFC 1034 names no number; resolvers stop at 8 to 16.
pub const ALIAS_STEPS_MAX: usize = 10;

/// Datagrams that answer something else are passed over this often before a query counts as unanswered.
pub const STRAY_DATAGRAMS_MAX: usize = 16;

/// Octets of a zone file; the largest test zones have some 100 kB.
pub const ZONE_FILE_OCTETS_MAX: usize = 4 * 1024 * 1024;

/// The times and numbers of a [`World`](crate::World).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// TCP connect. RFC 5321 names no minimum for it; a patient user still waits 10 s.
    pub connect: Duration,
    /// Greeting. RFC 5321 §4.5.3.2.1 says 5 min for real mail; a check says "slower than 30 s".
    pub greeting: Duration,
    /// Each later reply (RFC 5321 §4.5.3.2: 5 min for real mail).
    pub reply: Duration,
    /// QUIT, its reply and the end of TLS: no fact about mail hangs on them.
    pub farewell: Duration,
    /// The reply to the final dot (RFC 5321 §4.5.3.2.6: 10 min). Shorter, and a message that was taken
    /// counts as uncertain.
    pub message_end: Duration,
    /// TLS handshake, from the ClientHello on.
    pub handshake: Duration,
    /// One SMTP session from connect to close.
    pub session_total: Duration,
    /// One DNS query on the wire.
    pub dns_query: Duration,
    /// How often one DNS query is sent over UDP.
    pub dns_attempts: usize,
    /// One DNS question with its retries, fallbacks and validation.
    pub dns_total: Duration,
    /// One fetch over HTTP or HTTPS, all addresses together: RFC 8461 §3.3 suggests one minute.
    pub fetch_total: Duration,
    /// Writing one request to a delivery service: 25 MB at one megabit per second take 200 s.
    pub service_request: Duration,
    /// The answer of a delivery service, header and body each. Giving up earlier than the service leaves
    /// open what it did; the slowest documented ones take some 30 s.
    pub service_answer: Duration,
    /// Pause between two connections to the same address: a polite host limit sees one client.
    pub spacing: Duration,
    /// Connections open at once, all targets together.
    pub connections_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            greeting: Duration::from_secs(30),
            reply: Duration::from_secs(30),
            farewell: Duration::from_secs(10),
            message_end: Duration::from_mins(10),
            handshake: Duration::from_secs(15),
            session_total: Duration::from_mins(2),
            dns_query: Duration::from_secs(5),
            dns_attempts: 2,
            dns_total: Duration::from_secs(20),
            fetch_total: Duration::from_mins(1),
            service_request: Duration::from_mins(5),
            service_answer: Duration::from_mins(1),
            spacing: Duration::from_millis(200),
            connections_max: 64,
        }
    }
}

impl Limits {
    /// The same limits with every single wait cut to `longest` (`--timeout`); totals stay.
    #[must_use]
    pub fn capped(mut self, longest: Duration) -> Self {
        for wait in [
            &mut self.connect,
            &mut self.greeting,
            &mut self.reply,
            &mut self.farewell,
            &mut self.message_end,
            &mut self.handshake,
            &mut self.dns_query,
            &mut self.fetch_total,
            &mut self.service_request,
            &mut self.service_answer,
        ] {
            *wait = longest.min(*wait);
        }
        self
    }

    /// The limit of one step of a submission.
    pub const fn of_step(&self, step: Step) -> Duration {
        match step {
            Step::Connect => self.connect,
            Step::Greeting => self.greeting,
            Step::Handshake => self.handshake,
            Step::Body => self.message_end,
            Step::Quit => self.farewell,
            Step::Ehlo
            | Step::StartTls
            | Step::EhloAfterTls
            | Step::SignIn
            | Step::Mail
            | Step::Rcpt
            | Step::Data => self.reply,
        }
    }

    /// The limit of one stage of a session.
    pub const fn of_stage(&self, stage: Stage) -> Duration {
        match stage {
            Stage::Connect => self.connect,
            Stage::Greeting => self.greeting,
            Stage::Ehlo | Stage::StartTls | Stage::EhloAfterTls => self.reply,
            Stage::Quit => self.farewell,
            Stage::Handshake => self.handshake,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cap_shortens_waits_and_lengthens_none() {
        let limits = Limits::default().capped(Duration::from_secs(12));
        assert_eq!(limits.of_stage(Stage::Ehlo), Duration::from_secs(12));
        assert_eq!(limits.connect, Duration::from_secs(10));
        assert_eq!(limits.of_stage(Stage::Greeting), Duration::from_secs(12));
        assert_eq!(limits.of_stage(Stage::Quit), Duration::from_secs(10));
        assert_eq!(limits.of_step(Step::Body), Duration::from_secs(12));
        assert_eq!(limits.session_total, Duration::from_mins(2));
    }
}
