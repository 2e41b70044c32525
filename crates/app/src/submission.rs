//! One attempt over SMTP, from plain values: hands over one message, or signs in and leaves, and says what was
//! seen, what it means and what comes next. Test sends and `tool smtp send` take this path. It holds no
//! rule: the session, the diagnosis and the words are decided elsewhere. The way in is [`submit`]. Keep: one
//! attempt, never a second one with other settings.

mod published;
mod steps;

use crate::limits::OTHER_PAIRS_MAX;
use crate::world::{World, WorldError};
use jiff::Timestamp;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use waxseal_check::diagnose::{PairTried, SmtpTried, other_pairs};
use waxseal_check::question::Peer;
use waxseal_check::report::send::wire::{SendV1, StepV1};
use waxseal_net::{NetError, Submission};
use waxseal_proto::name::{DomainName, NameError};
use waxseal_proto::smtp::command::EhloName;
use waxseal_proto::smtp::sasl::{ClientNonce, SignIn, SignInError};
use waxseal_proto::smtp::submission::{Secured, Security, Stop};
use waxseal_proto::tls::danger::{ClearTextAllowance, Exception};
use waxseal_proto::tls::mode::Mode;
use waxseal_proto::tls::requirement::{MinimumVersion, Requirement};
use waxseal_proto::x509::{Roots, inspect};
use waxseal_send::attempt::SmtpAttempt;

pub use waxseal_proto::smtp::sasl::{Choice, Credential};
pub use waxseal_proto::smtp::submission::{Goal, Onward, Transaction};
pub use waxseal_send::attempt::{Family, Host, Trust};

/// Where a message goes, and how.
#[derive(Clone, Debug)]
pub struct SubmissionRequest {
    /// The host, which the certificate must name.
    pub host: Host,
    /// The port; nothing is derived from it.
    pub port: u16,
    /// How it is encrypted, and who signs in.
    pub protection: Protection,
    /// The name given in EHLO; found out if absent.
    pub ehlo_name: Option<DomainName>,
    /// Which addresses of the host are tried first.
    pub family: Family,
    /// What for.
    pub goal: Goal,
}

/// How an attempt is encrypted. Without TLS there is no place for an account.
#[derive(Clone, Debug)]
pub enum Protection {
    /// Not at all: on loopback, or by the owner's exception while it runs.
    None(Option<Exception>),
    /// STARTTLS, which must succeed and verify.
    StartTls(Encryption),
    /// TLS from the first octet, which must verify.
    Tls(Encryption),
}

/// What TLS must be, and who signs in inside.
#[derive(Clone, Debug, Default)]
pub struct Encryption {
    /// The lowest version.
    pub minimum: MinimumVersion,
    /// Whom the server must be vouched for by.
    pub trust: Trust,
    /// Who signs in; nobody if absent.
    pub account: Option<Account>,
}

/// Who signs in, and with what.
#[derive(Clone, Debug)]
pub struct Account {
    /// The user name.
    pub user: String,
    /// The password or token.
    pub credential: Credential,
    /// By which mechanism.
    pub choice: Choice,
}

/// Why no attempt was made. The server's fault is never one of these.
#[derive(Debug, thiserror::Error)]
pub enum SubmissionError {
    /// The host is not this machine, and without an exception nothing is said to another one in clear.
    #[error("mode none reaches this machine only, and {host} is at {address}")]
    NotLoopback {
        /// The host.
        host: String,
        /// The address that was connected to.
        address: IpAddr,
    },
    /// The owner's exception has ended, or has not begun.
    #[error("the exception that allows sending without encryption is not in force")]
    ExceptionOver,
    /// Nobody can sign in with these.
    #[error("sign-in: {0}")]
    SignIn(#[from] SignInError),
    /// The trusted authority cannot be used, or the system gave no random numbers.
    #[error(transparent)]
    World(#[from] WorldError),
}

/// Told while an attempt runs.
#[derive(Clone, Debug, PartialEq)]
pub enum StepTold {
    /// A step begins.
    Began {
        /// Its name, as in [`StepV1::step`].
        step: &'static str,
        /// How long the whole had run.
        elapsed: Duration,
    },
    /// A step is over.
    Ended(StepV1),
}

/// Who is told what happens while it happens.
pub type Listener<'a> = &'a mut (dyn FnMut(StepTold) + Send);

/// An attempt that was made, with what was asked for.
#[derive(Debug)]
struct Attempted<'a> {
    world: &'a World,
    request: &'a SubmissionRequest,
    tried: SmtpTried,
}

/// Carries out one attempt, tells its steps to `listener` and says what became of it.
///
/// # Errors
///
/// [`SubmissionError`] when the request cannot be carried out; then nothing was said to anybody.
pub async fn submit(
    world: &World,
    request: &SubmissionRequest,
    listener: Listener<'_>,
) -> Result<SendV1, SubmissionError> {
    let at = world.now();
    let mut steps = steps::Steps::begin(world, listener);
    let roots = request.roots(world)?;
    let attempt = request.attempt(world, at)?;
    steps.settings(&request.in_one_line());
    let judge = steps::Judge { request, roots: &roots, at };
    let submission = {
        let mut tell = |told| steps.tell(told, &judge);
        world.net().submit(&attempt, &mut tell).await.map_err(WorldError::from)?
    };
    let (steps, took) = steps.finish();
    let stop = submission.seen.as_ref().and_then(|seen| seen.stop.as_ref());
    if let (Some(Stop::NotAllowedInClear), Some((address, _))) = (stop, submission.connects.last())
    {
        return Err(SubmissionError::NotLoopback { host: request.host_text(), address: *address });
    }
    let tried = request.tried(submission, roots, at);
    let mut attempted = Attempted { world, request, tried };
    attempted.look_at_other_pairs(&attempt).await;
    Ok(published::published(&attempted, steps, took))
}

/// Reads a host name or an address: no port, no brackets, no URL.
///
/// # Errors
///
/// Any other text.
pub fn parse_host(text: &str) -> Result<Host, NameError> {
    match text.parse::<IpAddr>() {
        Ok(address) => Ok(Host::Address(address)),
        Err(_) => DomainName::parse(text).map(Host::Name),
    }
}

impl Attempted<'_> {
    /// One look each at the other pairs of port and mode that the diagnosis asks for: without a credential
    /// and without a message, over the same trust, and one after the other.
    async fn look_at_other_pairs(&mut self, attempt: &SmtpAttempt) {
        let watch = self.world.stopwatch();
        let mut seen = Vec::new();
        for (port, mode) in other_pairs(&self.tried) {
            let Some(look) = look(self.world, attempt, port, mode) else { continue };
            match tokio::time::timeout(watch.left_of(OTHER_PAIRS_MAX), Box::pin(look)).await {
                Ok(pair) => seen.extend(pair),
                Err(_) => break,
            }
        }
        self.tried.other_pairs = seen;
    }
}

/// A look that nobody can sign in with; there is none without TLS.
fn look<'a>(
    world: &'a World,
    attempt: &SmtpAttempt,
    port: u16,
    mode: Mode,
) -> Option<impl Future<Output = Option<PairTried>> + 'a> {
    let secured = || Secured { requirement: Requirement::default(), sign_in: None };
    let security = match mode {
        Mode::Starttls => Security::StartTls(secured()),
        Mode::Tls => Security::Tls(secured()),
        Mode::None => return None,
    };
    let attempt = SmtpAttempt { port, security, goal: Goal::Verify, ..attempt.clone() };
    Some(async move {
        let seen = Box::pin(world.net().submit(&attempt, &mut |_| {})).await.ok()?;
        Some(PairTried { port, mode, connects: seen.connects, session: seen.seen })
    })
}

impl SubmissionRequest {
    /// The security mode.
    pub const fn mode(&self) -> Mode {
        match self.protection {
            Protection::None(_) => Mode::None,
            Protection::StartTls(_) => Mode::Starttls,
            Protection::Tls(_) => Mode::Tls,
        }
    }

    /// The host as a certificate or a relay list names it.
    pub fn host_text(&self) -> String {
        match &self.host {
            Host::Address(address) => address.to_string(),
            Host::Name(name) => name.as_str().to_owned(),
        }
    }

    const fn encryption(&self) -> Option<&Encryption> {
        match &self.protection {
            Protection::None(_) => None,
            Protection::StartTls(encryption) | Protection::Tls(encryption) => Some(encryption),
        }
    }

    fn in_one_line(&self) -> String {
        let sign_in = match self.encryption().and_then(|encryption| encryption.account.as_ref()) {
            None => "no sign-in",
            Some(Account { choice: Choice::Automatic, .. }) => "sign-in by what the server offers",
            Some(Account { choice: Choice::Only(mechanism), .. }) => mechanism.as_str(),
        };
        format!("{} port {}, mode {}, {sign_in}", self.host_text(), self.port, self.mode().as_str())
    }

    /// The roots that the server's certificate is judged by, for the report.
    fn roots(&self, world: &World) -> Result<Arc<Roots>, SubmissionError> {
        match self.encryption().map(|encryption| &encryption.trust) {
            Some(Trust::Authority(pem)) => {
                let unusable = |error: waxseal_proto::x509::RootsError| NetError::Roots {
                    problem: error.to_string(),
                };
                let roots = Roots::from_pem(pem).map_err(unusable).map_err(WorldError::from)?;
                Ok(Arc::new(roots))
            }
            Some(Trust::PinnedKeys(_) | Trust::PublicRoots) | None => Ok(Arc::clone(world.roots())),
        }
    }

    /// The keys that are pinned; `None` when the server is vouched for by an authority.
    fn pinned(&self) -> Option<&[[u8; 32]]> {
        match self.encryption().map(|encryption| &encryption.trust)? {
            Trust::PinnedKeys(keys) => Some(keys),
            Trust::Authority(_) | Trust::PublicRoots => None,
        }
    }

    /// Whether the leaf has a key that is pinned; `None` when none is.
    fn is_pinned(&self, spki_sha256: &str) -> Option<bool> {
        Some(self.pinned()?.contains(&parse_pin(spki_sha256)?))
    }

    /// What was seen, as the diagnosis takes it. Of several pinned keys it is told the one that the server
    /// has, else the first.
    fn tried(&self, submission: Submission, roots: Arc<Roots>, at: Timestamp) -> SmtpTried {
        let chain = submission
            .seen
            .as_ref()
            .and_then(|seen| seen.session.handshake.seen()?.chain.seen()?.first());
        let shown = chain.and_then(|leaf| parse_pin(&inspect(leaf).ok()?.spki_sha256));
        let pinned_key = self.pinned().and_then(|keys| {
            keys.iter().find(|key| Some(**key) == shown).or_else(|| keys.first()).copied()
        });
        let host = match &self.host {
            Host::Address(address) => Peer::Address(*address),
            Host::Name(name) => Peer::Host(name.clone()),
        };
        SmtpTried {
            host,
            port: self.port,
            mode: self.mode(),
            answers: submission.answers,
            connects: submission.connects,
            session: submission.seen,
            timings: submission.timings,
            other_pairs: Vec::new(),
            at,
            roots,
            pinned_key,
        }
    }

    fn attempt(&self, world: &World, now: Timestamp) -> Result<SmtpAttempt, SubmissionError> {
        let secured = |encryption: &Encryption| -> Result<Secured, SubmissionError> {
            let sign_in = match &encryption.account {
                None => None,
                Some(account) => {
                    let nonce = world.net().nonce_octets().map_err(WorldError::from)?;
                    let nonce = ClientNonce::from_random(nonce);
                    let credential = account.credential.clone();
                    Some(SignIn::new(&account.user, credential, account.choice, nonce)?)
                }
            };
            let requirement = Requirement { minimum: encryption.minimum };
            Ok(Secured { requirement, sign_in })
        };
        let security = match &self.protection {
            Protection::None(exception) => Security::None(allowance(exception.as_ref(), now)?),
            Protection::StartTls(encryption) => Security::StartTls(secured(encryption)?),
            Protection::Tls(encryption) => Security::Tls(secured(encryption)?),
        };
        let trust = self.encryption().map(|encryption| encryption.trust.clone());
        Ok(SmtpAttempt {
            host: self.host.clone(),
            port: self.port,
            ehlo_name: self.ehlo_name.clone().map(EhloName::from),
            family: self.family,
            trust: trust.unwrap_or_default(),
            security,
            goal: self.goal.clone(),
        })
    }
}

/// Without an exception the session says nothing to an address off loopback.
fn allowance(
    exception: Option<&Exception>,
    now: Timestamp,
) -> Result<ClearTextAllowance, SubmissionError> {
    match exception {
        Some(exception) => ClearTextAllowance::by_exception(exception, now),
        None => ClearTextAllowance::for_loopback(IpAddr::V4(Ipv4Addr::LOCALHOST)),
    }
    .ok_or(SubmissionError::ExceptionOver)
}

/// Reads the SHA-256 of a public key: 64 hexadecimal digits, with or without colons.
pub fn parse_pin(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text.bytes().filter(|octet| *octet != b':').collect();
    let octet = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).ok().filter(|text| !text.contains('+'))?;
        u8::from_str_radix(text, 16).ok()
    };
    let octets: Vec<u8> = digits.chunks(2).map(octet).collect::<Option<_>>()?;
    if digits.len() == 64 { octets.try_into().ok() } else { None }
}
