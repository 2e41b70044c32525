//! Hand-made TLS records for servers that no library plays any more: alerts, ServerHellos of old versions,
//! compression, small Diffie-Hellman groups, cut messages (RFC 5246 §6.2, §7.2, §7.4; RFC 8446 §4.1.4).
//! None of them completes a handshake. The way in: [`octets`], which turns a step into what is written.

use super::behaviour::{ServerHello, TlsStep};
use super::hello::{ClientHello, version_number};
use crate::authority::Issued;

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

/// A 512-bit prime made with `openssl dhparam 512`.
const PRIME_512: &str = "9be99572383bc355ce77f007c5a17b50dcbae75d2d8d4b752951370af6e6ab3c\
    18cd9d715304be622b6a5190fd33f57949dfbccd46d39a6a3276368313472757";
/// The 1024-bit prime of RFC 2409 §6.2.
const PRIME_1024: &str = "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74\
    020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437\
    4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed\
    ee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381ffffffffffffffff";
/// The 2048-bit prime of RFC 3526 §3.
const PRIME_2048: &str = "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74\
    020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437\
    4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed\
    ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf05\
    98da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb\
    9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b\
    e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf695581718\
    3995497cea956ae515d2261898fa051015728e5a8aacaa68ffffffffffffffff";

/// The prime of a finite-field group of this many bits; 1024 for sizes it does not know.
pub(crate) fn prime(bits: u16) -> Vec<u8> {
    let text = match bits {
        512 => PRIME_512,
        2048 => PRIME_2048,
        _ => PRIME_1024,
    };
    from_hex(text).unwrap_or_default()
}

/// Octets of a hexadecimal text, blanks ignored; `None` where it is none.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .map(|letter| letter.to_digit(16))
        .collect::<Option<_>>()?;
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits.chunks_exact(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
}

/// What the step writes; empty for steps that write nothing. `version` is that of the record header.
pub(crate) fn octets(step: &TlsStep, hello: &ClientHello, issued: &Issued) -> Vec<u8> {
    match step {
        TlsStep::Alert(description) => record(ALERT, 0x0303, &[2, *description]),
        TlsStep::Warning(description) => record(ALERT, 0x0303, &[1, *description]),
        TlsStep::ServerHello(parts) => server_hello_record(parts, hello),
        TlsStep::HelloRetryRequest(group) => hello_retry_request(*group, hello),
        TlsStep::Certificate => {
            let chain: Vec<&[u8]> = issued.chain.iter().map(AsRef::as_ref).collect();
            record(HANDSHAKE, 0x0303, &certificate(&chain))
        }
        TlsStep::EmptyCertificate => record(HANDSHAKE, 0x0303, &certificate(&[])),
        TlsStep::DhKeyExchange(bits) => {
            let prime = prime(*bits);
            let public = vec![0x5a; prime.len()];
            let signature = vec![0x11; 256];
            let body = [long(&prime), long(&[2]), long(&public), vec![4, 1], long(&signature)];
            record(HANDSHAKE, 0x0303, &handshake(12, &body.concat()))
        }
        TlsStep::ServerHelloDone => record(HANDSHAKE, 0x0303, &handshake(14, &[])),
        TlsStep::SendHex(text) => from_hex(text).unwrap_or_default(),
        TlsStep::PauseMs(_)
        | TlsStep::Read
        | TlsStep::Hang
        | TlsStep::Close
        | TlsStep::Reset
        | TlsStep::OldTls(_) => Vec::new(),
    }
}

/// A record; content longer than a record allows is not split, because no step makes any.
pub(crate) fn record(kind: u8, version: u16, content: &[u8]) -> Vec<u8> {
    [vec![kind], version.to_be_bytes().to_vec(), long(content)].concat()
}

/// A handshake message with its header.
pub(crate) fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    [vec![kind], length_24(body.len()), body.to_vec()].concat()
}

/// A field with a two-octet length.
pub(crate) fn long(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
    [length.to_be_bytes().to_vec(), content.to_vec()].concat()
}

fn length_24(length: usize) -> Vec<u8> {
    let octets = u32::try_from(length).unwrap_or(0).to_be_bytes();
    octets[1..].to_vec()
}

/// A Certificate message in the form of TLS 1.2 and older.
pub(crate) fn certificate(chain: &[&[u8]]) -> Vec<u8> {
    let list: Vec<u8> =
        chain.iter().flat_map(|der| [length_24(der.len()), der.to_vec()].concat()).collect();
    handshake(11, &[length_24(list.len()), list].concat())
}

/// The ServerHello message itself.
pub(crate) fn server_hello(parts: &ServerHello, hello: &ClientHello, random: [u8; 32]) -> Vec<u8> {
    let version = version_number(&parts.version).unwrap_or(0x0303);
    let mut extensions = Vec::new();
    // Extensions answer extensions: without any from the client there is no block at all.
    if parts.renegotiation_info
        && (hello.extensions.contains(&0xff01) || hello.suites.contains(&0xff))
    {
        extensions.extend([0xff, 0x01, 0x00, 0x01, 0x00]);
    }
    if parts.extended_master_secret && hello.extensions.contains(&23) {
        extensions.extend([0x00, 23, 0x00, 0x00]);
    }
    let mut body = version.to_be_bytes().to_vec();
    body.extend(random);
    body.push(0);
    body.extend(parts.suite.to_be_bytes());
    body.push(parts.compression);
    if !extensions.is_empty() {
        body.extend(long(&extensions));
    }
    handshake(2, &body)
}

fn server_hello_record(parts: &ServerHello, hello: &ClientHello) -> Vec<u8> {
    let version = version_number(&parts.version).unwrap_or(0x0303);
    let mut message = server_hello(parts, hello, [0x5a; 32]);
    if parts.truncated {
        let half = message.len() / 2;
        // The header promises what the body no longer holds.
        message.truncate(half);
        if let Some(length) = message.get_mut(3) {
            *length = u8::try_from(half.saturating_sub(4)).unwrap_or(0);
        }
    }
    record(HANDSHAKE, version, &message)
}

fn hello_retry_request(group: u16, hello: &ClientHello) -> Vec<u8> {
    const RETRY_RANDOM: [u8; 32] = [
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8,
        0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8,
        0x33, 0x9c,
    ];
    let [high, low] = group.to_be_bytes();
    let extensions = [0, 43, 0, 2, 3, 4, 0, 51, 0, 2, high, low];
    let mut body = vec![3, 3];
    body.extend(RETRY_RANDOM);
    body.push(u8::try_from(hello.session_id.len()).unwrap_or(0));
    body.extend(&hello.session_id);
    body.extend([0x13, 0x01, 0]);
    body.extend(long(&extensions));
    record(HANDSHAKE, 0x0303, &handshake(2, &body))
}
