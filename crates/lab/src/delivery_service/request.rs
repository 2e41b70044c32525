//! One HTTP request as it came over the wire (RFC 9112 §2 to §7.1): head, then a body by Content-Length or in
//! chunks. It judges nothing but its own framing. The way in: [`read`]; every read has a limit.

use crate::tls::Wire;

/// A request head longer than this is not read on.
const HEAD_LIMIT_BYTES: usize = 32 * 1024;
/// A body longer than this is not read on: the largest that any of the services takes is 50 MB.
const BODY_LIMIT_BYTES: usize = 52_000_000;

/// A request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query as sent.
    pub(crate) target: String,
    /// Header fields in the order sent, names as written.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The value of a header that may stand once; `None` where it is absent or repeated.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(each, _)| each.eq_ignore_ascii_case(name));
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }

    /// The path without the query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The text after `?`.
    pub(crate) fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// Content-Type without parameters, in lower case (RFC 9110 §8.3.1).
    pub(crate) fn media_type(&self) -> String {
        let value = self.header("content-type").unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}

/// What came.
#[derive(Debug)]
pub(crate) enum Came {
    /// A whole request.
    Request(Request),
    /// Something that is no request; the reason.
    Broken(&'static str),
    /// The client left.
    Nothing,
}

/// Reads one request.
pub(crate) async fn read(wire: &mut Wire) -> Came {
    let mut octets = Vec::new();
    let end = loop {
        if let Some(place) = find(&octets, b"\r\n\r\n") {
            break place;
        }
        if octets.len() > HEAD_LIMIT_BYTES {
            return Came::Broken("the head is too long");
        }
        if !more(wire, &mut octets).await {
            return if octets.is_empty() { Came::Nothing } else { Came::Broken("a cut head") };
        }
    };
    let rest = octets.split_off(end + 4);
    let mut request = match head(&octets[..end]) {
        Ok(request) => request,
        Err(reason) => return Came::Broken(reason),
    };
    if request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
        && wire.write(b"HTTP/1.1 100 Continue\r\n\r\n").await.is_err()
    {
        return Came::Nothing;
    }
    let chunked = request.header("transfer-encoding").map(str::to_ascii_lowercase);
    let body = match (chunked.as_deref(), request.header("content-length").map(str::parse)) {
        (None, None) => Ok(Vec::new()),
        (None, Some(Ok(length))) => by_length(wire, rest, length).await,
        (Some("chunked"), None) => by_chunks(wire, rest).await,
        (Some(_), _) | (None, Some(Err(_))) => Err("the framing makes no sense"),
    };
    match body {
        Ok(body) => {
            request.body = body;
            Came::Request(request)
        }
        Err(reason) => Came::Broken(reason),
    }
}

fn head(octets: &[u8]) -> Result<Request, &'static str> {
    let text = std::str::from_utf8(octets).map_err(|_| "the head is not UTF-8")?;
    let mut lines = text.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some("HTTP/1.1"), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err("the request line is not of HTTP/1.1");
    };
    if !target.starts_with('/') {
        return Err("the target is not a path");
    }
    let mut headers = Vec::new();
    for line in lines {
        let (name, value) = line.split_once(':').ok_or("a header line without a colon")?;
        let is_token =
            |each: u8| each.is_ascii_alphanumeric() || b"-_!#$%&'*+.^`|~".contains(&each);
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err("a header name that is no token");
        }
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    Ok(Request { method: method.into(), target: target.into(), headers, body: Vec::new() })
}

async fn by_length(
    wire: &mut Wire,
    mut body: Vec<u8>,
    length: usize,
) -> Result<Vec<u8>, &'static str> {
    if length > BODY_LIMIT_BYTES {
        return Err("the body is too long");
    }
    while body.len() < length {
        if !more(wire, &mut body).await {
            return Err("a cut body");
        }
    }
    if body.len() == length { Ok(body) } else { Err("octets after the body") }
}

async fn by_chunks(wire: &mut Wire, mut octets: Vec<u8>) -> Result<Vec<u8>, &'static str> {
    let mut body = Vec::new();
    loop {
        let line = loop {
            match find(&octets, b"\r\n") {
                Some(place) => break place,
                None if octets.len() < HEAD_LIMIT_BYTES && more(wire, &mut octets).await => {}
                None => return Err("a cut chunk"),
            }
        };
        let size = std::str::from_utf8(&octets[..line]).ok();
        let size = size.and_then(|size| usize::from_str_radix(size.split(';').next()?, 16).ok());
        let size = size.ok_or("a chunk without a size")?;
        let end = line + 2 + size + 2;
        if body.len() + size > BODY_LIMIT_BYTES {
            return Err("the body is too long");
        }
        while octets.len() < end {
            if !more(wire, &mut octets).await {
                return Err("a cut chunk");
            }
        }
        body.extend_from_slice(&octets[line + 2..line + 2 + size]);
        octets.drain(..end);
        if size == 0 {
            return if octets.is_empty() { Ok(body) } else { Err("octets after the body") };
        }
    }
}

async fn more(wire: &mut Wire, octets: &mut Vec<u8>) -> bool {
    let mut buffer = [0u8; 4096];
    match wire.read(&mut buffer).await {
        Ok(count) if count > 0 => {
            octets.extend_from_slice(&buffer[..count]);
            true
        }
        Ok(_) | Err(_) => false,
    }
}

/// Where `needle` begins.
pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::tls::Prefixed;

    async fn came(octets: &str) -> Came {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        client.write_all(octets.as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        let (tcp, _) = listener.accept().await.unwrap();
        read(&mut Wire::Clear(Prefixed::new(Vec::new(), tcp))).await
    }

    #[tokio::test]
    async fn bodies_come_by_length_and_in_chunks() {
        for framing in [
            "Content-Length: 5\r\n\r\nhello",
            "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
            "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
        ] {
            let Came::Request(request) = came(&format!("POST /a?b HTTP/1.1\r\n{framing}")).await
            else {
                panic!("{framing:?} is no request");
            };
            assert_eq!(request.body, b"hello", "{framing:?}");
            assert_eq!((request.path(), request.query()), ("/a", "b"));
        }
        assert!(matches!(came("").await, Came::Nothing));
    }

    #[tokio::test]
    async fn broken_framing_is_named() {
        let cases = [
            ("POST /a", "a cut head"),
            ("POST /a HTTP/1.0\r\n\r\n", "the request line is not of HTTP/1.1"),
            ("POST https://b/ HTTP/1.1\r\n\r\n", "the target is not a path"),
            ("GET / HTTP/1.1\r\nnothing\r\n\r\n", "a header line without a colon"),
            ("GET / HTTP/1.1\r\na b: c\r\n\r\n", "a header name that is no token"),
            ("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nx", "a cut body"),
            ("POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nxy", "octets after the body"),
            ("POST / HTTP/1.1\r\nContent-Length: 60000000\r\n\r\n", "the body is too long"),
            ("POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", "the framing makes no sense"),
            (
                "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "the framing makes no sense",
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n",
                "a chunk without a size",
            ),
        ];
        for (octets, reason) in cases {
            match came(octets).await {
                Came::Broken(why) => assert_eq!(why, reason, "{octets:?}"),
                Came::Request(_) | Came::Nothing => panic!("{octets:?} is not broken"),
            }
        }
    }
}
