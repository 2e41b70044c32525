//! What the world crate parses: zone files and connect rules. Both come from a person's hands, through a
//! file or a flag, so an error must name the thing and never panic.

use waxseal_net::{ConnectRule, ZoneFile};

/// Parses a zone file.
pub fn zone_file(data: &[u8]) {
    if let Err(error) = ZoneFile::parse(&String::from_utf8_lossy(data)) {
        assert!(!error.to_string().is_empty(), "an error without words");
    }
}

/// Parses a connect rule.
pub fn connect_rule(data: &[u8]) {
    if let Err(error) = String::from_utf8_lossy(data).parse::<ConnectRule>() {
        assert!(!error.to_string().is_empty(), "an error without words");
    }
}
