//! The inputs that mutation starts from: the vectors that lie beside the protocol code, and a few lines
//! of each grammar.
//!
//! A vector file is JSON of any shape: every text in it is an input. A missing file is an error of the
//! checkout and ends the run, so that a renamed folder cannot thin the corpus silently.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// How many texts of one vector file become seeds: enough for its shapes, quick to load.
const SEEDS_PER_FILE_MAX: usize = 400;

/// Replies and answers to EHLO.
pub fn smtp() -> Vec<Vec<u8>> {
    let mut seeds = texts("starttls/servers.json");
    seeds.extend(lines(&[
        "220 mx.example.com ESMTP ready\r\n",
        "220-mx.example.com\r\n220-wait\r\n220 go\r\n",
        "250-mx.example.com\r\n250-SIZE 10240000\r\n250-STARTTLS\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n",
        "421 4.7.0 too many connections\r\n",
        "450 4.7.1 greylisted, try again later\r\n",
        "554 5.7.1 blocked using a list\r\n",
        "250-first\n250 second\n",
        "XXXX-XXXXXXXA\r\n",
    ]));
    seeds
}

/// Sessions: scripts of [`crate::targets::session`], from a whole good one to early ends.
pub fn sessions() -> Vec<Vec<u8>> {
    let greeting: &[u8] = b"220 mx.example.com ESMTP\r\n";
    let ehlo: &[u8] = b"250-mx.example.com\r\n250-STARTTLS\r\n250 SIZE 1\r\n";
    let ready: &[u8] = b"220 2.0.0 ready\r\n";
    let bye: &[u8] = b"221 2.0.0 bye\r\n";
    let refused: &[u8] = b"502 5.5.1 no\r\n";
    let read = |octets: &[u8]| {
        let count = u8::try_from(octets.len()).unwrap_or(u8::MAX);
        [&[count], octets].concat()
    };
    let good = |tls: u8| {
        [
            vec![0],
            read(greeting),
            read(ehlo),
            read(ready),
            vec![tls],
            read(ehlo),
            read(bye),
            vec![2],
        ]
        .concat()
    };
    vec![
        good(64),
        good(65),
        good(0),
        good(16),
        [vec![0], read(greeting), read(refused), read(b"250 hello\r\n"), read(bye)].concat(),
        [vec![0], read(greeting), read(ehlo), read(&[ready, b"250 injected\r\n"].concat())]
            .concat(),
        [vec![0], read(b"554 5.7.1 no\r\n"), read(bye)].concat(),
        [vec![7], read(greeting), read(ehlo), read(ready), vec![64]].concat(),
    ]
}

/// Submissions: scripts of [`crate::targets::submission`], one for each mechanism in
/// the order of their preference, and early ends.
pub fn submissions() -> Vec<Vec<u8>> {
    let read = |octets: &str| {
        let count = u8::try_from(octets.len()).unwrap_or(u8::MAX);
        [&[count], octets.as_bytes()].concat()
    };
    let prompt = |text: &str| read(&format!("334 {}\r\n", STANDARD.encode(text)));
    let greeting = read("220 smtp.example.com ESMTP\r\n");
    let offer = read("250-smtp.example.com\r\n250 STARTTLS\r\n");
    let ready = read("220 2.0.0 ready\r\n");
    let ehlo = |mechanism: &str| {
        read(&format!("250-smtp.example.com\r\n250-PIPELINING\r\n250 AUTH {mechanism}\r\n"))
    };
    let end: Vec<u8> = [
        "250 ok\r\n",
        "250 ok\r\n",
        "250 ok\r\n",
        "354 go\r\n",
        "250 2.0.0 kept as 1\r\n",
        "221 bye\r\n",
    ]
    .iter()
    .flat_map(|each| read(each))
    .collect();
    let signed_in = read("235 2.7.0 welcome\r\n");
    let nonce = STANDARD.encode([7; 18]);
    let scram = format!("r={nonce}server,s=QSXCR+Q6sek8bf92,i=4096");
    let turns: [(&str, Vec<u8>); 5] = [
        ("SCRAM-SHA-256", [prompt(&scram), prompt("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")].concat()),
        ("PLAIN", Vec::new()),
        ("LOGIN", [prompt("Username:"), prompt("Password:")].concat()),
        ("CRAM-MD5", prompt("<1896.697170952@smtp.example.com>")),
        ("XOAUTH2", prompt(r#"{"status":"401","schemes":"bearer"}"#)),
    ];
    let mut seeds = Vec::new();
    for (place, (mechanism, turns)) in turns.iter().enumerate() {
        let first = u8::try_from(place).unwrap_or_default() * 4;
        let sealed = [&ehlo(mechanism), turns.as_slice(), &signed_in, &end].concat();
        let before: [&[u8]; 5] = [&[first], &greeting, &offer, &ready, &[64]];
        seeds.push([&before.concat(), sealed.as_slice()].concat());
        seeds.push([&[first + 1, 64], greeting.as_slice(), &sealed].concat());
        let refused = read("535 5.7.8 no\r\n");
        seeds.push([&before.concat(), &ehlo(mechanism), turns.as_slice(), &refused].concat());
    }
    seeds.push([&[4], greeting.as_slice(), &offer, &ready, &[65], &ehlo("PLAIN")].concat());
    seeds.push([&[2], greeting.as_slice(), &ehlo("PLAIN"), &end].concat());
    seeds
}

/// Mailboxes.
pub fn mailboxes() -> Vec<Vec<u8>> {
    lines(&[
        "user@example.com",
        "first.last+tag@mail.example.com",
        "\"quoted \\\" @ part\"@example.com",
        "user@[192.0.2.1]",
        "user@[IPv6:2001:db8::1]",
        "grüße@münchen.example",
        "a..b@example.com",
        "user@example.com.",
        "user@",
        "@example.com",
    ])
}

/// Answers of delivery services: which one, the status, one header, the body.
pub fn service_answers() -> Vec<Vec<u8>> {
    const ANSWERS: &[(u16, &str, &str)] = &[
        (200, "X-Message-Id: 14c5d75ce93", r#"{"MessageId":"0102018f-0000"}"#),
        (200, "", r#"{"To":"a@example.net","MessageID":"b7bc2f4a","ErrorCode":0,"Message":"OK"}"#),
        (202, "X-Message-Id: 14c5d75ce93", ""),
        (200, "", r#"{"id":"<2026.1@mg.example.com>","message":"Queued. Thank you."}"#),
        (200, "", r#"{"data":[{"id":"1"},{"id":"3"}],"errors":[{"index":1,"message":"x"}]}"#),
        (201, "", r#"{"messageIds":["<1@a>","<2@a>"]}"#),
        (200, "", r#"[{"ErrorCode":0,"MessageID":"1"},{"ErrorCode":406,"Message":"Inactive"}]"#),
        (401, "", r#"{"message":"Key not found","code":"unauthorized"}"#),
        (403, "x-amzn-errortype: AccessDeniedException:", r#"{"Message":"not authorized"}"#),
        (422, "", r#"{"ErrorCode":300,"Message":"Invalid email request"}"#),
        (429, "Retry-After: 30", r#"{"errors":[{"message":"too many requests","field":null}]}"#),
        (500, "", "<html><body>Bad gateway</body></html>"),
        (
            200,
            "",
            r#"{"SendingEnabled":true,"ProductionAccessEnabled":false,"SendQuota":{"Max24HourSend":200.0,"MaxSendRate":1.0,"SentLast24Hours":3.0}}"#,
        ),
    ];
    (0..6_u8)
        .flat_map(|service| ANSWERS.iter().map(move |answer| (service, answer)))
        .map(|(service, (status, header, body))| {
            [&[service], status.to_be_bytes().as_slice(), header.as_bytes(), b"\n", body.as_bytes()]
                .concat()
        })
        .collect()
}

/// Names, typed targets and presented identifiers.
pub fn names() -> Vec<Vec<u8>> {
    let mut seeds = texts("hostname-match/webpki-dns.json");
    seeds.extend(lines(&[
        "example.com",
        "münchen.example",
        "xn--mnchen-3ya.example",
        "*.example.com",
        "user@example.com",
        "https://example.com:8443/path?query#fragment",
        "[2001:db8::1]:25",
        "192.0.2.1",
        "mx.example.com.:465",
        "a..b",
        "_dmarc.example.com",
    ]));
    seeds
}

/// Records and policies.
pub fn policies() -> Vec<Vec<u8>> {
    let mut seeds = texts("mta-sts/checkdmarc-policies.json");
    seeds.extend(texts("mta-sts/checkdmarc-records.json"));
    seeds.extend(texts("mta-sts/snawoot-records.json"));
    seeds.extend(lines(&[
        "v=STSv1; id=20260101T000000;",
        "v=TLSRPTv1; rua=mailto:tls@example.com,https://example.com/report",
        "version: STSv1\r\nmode: enforce\r\nmx: *.example.com\r\nmx: mx.example.net\r\nmax_age: 604800\r\n",
    ]));
    seeds
}

/// First answers of TLS servers: alerts, a ServerHello, and what is none of it.
pub fn flights() -> Vec<Vec<u8>> {
    let hello = |version: &[u8], suite: &[u8], extensions: &[u8]| {
        let length = u8::try_from(extensions.len()).unwrap_or(u8::MAX);
        let body = [version, &[7; 32], &[0], suite, &[0, 0, length], extensions].concat();
        let size = |count: usize| u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes();
        let message = [&[2, 0][..], &size(body.len()), &body].concat();
        [&[22, 3, 3][..], &size(message.len()), &message].concat()
    };
    vec![
        vec![21, 3, 3, 0, 2, 2, 40],
        vec![21, 3, 1, 0, 2, 1, 112, 21, 3, 1, 0, 2, 2, 70],
        hello(&[3, 3], &[0xc0, 0x2f], &[0xff, 1, 0, 1, 0, 0, 23, 0, 0]),
        hello(&[3, 3], &[0x13, 1], &[0, 43, 0, 2, 3, 4, 0, 51, 0, 4, 0, 29, 0, 0]),
        hello(&[3, 1], &[0, 0x2f], &[]),
        b"220 mx.example.com ESMTP\r\n".to_vec(),
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        vec![22, 3, 3, 255, 255],
    ]
}

/// Zone files.
pub fn zone_files() -> Vec<Vec<u8>> {
    let records = [
        r#"{"name":"example.com","type":"MX","data":["10 mx.example.com"]}"#,
        r#"{"name":"mx.example.com","type":"A","data":["192.0.2.1"],"ttl":60}"#,
        r#"{"name":"mx.example.com","type":"AAAA","data":["2001:db8::1"]}"#,
        r#"{"name":"_mta-sts.example.com","type":"TXT","data":[["v=STSv1; ","id=1;"]]}"#,
        r#"{"name":"_25._tcp.mx.example.com","type":"TLSA","data":["3 1 1 00ff"]}"#,
        r#"{"name":"www.example.com","type":"CNAME","data":["example.com"]}"#,
        r#"{"name":"x.example","type":"MX","rcode":"SERVFAIL"}"#,
    ];
    let file = |records: &str| format!(r#"{{"records":[{records}],"secure":["example.com"]}}"#);
    let mut seeds: Vec<String> = records.iter().map(|record| file(record)).collect();
    seeds.push(file(&records.join(",")));
    seeds.into_iter().map(String::into_bytes).collect()
}

/// Connect rules.
pub fn connect_rules() -> Vec<Vec<u8>> {
    lines(&[
        "mx.example.com=127.0.0.1:2525",
        "mx.example.com:25=127.0.0.1:2525",
        "example.com:443=[::1]:8443",
        "=",
        "mx.example.com:99999=127.0.0.1:1",
    ])
}

/// Certificates, PEM and DER, one and several to a file.
pub fn certificates() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for text in texts("x509-limbo/limbo.json") {
        if text.starts_with(b"-----BEGIN") {
            seeds.push(text);
        }
    }
    for text in texts("bettertls/bettertls.json") {
        seeds.extend(STANDARD.decode(&text).ok().filter(|der| der.first() == Some(&0x30)));
    }
    let pair: Vec<u8> = seeds.iter().take(2).flatten().copied().collect();
    seeds.push(pair);
    seeds
}

/// `Received` lines of every server in the vectors.
pub fn received() -> Vec<Vec<u8>> {
    ["stalwart", "spamassassin"]
        .iter()
        .flat_map(|name| texts(&format!("received/{name}-received.json")))
        .chain(
            ["tls", "plain"]
                .iter()
                .flat_map(|name| texts(&format!("received/real-{name}-headers.json"))),
        )
        .collect()
}

/// Header blocks of a few messages.
pub fn messages() -> Vec<Vec<u8>> {
    let mut seeds = lines(&[
        "Received: from a.test (a.test [192.0.2.1])\r\n\tby b.test (Postfix) with ESMTPS id 1\r\n\tfor <b@b.test>; Wed, 7 Aug 2024 21:23:34 -0400\r\nAuthentication-Results: b.test; spf=pass smtp.mailfrom=a@a.test; dkim=pass (ok) header.d=a.test\r\nFrom: \"A, B\" <a@a.test>\r\n\r\nbody\r\n",
        "From x Mon\nReceived: by 192.0.2.1 with SMTP id 1; Wed, 7 Aug 2024 21:23:34 -0400\nReceived: (qmail 1 invoked by uid 0); 24 Jun 2024 08:58:01 -0000\n\n",
        "Authentication-Results: spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=a.test; dkim=none header.d=none;dmarc=pass action=none\r\nSubject: =?utf-8?Q?a=40b?= =?utf-8?B?8J+QiA==?=\r\n",
    ]);
    let one_hop = |line: Vec<u8>| [b"Received: ", line.as_slice(), b"\r\n\r\n"].concat();
    seeds.extend(received().into_iter().step_by(8).map(one_hop));
    seeds
}

fn lines(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// Every text in a JSON file below the vectors folder of the protocol crate.
fn texts(file: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/proto/vectors");
    let path = folder.join(file);
    let json = std::fs::read_to_string(&path);
    let json = json.unwrap_or_else(|error| {
        panic!("vectors are part of the checkout: {}: {error}", path.display())
    });
    let value = serde_json::from_str(&json);
    let value =
        value.unwrap_or_else(|error| panic!("a vector file is JSON: {}: {error}", path.display()));
    let mut found = Vec::new();
    collect(&value, &mut found);
    found.truncate(SEEDS_PER_FILE_MAX);
    found
}

fn collect(value: &Value, found: &mut Vec<Vec<u8>>) {
    match value {
        Value::String(text) => found.push(text.as_bytes().to_vec()),
        Value::Array(items) => {
            for item in items {
                collect(item, found);
            }
        }
        Value::Object(fields) => {
            for item in fields.values() {
                collect(item, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TARGETS;

    #[test]
    fn every_target_has_seeds_and_survives_them() {
        for target in TARGETS {
            let seeds = (target.seeds)();
            assert!(seeds.len() >= 5, "{}: {} seeds", target.name, seeds.len());
            for seed in seeds {
                (target.run)(&seed);
            }
        }
    }

    #[test]
    fn certificate_seeds_are_certificates() {
        let readable = certificates()
            .iter()
            .filter(|seed| waxseal_proto::x509::read_certificates(seed).is_ok())
            .count();
        assert!(readable > 100, "{readable}");
    }
}
