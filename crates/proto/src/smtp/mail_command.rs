//! The commands of a mail transaction (RFC 5321 §4.1.1.2 to §4.1.1.4) with the parameters of SIZE
//! (RFC 1870), 8BITMIME (RFC 6152), SMTPUTF8 (RFC 6531) and REQUIRETLS (RFC 8689). They are a type apart
//! from [`super::command::Command`], so that no probe can send one. Keep: encoding takes a [`Passage`].

use crate::name::Mailbox;
use crate::tls::requirement::Passage;

/// Where bounces go (RFC 5321 §4.5.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReversePath {
    /// To this mailbox.
    Mailbox(Mailbox),
    /// Nowhere: `<>`.
    Null,
}

/// The parameters of MAIL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct MailParameters {
    words: Vec<String>,
}

/// A command of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MailCommand {
    Data,
    Mail(ReversePath, MailParameters),
    Rcpt(Mailbox),
}

impl MailParameters {
    /// The size of the message in octets.
    pub(crate) fn size(&mut self, octets: usize) {
        self.words.push(format!("SIZE={octets}"));
    }

    /// Octets outside ASCII.
    pub(crate) fn body_8bitmime(&mut self) {
        self.words.push("BODY=8BITMIME".to_owned());
    }

    /// Addresses or header fields outside ASCII.
    pub(crate) fn smtputf8(&mut self) {
        self.words.push("SMTPUTF8".to_owned());
    }

    /// Verified TLS on every further hop.
    pub(crate) fn requiretls(&mut self) {
        self.words.push("REQUIRETLS".to_owned());
    }
}

impl MailCommand {
    /// The octets, CRLF included.
    pub(crate) fn encode(&self, _: &Passage) -> Vec<u8> {
        format!("{self}\r\n").into_bytes()
    }
}

impl ReversePath {
    /// Whether it needs SMTPUTF8.
    pub fn needs_smtputf8(&self) -> bool {
        match self {
            Self::Mailbox(mailbox) => mailbox.needs_smtputf8(),
            Self::Null => false,
        }
    }
}

impl std::fmt::Display for ReversePath {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Mailbox(mailbox) => write!(formatter, "<{mailbox}>"),
            Self::Null => formatter.write_str("<>"),
        }
    }
}

impl std::fmt::Display for MailCommand {
    /// The command line without its CRLF.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Data => formatter.write_str("DATA"),
            Self::Mail(path, parameters) => {
                write!(formatter, "MAIL FROM:{path}")?;
                parameters.words.iter().try_for_each(|word| write!(formatter, " {word}"))
            }
            Self::Rcpt(mailbox) => write!(formatter, "RCPT TO:<{mailbox}>"),
        }
    }
}
