//! Named limits of the use cases: unit in the name, and beside each why this number.

use std::time::Duration;

/// How long the command that prints the master keys may take: a person may have to unlock a key ring.
pub const KEY_COMMAND_MAX: Duration = Duration::from_mins(2);

/// Octets that the command may print; what a key file may have.
pub const KEY_COMMAND_OCTETS_MAX: u64 = waxseal_store::limits::KEY_FILE_OCTETS_MAX;

/// Connections of one workspace that are listed. A team has some, not thousands.
pub const CONNECTIONS_LISTED_MAX: u32 = waxseal_store::limits::PAGE_ROWS_MAX;

/// Characters of what one step shows: a reply of EHLO with its extensions fits whole.
pub const STEP_DETAIL_CHARS_MAX: usize = 600;
