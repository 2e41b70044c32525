//! Tests of submission servers: sign-in, envelope and message, spoken by hand.

use ::hmac::{Hmac, KeyInit, Mac};
use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::smtp_server::{TEST_PASSWORD, TEST_TOKEN};

const USER: &str = "sender@a.test";
const MESSAGE: &str = "From: <sender@a.test>\r\nDate: Mon, 01 Jan 2026 00:00:00 +0000\r\n\
    Message-ID: <1@a.test>\r\nSubject: x\r\n\r\n..dot\r\n.\r\n";

type Tls = TlsStream<TcpStream>;

async fn submission(toml: &str) -> (Fixture, Tls) {
    let fixture = start(toml).await;
    let mut tls = fixture.upgrade(BOTH).await.unwrap();
    say(&mut tls, "EHLO client.test", "250").await;
    (fixture, tls)
}

/// Sends a line and gives the reply, which must begin like this.
async fn say(tls: &mut Tls, line: &str, wanted: &str) -> String {
    tls.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
    reply(tls, wanted).await
}

async fn reply(tls: &mut Tls, wanted: &str) -> String {
    let mut text = String::new();
    loop {
        text += &expect(tls, "").await;
        let last = text.lines().last().unwrap_or_default();
        if text.ends_with('\n') && last.as_bytes().get(3) != Some(&b'-') {
            break;
        }
    }
    assert!(text.starts_with(wanted), "{text:?} does not start with {wanted:?}");
    text
}

fn challenge(reply: &str) -> String {
    let text = STANDARD.decode(reply.trim_end().strip_prefix("334 ").unwrap()).unwrap();
    String::from_utf8(text).unwrap()
}

fn plain(user: &str, password: &str) -> String {
    STANDARD.encode(format!("\0{user}\0{password}"))
}

fn bearer(token: &str) -> String {
    STANDARD.encode(format!("user={USER}\u{1}auth=Bearer {token}\u{1}\u{1}"))
}

async fn scram(tls: &mut Tls, password: &str, wanted: &str) -> String {
    let bare = format!("n={USER},r=client-nonce");
    let first = STANDARD.encode(format!("n,,{bare}"));
    let server_first = challenge(&say(tls, &format!("AUTH SCRAM-SHA-256 {first}"), "334").await);
    let mut fields = server_first.split(',');
    let nonce = fields.next().unwrap().strip_prefix("r=client-nonce").unwrap();
    let salt = STANDARD.decode(fields.next().unwrap().strip_prefix("s=").unwrap()).unwrap();
    let rounds = fields.next().unwrap().strip_prefix("i=").unwrap().parse().unwrap();
    let mut salted = [0u8; 32];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, password.as_bytes(), &mut salted);
    let mac = |key: &[u8], text: &[u8]| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref().to_vec()
    };
    let client_key = mac(&salted, b"Client Key");
    let stored = digest::digest(&digest::SHA256, &client_key);
    let without_proof = format!("c=biws,r=client-nonce{nonce}");
    let message = format!("{bare},{server_first},{without_proof}");
    let signature = mac(stored.as_ref(), message.as_bytes());
    let proof: Vec<u8> = client_key.iter().zip(signature).map(|(a, b)| a ^ b).collect();
    let last = STANDARD.encode(format!("{without_proof},p={}", STANDARD.encode(proof)));
    let answer = say(tls, &last, wanted).await;
    if wanted == "334" {
        let own = STANDARD.encode(mac(&mac(&salted, b"Server Key"), message.as_bytes()));
        assert_eq!(challenge(&answer), format!("v={own}"));
        return say(tls, "", "235 ").await;
    }
    answer
}

#[tokio::test]
async fn every_mechanism_signs_in_with_the_right_secret_only() {
    let (_fixture, mut tls) = submission("[submission]").await;
    say(&mut tls, &format!("AUTH PLAIN {}", plain(USER, "wrong")), "535 5.7.8").await;
    say(&mut tls, "AUTH PLAIN", "334 ").await;
    say(&mut tls, &plain("nobody", TEST_PASSWORD), "535 5.7.8").await;
    say(&mut tls, "AUTH LOGIN", "334 VXNlcm5hbWU6").await;
    say(&mut tls, &STANDARD.encode(USER), "334 UGFzc3dvcmQ6").await;
    say(&mut tls, &STANDARD.encode("wrong"), "535 5.7.8").await;
    say(&mut tls, "AUTH CRAM-MD5", "334 ").await;
    say(&mut tls, &STANDARD.encode(format!("{USER} 00")), "535 5.7.8").await;
    scram(&mut tls, "wrong", "535 5.7.8").await;
    let told = say(&mut tls, &format!("AUTH XOAUTH2 {}", bearer("wrong")), "334 ").await;
    assert!(challenge(&told).contains(r#""status":"401""#));
    say(&mut tls, "", "535 5.7.8").await;
    say(&mut tls, "AUTH PLAIN !", "501 5.5.2").await;
    say(&mut tls, "AUTH LOGIN", "334 ").await;
    say(&mut tls, "*", "501 ").await;
    say(&mut tls, "AUTH GSSAPI", "504 5.5.4").await;

    say(&mut tls, &format!("AUTH PLAIN {}", plain(USER, TEST_PASSWORD)), "235 ").await;
    say(&mut tls, &format!("AUTH PLAIN {}", plain(USER, TEST_PASSWORD)), "503 ").await;
    let (_fixture, mut tls) = submission("[submission]").await;
    say(&mut tls, &format!("AUTH LOGIN {}", STANDARD.encode(USER)), "334 UGFzc3dvcmQ6").await;
    say(&mut tls, &STANDARD.encode(TEST_PASSWORD), "235 ").await;
    let (_fixture, mut tls) = submission("[submission]").await;
    let text = challenge(&say(&mut tls, "AUTH CRAM-MD5", "334 ").await);
    assert!(text.starts_with('<') && text.ends_with("@mx1.a.test>"), "{text}");
    let mut mac = Hmac::<md5::Md5>::new_from_slice(TEST_PASSWORD.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    let digest = sign_in::hexadecimal(&mac.finalize().into_bytes());
    say(&mut tls, &STANDARD.encode(format!("{USER} {digest}")), "235 ").await;
    let (_fixture, mut tls) = submission("[submission]").await;
    scram(&mut tls, TEST_PASSWORD, "334").await;
    let (_fixture, mut tls) = submission("[submission]").await;
    say(&mut tls, &format!("AUTH XOAUTH2 {}", bearer(TEST_TOKEN)), "235 ").await;
}

#[tokio::test]
async fn a_message_is_taken_and_kept() {
    let (fixture, mut tls) = submission("[submission]").await;
    say(&mut tls, "MAIL FROM:<sender@a.test>", "530 5.7.0 Authentication required").await;
    say(&mut tls, &format!("AUTH PLAIN {}", plain(USER, TEST_PASSWORD)), "235 ").await;
    say(&mut tls, "RCPT TO:<b@b.test>", "503 ").await;
    let group = "MAIL FROM:<sender@a.test> SIZE=200 BODY=8BITMIME\r\nRCPT TO:<b@b.test>\r\nDATA";
    let mut replies = say(&mut tls, group, "250 2.1.0").await;
    while !replies.contains("354 ") {
        replies += &expect(&mut tls, "").await;
    }
    tls.write_all(MESSAGE.as_bytes()).await.unwrap();
    reply(&mut tls, "250 2.0.0 ok: queued as lab-0001").await;
    let [kept] = fixture.recorder.mailbox().messages().try_into().unwrap();
    assert_eq!((kept.from.as_str(), kept.recipients.as_slice()), (USER, &["b@b.test".into()][..]));
    assert_eq!((kept.user.as_deref(), kept.inside_tls), (Some(USER), true));
    assert_eq!(kept.parameters, ["SIZE=200", "BODY=8BITMIME"]);
    assert!(kept.text().ends_with("\r\n\r\n.dot\r\n"), "{}", kept.text());
}

#[tokio::test]
async fn a_message_that_breaks_a_rule_is_refused() {
    let (fixture, mut tls) = submission(
        "[submission]\nanonymous = true\nsize = 2000\n\
         recipients = { 'full@b.test' = '452 4.2.2 mailbox full' }",
    )
    .await;
    let long = "x".repeat(999);
    let size = "line\r\n".repeat(400);
    let cases = [
        ("SIZE=2001", "", "552 5.3.4"),
        ("REQUIRETLS", "", "555 5.5.4"),
        ("SIZE=10", "Subject: a\nb", "550 5.5.2"),
        ("SIZE=10", long.as_str(), "554 5.6.0 a line"),
        ("SIZE=10", size.as_str(), "552 5.3.4"),
        ("SIZE=10", "From: <b@b.test>", "554 5.6.0 the message has 2 from"),
    ];
    for (parameter, line, wanted) in cases {
        say(&mut tls, "RSET", "250 ").await;
        let mail = format!("MAIL FROM:<a@a.test> {parameter}");
        if line.is_empty() {
            say(&mut tls, &mail, wanted).await;
            continue;
        }
        say(&mut tls, &mail, "250 ").await;
        say(&mut tls, "RCPT TO:<full@b.test>", "452 4.2.2").await;
        say(&mut tls, "DATA", "503 ").await;
        say(&mut tls, "RCPT TO:<b@b.test>", "250 ").await;
        say(&mut tls, "DATA", "354 ").await;
        tls.write_all(format!("{line}\r\n{MESSAGE}").as_bytes()).await.unwrap();
        reply(&mut tls, wanted).await;
    }
    assert_eq!(fixture.recorder.mailbox().messages(), []);
}

#[tokio::test]
async fn nothing_is_taken_in_clear_unless_the_scenario_says_so() {
    let fixture = start("[submission]\nauth_in_clear = ['PLAIN']").await;
    let mut tcp = fixture.connect().await;
    expect(&mut tcp, "220 ").await;
    tcp.write_all(b"EHLO a.test\r\n").await.unwrap();
    let offered = expect(&mut tcp, "250").await;
    assert!(offered.contains("AUTH PLAIN\r\n") && offered.contains("STARTTLS"), "{offered}");
    tcp.write_all(b"AUTH PLAIN AAAA\r\n").await.unwrap();
    expect(&mut tcp, "538 5.7.11").await;
    tcp.write_all(b"MAIL FROM:<a@a.test>\r\n").await.unwrap();
    expect(&mut tcp, "530 5.7.0 Must issue a STARTTLS").await;

    let fixture = start("[submission]\nanonymous = true\nin_clear = true").await;
    let mut tcp = fixture.connect().await;
    expect(&mut tcp, "220 ").await;
    for (line, wanted) in [
        ("EHLO a.test", "250"),
        ("MAIL FROM:<a@a.test>", "250"),
        ("RCPT TO:<b@b.test>", "250"),
        ("DATA", "354"),
    ] {
        tcp.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
        expect(&mut tcp, wanted).await;
    }
    tcp.write_all(MESSAGE.as_bytes()).await.unwrap();
    expect(&mut tcp, "250 2.0.0").await;
    assert!(!fixture.recorder.mailbox().messages()[0].inside_tls);
    assert!(fixture.recorder.recordings()[0].clear_lines().contains(&"Subject: x".to_owned()));
}

#[tokio::test]
async fn every_answer_can_be_scripted() {
    let (fixture, mut tls) = submission(
        "[submission]\nauth_line_octets = 200\n[replies_after_tls]\n\
         sign-in = '525 5.7.13 account disabled'\nmail = '250 fine'\nmessage = ['close']",
    )
    .await;
    let right = format!("AUTH PLAIN {}", plain(USER, TEST_PASSWORD));
    say(&mut tls, &right, "525 5.7.13").await;
    say(&mut tls, &format!("AUTH PLAIN {}", "A".repeat(200)), "500 5.5.6").await;
    say(&mut tls, "MAIL FROM:<a@a.test>", "250 fine").await;
    say(&mut tls, "RCPT TO:<b@b.test>", "250 ").await;
    say(&mut tls, "DATA", "354 ").await;
    tls.write_all(MESSAGE.as_bytes()).await.unwrap();
    assert_eq!(tls.read(&mut [0; 8]).await.unwrap(), 0);
    assert_eq!(fixture.recorder.mailbox().messages(), []);
    let [session] = fixture.recorder.recordings().try_into().unwrap();
    assert!(session.tls_commands.contains(&right) && session.vouched);

    let (_fixture, mut tls) = submission(
        "[submission]\naccounts = [{ user = 'u', password = 'p', senders = ['u@a.test'] }]",
    )
    .await;
    say(&mut tls, &format!("AUTH PLAIN {}", plain("u", "p")), "235 ").await;
    say(&mut tls, "MAIL FROM:<v@a.test>", "553 5.7.1 <v@a.test>: Sender address rejected").await;
    say(&mut tls, "MAIL FROM:<U@a.test>", "250 ").await;
}

#[tokio::test]
async fn what_is_said_outside_tls_is_recorded_without_its_records() {
    let fixture = start("tls.script = [{ then = [{ alert = 40 }] }]").await;
    assert!(fixture.upgrade(BOTH).await.is_err());
    let fixture_silent = start("replies.starttls = '220'\nhide = ['noop']").await;
    let mut tcp = fixture_silent.connect().await;
    expect(&mut tcp, "220 ").await;
    tcp.write_all(b"\x16\x03\x01\x00\x04\r\n\r\nNOOP\r\n\x15\x03\x03\x00\x02\x02\x28QUIT\r\n")
        .await
        .unwrap();
    tcp.shutdown().await.unwrap();
    let _ = everything(&mut tcp).await;
    assert_eq!(fixture_silent.recorder.recordings()[0].clear, b"NOOP\r\nQUIT\r\n");
    assert_eq!(fixture.recorder.recordings()[0].clear_lines(), ["EHLO probe.test", "STARTTLS"]);
}
