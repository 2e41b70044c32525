//! Named limits of the lab's name servers: what is read, kept and waited for.
//!
//! Each constant says its unit and why this number. Nothing here bounds what a client may do;
//! it bounds what one scenario can make this process hold.

use std::time::Duration;

/// Zones in one world, generated ones not counted: each signed one costs a key pair.
pub const ZONES_MAX: usize = 2_048;

/// Records in one zone, after `generate`: all are signed when the world starts.
pub const RECORDS_PER_ZONE_MAX: usize = 20_000;

/// Octets of one record line: 60 KiB hold the largest TXT set a DNS message can carry.
pub const RECORD_LINE_OCTETS_MAX: usize = 61_440;

/// Octets of one character string in a TXT record (RFC 1035 §3.3.14): longer ones are split.
pub const TXT_STRING_OCTETS_MAX: usize = 255;

/// Name servers in one world, the resolver not counted: each takes two sockets and one of the 254 addresses of
/// 198.18.254.0/24.
pub const SERVERS_MAX: usize = 200;

/// Answer faults in one world: every query is compared with every one.
pub const FAULTS_MAX: usize = 1_000;

/// CNAME steps one answer follows before it is handed out as it stands; BIND and Unbound stop
/// near here too.
pub const CNAME_STEPS_MAX: usize = 16;

/// Octets of a UDP answer without EDNS (RFC 1035 §2.3.4).
pub const UDP_PLAIN_OCTETS: u16 = 512;

/// Octets of a UDP answer with EDNS: the size that is safe on nearly every path.
pub const UDP_PAYLOAD_OCTETS: u16 = 1_232;

/// Octets of one datagram or TCP message that is read: the most a length prefix can say.
pub const MESSAGE_OCTETS_MAX: usize = 65_535;

/// Questions answered at the same time by one socket: slow answers must not starve the others.
pub const CONCURRENT_QUERIES_MAX: usize = 1_024;

/// TCP connections held at the same time by one server.
pub const TCP_CONNECTIONS_MAX: usize = 256;

/// Time an idle TCP connection is kept (RFC 7766 §6.2.3 asks for seconds).
pub const TCP_IDLE: Duration = Duration::from_secs(10);

/// The longest delay a scenario may ask for, in milliseconds.
pub const DELAY_MS_MAX: u64 = 60_000;

/// Log entries kept; the oldest are dropped first.
pub const LOG_ENTRIES_MAX: usize = 100_000;

/// Tries to find a port that is free for UDP and TCP alike.
pub const BIND_TRIES_MAX: usize = 32;

/// TTL in seconds of records that name none.
pub const TTL_DEFAULT_S: u32 = 300;

/// Seconds a good signature is valid before and after the world's clock value.
pub const SIGNATURE_PAST_S: i64 = 24 * 3_600;
/// Seconds a good signature stays valid.
pub const SIGNATURE_AHEAD_S: i64 = 14 * 24 * 3_600;
/// Seconds between the clock value and the nearer end of an expired or future signature.
pub const SIGNATURE_FAULT_DISTANCE_S: i64 = 30 * 24 * 3_600;
