//! A name server of the tests' own, over UDP on loopback (RFC 1035 §4): a table of answers, of which a name may
//! have several that are given in turn. It shares no code with the lab or the client.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};

/// Name and type of a question.
type Asked = (String, u16);

/// What is answered, and what was asked.
#[derive(Default)]
struct Book {
    answers: BTreeMap<Asked, Vec<Vec<Vec<u8>>>>,
    asked: BTreeMap<Asked, usize>,
}

/// A running name server; its thread ends with the process.
pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    book: Arc<Mutex<Book>>,
}

impl NameServer {
    /// Starts one with lines `NAME TYPE VALUE[, VALUE...]`. Further lines of a name and type are its later
    /// answers; the last one stays.
    pub(crate) fn start(zone: &str) -> Self {
        let mut book = Book::default();
        for line in zone.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (name, rest) = line.split_once(' ').unwrap();
            let (kind, values) = rest.split_once(' ').unwrap();
            let set = values.split(", ").map(|value| data(kind, value)).collect();
            book.answers.entry((name.to_owned(), number(kind))).or_default().push(set);
        }
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let book = Arc::new(Mutex::new(book));
        let served = Arc::clone(&book);
        std::thread::spawn(move || {
            let mut buffer = [0; 1500];
            while let Ok((count, from)) = socket.recv_from(&mut buffer) {
                let answer = answer(&mut served.lock().unwrap(), &buffer[..count]);
                let _ = socket.send_to(&answer, from);
            }
        });
        Self { address, book }
    }

    /// How often a question was asked.
    pub(crate) fn asked(&self, name: &str, kind: &str) -> usize {
        let book = self.book.lock().unwrap();
        book.asked.get(&(name.to_owned(), number(kind))).copied().unwrap_or(0)
    }
}

fn number(kind: &str) -> u16 {
    match kind {
        "A" => 1,
        "NS" => 2,
        "CNAME" => 5,
        "MX" => 15,
        "TXT" => 16,
        "AAAA" => 28,
        other => panic!("{other}"),
    }
}

fn data(kind: &str, value: &str) -> Vec<u8> {
    match kind {
        "A" | "AAAA" => match value.parse().unwrap() {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        },
        "MX" => [vec![0, 10], wire_name(value)].concat(),
        "TXT" => [vec![u8::try_from(value.len()).unwrap()], value.as_bytes().to_vec()].concat(),
        _ => wire_name(value),
    }
}

fn wire_name(name: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        octets.push(u8::try_from(label.len()).unwrap());
        octets.extend(label.bytes());
    }
    octets.push(0);
    octets
}

/// An empty answer where the table has none: there is such a name, without such records.
fn answer(book: &mut Book, query: &[u8]) -> Vec<u8> {
    let mut labels = Vec::new();
    let mut at = 12;
    while query[at] != 0 {
        let length = usize::from(query[at]);
        labels.push(String::from_utf8_lossy(&query[at + 1..=at + length]).to_lowercase());
        at += length + 1;
    }
    let kind = u16::from_be_bytes([query[at + 1], query[at + 2]]);
    let mut name = labels.join(".");
    let mut records: Vec<Vec<u8>> = Vec::new();
    let count = book.asked.entry((name.clone(), kind)).or_default();
    *count += 1;
    let turn = *count - 1;
    let owner = loop {
        let Some(alias) = book.answers.get(&(name.clone(), number("CNAME"))) else { break name };
        let target = &alias[0][0];
        records.push(record(&wire_name(&name), number("CNAME"), target));
        name = read_name(target);
    };
    let sets = book.answers.get(&(owner.clone(), kind));
    if let Some(set) = sets.and_then(|sets| sets.get(turn).or(sets.last())) {
        records.extend(set.iter().map(|data| record(&wire_name(&owner), kind, data)));
    }
    // A response, recursion available; authoritative where no recursion was wanted.
    let flags = if query[2] & 1 == 1 { [0x81, 0x80] } else { [0x84, 0x00] };
    let count = u16::try_from(records.len()).unwrap().to_be_bytes();
    let head = [&query[..2], &flags, &[0, 1], &count, &[0; 4]].concat();
    [head, query[12..at + 5].to_vec(), records.concat()].concat()
}

fn read_name(wire: &[u8]) -> String {
    let mut labels = Vec::new();
    let mut at = 0;
    while wire[at] != 0 {
        let length = usize::from(wire[at]);
        labels.push(String::from_utf8_lossy(&wire[at + 1..=at + length]).into_owned());
        at += length + 1;
    }
    labels.join(".")
}

/// One record of class IN that nobody may keep.
fn record(owner: &[u8], kind: u16, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    [owner, &kind.to_be_bytes(), &[0, 1, 0, 0, 0, 0], &length, data].concat()
}
