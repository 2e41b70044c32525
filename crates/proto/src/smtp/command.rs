//! The commands a probe can send (RFC 5321 §4.1.1, RFC 3207 §4): EHLO, HELO, STARTTLS, QUIT and no other.
//! MAIL, RCPT, DATA and AUTH have no value here, so no probe can send them. The way in is [`Command`];
//! keep it so that no text with CR, LF or a space can enter a command.

use std::net::IpAddr;

use crate::name::DomainName;

/// The name a client gives in EHLO: a host name or an address literal (RFC 5321 §4.1.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EhloName(String);

/// A command a probe can send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// EHLO (RFC 5321 §4.1.1.1).
    Ehlo(EhloName),
    /// HELO, only to prove that EHLO alone is refused (RFC 5321 §4.1.1.1).
    Helo(EhloName),
    /// STARTTLS, without parameters (RFC 3207 §4).
    StartTls,
    /// QUIT (RFC 5321 §4.1.1.10).
    Quit,
}

impl EhloName {
    /// The name as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&DomainName> for EhloName {
    fn from(name: &DomainName) -> Self {
        Self(name.as_str().to_owned())
    }
}

impl From<DomainName> for EhloName {
    fn from(name: DomainName) -> Self {
        Self::from(&name)
    }
}

impl From<IpAddr> for EhloName {
    /// The address literal, for a client without a name (RFC 5321 §4.1.4).
    fn from(address: IpAddr) -> Self {
        Self(match address {
            IpAddr::V4(four) => format!("[{four}]"),
            IpAddr::V6(six) => format!("[IPv6:{six}]"),
        })
    }
}

impl std::fmt::Display for EhloName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Command {
    /// The octets on the wire, CRLF included.
    pub fn encode(&self) -> Vec<u8> {
        format!("{self}\r\n").into_bytes()
    }
}

impl std::fmt::Display for Command {
    /// The command line without its CRLF.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ehlo(name) => write!(formatter, "EHLO {name}"),
            Self::Helo(name) => write!(formatter, "HELO {name}"),
            Self::StartTls => formatter.write_str("STARTTLS"),
            Self::Quit => formatter.write_str("QUIT"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Command, EhloName};

    #[test]
    fn commands_end_in_one_crlf_and_literals_follow_the_standard() {
        let four = EhloName::from("127.0.0.1".parse::<std::net::IpAddr>().unwrap());
        assert_eq!(four.as_str(), "[127.0.0.1]");
        let six = EhloName::from("::1".parse::<std::net::IpAddr>().unwrap());
        let cases = [
            (Command::Ehlo(four.clone()), "EHLO [127.0.0.1]\r\n"),
            (Command::Helo(four), "HELO [127.0.0.1]\r\n"),
            (Command::Ehlo(six), "EHLO [IPv6:::1]\r\n"),
            (Command::StartTls, "STARTTLS\r\n"),
            (Command::Quit, "QUIT\r\n"),
        ];
        for (command, wire) in cases {
            assert_eq!(command.encode(), wire.as_bytes());
        }
    }
}
