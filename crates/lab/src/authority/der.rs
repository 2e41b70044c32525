//! A very small DER writer and reader for what rcgen cannot make: AIA extensions, RSA key parts, and the
//! re-signing of a certificate with SHA-1 (X.690 §8; RFC 5280 §4.1).
//! Not a general ASN.1 library: definite lengths below 64 KiB, single-octet tags. The way in: [`sequence`],
//! [`tlv`], [`read`]. Only ever fed with what the lab itself made.

/// ASN.1 SEQUENCE.
pub(crate) const SEQUENCE: u8 = 0x30;
/// ASN.1 INTEGER.
pub(crate) const INTEGER: u8 = 0x02;
/// ASN.1 BIT STRING.
pub(crate) const BIT_STRING: u8 = 0x03;

/// One tag, length, value.
pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len();
    if length < 0x80 {
        out.push(u8::try_from(length).unwrap_or(0));
    } else if length < 0x100 {
        out.extend([0x81, u8::try_from(length).unwrap_or(0)]);
    } else {
        let length = u16::try_from(length).unwrap_or(u16::MAX);
        out.push(0x82);
        out.extend(length.to_be_bytes());
    }
    out.extend_from_slice(content);
    out
}

/// A SEQUENCE of already encoded parts.
pub(crate) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(SEQUENCE, &parts.concat())
}

/// Splits the first value off `input`: tag, content, rest. `None` where the input is not DER.
pub(crate) fn read(input: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = input.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (octets.iter().fold(0, |sum, &octet| (sum << 8) | usize::from(octet)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// The content of an authority information access extension with one caIssuers URL (RFC 5280 §4.2.2.1).
pub(crate) fn ca_issuers(url: &str) -> Vec<u8> {
    const CA_ISSUERS_OID: [u8; 10] = [0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02];
    const URI: u8 = 0x86;
    let access = sequence(&[CA_ISSUERS_OID.to_vec(), tlv(URI, url.as_bytes())]);
    sequence(&[access])
}

/// Takes a certificate signed with sha256WithRSAEncryption, names sha1WithRSAEncryption instead and signs
/// anew with `sign`. `None` where the certificate has another signature algorithm.
pub(crate) fn resign_sha1(certificate: &[u8], sign: impl Fn(&[u8]) -> Vec<u8>) -> Option<Vec<u8>> {
    const SHA256_RSA: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
    const SHA1_RSA: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05];
    const NULL: [u8; 2] = [0x05, 0x00];
    let (_, body, _) = read(certificate)?;
    let (_, tbs, _) = read(body)?;
    let at = tbs.windows(SHA256_RSA.len()).position(|window| window == SHA256_RSA)?;
    let (before, after) = tbs.split_at_checked(at)?;
    let after = after.get(SHA256_RSA.len()..)?;
    let tbs = tlv(SEQUENCE, &[before, &SHA1_RSA, after].concat());
    let signature = [vec![0], sign(&tbs)].concat();
    let algorithm = sequence(&[SHA1_RSA.to_vec(), NULL.to_vec()]);
    Some(sequence(&[tbs, algorithm, tlv(BIT_STRING, &signature)]))
}
