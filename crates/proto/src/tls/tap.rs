//! What the first raw octets of a peer are (RFC 9846 §5.1, RFC 5321 §4.2): the evidence for mode confusion
//! and injection, taken under the TLS library because its own error only says that a record was wrong. The
//! way in is [`first_octets`]. It judges nothing.

use super::seen::Alert;
use crate::limits::TLS_CIPHERTEXT_OCTETS_MAX;

/// What the first octets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstOctets {
    /// Neither TLS nor text.
    Binary,
    /// None.
    Nothing,
    /// A record header with a length no record may have (such as `16 03 03 ff ff`).
    RecordTooLong {
        /// The length it announces.
        octets: u16,
    },
    /// An SMTP reply, also cut short: `220 `, `554-`.
    SmtpReply {
        /// Its code.
        code: u16,
    },
    /// Printable text that is no SMTP reply.
    Text,
    /// A TLS alert in the clear.
    TlsAlert(Alert),
    /// A TLS handshake record.
    TlsHandshake,
    /// The start of a TLS record, too short to tell more.
    TlsIncomplete,
    /// A TLS record of another kind (its number).
    TlsOther(u8),
}

impl FirstOctets {
    /// Whether a TLS library could go on with these octets.
    pub const fn is_tls(self) -> bool {
        match self {
            Self::TlsAlert(_) | Self::TlsHandshake | Self::TlsIncomplete | Self::TlsOther(_) => {
                true
            }
            Self::Binary
            | Self::Nothing
            | Self::RecordTooLong { .. }
            | Self::SmtpReply { .. }
            | Self::Text => false,
        }
    }
}

/// Tells what the octets at the start of a stream are.
pub fn first_octets(octets: &[u8]) -> FirstOctets {
    match octets {
        [] => FirstOctets::Nothing,
        [20..=23] | [20..=23, 3] | [20..=23, 3, _] | [20..=23, 3, _, _] => {
            FirstOctets::TlsIncomplete
        }
        [kind @ 20..=23, 3, _, high, low, body @ ..] => {
            let length = u16::from_be_bytes([*high, *low]);
            match (kind, body) {
                _ if usize::from(length) > TLS_CIPHERTEXT_OCTETS_MAX => {
                    FirstOctets::RecordTooLong { octets: length }
                }
                (21, [_, description, ..]) if length == 2 => {
                    FirstOctets::TlsAlert(Alert(*description))
                }
                (21, _) if length == 2 => FirstOctets::TlsIncomplete,
                (22, _) => FirstOctets::TlsHandshake,
                (kind, _) => FirstOctets::TlsOther(*kind),
            }
        }
        _ => text(octets),
    }
}

/// Text in the clear: an SMTP reply starts with three digits and a space, a hyphen or the end of the line
/// (RFC 5321 §4.2).
fn text(octets: &[u8]) -> FirstOctets {
    let printable = |octet: &u8| matches!(octet, b'\t' | b'\r' | b'\n' | b' '..=b'~');
    if let [first @ b'2'..=b'5', second @ b'0'..=b'9', third @ b'0'..=b'9', rest @ ..] = octets
        && matches!(rest.first(), None | Some(b' ' | b'-' | b'\r' | b'\n'))
    {
        let digit = |octet: &u8| u16::from(octet - b'0');
        return FirstOctets::SmtpReply {
            code: digit(first) * 100 + digit(second) * 10 + digit(third),
        };
    }
    if octets.iter().all(printable) { FirstOctets::Text } else { FirstOctets::Binary }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_octets_are_told_apart() {
        let table: [(&[u8], FirstOctets); 17] = [
            (b"", FirstOctets::Nothing),
            (b"\x16", FirstOctets::TlsIncomplete),
            (b"\x16\x03\x03\x00", FirstOctets::TlsIncomplete),
            (b"\x16\x03\x03\x00\x7a\x02", FirstOctets::TlsHandshake),
            (b"\x16\x03\x03\xff\xff", FirstOctets::RecordTooLong { octets: 0xffff }),
            (b"\x15\x03\x01\x00\x02\x02\x46", FirstOctets::TlsAlert(Alert(70))),
            (b"\x15\x03\x01\x00\x02\x02", FirstOctets::TlsIncomplete),
            (b"\x15\x03\x03\x00\x1a\x00", FirstOctets::TlsOther(21)),
            (b"\x17\x03\x03\x00\x20", FirstOctets::TlsOther(23)),
            (b"220 mx.example.test ESMTP\r\n", FirstOctets::SmtpReply { code: 220 }),
            (b"220-mx", FirstOctets::SmtpReply { code: 220 }),
            (b"554", FirstOctets::SmtpReply { code: 554 }),
            (b"2204", FirstOctets::Text),
            (b"HTTP/1.1 400 Bad Request\r\n", FirstOctets::Text),
            (b"* OK IMAP4 ready\r\n", FirstOctets::Text),
            (b"\x16\x02\x00\x00\x00", FirstOctets::Binary),
            (b"\x80\x2e\x01", FirstOctets::Binary),
        ];
        for (octets, expected) in table {
            assert_eq!(first_octets(octets), expected, "{octets:?}");
        }
    }
}
