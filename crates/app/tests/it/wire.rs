//! What the client really sent, by the lab's byte-level recorder: no command but EHLO, HELO, STARTTLS and QUIT
//! in clear, in this order, each at most once; nothing but QUIT inside an unverified session.

use std::collections::BTreeSet;
use std::net::IpAddr;
use waxseal_lab::recorder::Recording;

const IN_CLEAR: [&str; 4] = ["EHLO", "HELO", "STARTTLS", "QUIT"];
const INSIDE_TLS: [&str; 2] = ["EHLO", "QUIT"];

/// Everything in the recordings that no probe may send. `unverified` holds the addresses whose certificate
/// did not verify.
pub(crate) fn forbidden(recordings: &[Recording], unverified: &BTreeSet<IpAddr>) -> Vec<String> {
    let mut wrong = Vec::new();
    for recording in recordings.iter().filter(|recording| !matches!(recording.port, 80 | 443)) {
        let at = format!("{} [{}]:{}", recording.host, recording.published, recording.port);
        if let Err(why) = in_order(&clear_verbs(&recording.clear), &IN_CLEAR) {
            wrong.push(format!("{at}: in clear: {why}"));
        }
        let inside: Vec<String> = recording.tls_commands.iter().map(|line| verb(line)).collect();
        let allowed =
            if unverified.contains(&recording.published) { &INSIDE_TLS[1..] } else { &INSIDE_TLS };
        if let Err(why) = in_order(&inside, allowed) {
            wrong.push(format!("{at}: inside TLS: {why}"));
        }
    }
    wrong
}

/// The verbs of the clear part; what follows the first TLS record is not text.
fn clear_verbs(clear: &[u8]) -> Vec<String> {
    let text: Vec<u8> = clear.iter().copied().take_while(|octet| *octet != 0x16).collect();
    String::from_utf8_lossy(&text).lines().map(verb).collect()
}

fn verb(line: &str) -> String {
    line.split(' ').next().unwrap_or_default().to_ascii_uppercase()
}

/// Whether the verbs are a subsequence of the allowed ones, each at most once.
fn in_order(verbs: &[String], allowed: &[&str]) -> Result<(), String> {
    let mut rest = allowed.iter();
    for verb in verbs {
        if !rest.any(|next| next == verb) {
            return Err(format!("{verbs:?}"));
        }
    }
    Ok(())
}

#[test]
fn the_order_is_told_from_every_other() {
    let verbs = |text: &str| clear_verbs(text.as_bytes());
    for fine in
        ["", "QUIT\r\n", "EHLO a\r\nSTARTTLS\r\n\u{16}\u{3}MAIL", "EHLO a\r\nHELO a\r\nQUIT\r\n"]
    {
        assert_eq!(in_order(&verbs(fine), &IN_CLEAR), Ok(()), "{fine:?}");
    }
    let bad = [
        "MAIL FROM:<>\r\n",
        "EHLO a\r\nEHLO a\r\n",
        "STARTTLS\r\nEHLO a\r\n",
        "EHLO a\r\nAUTH PLAIN\r\n",
    ];
    for wrong in bad {
        assert!(in_order(&verbs(wrong), &IN_CLEAR).is_err(), "{wrong:?}");
    }
}
