//! Envelope and message as a submission server sees them (RFC 6409, RFC 5321 §3.3): what has been said in this
//! session, and the correct reply to what is said next. It reads and writes nothing; a scripted reply takes
//! the place of the correct one, and [`Transaction::note`] then goes by that. The way in: [`Transaction`].

use super::service::SubmissionService;

/// Recipients of one message.
const RECIPIENTS_MAX: usize = 100;
/// The longest line of a message without its line end (RFC 5322 §2.1.1).
const LINE_OCTETS_MAX: usize = 998;

/// What has been said in a session since it began or since TLS began.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    greeted: bool,
    /// Who has signed in.
    pub(super) user: Option<String>,
    /// The reverse path and its parameters, after MAIL.
    pub(super) mail: Option<(String, Vec<String>)>,
    /// The accepted recipients.
    pub(super) recipients: Vec<String>,
}

/// What a server goes by.
pub(super) struct Terms<'a> {
    pub(super) service: &'a SubmissionService,
    pub(super) inside_tls: bool,
    /// The EHLO keywords of this part of the session.
    pub(super) keywords: &'a [String],
}

impl Terms<'_> {
    fn offers(&self, keyword: &str) -> bool {
        self.keywords.iter().any(|line| {
            line.split(' ').next().is_some_and(|word| word.eq_ignore_ascii_case(keyword))
        })
    }

    /// The refusal of a command that belongs inside TLS.
    fn in_clear(&self) -> Option<String> {
        (!self.inside_tls && !self.service.in_clear)
            .then(|| "530 5.7.0 Must issue a STARTTLS command first".into())
    }
}

impl Transaction {
    /// The correct reply to MAIL, RCPT or DATA; `None` for other commands.
    pub(super) fn reply(&self, verb: &str, line: &str, terms: &Terms<'_>) -> Option<String> {
        match verb {
            "mail" => Some(self.reply_to_mail(line, terms)),
            "rcpt" => Some(self.reply_to_rcpt(line, terms)),
            "data" => Some(self.reply_to_data(terms)),
            _ => None,
        }
    }

    /// Why AUTH cannot begin now.
    pub(super) fn against_sign_in(&self, mechanism: &str, terms: &Terms<'_>) -> Option<String> {
        let service = terms.service;
        let offered = if terms.inside_tls { &service.auth } else { &service.auth_in_clear };
        if !self.greeted {
            return Some("503 5.5.1 say EHLO first".into());
        }
        if self.user.is_some() || self.mail.is_some() {
            return Some("503 5.5.1 not now".into());
        }
        if !terms.inside_tls && !service.in_clear {
            return Some(
                "538 5.7.11 Encryption required for requested authentication mechanism".into(),
            );
        }
        let known = offered.iter().any(|word| word == mechanism);
        (!known).then(|| "504 5.5.4 Unrecognized authentication type".into())
    }

    fn reply_to_mail(&self, line: &str, terms: &Terms<'_>) -> String {
        if let Some(refusal) = terms.in_clear() {
            return refusal;
        }
        if !self.greeted {
            return "503 5.5.1 say EHLO first".into();
        }
        if self.mail.is_some() {
            return "503 5.5.1 sender already given".into();
        }
        if self.user.is_none() && !terms.service.anonymous {
            return "530 5.7.0 Authentication required".into();
        }
        let Some((from, parameters)) = path(line, "FROM:") else {
            return "501 5.5.4 syntax: MAIL FROM:<address>".into();
        };
        if let Some(refusal) = parameters.iter().find_map(|one| refused_parameter(one, terms)) {
            return refusal;
        }
        let utf8 = parameters.iter().any(|one| one.eq_ignore_ascii_case("SMTPUTF8"));
        if !from.is_ascii() && !utf8 {
            return "553 5.6.7 the address needs SMTPUTF8".into();
        }
        let account = self.user.as_deref().and_then(|user| terms.service.account(user));
        match account {
            Some(account)
                if !account.senders.is_empty()
                    && !account.senders.iter().any(|own| own.eq_ignore_ascii_case(&from)) =>
            {
                let user = &account.user;
                format!("553 5.7.1 <{from}>: Sender address rejected: not owned by user {user}")
            }
            Some(_) | None => "250 2.1.0 ok".into(),
        }
    }

    fn reply_to_rcpt(&self, line: &str, terms: &Terms<'_>) -> String {
        if let Some(refusal) = terms.in_clear() {
            return refusal;
        }
        if self.mail.is_none() {
            return "503 5.5.1 need MAIL first".into();
        }
        let Some((to, parameters)) = path(line, "TO:").filter(|(to, _)| !to.is_empty()) else {
            return "501 5.5.4 syntax: RCPT TO:<address>".into();
        };
        if !parameters.is_empty() {
            return "555 5.5.4 parameter not recognized".into();
        }
        if !to.is_ascii() && !self.has_parameter("SMTPUTF8") {
            return "553 5.6.7 the address needs SMTPUTF8".into();
        }
        if self.recipients.len() >= RECIPIENTS_MAX {
            return "452 4.5.3 too many recipients".into();
        }
        "250 2.1.5 ok".into()
    }

    fn reply_to_data(&self, terms: &Terms<'_>) -> String {
        if let Some(refusal) = terms.in_clear() {
            return refusal;
        }
        if self.mail.is_none() || self.recipients.is_empty() {
            return "503 5.5.1 no valid recipients".into();
        }
        "354 end data with <CR><LF>.<CR><LF>".into()
    }

    fn has_parameter(&self, wanted: &str) -> bool {
        let given = self.mail.iter().flat_map(|(_, parameters)| parameters);
        given.into_iter().any(|one| one.eq_ignore_ascii_case(wanted))
    }

    /// Takes note of a command by the digit of the reply it got.
    pub(super) fn note(&mut self, verb: &str, line: &str, digit: u8) {
        let positive = digit == b'2';
        match verb {
            "ehlo" | "helo" if positive => {
                self.greeted = true;
                self.reset();
            }
            "rset" if positive => self.reset(),
            "mail" if positive => self.mail = path(line, "FROM:"),
            "rcpt" if positive => {
                self.recipients.extend(path(line, "TO:").map(|(address, _)| address));
            }
            _ => {}
        }
    }

    /// Forgets the envelope.
    pub(super) fn reset(&mut self) {
        self.mail = None;
        self.recipients.clear();
    }

    /// What is wrong with a message, as a reply; `None` for a message that is taken.
    pub(super) fn against_message(&self, data: &[u8], terms: &Terms<'_>) -> Option<String> {
        let size = terms.service.size;
        if size > 0 && u64::try_from(data.len()).unwrap_or(u64::MAX) > size {
            return Some("552 5.3.4 Message size exceeds fixed maximum message size".into());
        }
        let bare = (0..data.len()).any(|at| match data[at] {
            b'\n' => at == 0 || data[at - 1] != b'\r',
            b'\r' => data.get(at + 1) != Some(&b'\n'),
            octet => octet == 0,
        });
        if bare {
            return Some("550 5.5.2 bare CR, bare LF or NUL received in the message".into());
        }
        let text = String::from_utf8_lossy(data);
        if data.split(|octet| *octet == b'\n').any(|line| line.len() > LINE_OCTETS_MAX + 1) {
            return Some("554 5.6.0 a line of the message is longer than 998 octets".into());
        }
        let eight_bit = self.has_parameter("BODY=8BITMIME") || self.has_parameter("SMTPUTF8");
        if !data.is_ascii() && !eight_bit {
            return Some("554 5.6.1 eight-bit message without BODY=8BITMIME".into());
        }
        let header = text.split("\r\n\r\n").next().unwrap_or_default();
        ["from", "date", "message-id"].iter().find_map(|field| {
            let count = header
                .split("\r\n")
                .filter_map(|line| line.split_once(':'))
                .filter(|(name, _)| name.eq_ignore_ascii_case(field))
                .count();
            (count != 1).then(|| format!("554 5.6.0 the message has {count} {field} fields"))
        })
    }
}

/// The address in angle brackets after `FROM:` or `TO:`, and the parameters.
fn path(line: &str, keyword: &str) -> Option<(String, Vec<String>)> {
    let (_, rest) = line.split_once(' ')?;
    let head = rest.get(..keyword.len())?;
    if !head.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let rest = rest.get(keyword.len()..)?.strip_prefix('<')?;
    let (address, parameters) = rest.split_once('>')?;
    Some((address.to_owned(), parameters.split_whitespace().map(String::from).collect()))
}

fn refused_parameter(parameter: &str, terms: &Terms<'_>) -> Option<String> {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    let unknown = || Some("555 5.5.4 parameter not recognized".to_owned());
    match name.to_ascii_uppercase().as_str() {
        "SIZE" if terms.offers("SIZE") => {
            let Ok(octets) = value.parse::<u64>() else { return unknown() };
            (terms.service.size > 0 && octets > terms.service.size)
                .then(|| "552 5.3.4 Message size exceeds fixed maximum message size".into())
        }
        "BODY" if terms.offers("8BITMIME") => {
            if matches!(value, "7BIT" | "8BITMIME") {
                None
            } else {
                unknown()
            }
        }
        "SMTPUTF8" if terms.offers("SMTPUTF8") => None,
        "REQUIRETLS" if terms.offers("REQUIRETLS") => None,
        _ => unknown(),
    }
}
