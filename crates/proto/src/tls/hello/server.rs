//! Reads what comes back for a hand-made hello (RFC 9846 §5.1, RFC 5246 §6.2.1 and §7.4): records and
//! handshake messages are put together again under hard limits, nothing is decrypted and nothing believed.
//! The way in is [`ServerFlight`]. Invariant: the answer does not depend on how the octets were cut.
//!
//! ```text
//! handle_server_bytes* -> poll_answer   (answer as soon as the clear part is over)
//! handle_closed | handle_reset | handle_timed_out -> poll_answer   (what was seen until then)
//! ```

use super::{HelloAnswer, NamedGroup, ServerHelloSeen};
use crate::limits::{
    HANDSHAKE_MESSAGE_OCTETS_MAX, HELLO_ANSWER_OCTETS_MAX, NOT_TLS_OCTETS_MAX,
    TLS_RECORD_OCTETS_MAX, X509_CHAIN_CERTIFICATES_MAX,
};
use crate::tls::seen::{Alert, CipherSuite, TlsVersion};
use crate::x509::bit_length;

/// SHA-256 of "HelloRetryRequest", the random of that message (RFC 9846 §4.2.2).
const HELLO_RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// The level octet of a warning (RFC 5246 §7.2).
const LEVEL_WARNING: u8 = 1;

/// Reads a server's first flight. Call [`Self::handle_server_bytes`] with what arrives, one of
/// [`Self::handle_closed`], [`Self::handle_reset`] and [`Self::handle_timed_out`] at the end, and
/// [`Self::poll_answer`] after each.
#[derive(Debug, Default)]
pub struct ServerFlight {
    /// Octets not yet cut into records.
    records: Vec<u8>,
    /// Octets of handshake records not yet cut into messages.
    messages: Vec<u8>,
    received: usize,
    seen: Option<ServerHelloSeen>,
    /// A warning that did not end the handshake.
    warning: Option<Alert>,
    answer: Option<HelloAnswer>,
    finished: bool,
}

/// Whether reading goes on.
enum Step {
    /// More octets are needed.
    Wait,
    /// A piece was read.
    Read,
    /// Nothing more of use will come.
    Over,
}

impl ServerFlight {
    /// A reader that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes octets as they arrive.
    pub fn handle_server_bytes(&mut self, octets: &[u8]) {
        if self.finished {
            return;
        }
        let room = HELLO_ANSWER_OCTETS_MAX - self.received;
        let taken = octets.get(..room).unwrap_or(octets);
        self.received += taken.len();
        self.records.extend(taken);
        loop {
            match self.read_record() {
                Step::Read => {}
                Step::Wait => break,
                Step::Over => {
                    self.finish(HelloAnswer::Closed);
                    return;
                }
            }
        }
        if self.received >= HELLO_ANSWER_OCTETS_MAX {
            self.finish(HelloAnswer::Closed);
        }
    }

    /// The server closed its side.
    pub fn handle_closed(&mut self) {
        self.finish(HelloAnswer::Closed);
    }

    /// The connection was reset.
    pub fn handle_reset(&mut self) {
        self.finish(HelloAnswer::Reset);
    }

    /// The time for an answer is over.
    pub fn handle_timed_out(&mut self) {
        self.finish(HelloAnswer::TimedOut);
    }

    /// The answer, once, as soon as there is one.
    pub fn poll_answer(&mut self) -> Option<HelloAnswer> {
        self.answer.take()
    }

    /// Octets received so far.
    pub fn received(&self) -> usize {
        self.received
    }

    /// Ends with what was seen, else with `otherwise`.
    fn finish(&mut self, otherwise: HelloAnswer) {
        if self.finished {
            return;
        }
        self.finished = true;
        let seen = self.seen.take().map(HelloAnswer::ServerHello);
        let warning = self.warning.map(HelloAnswer::Alert);
        self.answer = seen.or(warning).or(Some(otherwise));
    }

    fn finish_not_tls(&mut self) {
        let first: Vec<u8> = self.records.iter().copied().take(NOT_TLS_OCTETS_MAX).collect();
        self.finish(HelloAnswer::NotTls(first));
    }

    /// Cuts one record off.
    fn read_record(&mut self) -> Step {
        // A wrong first octet shows at once: a greeting or an error text is no record.
        let kind_plausible = self.records.first().is_none_or(|kind| matches!(kind, 20..=23));
        let major_plausible = self.records.get(1).is_none_or(|major| *major == 3);
        let header = self.records.first_chunk::<5>().copied();
        let length =
            header.map(|[_, _, _, high, low]| usize::from(u16::from_be_bytes([high, low])));
        let length_plausible = length.is_none_or(|length| length <= TLS_RECORD_OCTETS_MAX);
        if !(kind_plausible && major_plausible && length_plausible) {
            self.finish_not_tls();
            return Step::Over;
        }
        let (Some([kind, ..]), Some(length)) = (header, length) else {
            return Step::Wait;
        };
        let Some(body) = self.records.get(5..5 + length).map(<[u8]>::to_vec) else {
            return Step::Wait;
        };
        self.records.drain(..5 + length);
        match kind {
            21 => self.read_alert(&body),
            22 => {
                self.messages.extend(body);
                self.read_messages()
            }
            // ChangeCipherSpec for middleboxes after a HelloRetryRequest (RFC 9846 §D.4).
            20 => Step::Read,
            _ => Step::Over,
        }
    }

    fn read_alert(&mut self, body: &[u8]) -> Step {
        let [level, description] = body else {
            return Step::Over;
        };
        // RFC 5246 §7.2.2, RFC 6066 §3: a warning such as unrecognized_name may be followed by the hello.
        if *level == LEVEL_WARNING && *description != 0 {
            self.warning = Some(Alert(*description));
            return Step::Read;
        }
        self.finish(HelloAnswer::Alert(Alert(*description)));
        Step::Over
    }

    /// Cuts whole handshake messages off.
    fn read_messages(&mut self) -> Step {
        loop {
            let Some([kind, a, b, c]) = self.messages.first_chunk::<4>().copied() else {
                return Step::Read;
            };
            let length = usize::try_from(u32::from_be_bytes([0, a, b, c])).unwrap_or(usize::MAX);
            if length > HANDSHAKE_MESSAGE_OCTETS_MAX {
                return Step::Over;
            }
            let Some(body) = self.messages.get(4..4 + length).map(<[u8]>::to_vec) else {
                return Step::Read;
            };
            self.messages.drain(..4 + length);
            if matches!(self.read_message(kind, &body), Step::Over) {
                return Step::Over;
            }
        }
    }

    fn read_message(&mut self, kind: u8, body: &[u8]) -> Step {
        let mut reader = Reader(body);
        match (kind, self.seen.as_mut()) {
            (2, None) => {
                let Some(seen) = read_server_hello(&mut reader) else {
                    return Step::Over;
                };
                let over = seen.version == Some(TlsVersion::Tls13) || seen.retry_request;
                self.seen = Some(seen);
                if over { Step::Over } else { Step::Read }
            }
            (11, Some(seen)) => {
                seen.chain = read_certificates(&mut reader);
                Step::Read
            }
            (12, Some(seen)) => {
                // Cut short it still shows what came before the cut.
                read_key_exchange(&mut reader, seen);
                Step::Read
            }
            (13, Some(seen)) => {
                seen.certificate_requested = true;
                Step::Read
            }
            // HelloRequest, NewSessionTicket, CertificateStatus.
            (0 | 4 | 22, _) => Step::Read,
            (_, _) => Step::Over,
        }
    }
}

/// ServerHello and HelloRetryRequest (RFC 9846 §4.2.2, RFC 5246 §7.4.1.3).
fn read_server_hello(reader: &mut Reader<'_>) -> Option<ServerHelloSeen> {
    let legacy_version = reader.number_16()?;
    let random = reader.take(32)?;
    reader.prefixed_8()?;
    let suite = CipherSuite(reader.number_16()?);
    let compression = reader.number_8()?;
    let mut seen = ServerHelloSeen {
        version: None,
        version_wire: legacy_version,
        suite,
        group: None,
        retry_request: random == HELLO_RETRY_RANDOM,
        compression: compression != 0,
        secure_renegotiation: false,
        extended_master_secret: false,
        dh_bits: None,
        chain: Vec::new(),
        certificate_requested: false,
        signature_scheme: None,
    };
    if let Some(extensions) = reader.prefixed_16() {
        read_extensions(&mut Reader(extensions), &mut seen);
    }
    seen.version = TlsVersion::from_wire(seen.version_wire);
    Some(seen)
}

fn read_extensions(reader: &mut Reader<'_>, seen: &mut ServerHelloSeen) {
    while let (Some(number), Some(body)) = (reader.number_16(), reader.prefixed_16()) {
        let first = Reader(body).number_16();
        match number {
            23 => seen.extended_master_secret = true,
            43 => seen.version_wire = first.unwrap_or(seen.version_wire),
            51 => seen.group = first.map(NamedGroup),
            0xff01 => seen.secure_renegotiation = true,
            _ => {}
        }
    }
}

/// Certificate up to TLS 1.2 (RFC 5246 §7.4.2).
fn read_certificates(reader: &mut Reader<'_>) -> Vec<Vec<u8>> {
    let mut list = Reader(reader.prefixed_24().unwrap_or_default());
    std::iter::from_fn(|| list.prefixed_24())
        .take(X509_CHAIN_CERTIFICATES_MAX)
        .map(<[u8]>::to_vec)
        .collect()
}

/// ServerKeyExchange with ECDHE (RFC 8422 §5.4) or DHE (RFC 5246 §7.4.3).
fn read_key_exchange(reader: &mut Reader<'_>, seen: &mut ServerHelloSeen) -> Option<()> {
    let name = seen.suite.registered_name()?;
    if name.starts_with("TLS_ECDH") {
        // Only named curves (3) have a number.
        if reader.number_8()? != 3 {
            return None;
        }
        seen.group = Some(NamedGroup(reader.number_16()?));
        reader.prefixed_8()?;
    } else if name.starts_with("TLS_DH") {
        seen.dh_bits = Some(bit_length(reader.prefixed_16()?));
        reader.prefixed_16()?;
        reader.prefixed_16()?;
    } else {
        return None;
    }
    if seen.version == Some(TlsVersion::Tls12) && !name.contains("_anon_") {
        seen.signature_scheme = Some(reader.number_16()?);
    }
    Some(())
}

/// Reads big-endian numbers and length-prefixed octets; `None` when too few are left.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn number_8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn number_16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn prefixed_8(&mut self) -> Option<&'a [u8]> {
        let length = self.number_8()?;
        self.take(usize::from(length))
    }

    fn prefixed_16(&mut self) -> Option<&'a [u8]> {
        let length = self.number_16()?;
        self.take(usize::from(length))
    }

    fn prefixed_24(&mut self) -> Option<&'a [u8]> {
        let high = self.number_8()?;
        let low = self.number_16()?;
        self.take(usize::from(high) << 16 | usize::from(low))
    }
}
