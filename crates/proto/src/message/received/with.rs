//! The `with` clause (RFC 5321 §4.4, RFC 3848, RFC 6531 §4.3 and the IANA registry of mail transmission
//! types), and the words that servers write instead. The way in is [`WithProtocol::find`]. Keep: a word
//! that is not known stays unknown.

/// How a message was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each variant is the registered word that as_str gives")]
pub enum WithProtocol {
    Esmtp,
    Esmtpa,
    Esmtps,
    Esmtpsa,
    /// Not registered; submission over the web.
    Http,
    /// Not registered; submission over the web, or Microsoft's own transport.
    Https,
    /// Not registered; fetched from a mailbox.
    Imap,
    Lmtp,
    Lmtpa,
    Lmtps,
    Lmtpsa,
    /// Not registered; Exim's word for mail made on the machine itself.
    Local,
    Mms,
    /// Not registered; fetched from a mailbox.
    Pop3,
    Smtp,
    /// Not registered; SMTP after a sign-in.
    Smtpa,
    /// Not registered; SMTP inside TLS.
    Smtps,
    /// Not registered; SMTP inside TLS after a sign-in.
    Smtpsa,
    Utf8Lmtp,
    Utf8Lmtpa,
    Utf8Lmtps,
    Utf8Lmtpsa,
    Utf8Smtp,
    Utf8Smtpa,
    Utf8Smtps,
    Utf8Smtpsa,
}

impl WithProtocol {
    /// Every protocol, by its word.
    pub const ALL: &'static [Self] = &[
        Self::Esmtp,
        Self::Esmtpa,
        Self::Esmtps,
        Self::Esmtpsa,
        Self::Http,
        Self::Https,
        Self::Imap,
        Self::Lmtp,
        Self::Lmtpa,
        Self::Lmtps,
        Self::Lmtpsa,
        Self::Local,
        Self::Mms,
        Self::Pop3,
        Self::Smtp,
        Self::Smtpa,
        Self::Smtps,
        Self::Smtpsa,
        Self::Utf8Lmtp,
        Self::Utf8Lmtpa,
        Self::Utf8Lmtps,
        Self::Utf8Lmtpsa,
        Self::Utf8Smtp,
        Self::Utf8Smtpa,
        Self::Utf8Smtps,
        Self::Utf8Smtpsa,
    ];

    /// The word, as the registry writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Esmtp => "ESMTP",
            Self::Esmtpa => "ESMTPA",
            Self::Esmtps => "ESMTPS",
            Self::Esmtpsa => "ESMTPSA",
            Self::Http => "HTTP",
            Self::Https => "HTTPS",
            Self::Imap => "IMAP",
            Self::Lmtp => "LMTP",
            Self::Lmtpa => "LMTPA",
            Self::Lmtps => "LMTPS",
            Self::Lmtpsa => "LMTPSA",
            Self::Local => "Local",
            Self::Mms => "MMS",
            Self::Pop3 => "POP3",
            Self::Smtp => "SMTP",
            Self::Smtpa => "SMTPA",
            Self::Smtps => "SMTPS",
            Self::Smtpsa => "SMTPSA",
            Self::Utf8Lmtp => "UTF8LMTP",
            Self::Utf8Lmtpa => "UTF8LMTPA",
            Self::Utf8Lmtps => "UTF8LMTPS",
            Self::Utf8Lmtpsa => "UTF8LMTPSA",
            Self::Utf8Smtp => "UTF8SMTP",
            Self::Utf8Smtpa => "UTF8SMTPA",
            Self::Utf8Smtps => "UTF8SMTPS",
            Self::Utf8Smtpsa => "UTF8SMTPSA",
        }
    }

    /// Whether the word itself says that TLS was used (RFC 3848: the S).
    pub const fn implies_tls(self) -> bool {
        match self {
            Self::Esmtps
            | Self::Esmtpsa
            | Self::Https
            | Self::Lmtps
            | Self::Lmtpsa
            | Self::Smtps
            | Self::Smtpsa
            | Self::Utf8Lmtps
            | Self::Utf8Lmtpsa
            | Self::Utf8Smtps
            | Self::Utf8Smtpsa => true,
            Self::Esmtp
            | Self::Esmtpa
            | Self::Http
            | Self::Imap
            | Self::Lmtp
            | Self::Lmtpa
            | Self::Local
            | Self::Mms
            | Self::Pop3
            | Self::Smtp
            | Self::Smtpa
            | Self::Utf8Lmtp
            | Self::Utf8Lmtpa
            | Self::Utf8Smtp
            | Self::Utf8Smtpa => false,
        }
    }

    /// The first protocol that the words of a clause name.
    pub fn find<'a>(words: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        words.into_iter().find_map(Self::of_word)
    }

    /// The protocol in one word: the word itself, or a part of `ESMTP/TLS/…`, `P:ESMTP`, `local-bsmtp`.
    fn of_word(word: &str) -> Option<Self> {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        if bare.eq_ignore_ascii_case("local") {
            return Some(Self::Local);
        }
        bare.split(['/', ':', '-', '.', '_']).find_map(Self::of_part)
    }

    fn of_part(part: &str) -> Option<Self> {
        let upper = part.to_ascii_uppercase();
        let registered = Self::ALL.iter().copied();
        let exact = registered.filter(|one| *one != Self::Local).find(|one| one.as_str() == upper);
        // Old forms: Exim's `asmtp` is SMTP after a sign-in, `bsmtp` a batch, Microsoft's service and the
        // Chinese `bizsmtp` are SMTP.
        exact.or(match upper.as_str() {
            "ASMTP" => Some(Self::Esmtpa),
            "ASMTPS" => Some(Self::Esmtpsa),
            "BIZESMTP" => Some(Self::Esmtp),
            "BIZSMTP" | "BSMTP" | "SMTPSVC" => Some(Self::Smtp),
            "POP" => Some(Self::Pop3),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_servers_are_read() {
        let table: &[(&str, Option<&str>)] = &[
            ("ESMTP", Some("ESMTP")),
            ("esmtpsa", Some("ESMTPSA")),
            ("UTF8SMTPS", Some("UTF8SMTPS")),
            ("utf8lmtpsa", Some("UTF8LMTPSA")),
            ("Microsoft SMTP Server", Some("SMTP")),
            ("Microsoft SMTPSVC", Some("SMTP")),
            ("[XMail 1.20 ESMTP Server]", Some("ESMTP")),
            ("ESMTP/TLS/DHE-RSA-AES256-GCM-SHA384", Some("ESMTP")),
            ("AES128-SHA encrypted SMTP", Some("SMTP")),
            ("MailEnable ESMTPS", Some("ESMTPS")),
            ("local-bsmtp", Some("SMTP")),
            ("local", Some("Local")),
            ("asmtp", Some("ESMTPA")),
            ("NNFMP", None),
            ("mapi", None),
            ("qmail-scanner-1.24", None),
            ("Internet Mail Service", None),
            ("", None),
        ];
        for (text, expected) in table {
            let found = WithProtocol::find(text.split(' ')).map(WithProtocol::as_str);
            assert_eq!(found, *expected, "{text}");
        }
    }

    #[test]
    fn the_s_means_tls() {
        for protocol in WithProtocol::ALL {
            let word = protocol.as_str();
            let with_s = ["SMTPS", "SMTPSA", "LMTPS", "LMTPSA", "HTTPS"];
            let expected = with_s.iter().any(|end| word.ends_with(end));
            assert_eq!(protocol.implies_tls(), expected, "{word}");
        }
    }
}
