//! Reads a ClientHello far enough to choose a scripted answer (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2).
//! It judges nothing. The way in: [`read_client_hello`] and [`ClientHello::parse`]; a hello that cannot be
//! parsed still comes back as octets, so that a full TLS server can answer it.

use tokio::io::{AsyncRead, AsyncReadExt};

use super::behaviour::Condition;

/// No hello of a real client is longer; more is not read.
const HELLO_LIMIT_BYTES: usize = 70_000;

/// The parts of a ClientHello that conditions and hand-made answers look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClientHello {
    /// Octets of the hello with its record headers.
    pub(crate) length: usize,
    /// Client random.
    pub(crate) random: [u8; 32],
    /// Session id.
    pub(crate) session_id: Vec<u8>,
    /// Offered versions as code points.
    pub(crate) versions: Vec<u16>,
    /// Offered suites.
    pub(crate) suites: Vec<u16>,
    /// Offered groups.
    pub(crate) groups: Vec<u16>,
    /// Offered signature algorithms.
    pub(crate) signatures: Vec<u16>,
    /// Server name.
    pub(crate) server_name: Option<String>,
    /// ALPN protocols.
    pub(crate) alpn: Vec<Vec<u8>>,
    /// Numbers of all extensions, in order.
    pub(crate) extensions: Vec<u16>,
    /// Compression methods.
    pub(crate) compressions: Vec<u8>,
    /// The handshake message itself, without record headers.
    pub(crate) message: Vec<u8>,
}

/// Octets read while looking for a ClientHello.
pub(crate) struct HelloRead {
    /// All octets read, to be given to a full server.
    pub(crate) octets: Vec<u8>,
    /// The hello, where there is one.
    pub(crate) hello: Option<ClientHello>,
}

/// Reads records until the ClientHello is complete, the client leaves, or it is clearly none.
pub(crate) async fn read_client_hello<S: AsyncRead + Unpin>(stream: &mut S) -> HelloRead {
    let mut octets = Vec::new();
    let mut buffer = [0u8; 4096];
    loop {
        match gather(&octets) {
            Gathered::Whole(message) => {
                let hello = ClientHello::parse(&message, octets.len());
                return HelloRead { octets, hello };
            }
            Gathered::NotTls => return HelloRead { octets, hello: None },
            Gathered::More => {}
        }
        match stream.read(&mut buffer).await {
            Ok(count) if count > 0 && octets.len() < HELLO_LIMIT_BYTES => {
                octets.extend_from_slice(&buffer[..count]);
            }
            Ok(_) | Err(_) => return HelloRead { octets, hello: None },
        }
    }
}

enum Gathered {
    Whole(Vec<u8>),
    More,
    NotTls,
}

fn gather(mut octets: &[u8]) -> Gathered {
    let mut message = Vec::new();
    loop {
        let Some((header, rest)) = octets.split_at_checked(5) else { return Gathered::More };
        if header[0] != 0x16 || header[1] != 3 {
            return Gathered::NotTls;
        }
        let length = usize::from(u16::from_be_bytes([header[3], header[4]]));
        let Some((fragment, rest)) = rest.split_at_checked(length) else { return Gathered::More };
        message.extend_from_slice(fragment);
        octets = rest;
        if let [kind, a, b, c, body @ ..] = message.as_slice() {
            if *kind != 1 {
                return Gathered::NotTls;
            }
            let length = (usize::from(*a) << 16) | (usize::from(*b) << 8) | usize::from(*c);
            if body.len() >= length {
                message.truncate(length + 4);
                return Gathered::Whole(message);
            }
        }
    }
}

/// A cursor over length-prefixed TLS fields.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    fn number(&mut self) -> Option<u16> {
        self.take(2).map(|octets| u16::from_be_bytes([octets[0], octets[1]]))
    }

    fn short(&mut self) -> Option<&'a [u8]> {
        let length = *self.take(1)?.first()?;
        self.take(usize::from(length))
    }

    fn long(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.take(usize::from(length))
    }
}

fn numbers(octets: &[u8]) -> Vec<u16> {
    octets.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
}

impl ClientHello {
    /// Parses a handshake message; `length` is its size on the wire. `None` where it is no ClientHello.
    pub(crate) fn parse(message: &[u8], length: usize) -> Option<Self> {
        let mut fields = Fields(message.get(4..)?);
        let mut hello = Self { length, message: message.to_vec(), ..Self::default() };
        let legacy_version = fields.number()?;
        hello.random = fields.take(32)?.try_into().ok()?;
        hello.session_id = fields.short()?.to_vec();
        hello.suites = numbers(fields.long()?);
        hello.compressions = fields.short()?.to_vec();
        let mut extensions = Fields(fields.long().unwrap_or_default());
        while let Some(kind) = extensions.number() {
            let content = extensions.long()?;
            hello.extensions.push(kind);
            hello.extension(kind, content);
        }
        if hello.versions.is_empty() {
            hello.versions = (0x0301..=legacy_version.min(0x0303)).collect();
        }
        Some(hello)
    }

    fn extension(&mut self, kind: u16, content: &[u8]) {
        let mut fields = Fields(content);
        match kind {
            0 => {
                let mut names = Fields(fields.long().unwrap_or_default());
                names.take(1);
                let name = names.long().unwrap_or_default();
                self.server_name = String::from_utf8(name.to_vec()).ok();
            }
            10 => self.groups = numbers(fields.long().unwrap_or_default()),
            13 => self.signatures = numbers(fields.long().unwrap_or_default()),
            16 => {
                let mut names = Fields(fields.long().unwrap_or_default());
                while let Some(name) = names.short() {
                    self.alpn.push(name.to_vec());
                }
            }
            43 => self.versions = numbers(fields.short().unwrap_or_default()),
            _ => {}
        }
    }

    /// Whether the hello fulfils the condition; `connection` counts from 1.
    pub(crate) fn fulfils(&self, condition: &Condition, connection: usize) -> bool {
        let offers = |version: &String| {
            version_number(version).is_some_and(|number| self.versions.contains(&number))
        };
        let some_of = |wanted: &[u16], have: &[u16]| wanted.iter().any(|item| have.contains(item));
        condition.with_version.as_ref().is_none_or(offers)
            && condition.without_version.as_ref().is_none_or(|version| !offers(version))
            && condition.longer_than.is_none_or(|limit| self.length > limit)
            && condition.sni.is_none_or(|wanted| wanted == self.server_name.is_some())
            && condition.alpn.is_none_or(|wanted| wanted != self.alpn.is_empty())
            && condition.from_connection.is_none_or(|first| connection >= first)
            && (condition.with_suite.is_empty() || some_of(&condition.with_suite, &self.suites))
            && !some_of(&condition.without_suite, &self.suites)
            && (condition.with_group.is_empty() || some_of(&condition.with_group, &self.groups))
            && !some_of(&condition.without_group, &self.groups)
            && !some_of(&condition.without_signature, &self.signatures)
    }
}

/// The code point of a version written as `"1.2"`.
pub(crate) fn version_number(text: &str) -> Option<u16> {
    match text {
        "1.0" => Some(0x0301),
        "1.1" => Some(0x0302),
        "1.2" => Some(0x0303),
        "1.3" => Some(0x0304),
        _ => None,
    }
}
