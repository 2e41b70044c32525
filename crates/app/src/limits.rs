//! Named limits of the use cases: unit in the name, and beside each why this number.

use jiff::SignedDuration;
use std::time::Duration;

/// How long the command that prints the master keys may take: a person may have to unlock a key ring.
pub const KEY_COMMAND_MAX: Duration = Duration::from_mins(2);

/// Octets that the command may print; what a key file may have.
pub const KEY_COMMAND_OCTETS_MAX: u64 = waxseal_store::limits::KEY_FILE_OCTETS_MAX;

/// Connections of one workspace that are listed. A team has some, not thousands.
pub const CONNECTIONS_LISTED_MAX: u32 = waxseal_store::limits::PAGE_ROWS_MAX;

/// Characters of what one step shows: a reply of EHLO with its extensions fits whole.
pub const STEP_DETAIL_CHARS_MAX: usize = 600;

/// All looks at other pairs of port and mode after a failed attempt: they only add to a diagnosis that
/// somebody waits for.
pub const OTHER_PAIRS_MAX: Duration = Duration::from_secs(30);

/// For so long a measurement serves everybody who asks for it: a target is measured at most once in this
/// time for all clients together.
pub const MEASURED_ONCE_IN: Duration = Duration::from_mins(10);

/// Sessions to one address and port in that time, whatever names lead there. A check has five at most, and
/// an address rarely has more than two names.
pub const SESSIONS_PER_ADDRESS_MAX: usize = 12;

/// Measurements that are kept to be shared; each has some 10 kB.
pub const MEASUREMENTS_MAX: usize = 4_000;

/// Reports that a new process goes on from, the newest; more are not begun in [`MEASURED_ONCE_IN`] in practice.
pub const RELOADED_MAX: u32 = 1_000;

/// Reports that are held in memory at once meanwhile; each has some 30 kB.
pub const RELOADED_AT_ONCE: usize = 50;

/// Checks at once. Most of their time is waiting; the world limits connections besides.
pub const CHECKS_AT_ONCE: usize = 32;

/// Checks that one client may begin in [`MEASURED_ONCE_IN`] unless the operator says otherwise. A person
/// with a handful of domains never meets it.
pub const CHECKS_PER_CLIENT: u32 = 20;

/// Clients whose budgets are remembered at once; beyond it those that are long rested are forgotten.
pub const CLIENTS_MAX: usize = 50_000;

/// A check that nobody watches is cancelled after this time: a browser opens its event stream at once.
pub const UNWATCHED_MAX: Duration = Duration::from_secs(15);

/// So long the steps of a check that ended are kept for a browser that opens its event stream late: a check
/// can be over before a phone has asked for them.
pub const STEPS_KEPT: Duration = Duration::from_secs(15);

/// How long a link to a result works.
pub const RESULT_KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Links to results of checks that one run may have: one for each client who waits for it.
pub const TICKETS_PER_RUN_MAX: usize = 500;

/// Tests, and besides them verifications, of one connection within [`TRIALS_WINDOW`]. Somebody who tries settings
/// needs some in a row; more only annoys the recipient and the service, and refused sign-ins lock accounts.
pub const TRIALS_MAX: u32 = 10;

/// See [`TRIALS_MAX`].
pub const TRIALS_WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// A trial without a record after this time is lost. It is above all limits of a session together.
pub const TRIAL_LASTS_AT_MOST: SignedDuration = SignedDuration::from_mins(60);

/// Test sends and verifications of one process at once; most of their time is waiting.
pub const JOBS_AT_ONCE: usize = 32;

/// Of those, of one workspace: people who try settings in several windows, and no workspace takes all.
pub const JOBS_PER_WORKSPACE: usize = 8;

/// Ended jobs that are kept in memory; each has some 20 kB. Tests and verifications are in the store as well.
pub const JOBS_KEPT_MAX: usize = 200;

/// How long an ended job is kept in memory.
pub const JOB_KEPT: Duration = Duration::from_hours(1);

/// Steps of one job that are told while it runs; an attempt has some 15, more with many addresses.
pub const JOB_STEPS_MAX: usize = 100;

/// Characters of a password, at least. Length is what counts; nothing is asked of its letters.
pub const PASSWORD_CHARS_MIN: usize = 12;

/// Characters of a password, at most: argon2 reads all of them.
pub const PASSWORD_CHARS_MAX: usize = 256;

/// Characters of a name to sign in with; an address fits.
pub const NAME_CHARS_MAX: usize = 100;

/// Passwords that are hashed at once; each takes some 20 MiB and tens of milliseconds.
pub const HASHES_AT_ONCE: usize = 2;

/// How long a session holds without signing in again.
pub const SESSION_HOLDS: SignedDuration = SignedDuration::from_hours(24 * 14);

/// How long the link of the first start, or one for a forgotten password, works.
pub const SETUP_HOLDS: SignedDuration = SignedDuration::from_hours(24);

/// How long a link to enter a secret works: somebody waits for it.
pub const SECRET_LINK_HOLDS: SignedDuration = SignedDuration::from_mins(15);

/// How long an invitation works.
pub const INVITATION_HOLDS: SignedDuration = SignedDuration::from_hours(24 * 7);

/// Tries to sign in that one client has in [`SIGN_INS_PERIOD`].
pub const SIGN_INS_PER_CLIENT: u32 = 10;

/// The period of [`SIGN_INS_PER_CLIENT`].
pub const SIGN_INS_PERIOD: Duration = Duration::from_mins(10);

/// Lines of the log that are shown.
pub const AUDIT_SHOWN_MAX: u32 = 50;

/// Hops that are kept of a test's message where it arrived, the newest. A message rarely has ten.
pub const RECEIVED_HOPS_KEPT: usize = 25;

/// Characters kept of a host name or cipher in such a hop.
pub const RECEIVED_TEXT_CHARS_MAX: usize = 128;

/// How long a token holds when nobody says otherwise: a quarter, after which somebody looks again.
pub const TOKEN_HOLDS: SignedDuration = SignedDuration::from_hours(24 * 90);

/// How long a token with an end holds at most: two years. One without end has to be asked for as such.
pub const TOKEN_HOLDS_MAX: SignedDuration = SignedDuration::from_hours(24 * 731);

/// How exactly the last use of a token is known: not every request writes to the database.
pub const TOKEN_USE_NOTED_EVERY: SignedDuration = SignedDuration::from_mins(5);

/// Wrong tokens that one client may show in [`WRONG_TOKENS_PERIOD`]. They cannot be guessed; this bounds the noise.
pub const WRONG_TOKENS_PER_CLIENT: u32 = 30;

/// The period of [`WRONG_TOKENS_PER_CLIENT`].
pub const WRONG_TOKENS_PERIOD: Duration = Duration::from_mins(10);

/// How long an answer is kept for a program that asks again by the same key.
pub const ANSWER_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// A request with a key that has no answer after this time was lost with its process. It is well above what a
/// request may take.
pub const KEYED_REQUEST_LASTS_AT_MOST: SignedDuration = SignedDuration::from_mins(2);

/// Characters of the key of a request; a UUID has 36.
pub const REQUEST_KEY_CHARS_MAX: usize = 128;

/// Longest name for which near ones are looked for; a preset's name has at most half of it.
pub const NEAR_NAME_CHARS_MAX: usize = 64;

/// Near names shown with an error: what fits into a line or two.
pub const NEAR_NAMES_MAX: usize = 8;
