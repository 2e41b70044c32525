//! Named limits of the parsers and sessions of this crate.

/// Octets of a domain name without its final dot (RFC 1035 §2.3.4: 255 on the wire).
pub const NAME_OCTETS_MAX: usize = 253;

/// Octets of one label (RFC 1035 §2.3.4).
pub const LABEL_OCTETS_MAX: usize = 63;

/// Octets of a name before conversion: 253 characters of at most four octets each.
pub const NAME_INPUT_OCTETS_MAX: usize = 1_012;

/// Octets of a typed target. Twice what the longest name needs, so that a URL around it fits.
pub const INPUT_OCTETS_MAX: usize = 2_048;
