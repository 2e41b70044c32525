//! Named limits of the store: unit in the name, and beside each why this number.

use std::time::Duration;

use jiff::SignedDuration;

/// How long a statement waits for another process that is writing. Longer than any batch of ours, shorter
/// than a person's patience.
pub const BUSY_WAIT_MAX: Duration = Duration::from_secs(10);

/// Connections that read at the same time; the writer is one more. WAL lets them run beside each other.
pub const READERS_MAX: u32 = 4;

/// Octets of a key file: room for hundreds of keys of some 80 octets.
pub const KEY_FILE_OCTETS_MAX: u64 = 64 * 1_024;

/// Keys in one key file. Each is one rotation that was not yet retired.
pub const KEYS_MAX: usize = 256;

/// Octets of one secret. A private key in PEM or an OAuth token fits many times.
pub const SECRET_OCTETS_MAX: usize = 16 * 1_024;

/// Octets of the name of a connection, of its From name and of a user name.
pub const LINE_OCTETS_MAX: usize = 200;

/// Octets of the reason of an exception and of one setting of a service.
pub const TEXT_OCTETS_MAX: usize = 1_000;

/// Octets of an address (RFC 5321 §4.5.3.1.3: a path has 256 with its brackets).
pub const ADDRESS_OCTETS_MAX: usize = 254;

/// Octets before the `@` of an address (RFC 5321 §4.5.3.1.1).
pub const LOCAL_PART_OCTETS_MAX: usize = 64;

/// Octets of an extra trust bundle in PEM: some thirty certificates.
pub const TRUST_PEM_OCTETS_MAX: usize = 64 * 1_024;

/// Keys that one connection may pin: the one in use and some successors.
pub const PINNED_KEYS_MAX: usize = 8;

/// Settings of one built-in service (region, message stream and the like).
pub const SERVICE_SETTINGS_MAX: usize = 32;

/// Days that an exception for sending without encryption may last. After three months somebody looks again.
pub const EXCEPTION_DAYS_MAX: i64 = 90;

/// The same as a duration.
pub const EXCEPTION_MAX: SignedDuration = SignedDuration::from_hours(24 * EXCEPTION_DAYS_MAX);

/// Octets of the detail of one test or verification: a transcript of the longest kind, with its steps.
pub const TRIAL_DETAIL_OCTETS_MAX: usize = 512 * 1_024;

/// Octets of what is noted of a test's message where it arrived.
pub const RECEIVED_NOTE_OCTETS_MAX: usize = 64 * 1_024;

/// Tests and verifications kept for each connection, the newest first; the older ones are dropped.
pub const TRIALS_KEPT_MAX: i64 = 50;

/// How long the key of a test is remembered: a caller that asks again does so within minutes, or after a
/// weekend.
pub const TEST_KEYS_KEPT: SignedDuration = SignedDuration::from_hours(24 * 7);

/// Octets of one stored report. The largest of a domain with many hosts has some 300 kB.
pub const REPORT_OCTETS_MAX: usize = 4 * 1_024 * 1_024;

/// Octets of one answer that is kept to be repeated: a connection with its newest test fits.
pub const KEPT_ANSWER_OCTETS_MAX: usize = 2 * 1_024 * 1_024;

/// Rows of one page of a listing.
pub const PAGE_ROWS_MAX: u32 = 1_000;

/// Rows that one call may write.
pub const BATCH_ROWS_MAX: usize = 1_000;
