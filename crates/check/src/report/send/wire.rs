//! `waxseal.send/1`: the one published, stored and rendered shape of a message that was sent or tried, over
//! SMTP or over a service's own interface. Every key is always there, absent is `null`, durations carry
//! their unit in the name. A change here adds fields and never renames one.

use crate::report::wire::{CertificateV1, FindingV1, TlsV1};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The value of [`SendV1::schema`].
pub const SEND_SCHEMA: &str = "waxseal.send/1";

/// One message and what became of it, or one look whether settings and account are right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SendV1 {
    /// Always [`SEND_SCHEMA`].
    pub schema: String,
    /// Whether any part of the world was simulated.
    pub simulated: bool,
    /// When it began, RFC 3339 in UTC.
    pub began_at: String,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// The built-in service; `null` for SMTP.
    pub service: Option<String>,
    /// The host that was to take it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The security mode of SMTP: `starttls`, `tls` or `none`; `https` for a service's own interface.
    pub security: String,
    /// Whether what was to be sent travels encrypted. In mode `none` it does not, whatever became of it.
    pub encrypted: bool,
    /// Whether the message was taken for at least one recipient.
    pub accepted: bool,
    /// What became of it.
    pub outcome: OutcomeV1,
    /// Where it ended, in one word: `accepted`, `auth-failed`, `deferred`, `rejected`, `uncertain`, or the word
    /// of a check for the stage that it did not get past, such as `starttls-not-offered`.
    pub ended: String,
    /// What the server or service called the message when it took it; foreign text.
    pub server_id: Option<String>,
    /// The Message-ID of a message of ours, without angle brackets.
    pub message_id: Option<String>,
    /// By which mechanism somebody was signed in.
    pub signed_in_by: Option<String>,
    /// The steps, in order.
    pub steps: Vec<StepV1>,
    /// The TLS session, as far as there was one.
    pub tls: Option<TlsV1>,
    /// The certificate chain and its judgement.
    pub certificate: Option<CertificateV1>,
    /// The recipients, in the order given.
    pub recipients: Vec<RecipientV1>,
    /// The cause, when it was not accepted.
    pub diagnosis: Option<DiagnosisV1>,
    /// The findings, the cause first.
    pub findings: Vec<FindingV1>,
    /// Other pairs of port and mode under which the same host was seen to answer, the likeliest first. Nothing
    /// applies one by itself.
    #[serde(default)]
    pub suggestions: Vec<SuggestionV1>,
    /// The session, line by line, without any secret.
    pub transcript: Vec<String>,
    /// What this result proves.
    pub proves: Vec<String>,
    /// What it does not prove.
    pub does_not_prove: Vec<String>,
    /// What to look at next.
    pub next: Vec<String>,
}

/// A pair of port and mode that the host speaks, as it was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SuggestionV1 {
    /// The port.
    pub port: u16,
    /// The security mode: `starttls` or `tls`.
    pub security: String,
}

/// What became of a message.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum OutcomeV1 {
    /// It was taken. The only one that passes.
    Accepted,
    /// Nobody was signed in; nothing was sent.
    AuthFailed,
    /// It did not come to an answer about the message, or the answer was: not now.
    Failed,
    /// Settings and account are right; there was nothing to send.
    Ready,
    /// It was refused.
    Rejected,
    /// It may have been taken or not.
    Unknown,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepV1 {
    /// Its name: `settings`, `dns`, `connect`, `greeting`, `ehlo`, `starttls`, `tls`, `certificate`,
    /// `ehlo-again`, `sign-in`, `mail`, `rcpt`, `data`, `accepted`; over a service's own interface `request` and
    /// `answer` in place of those from `greeting` on that belong to SMTP.
    pub step: String,
    /// Whether it was passed.
    pub passed: bool,
    /// What was seen; foreign text.
    pub detail: Option<String>,
    /// How long the whole had run when it ended, in milliseconds.
    pub elapsed_ms: f64,
    /// How long it took, in milliseconds; `null` for a step that is part of another.
    pub took_ms: Option<f64>,
}

/// One recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecipientV1 {
    /// The address.
    pub address: String,
    /// `accepted`, `deferred`, `rejected` or `uncertain`; `not-sent` when it did not come to the message.
    pub outcome: String,
    /// The reply code that decided it.
    pub code: Option<u16>,
    /// The enhanced code beside it.
    pub enhanced: Option<String>,
    /// The text of that reply; foreign.
    pub message: Option<String>,
}

/// The cause of a failure in short; the finding has all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiagnosisV1 {
    /// The code.
    pub code: String,
    /// What it means.
    pub text: String,
    /// What to do, in order.
    pub fix: Vec<String>,
    /// Who has to act.
    pub owner: String,
}

impl OutcomeV1 {
    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::AuthFailed => "auth-failed",
            Self::Failed => "failed",
            Self::Ready => "ready",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
        }
    }
}
