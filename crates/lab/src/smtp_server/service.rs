//! What makes a mail server a submission server (RFC 6409), as data: who may sign in and how, and what is
//! taken. The way in: [`SubmissionService`]; its default is a correct server with one account, which takes
//! mail for every recipient after a sign-in inside TLS.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::behaviour::Action;

/// The password of the account that a submission server has by default. Test data: it opens nothing.
pub const TEST_PASSWORD: &str = "lab-only-9fK2mQx7vT4wZs";
/// The OAuth access token of the account that a submission server has by default. Test data as well.
pub const TEST_TOKEN: &str = "lab-only-token-Hq3vX8nR5tYbW2";
/// The local part of the account that a submission server has by default.
pub const TEST_USER: &str = "sender";

/// Sign-in and mail of one submission server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SubmissionService {
    /// Sign-in mechanisms offered inside TLS, in this order. PLAIN, LOGIN, CRAM-MD5, SCRAM-SHA-256 and XOAUTH2
    /// are carried out; any other one is offered and then refused with 504.
    pub auth: Vec<String>,
    /// Mechanisms offered before TLS; none by default.
    pub auth_in_clear: Vec<String>,
    /// Who may sign in; by default `sender@{domain}` with [`TEST_PASSWORD`] and [`TEST_TOKEN`].
    pub accounts: Vec<Account>,
    /// Takes mail without a sign-in.
    pub anonymous: bool,
    /// Takes sign-in and mail before TLS.
    pub in_clear: bool,
    /// The largest message in octets (RFC 1870); 0 for no limit.
    pub size: u64,
    /// EHLO keywords besides SIZE, STARTTLS and AUTH; REQUIRETLS is shown inside TLS only.
    pub extensions: Vec<String>,
    /// Replies to RCPT by address (lower case) instead of 250.
    pub recipients: BTreeMap<String, Action>,
    /// Takes an initial response with AUTH (RFC 4954 §4); otherwise it is answered with 501.
    pub initial_response: bool,
    /// The longest line of a sign-in in octets; a longer one is answered with 500 5.5.6 (RFC 4954 §4).
    pub auth_line_octets: usize,
    /// SCRAM iterations (RFC 5802 §5.1).
    pub scram_iterations: u32,
    /// What is wrong with SCRAM.
    pub scram_fault: Option<ScramFault>,
}

impl Default for SubmissionService {
    fn default() -> Self {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
        Self {
            auth: words(&["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "XOAUTH2"]),
            auth_in_clear: Vec::new(),
            accounts: Vec::new(),
            anonymous: false,
            in_clear: false,
            size: 10_485_760,
            extensions: words(&["PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"]),
            recipients: BTreeMap::new(),
            initial_response: true,
            auth_line_octets: 12_288,
            scram_iterations: 4096,
            scram_fault: None,
        }
    }
}

/// Who may sign in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The user name, compared octet by octet.
    pub user: String,
    /// The password; empty refuses every password.
    #[serde(default)]
    pub password: String,
    /// The OAuth access token; empty refuses every token.
    #[serde(default)]
    pub token: String,
    /// The only addresses the account may send from; empty for any.
    #[serde(default)]
    pub senders: Vec<String>,
}

/// A SCRAM server that goes wrong (RFC 5802 §5, §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScramFault {
    /// The server's signature is not made from the password: the server does not know it.
    ForgedSignature,
    /// The server's nonce does not begin with the client's.
    OtherNonce,
    /// So few iterations that the password could be guessed.
    FewIterations,
}

impl SubmissionService {
    /// The account of a user name.
    pub(super) fn account(&self, user: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.user == user)
    }

    /// Gives the server its default account where the file names none.
    pub(crate) fn settle(&mut self, domain: &str) {
        if self.accounts.is_empty() {
            self.accounts.push(Account {
                user: format!("{TEST_USER}@{domain}"),
                password: TEST_PASSWORD.into(),
                token: TEST_TOKEN.into(),
                senders: Vec::new(),
            });
        }
    }

    /// EHLO keywords before TLS or inside it, without STARTTLS.
    pub(super) fn keywords(&self, inside_tls: bool) -> Vec<String> {
        let size = if self.size == 0 { "SIZE".to_owned() } else { format!("SIZE {}", self.size) };
        let extensions = self.extensions.iter();
        let mut words: Vec<String> =
            extensions.filter(|word| inside_tls || *word != "REQUIRETLS").cloned().collect();
        words.push(size);
        let offered = if inside_tls { &self.auth } else { &self.auth_in_clear };
        if !offered.is_empty() {
            words.push(format!("AUTH {}", offered.join(" ")));
        }
        words
    }
}
