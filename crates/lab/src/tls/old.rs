//! A TLS 1.2 server made by hand, for what current libraries no longer play: static RSA, small finite-field
//! groups, no certificate at all, no extended_master_secret, no renegotiation_info, SHA-1 under the key
//! exchange (RFC 5246 §7, RFC 5288, RFC 7627 §4, RFC 5746 §3.6). AES-128-GCM only, no resumption.
//! The way in: [`accept`]. It proves faults of servers; nothing else may use it.

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::{agreement, digest, hmac, rand};
use num_bigint::BigUint;
use rustls::SignatureScheme;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::behaviour::{Exchange, OldTls, ServerHello};
use super::hello::ClientHello;
use super::raw;
use super::wire::Prefixed;
use crate::authority::weak_rsa::left_pad;
use crate::authority::{Issued, leaf_fixture};

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
const TLS_1_2: u16 = 0x0303;
/// The largest record a client may send (RFC 5246 §6.2.3).
const RECORD_LIMIT_BYTES: usize = 16_384 + 2_048;
/// Octets of application data per record written.
const PIECE_BYTES: usize = 16_000;
const P256: u16 = 23;
const X25519: u16 = 29;

/// Why a hand-made handshake ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OldTlsError {
    /// The stream ended or failed.
    #[error("stream: {0}")]
    Stream(#[from] std::io::Error),
    /// The client does not offer what this server needs; alert 40 was sent.
    #[error("the client offers no {0}")]
    NothingShared(&'static str),
    /// The client sent something else than is due.
    #[error("unexpected record or message")]
    Unexpected,
    /// A cryptographic step failed.
    #[error("cryptography failed")]
    Crypto,
}

impl From<aws_lc_rs::error::Unspecified> for OldTlsError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Crypto
    }
}

/// An encrypted stream of the hand-made server.
#[derive(Debug)]
pub(crate) struct OldStream {
    /// The stream below.
    pub(crate) below: Prefixed,
    reading: Direction,
    writing: Direction,
    plain: Vec<u8>,
}

/// Key, implicit nonce part and sequence number of one direction (RFC 5288 §3).
#[derive(Debug)]
struct Direction {
    key: LessSafeKey,
    salt: Vec<u8>,
    sequence: u64,
}

impl Direction {
    fn new(key: &[u8], salt: &[u8]) -> Result<Self, OldTlsError> {
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, key)?);
        Ok(Self { key, salt: salt.to_vec(), sequence: 0 })
    }

    fn parts(&mut self, explicit: &[u8], kind: u8, length: usize) -> Result<Parts, OldTlsError> {
        let nonce: [u8; 12] =
            [&self.salt, explicit].concat().try_into().map_err(|_| OldTlsError::Crypto)?;
        let length = u16::try_from(length).map_err(|_| OldTlsError::Crypto)?;
        let mut associated = self.sequence.to_be_bytes().to_vec();
        associated.push(kind);
        associated.extend(TLS_1_2.to_be_bytes());
        associated.extend(length.to_be_bytes());
        self.sequence += 1;
        Ok((Nonce::assume_unique_for_key(nonce), Aad::from(associated)))
    }

    fn seal(&mut self, kind: u8, plain: &[u8]) -> Result<Vec<u8>, OldTlsError> {
        let explicit = self.sequence.to_be_bytes();
        let (nonce, associated) = self.parts(&explicit, kind, plain.len())?;
        let mut sealed = plain.to_vec();
        self.key.seal_in_place_append_tag(nonce, associated, &mut sealed)?;
        Ok(raw::record(kind, TLS_1_2, &[&explicit[..], &sealed].concat()))
    }

    fn open(&mut self, kind: u8, content: &[u8]) -> Result<Vec<u8>, OldTlsError> {
        let (explicit, sealed) = content.split_at_checked(8).ok_or(OldTlsError::Unexpected)?;
        let length = sealed.len().checked_sub(16).ok_or(OldTlsError::Unexpected)?;
        let (nonce, associated) = self.parts(explicit, kind, length)?;
        let mut sealed = sealed.to_vec();
        Ok(self.key.open_in_place(nonce, associated, &mut sealed)?.to_vec())
    }
}

type Parts = (Nonce, Aad<Vec<u8>>);

impl OldStream {
    /// Reads decrypted octets; 0 after close_notify.
    pub(crate) async fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.plain.is_empty() {
            let (kind, content) = read_record(&mut self.below).await?;
            let plain = self.reading.open(kind, &content).map_err(std::io::Error::other)?;
            match kind {
                APPLICATION_DATA => self.plain = plain,
                ALERT => return Ok(0),
                _ => return Err(std::io::ErrorKind::InvalidData.into()),
            }
        }
        let count = self.plain.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.plain[..count]);
        self.plain.drain(..count);
        Ok(count)
    }

    /// Writes octets, encrypted.
    pub(crate) async fn write(&mut self, octets: &[u8]) -> std::io::Result<()> {
        for piece in octets.chunks(PIECE_BYTES) {
            let record =
                self.writing.seal(APPLICATION_DATA, piece).map_err(std::io::Error::other)?;
            self.below.write_all(&record).await?;
        }
        Ok(())
    }

    /// Sends close_notify.
    pub(crate) async fn close_notify(&mut self) -> std::io::Result<()> {
        let record = self.writing.seal(ALERT, &[1, 0]).map_err(std::io::Error::other)?;
        self.below.write_all(&record).await
    }
}

async fn read_record(stream: &mut Prefixed) -> std::io::Result<(u8, Vec<u8>)> {
    let mut header = [0u8; 5];
    stream.read_exact(&mut header).await?;
    let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
    if length > RECORD_LIMIT_BYTES {
        return Err(std::io::ErrorKind::InvalidData.into());
    }
    let mut content = vec![0; length];
    stream.read_exact(&mut content).await?;
    Ok((header[0], content))
}

/// The server's secret half of the key exchange.
enum Secret {
    Curve(agreement::EphemeralPrivateKey, &'static agreement::Algorithm),
    Finite { exponent: BigUint, prime: BigUint },
    Rsa,
}

/// Completes a handshake as the behaviour says, after the ClientHello was read.
pub(crate) async fn accept(
    mut stream: Prefixed,
    old: &OldTls,
    hello: &ClientHello,
    issued: &Issued,
) -> Result<OldStream, (OldTlsError, Prefixed)> {
    match handshake(&mut stream, old, hello, issued).await {
        Ok((reading, writing)) => {
            Ok(OldStream { below: stream, reading, writing, plain: Vec::new() })
        }
        Err(error) => {
            if matches!(error, OldTlsError::NothingShared(_)) {
                // The client may be gone already; the outcome is the same.
                let _ = stream.write_all(&raw::record(ALERT, TLS_1_2, &[2, 40])).await;
            }
            Err((error, stream))
        }
    }
}

async fn handshake(
    stream: &mut Prefixed,
    old: &OldTls,
    hello: &ClientHello,
    issued: &Issued,
) -> Result<(Direction, Direction), OldTlsError> {
    let mut random = [0u8; 32];
    rand::fill(&mut random)?;
    let suite = suite(old.exchange, hello, issued)?;
    let extended = old.extended_master_secret && hello.extensions.contains(&23);
    let answer = ServerHello {
        suite,
        renegotiation_info: old.renegotiation_info,
        extended_master_secret: old.extended_master_secret,
        ..ServerHello::default()
    };
    let mut flight = vec![raw::server_hello(&answer, hello, random)];
    if old.exchange != Exchange::Anonymous {
        let chain: Vec<&[u8]> = issued.chain.iter().map(AsRef::as_ref).collect();
        flight.push(raw::certificate(&chain));
    }
    let (secret, parameters) = offer(old.exchange, hello)?;
    if let Some(parameters) = parameters {
        let signed = [&hello.random[..], &random, &parameters].concat();
        let signature = sign(old, hello, issued, &signed)?;
        flight.push(raw::handshake(12, &[parameters, signature].concat()));
    }
    flight.push(raw::handshake(14, &[]));
    let mut transcript = hello.message.clone();
    let mut octets = Vec::new();
    for message in &flight {
        transcript.extend(message);
        octets.extend(raw::record(HANDSHAKE, TLS_1_2, message));
    }
    stream.write_all(&octets).await?;

    let (kind, exchange) = read_record(stream).await?;
    let is_exchange = kind == HANDSHAKE && exchange.first() == Some(&16);
    let body = exchange.get(4..).filter(|_| is_exchange).ok_or(OldTlsError::Unexpected)?;
    let premaster = premaster(secret, body)?;
    transcript.extend(&exchange);
    let master = if extended {
        let hash = digest::digest(&digest::SHA256, &transcript);
        prf(&premaster, b"extended master secret", hash.as_ref(), 48)
    } else {
        prf(&premaster, b"master secret", &[&hello.random[..], &random].concat(), 48)
    };
    let block = prf(&master, b"key expansion", &[&random[..], &hello.random].concat(), 40);
    let mut reading = Direction::new(&block[..16], &block[32..36])?;
    let mut writing = Direction::new(&block[16..32], &block[36..40])?;
    let finished = |label: &[u8], transcript: &[u8]| {
        let hash = digest::digest(&digest::SHA256, transcript);
        raw::handshake(20, &prf(&master, label, hash.as_ref(), 12))
    };
    let (kind, _) = read_record(stream).await?;
    if kind != CHANGE_CIPHER_SPEC {
        return Err(OldTlsError::Unexpected);
    }
    let (kind, content) = read_record(stream).await?;
    let theirs = reading.open(kind, &content)?;
    if theirs != finished(b"client finished", &transcript) {
        return Err(OldTlsError::Unexpected);
    }
    transcript.extend(&theirs);
    let ours = finished(b"server finished", &transcript);
    let mut octets = raw::record(CHANGE_CIPHER_SPEC, TLS_1_2, &[1]);
    octets.extend(writing.seal(HANDSHAKE, &ours)?);
    stream.write_all(&octets).await?;
    Ok((reading, writing))
}

fn is_rsa(issued: &Issued) -> bool {
    issued.key.algorithm() == rustls::SignatureAlgorithm::RSA
}

fn suite(exchange: Exchange, hello: &ClientHello, issued: &Issued) -> Result<u16, OldTlsError> {
    let suite = match exchange {
        Exchange::Ecdhe if is_rsa(issued) => 0xc02f,
        Exchange::Ecdhe => 0xc02b,
        Exchange::StaticRsa => 0x009c,
        Exchange::Dhe1024 | Exchange::Dhe2048 => 0x009e,
        Exchange::Anonymous => 0x00a6,
    };
    if !hello.versions.contains(&TLS_1_2) {
        return Err(OldTlsError::NothingShared("version"));
    }
    hello.suites.contains(&suite).then_some(suite).ok_or(OldTlsError::NothingShared("suite"))
}

/// The server's half of the exchange and the parameters of a ServerKeyExchange.
fn offer(
    exchange: Exchange,
    hello: &ClientHello,
) -> Result<(Secret, Option<Vec<u8>>), OldTlsError> {
    match exchange {
        Exchange::StaticRsa => Ok((Secret::Rsa, None)),
        Exchange::Ecdhe => {
            let (group, algorithm) = if hello.groups.contains(&P256) {
                (P256, &agreement::ECDH_P256)
            } else if hello.groups.contains(&X25519) {
                (X25519, &agreement::X25519)
            } else {
                return Err(OldTlsError::NothingShared("group"));
            };
            let random = rand::SystemRandom::new();
            let private = agreement::EphemeralPrivateKey::generate(algorithm, &random)?;
            let public = private.compute_public_key()?;
            let length = u8::try_from(public.as_ref().len()).map_err(|_| OldTlsError::Crypto)?;
            let mut parameters = vec![3];
            parameters.extend(group.to_be_bytes());
            parameters.push(length);
            parameters.extend(public.as_ref());
            Ok((Secret::Curve(private, algorithm), Some(parameters)))
        }
        Exchange::Dhe1024 => finite(1024),
        Exchange::Dhe2048 | Exchange::Anonymous => finite(2048),
    }
}

fn finite(bits: u16) -> Result<(Secret, Option<Vec<u8>>), OldTlsError> {
    let octets = raw::prime(bits);
    let length = octets.len();
    let prime = BigUint::from_bytes_be(&octets);
    let mut exponent = [0u8; 32];
    rand::fill(&mut exponent)?;
    let exponent = BigUint::from_bytes_be(&exponent);
    let public = BigUint::from(2u8).modpow(&exponent, &prime).to_bytes_be();
    let parameters = [raw::long(&octets), raw::long(&[2]), raw::long(&left_pad(&public, length))];
    Ok((Secret::Finite { exponent, prime }, Some(parameters.concat())))
}

/// Signature algorithm and signature of a ServerKeyExchange; empty for an anonymous one.
fn sign(
    old: &OldTls,
    hello: &ClientHello,
    issued: &Issued,
    signed: &[u8],
) -> Result<Vec<u8>, OldTlsError> {
    if old.exchange == Exchange::Anonymous {
        return Ok(Vec::new());
    }
    if old.sign_with_sha1 {
        let fixture = leaf_fixture().ok_or(OldTlsError::Crypto)?;
        return Ok([vec![2, 1], raw::long(&fixture.sign_pkcs1_sha1(signed))].concat());
    }
    let offered: Vec<SignatureScheme> =
        hello.signatures.iter().copied().map(SignatureScheme::from).collect();
    let chosen = issued
        .key
        .choose_scheme(&offered)
        .ok_or(OldTlsError::NothingShared("signature algorithm"))?;
    let signature = chosen.sign(signed).map_err(|_| OldTlsError::Crypto)?;
    let scheme = u16::from(chosen.scheme()).to_be_bytes().to_vec();
    Ok([scheme, raw::long(&signature)].concat())
}

/// The premaster secret from the body of a ClientKeyExchange (RFC 5246 §7.4.7, RFC 8422 §5.7).
fn premaster(secret: Secret, body: &[u8]) -> Result<Vec<u8>, OldTlsError> {
    match secret {
        Secret::Curve(private, algorithm) => {
            let public = body.get(1..).ok_or(OldTlsError::Unexpected)?;
            let theirs = agreement::UnparsedPublicKey::new(algorithm, public);
            agreement::agree_ephemeral(private, theirs, OldTlsError::Crypto, |shared| {
                Ok(shared.to_vec())
            })
        }
        Secret::Finite { exponent, prime } => {
            let public = body.get(2..).ok_or(OldTlsError::Unexpected)?;
            // Leading zeros are stripped (RFC 5246 §8.1.2).
            Ok(BigUint::from_bytes_be(public).modpow(&exponent, &prime).to_bytes_be())
        }
        Secret::Rsa => {
            let sealed = body.get(2..).ok_or(OldTlsError::Unexpected)?;
            let fixture = leaf_fixture().ok_or(OldTlsError::Crypto)?;
            let block = fixture.private_operation(sealed);
            let start = block.len().checked_sub(48).ok_or(OldTlsError::Unexpected)?;
            block.get(start..).map(<[u8]>::to_vec).ok_or(OldTlsError::Unexpected)
        }
    }
}

/// The pseudo-random function of TLS 1.2 (RFC 5246 §5).
fn prf(secret: &[u8], label: &[u8], seed: &[u8], length: usize) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let seed = [label, seed].concat();
    let mut chained = hmac::sign(&key, &seed);
    let mut out = Vec::new();
    while out.len() < length {
        let block = hmac::sign(&key, &[chained.as_ref(), &seed].concat());
        out.extend_from_slice(block.as_ref());
        chained = hmac::sign(&key, chained.as_ref());
    }
    out.truncate(length);
    out
}
