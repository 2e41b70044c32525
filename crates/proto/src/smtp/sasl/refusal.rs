//! Why a sign-in was refused (RFC 4954 §6, RFC 5248, RFC 7628 §3.2): by reply code first, then by the
//! enhanced code together with the text, because providers give the same numbers different meanings. The
//! way in is [`classify_sign_in`]. Keep: text only tells one refusal from another and never makes an acceptance.

use std::net::IpAddr;

use super::Mechanism;
use super::exchange::ExchangeFault;
use crate::smtp::reply::{EnhancedCode, Reply};
use crate::smtp::reply_class::Permanence;

/// Why nobody is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusalKind {
    /// The account is blocked, or may not use SMTP.
    AccountDisabled,
    /// The provider wants an app password in place of the normal one.
    AppPasswordNeeded,
    /// 530: sign-in is required.
    AuthRequired,
    /// Name or password is wrong.
    BadCredentials,
    /// 538: the mechanism needs encryption.
    EncryptionRequired,
    /// The exchange went wrong: a line refused, a prompt that cannot be read.
    ExchangeBroken,
    /// Nothing in common, 504, or a mechanism that is too weak for the server.
    MechanismMismatch,
    /// Not from this network address.
    NetworkNotAllowed,
    /// No AUTH in the EHLO list inside TLS.
    NotAdvertised,
    /// Passwords are not taken any more.
    OauthNeeded,
    /// A refusal in none of these forms.
    Other,
    /// 432: the password must be set anew (RFC 4954 §6).
    PasswordTransition,
    /// The server did not prove that it knows the password.
    ServerNotProven,
    /// 530 that asks for STARTTLS.
    StartTlsFirst,
    /// 4yz: not now; the password is not in question.
    Temporary,
    /// The OAuth token was refused.
    TokenInvalid,
    /// The provider wants a sign-in with a browser first.
    WebLoginNeeded,
}

/// A refused sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInRefusal {
    /// Why.
    pub kind: RefusalKind,
    /// By which mechanism; `None` when none was chosen.
    pub mechanism: Option<Mechanism>,
    /// What the exchange itself showed, beside the reply.
    pub fault: Option<ExchangeFault>,
    /// The server's last reply; `None` when nothing was sent.
    pub reply: Option<Reply>,
}

impl RefusalKind {
    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccountDisabled => "account-disabled",
            Self::AppPasswordNeeded => "app-password-needed",
            Self::AuthRequired => "auth-required",
            Self::BadCredentials => "bad-credentials",
            Self::EncryptionRequired => "encryption-required",
            Self::ExchangeBroken => "exchange-broken",
            Self::MechanismMismatch => "mechanism-mismatch",
            Self::NetworkNotAllowed => "network-not-allowed",
            Self::NotAdvertised => "not-advertised",
            Self::OauthNeeded => "oauth-needed",
            Self::Other => "other",
            Self::PasswordTransition => "password-transition",
            Self::ServerNotProven => "server-not-proven",
            Self::StartTlsFirst => "starttls-first",
            Self::Temporary => "temporary",
            Self::TokenInvalid => "token-invalid",
            Self::WebLoginNeeded => "web-login-needed",
        }
    }

    /// What a fault that we saw ourselves says, whatever the server replied.
    pub(crate) const fn of_fault(fault: &ExchangeFault) -> Self {
        match fault {
            ExchangeFault::ScramRefused => Self::BadCredentials,
            ExchangeFault::ServerNotProven => Self::ServerNotProven,
            ExchangeFault::TokenRefused(_) => Self::TokenInvalid,
            ExchangeFault::Prompt
            | ExchangeFault::ScramIterations(_)
            | ExchangeFault::ScramNonce
            | ExchangeFault::TooManyPrompts => Self::ExchangeBroken,
        }
    }
}

const APP_PASSWORD_WORDS: [&str; 6] = [
    "application-specific password",
    "app-specific password",
    "application specific password",
    "app password",
    "application password",
    "invalidsecondfactor",
];
const WEB_LOGIN_WORDS: [&str; 4] =
    ["web browser", "webloginrequired", "log in via your", "log in with your browser"];
const OAUTH_WORDS: [&str; 3] =
    ["basic authentication is", "basic auth is", "basic authentication has been"];
const DISABLED_WORDS: [&str; 10] = [
    "suspended",
    "disabled",
    "deactivated",
    "for abuse",
    "due to abuse",
    "account is locked",
    "user is locked",
    "account locked",
    "account has been blocked",
    "account is blocked",
];
const NETWORK_WORDS: [&str; 6] =
    ["ip address", "your ip", "unauthorized ip", "this ip", "this network", "this location"];

/// Why this reply refuses a sign-in by this mechanism. The reply is any but a good 235.
pub fn classify_sign_in(reply: &Reply, mechanism: Mechanism) -> RefusalKind {
    let text = reply.message().to_ascii_lowercase();
    let number = reply.code.number();
    match (Permanence::of(reply.code), number) {
        (_, 432) => return RefusalKind::PasswordTransition,
        (Permanence::Transient, _) => return RefusalKind::Temporary,
        (Permanence::Positive | Permanence::Intermediate | Permanence::Other, _) => {
            return RefusalKind::ExchangeBroken;
        }
        (Permanence::Permanent, _) => {}
    }
    if let Some(kind) = by_text(reply, &text) {
        return kind;
    }
    match number {
        500 | 501 | 503 | 555 => RefusalKind::ExchangeBroken,
        504 | 534 => RefusalKind::MechanismMismatch,
        525 => RefusalKind::AccountDisabled,
        530 if text.contains("starttls") => RefusalKind::StartTlsFirst,
        530 => RefusalKind::AuthRequired,
        538 => RefusalKind::EncryptionRequired,
        535 => wrong_credential(mechanism),
        _ if text.contains("authentication") || text.contains("credentials") => {
            wrong_credential(mechanism)
        }
        _ => RefusalKind::Other,
    }
}

const fn wrong_credential(mechanism: Mechanism) -> RefusalKind {
    match mechanism {
        Mechanism::CramMd5 | Mechanism::Login | Mechanism::Plain | Mechanism::ScramSha256 => {
            RefusalKind::BadCredentials
        }
        Mechanism::Xoauth2 => RefusalKind::TokenInvalid,
    }
}

/// What providers say in words, with a 525, 534, 535, 550 or 554.
fn by_text(reply: &Reply, text: &str) -> Option<RefusalKind> {
    if !matches!(reply.code.number(), 525 | 534 | 535 | 550 | 554) {
        return None;
    }
    let holds = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if reply.enhanced == Some(EnhancedCode { class: 5, subject: 7, detail: 14 })
        || holds(&WEB_LOGIN_WORDS)
    {
        Some(RefusalKind::WebLoginNeeded)
    } else if holds(&APP_PASSWORD_WORDS) {
        Some(RefusalKind::AppPasswordNeeded)
    } else if holds(&OAUTH_WORDS) {
        Some(RefusalKind::OauthNeeded)
    } else if holds(&NETWORK_WORDS) || names_an_address(text) {
        Some(RefusalKind::NetworkNotAllowed)
    } else if reply.enhanced == Some(EnhancedCode { class: 5, subject: 7, detail: 13 })
        || holds(&DISABLED_WORDS)
    {
        Some(RefusalKind::AccountDisabled)
    } else {
        None
    }
}

/// Whether a word of the text is an IP address.
fn names_an_address(text: &str) -> bool {
    text.split(|letter: char| letter.is_whitespace() || "[]()<>,;=\"'".contains(letter)).any(
        |word| {
            let word = word.trim_end_matches(['.', ':']);
            word.len() > 3 && word.parse::<IpAddr>().is_ok()
        },
    )
}
