//! Limits of what the command line reads and shows. Sizes of parsed things are limited again by the crates
//! that parse them; these bound what is held in memory and what one value may fill of a screen.

use std::time::Duration;

/// Octets of a file given to a tool: a bundle of every public root is about 250 kB, the largest CRLs of
/// public authorities some 10 MB.
pub(crate) const INPUT_FILE_OCTETS_MAX: u64 = 32 * 1024 * 1024;

/// Octets of the configuration file; a real one has under 1 kB.
pub(crate) const CONFIG_FILE_OCTETS_MAX: u64 = 256 * 1024;

/// Octets of a file with a password or token; the longest token has some 4 kB.
pub(crate) const PASSWORD_FILE_OCTETS_MAX: u64 = 16 * 1024;

/// Relays at private addresses in the configuration file: an organisation has a handful.
pub(crate) const RELAYS_MAX: usize = 64;

/// Characters of one foreign text on a screen or page. A reply line has 512 octets at most; a longer text
/// is cut and says how much is missing.
pub(crate) const SHOWN_TEXT_CHARS_MAX: usize = 600;

/// Domains that one `check` measures at once; the world limits connections besides.
pub(crate) const DOMAINS_AT_ONCE: usize = 4;

/// Scenarios that `lab run` runs at once.
pub(crate) const SCENARIOS_AT_ONCE: usize = 8;

/// Columns of text output where the terminal does not tell its width.
pub(crate) const WIDTH_DEFAULT_CHARS: usize = 100;

/// Columns beyond which a line of prose is hard to read.
pub(crate) const WIDTH_MAX_CHARS: usize = 110;

/// The longest `--timeout`: beyond it the totals of a session decide.
pub(crate) const TIMEOUT_MAX: Duration = Duration::from_mins(10);

/// The single waits of a lab on loopback, where nothing is ever slow by nature.
pub(crate) const LAB_WAIT: Duration = Duration::from_millis(1500);

/// One lab session from connect to close.
pub(crate) const LAB_SESSION: Duration = Duration::from_secs(6);

/// One DNS query in a lab.
pub(crate) const LAB_DNS_QUERY: Duration = Duration::from_millis(700);

/// One DNS question in a lab, with retries and validation.
pub(crate) const LAB_DNS_TOTAL: Duration = Duration::from_secs(4);

/// One fetch in a lab, and the end of a session there.
pub(crate) const LAB_FETCH: Duration = Duration::from_secs(3);

/// QUIT and the end of TLS in a lab.
pub(crate) const LAB_FAREWELL: Duration = Duration::from_millis(500);

/// One survey in a lab.
pub(crate) const LAB_SURVEY: Duration = Duration::from_secs(20);

/// Octets of a request line with its header fields; browsers send 1 to 4 kB. hyper refuses a buffer under
/// 8 KiB.
pub(crate) const REQUEST_HEAD_OCTETS_MAX: usize = 16 * 1024;

/// Header fields of one request; browsers send about 20, proxies add some.
pub(crate) const REQUEST_HEADERS_MAX: usize = 64;

/// Octets of a request body. The largest that is taken is a form of connection settings with a few
/// certificates.
pub(crate) const REQUEST_BODY_OCTETS_MAX: usize = 256 * 1024;

/// The head of a request, and the pause between two requests of one connection.
pub(crate) const REQUEST_HEAD_WAIT: Duration = Duration::from_secs(15);

/// A TLS handshake with a visitor.
pub(crate) const VISITOR_HANDSHAKE: Duration = Duration::from_secs(10);

/// One request that waits for nothing but this program.
pub(crate) const REQUEST_TOTAL: Duration = Duration::from_secs(15);

/// The whole body of a request: the largest one takes a tenth of it over a slow telephone.
pub(crate) const REQUEST_BODY_WAIT: Duration = Duration::from_secs(20);

/// How long a visitor may take nothing of an answer that is being sent.
pub(crate) const VISITOR_WRITE_WAIT: Duration = Duration::from_secs(30);

/// Connections of one visitor at once, unless it is a named proxy: all its event streams and as many again.
pub(crate) const CONNECTIONS_PER_VISITOR_MAX: usize = 512;

/// Connections of visitors at once. Each costs some 30 kB; two hundred event streams fit many times.
pub(crate) const VISITORS_MAX: usize = 2_048;

/// Pause after the system refused to accept a connection, usually for want of file descriptors.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long open requests may take to end once the program is asked to stop.
pub(crate) const SHUTDOWN_GRACE: Duration = Duration::from_secs(10);

/// Octets of a certificate chain, a key or a token in a file.
pub(crate) const SERVER_FILE_OCTETS_MAX: u64 = 256 * 1024;

/// Characters of a search; longer ones find nothing more.
pub(crate) const SEARCH_CHARS_MAX: usize = 100;

/// Hits of one search that are shown.
pub(crate) const SEARCH_HITS_MAX: usize = 30;

/// Octets of a file with a secret, or of one that is typed; what the store keeps at most.
pub(crate) const SECRET_FILE_OCTETS_MAX: u64 = 16 * 1024;

/// Event streams of one client at once: a busy office behind one address, and no more.
pub(crate) const STREAMS_PER_CLIENT_MAX: usize = 256;

/// How often a silent event stream says that it is still there, for proxies that close silent connections.
pub(crate) const STREAM_BEAT: Duration = Duration::from_secs(15);

/// How long a form without scripts waits for its test before the page that waits further is shown: most tests
/// are over, and browsers and proxies still wait.
pub(crate) const PLAIN_WAIT: Duration = Duration::from_secs(45);

/// Octets of a received message that is uploaded; only its header is read, and a test's message has some 10 kB.
pub(crate) const UPLOAD_OCTETS_MAX: usize = 1024 * 1024;

/// Fields of one form with a file.
pub(crate) const FORM_PARTS_MAX: usize = 16;

/// How often results that ended are dropped.
pub(crate) const TIDY_EVERY: Duration = Duration::from_hours(1);

/// Checks that one client of a lab may begin in ten minutes: all scenarios several times.
pub(crate) const LAB_CHECKS_PER_CLIENT: u32 = 10_000;

/// Seconds that a browser keeps the secret by which a result can be deleted: as long as the result.
pub(crate) const OWNER_COOKIE_SECONDS: i64 = 30 * 24 * 60 * 60;

/// Octets of one message of an agent: the largest argument twice over, because JSON may escape it.
pub(crate) const MCP_LINE_OCTETS_MAX: usize = 1024 * 1024;

/// Lines that wait until an agent reads them; behind them whoever answers waits.
pub(crate) const MCP_LINES_WAITING_MAX: usize = 16;

/// How long the last answers may take to be written once an agent is gone.
pub(crate) const MCP_FAREWELL: Duration = Duration::from_secs(1);

/// Octets of a received message that an agent has read; a long header has some 30 kB.
pub(crate) const MCP_MESSAGE_OCTETS_MAX: usize = 256 * 1024;

/// Octets of one argument of an agent: a domain, a name, a code.
pub(crate) const MCP_ARGUMENT_OCTETS_MAX: usize = 1024;

/// Entries of one list or table of an agent's arguments.
pub(crate) const MCP_ENTRIES_MAX: usize = 32;

/// Checks, verifications and tests of one agent at once; the world limits connections besides.
pub(crate) const MCP_CHECKS_AT_ONCE: usize = 4;

/// Secrets of one connection in a form; no service has more than four.
pub(crate) const SECRET_FIELDS_MAX: usize = 8;

/// Sessions of one token over HTTP at once: a handful of agents, each with some conversations.
pub(crate) const MCP_SESSIONS_PER_TOKEN_MAX: usize = 16;

/// Requests of one token over HTTP that are open at once: for each session one that waits for notices, and some
/// calls.
pub(crate) const MCP_OPEN_PER_TOKEN_MAX: usize = 64;

/// A session in which nothing happens ends after this time. The longest call, a test send to a slow server, is
/// shorter.
pub(crate) const MCP_SESSION_IDLE: Duration = Duration::from_mins(30);

/// Guide sections that come with one result. A report rarely has findings of more, and each fills some
/// hundred words of what an agent can keep in mind.
pub(crate) const MCP_GUIDE_SECTIONS_MAX: usize = 6;

/// Connections of one answer of the HTTP interface unless the caller says otherwise.
pub(crate) const API_PAGE_DEFAULT: u32 = 50;

/// Connections of one answer of the HTTP interface; each has some 3 kB.
pub(crate) const API_PAGE_MAX: u32 = 100;

/// When a program that met as many jobs as may run is told to come back.
pub(crate) const BUSY_PAUSE: Duration = Duration::from_mins(1);
