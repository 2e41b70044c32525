//! `dialogue`: a script around `openssl s_client`, as people write one with expect: it waits for each reply
//! (RFC 5321 §4.2) before it types the next command. What `s_client` sends by itself it leaves to it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::HOST;
use super::contenders::{MESSAGE, PASSWORD, USER};
use crate::arguments::Arguments;

/// Sends one message.
///
/// # Errors
/// When openssl does not start or the server does not take the message.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let starttls = arguments.required("mode")? == "starttls";
    let mut command = Command::new("openssl");
    command.args(["s_client", "-quiet", "-verify_quiet", "-verify_return_error"]);
    command.args(["-servername", HOST, "-verify_hostname", HOST, "-name", "bench.test"]);
    command.arg("-connect").arg(arguments.required("address")?);
    command.arg("-CAfile").arg(arguments.folder()?.join("ca.pem"));
    if starttls {
        command.args(["-starttls", "smtp"]);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut client = command.spawn().context("starting openssl")?;
    let done = talk(&mut client, starttls);
    client.wait()?;
    done
}

fn talk(client: &mut Child, starttls: bool) -> Result<()> {
    let mut input = client.stdin.take().context("a piped input")?;
    let mut replies = BufReader::new(client.stdout.take().context("a piped output")?);
    if !starttls {
        // With -starttls, s_client eats the greeting and all replies before the handshake (the last one goes to
        // its standard error), and reads no input before it is over.
        expect(&mut replies, "220")?;
    }
    let plain = format!("\0{USER}\0{PASSWORD}");
    let lines = [
        ("EHLO bench.test".to_owned(), "250"),
        (format!("AUTH PLAIN {}", base64(plain.as_bytes())), "235"),
        (format!("MAIL FROM:<{USER}>"), "250"),
        ("RCPT TO:<reader@bench.test>".to_owned(), "250"),
        ("DATA".to_owned(), "354"),
        (format!("{MESSAGE}."), "250"),
        ("QUIT".to_owned(), "221"),
    ];
    for (line, code) in lines {
        input.write_all(format!("{line}\r\n").as_bytes())?;
        input.flush()?;
        expect(&mut replies, code)?;
    }
    Ok(())
}

fn expect(replies: &mut impl BufRead, code: &str) -> Result<()> {
    let mut line = String::new();
    loop {
        line.clear();
        ensure!(replies.read_line(&mut line)? > 0, "the server closed before {code}");
        if line.as_bytes().get(3) != Some(&b'-') {
            ensure!(line.starts_with(code), "{line:?} instead of {code}");
            return Ok(());
        }
    }
}

/// RFC 4648 §4, for a short text.
fn base64(octets: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in octets.chunks(3) {
        let value = (0..3)
            .fold(0_usize, |value, at| value * 256 + chunk.get(at).copied().map_or(0, usize::from));
        for at in 0..4 {
            let digit = DIGITS.get((value >> (18 - 6 * at)) % 64).copied().unwrap_or(b'=');
            text.push(if at <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_follows_the_standard() {
        for (text, encoded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(super::base64(text.as_bytes()), encoded);
        }
    }
}
