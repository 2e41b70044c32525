//! Named limits of the parsers and sessions of this crate: unit in the name, and beside each the RFC
//! minimum where there is one and why this number. A change here needs the test that shows the limit biting.

/// Octets of a domain name without its final dot (RFC 1035 §2.3.4: 255 on the wire).
pub const NAME_OCTETS_MAX: usize = 253;

/// Octets of one label (RFC 1035 §2.3.4).
pub const LABEL_OCTETS_MAX: usize = 63;

/// Octets of a name before conversion: 253 characters of at most four octets each.
pub const NAME_INPUT_OCTETS_MAX: usize = 1_012;

/// Octets of a typed target. Twice what the longest name needs, so that a URL around it fits.
pub const INPUT_OCTETS_MAX: usize = 2_048;

/// Octets of the local part of an address (RFC 5321 §4.5.3.1.1).
pub const LOCAL_PART_OCTETS_MAX: usize = 64;

/// Octets of a whole address: a path of 256 (RFC 5321 §4.5.3.1.3) without its angle brackets.
pub const MAILBOX_OCTETS_MAX: usize = 254;

/// Days an exception from encryption may run; long enough to move to a service that encrypts.
pub const EXCEPTION_DAYS_MAX: i64 = 90;

/// Octets of the page and of the reason of an exception; a long sentence.
pub const EXCEPTION_TEXT_OCTETS_MAX: usize = 1_000;

/// SMTP: octets of one command line with its CRLF (RFC 5321 §4.5.3.1.4). An initial sign-in response that
/// does not fit waits for the server's prompt (RFC 4954 §4).
pub const COMMAND_LINE_OCTETS_MAX: usize = 512;

/// SMTP: octets of one base64 line of a sign-in exchange (RFC 4954 §4: at least 12288).
pub const AUTH_LINE_OCTETS_MAX: usize = 12_288;

/// SMTP: prompts of the server in one sign-in exchange; the longest mechanism needs three.
pub const AUTH_PROMPTS_MAX: usize = 8;

/// SCRAM: fewest iterations a server may ask for (RFC 7677 §4).
pub const SCRAM_ITERATIONS_MIN: u32 = 4_096;

/// SCRAM: most iterations computed, about half a second; servers use 4096 to 600000.
pub const SCRAM_ITERATIONS_MAX: u32 = 1_000_000;

/// Octets of a user name and of a password; tokens of large providers have up to 4 kB.
pub const CREDENTIAL_OCTETS_MAX: usize = 8_192;

/// Recipients of one transaction; every server takes this many (RFC 5321 §4.5.3.1.8).
pub const RECIPIENTS_PER_MESSAGE_MAX: usize = 100;

/// Octets of one text line of a message without its CRLF (RFC 5321 §4.5.3.1.6).
pub const MESSAGE_LINE_OCTETS_MAX: usize = 998;

/// Octets of one message; what the largest providers take is 150 MB with attachments, and nobody mails
/// that to a list.
pub const MESSAGE_OCTETS_MAX: usize = 50 * 1024 * 1024;

/// SMTP: octets of one reply line without its CRLF; 8 times what RFC 5321 §4.5.3.1.5 allows, so that a
/// long banner is still read and an endless one is not.
pub const REPLY_LINE_OCTETS_MAX: usize = 4096;

/// SMTP: octets of one reply line with its CRLF that the standard allows (RFC 5321 §4.5.3.1.5).
pub const REPLY_LINE_OCTETS_STANDARD: usize = 512;

/// SMTP: lines of one reply; the longest EHLO answers in use have some 30.
pub const REPLY_LINES_MAX: usize = 128;

/// SMTP: octets of all replies of one part of a session, before TLS or inside it; a probe reads five
/// short replies, so 64 kB is more than an honest server ever needs.
pub const REPLY_OCTETS_PER_PART_MAX: usize = 64 * 1024;

/// SMTP: octets kept as evidence, of the first thing a peer says and of what follows a STARTTLS reply.
pub const EVIDENCE_OCTETS_MAX: usize = 64;

/// SMTP: lines of one transcript; more than one reply of the longest kind in each stage.
pub const TRANSCRIPT_LINES_MAX: usize = 400;

/// SMTP: octets of one transcript line; the standard reply line fits whole.
pub const TRANSCRIPT_LINE_OCTETS_MAX: usize = 600;

/// SMTP: octets of the shortest secret that is searched for in a transcript; a shorter one would blank
/// out ordinary words.
pub const SECRET_SEARCH_OCTETS_MIN: usize = 4;

/// Octets of one joined TXT record that is read as a policy record. Dozens of times what a real one has,
/// and small enough that looking for repeated fields stays cheap.
pub const POLICY_RECORD_OCTETS_MAX: usize = 8_192;

/// Octets of an MTA-STS policy file (RFC 8461 §3.3 suggests 64 kilobytes).
pub const STS_POLICY_OCTETS_MAX: usize = 64 * 1_024;

/// The largest `max_age` of an MTA-STS policy, in seconds: about one year (RFC 8461 §3.2).
pub const STS_MAX_AGE_S_MAX: u64 = 31_557_600;

/// How often a sender refreshes a cached policy at the latest, in seconds (RFC 8461 §3.3: once a day).
pub const STS_REFRESH_S_MAX: u64 = 86_400;

/// How long a sender waits after a failed policy fetch before the next, in seconds (RFC 8461 §3.3:
/// five minutes or longer per version id).
pub const STS_FETCH_RETRY_S_MIN: u64 = 300;

/// Certificates of one presented chain that are looked at. Real mail servers send two to five; rustls-webpki
/// allows 100 signature checks in one search.
pub const X509_CHAIN_CERTIFICATES_MAX: usize = 100;

/// Certificates read from one file. System trust stores hold about 150.
pub const X509_CERTIFICATES_PER_FILE_MAX: usize = 2_000;

/// Octets of one certificate file. System trust stores are about 250 kB.
pub const X509_FILE_OCTETS_MAX: usize = 8 * 1024 * 1024;

/// Certificates in one path while looking for the cause of a failure, leaf included; rustls-webpki allows
/// six authorities below the root.
pub const X509_PATH_CERTIFICATES_MAX: usize = 8;

/// Steps of one search for the cause of a failure. Cross-signed chains of real servers need under 20.
pub const X509_PATH_STEPS_MAX: usize = 2_000;

/// Signatures computed in one search for the cause of a failure, about 0.1 ms each.
pub const X509_PATH_SIGNATURES_MAX: usize = 200;

/// Revocation lists used in one question.
pub const X509_CRLS_MAX: usize = 100;

/// Octets read of the answer to one hand-made hello. Chains of real servers stay under 20 kB.
pub const HELLO_ANSWER_OCTETS_MAX: usize = 256 * 1024;

/// Octets of one handshake message read from a server; OpenSSL refuses certificate lists over 100 kB.
pub const HANDSHAKE_MESSAGE_OCTETS_MAX: usize = 128 * 1024;

/// Octets of one clear-text record (RFC 5246 §6.2.1: 2^14).
pub const TLS_RECORD_OCTETS_MAX: usize = 16_384;

/// Octets of one encrypted record (RFC 5246 §6.2.3: 2^14 + 2048; RFC 9846 §5.2 allows 2^14 + 256).
pub const TLS_CIPHERTEXT_OCTETS_MAX: usize = 16_384 + 2_048;

/// Octets kept of an answer that is no TLS.
pub const NOT_TLS_OCTETS_MAX: usize = 64;

/// Octets of the header block of a received message that are read. Real ones have 4 to 30 kB; Gmail and
/// Microsoft refuse far smaller ones than this.
pub const HEADER_BLOCK_OCTETS_MAX: usize = 1024 * 1024;

/// Fields of one header block. Real messages have 20 to 80; loop detection stops at 100 `Received` lines
/// (RFC 5321 §6.3).
pub const HEADER_FIELDS_MAX: usize = 1_000;

/// Octets of one header field. ARC and DKIM signatures have some 3 kB, long recipient lists more.
pub const HEADER_FIELD_OCTETS_MAX: usize = 64 * 1024;

/// Octets of one `Received` line that are read; real ones stay under 2 kB.
pub const RECEIVED_OCTETS_MAX: usize = 16 * 1024;

/// Hops of one path. RFC 5321 §6.3 has servers give up at some 100 `Received` lines.
pub const RECEIVED_HOPS_MAX: usize = 200;

/// Results read from one `Authentication-Results` field. Real ones have three to ten.
pub const AUTH_RESULTS_MAX: usize = 64;
