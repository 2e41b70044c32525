//! What a scripted mail server does, as data (RFC 5321, RFC 3207; oddities of real servers).
//! Texts may hold `{host}` and `{domain}`, which are filled in before the server starts. The way in:
//! [`SmtpBehaviour`]; its default is a correct server that offers STARTTLS and relays nothing; with `submission`
//! it takes mail from those who sign in.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::service::SubmissionService;
use crate::scenario::PortState;
use crate::tls::TlsBehaviour;

/// The whole behaviour of one listening mail server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SmtpBehaviour {
    /// The published port; default 25.
    pub port: Option<u16>,
    /// The host's addresses it serves, by index; empty means all.
    pub on: Vec<usize>,
    /// What stands behind the port.
    pub state: PortState,
    /// TLS from the first octet (port 465).
    pub implicit_tls: bool,
    /// What the server writes first; default `220 {host} ESMTP lab`.
    pub greeting: Option<Action>,
    /// EHLO keywords before TLS; default PIPELINING, SIZE, STARTTLS, 8BITMIME.
    pub ehlo: Option<Vec<String>>,
    /// EHLO keywords inside TLS; default the list before TLS without STARTTLS.
    pub ehlo_after_tls: Option<Vec<String>>,
    /// Commands (lower case) with another answer before TLS. `sign-in` is the answer at the end of every AUTH
    /// exchange, `message` that to the end of a message.
    pub replies: BTreeMap<String, Action>,
    /// Commands (lower case) with another answer inside TLS.
    pub replies_after_tls: BTreeMap<String, Action>,
    /// The answer to every command inside TLS except QUIT.
    pub everything_after_tls: Option<Action>,
    /// Commands (lower case) answered with 500 as if unknown.
    pub hide: Vec<String>,
    /// How many connections are served before `limit` applies.
    pub limit: Option<ConnectionLimit>,
    /// Makes it a submission server: sign-in, and mail for every recipient.
    pub submission: Option<SubmissionService>,
    /// What the TLS side does.
    pub tls: TlsBehaviour,
}

/// A cap on connections, counted over the life of the lab.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionLimit {
    /// Connections served normally.
    pub accepts: usize,
    /// What later ones get instead of a greeting.
    pub then: Action,
    /// Counts the connections to all addresses of the host together.
    #[serde(default)]
    pub shared: bool,
}

/// An answer: one text, or steps.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Action {
    /// A reply; CRLF is added where it does not end in a line feed. A 421 or 221 closes the connection.
    Text(String),
    /// Steps in order.
    Steps(Vec<Step>),
}

/// One step of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// Writes this text as it is, in one segment.
    Send(String),
    /// Writes octets given in hexadecimal.
    SendHex(String),
    /// Waits.
    PauseMs(u64),
    /// Writes a text octet by octet with a pause after each.
    Drip {
        /// The text.
        text: String,
        /// Milliseconds between octets.
        pause_ms: u64,
    },
    /// Writes a text again and again.
    Repeat {
        /// The text.
        text: String,
        /// How often; 0 means until the client leaves.
        #[serde(default)]
        times: u64,
        /// Milliseconds between repetitions.
        #[serde(default)]
        pause_ms: u64,
    },
    /// Writes this many octets of one text, in large pieces.
    Fill {
        /// The text that is repeated.
        text: String,
        /// How many octets in all.
        bytes: u64,
    },
    /// Keeps the connection open and says nothing until the client leaves.
    Hang,
    /// Closes the connection in order (FIN; inside TLS with close_notify unless that is off).
    Close,
    /// Resets the connection (RST).
    Reset,
    /// Starts TLS as server.
    Tls,
}

impl Action {
    /// The steps this answer consists of.
    pub fn steps(&self) -> Vec<Step> {
        match self {
            Self::Steps(steps) => steps.clone(),
            Self::Text(text) => {
                let line = if text.ends_with('\n') { text.clone() } else { format!("{text}\r\n") };
                let closes = line.starts_with("421") || line.starts_with("221");
                let mut steps = vec![Step::Send(line)];
                if closes {
                    steps.push(Step::Close);
                }
                steps
            }
        }
    }
}

impl SmtpBehaviour {
    /// EHLO keywords for a connection in clear (`false`) or inside TLS.
    pub(super) fn keywords(&self, stage: Stage) -> Vec<String> {
        match (stage, &self.ehlo_after_tls) {
            (Stage::Clear, _) => self.keywords_in_clear(),
            (Stage::Tls, Some(words)) => words.clone(),
            (Stage::Tls, None) => match &self.submission {
                Some(service) if self.ehlo.is_none() => service.keywords(true),
                Some(_) | None => {
                    let words = self.keywords_in_clear().into_iter();
                    words.filter(|word| word.to_uppercase() != "STARTTLS").collect()
                }
            },
        }
    }

    fn keywords_in_clear(&self) -> Vec<String> {
        if let Some(words) = &self.ehlo {
            return words.clone();
        }
        match &self.submission {
            Some(service) => {
                let mut words = service.keywords(false);
                words.push("STARTTLS".into());
                words
            }
            None => {
                ["PIPELINING", "SIZE 10485760", "STARTTLS", "8BITMIME"].map(String::from).to_vec()
            }
        }
    }

    /// The steps that the behaviour names for `verb` (lower case) in this stage; `None` for the correct answer.
    pub(super) fn scripted(&self, verb: &str, stage: Stage) -> Option<Vec<Step>> {
        if let (Stage::Tls, Some(action), true) =
            (stage, &self.everything_after_tls, verb != "quit")
        {
            return Some(action.steps());
        }
        let overrides = match stage {
            Stage::Clear => &self.replies,
            Stage::Tls => &self.replies_after_tls,
        };
        if let Some(action) = overrides.get(verb) {
            let mut steps = action.steps();
            let upgrades = verb == "starttls"
                && matches!(action, Action::Text(text) if text.starts_with("220"));
            if upgrades {
                steps.push(Step::Tls);
            }
            return Some(steps);
        }
        let hidden = self.hide.iter().any(|hidden| hidden == verb);
        hidden.then(|| vec![Step::Send("500 5.5.1 command unknown\r\n".into())])
    }

    /// The steps that answer `verb` (lower case) correctly; `host` is the server's own name.
    pub(super) fn standard_answer(&self, verb: &str, stage: Stage, host: &str) -> Vec<Step> {
        let line = |text: &str| vec![Step::Send(format!("{text}\r\n"))];
        match verb {
            "ehlo" => vec![Step::Send(ehlo_reply(host, &self.keywords(stage)))],
            "helo" => line(&format!("250 {host}")),
            "starttls" if stage == Stage::Clear => {
                let offered = self.keywords(stage).iter().any(|word| word == "STARTTLS");
                if !offered {
                    return line("502 5.5.1 STARTTLS is not offered here");
                }
                vec![Step::Send("220 2.0.0 ready for TLS\r\n".into()), Step::Tls]
            }
            "starttls" => line("503 5.5.1 TLS is already active"),
            "noop" | "rset" => line("250 2.0.0 ok"),
            "quit" => vec![Step::Send("221 2.0.0 bye\r\n".into()), Step::Close],
            "mail" => line("250 2.1.0 ok"),
            "rcpt" => line("550 5.7.1 this is a lab, it relays nothing and delivers nothing"),
            "data" | "bdat" => line("503 5.5.1 no recipient"),
            _ => line("500 5.5.2 command unknown"),
        }
    }
}

/// Whether a session is in clear or inside TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Before TLS.
    Clear,
    /// Inside TLS.
    Tls,
}

fn ehlo_reply(host: &str, keywords: &[String]) -> String {
    let Some((last, others)) = keywords.split_last() else { return format!("250 {host} lab\r\n") };
    let mut lines = vec![format!("250-{host} lab")];
    lines.extend(others.iter().map(|keyword| format!("250-{keyword}")));
    lines.push(format!("250 {last}\r\n"));
    lines.join("\r\n")
}
