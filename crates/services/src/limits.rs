//! Named limits of this crate: unit in the name, and beside each where it comes from and why this number.
//! Limits that a service sets for itself stand in its own file.

/// Octets of a display name. No mail program shows more than a few dozen characters of it.
pub const DISPLAY_NAME_OCTETS_MAX: usize = 320;

/// Octets of a subject before encoding. Every service takes it, and inboxes show under 200 characters.
pub const SUBJECT_OCTETS_MAX: usize = 2_000;

/// Octets of a custom header's name. The smallest allowance of the six services (Amazon SES: 126).
pub const HEADER_NAME_OCTETS_MAX: usize = 126;

/// Octets of a custom header's value. The smallest allowance of the six services (Amazon SES: 995).
pub const HEADER_VALUE_OCTETS_MAX: usize = 995;

/// Custom headers of one message. The smallest allowance of the six services (Amazon SES: 15).
pub const HEADERS_MAX: usize = 15;

/// Octets of a message id with its angle brackets (RFC 5322 §2.1.1: a line of 998 with its field name).
pub const MESSAGE_ID_OCTETS_MAX: usize = 900;

/// Octets of an idempotency key (Resend takes 256, Brevo a UUID).
pub const IDEMPOTENCY_KEY_OCTETS_MAX: usize = 256;

/// Octets of one text or HTML body. Under the smallest message allowance (Postmark: 10 MB in all).
pub const BODY_OCTETS_MAX: usize = 5 * 1_024 * 1_024;

/// Octets of a message in raw MIME form, before base64; Mailgun takes 25 MB, Amazon SES 40 MB after base64.
pub const MIME_OCTETS_MAX: usize = 25 * 1_000 * 1_000;

/// Octets of an account setting that is no secret: a region, a domain, a stream.
pub const SETTING_OCTETS_MAX: usize = 253;

/// Octets of a key. Amazon's session tokens are the longest, documented without a limit, seen near 1,500.
pub const KEY_OCTETS_MAX: usize = 8_192;

/// Octets of an answer that are read. The longest honest one is Postmark's to a batch of 500 messages,
/// some 150 kB; the executor stops reading here and reports the answer as cut.
pub const RESPONSE_OCTETS_MAX: usize = 1_024 * 1_024;

/// Response headers that are looked at; services send some 30.
pub const RESPONSE_HEADERS_MAX: usize = 200;

/// Characters kept of a service's own words in a fault. One sentence or two; more is noise in a report.
pub const FAULT_TEXT_CHARS_MAX: usize = 500;

/// Characters kept of an id that a service returned. The longest known (Amazon SES) has 60.
pub const SERVICE_ID_CHARS_MAX: usize = 300;

/// Seconds of the longest wait that a `Retry-After` may ask of us: one day. A longer one is cut to this,
/// so that a wrong header cannot park a connection for a year.
pub const RETRY_AFTER_S_MAX: u64 = 86_400;

/// Names kept of a list in an account answer, such as a key's permissions; SendGrid has some 200.
pub const ACCOUNT_LIST_MAX: usize = 1_000;

/// Messages of one account of which a batch is built, whatever the service would take.
pub const BATCH_MESSAGES_MAX: usize = 1_000;

/// Octets of our own name for a message (Postmark takes 80 in a metadata value, the others more).
pub const REFERENCE_OCTETS_MAX: usize = 64;
