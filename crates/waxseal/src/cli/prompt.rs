//! Asks a person for a secret on the terminal without echo. Signals are read as characters meanwhile, so
//! that Ctrl-C cannot leave a terminal behind that shows nothing.

use super::error::CliError;
use crate::limits::SECRET_FILE_OCTETS_MAX;
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use waxseal_app::store::{Secret, Zeroizing};

const TERMINAL: &str = "/dev/tty";
const CTRL_C: u8 = 3;
const CTRL_D: u8 = 4;
const BACKSPACE: u8 = 8;
const CTRL_U: u8 = 21;
const DELETE: u8 = 127;

/// Asks for a secret.
///
/// # Errors
///
/// There is no terminal, or the person gave up.
pub(crate) fn secret(what: &str) -> Result<Secret<Zeroizing<String>>, CliError> {
    let wrong = |error: std::io::Error| {
        CliError::usage(format!("{what}: cannot be asked for on {TERMINAL}: {error}"))
            .hint("--secret-file FILE reads it from a file, - from standard input")
    };
    let mut terminal = OpenOptions::new().read(true).write(true).open(TERMINAL).map_err(wrong)?;
    write!(terminal, "{what} (not shown): ").and_then(|()| terminal.flush()).map_err(wrong)?;
    let quiet = Quiet::begin(&terminal).map_err(|error| wrong(error.into()))?;
    let typed = typed(&mut terminal);
    drop(quiet);
    let _ = writeln!(terminal);
    match typed.map_err(wrong)? {
        Some(text) => Ok(Secret::new(text)),
        None => Err(CliError::usage(format!("{what}: nothing was given"))),
    }
}

/// A terminal without echo and signals until the value is dropped.
struct Quiet {
    terminal: File,
    before: Termios,
}

impl Quiet {
    fn begin(terminal: &File) -> nix::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        quiet.local_flags.remove(LocalFlags::ECHO | LocalFlags::ICANON | LocalFlags::ISIG);
        let terminal = terminal.try_clone().map_err(|_| nix::errno::Errno::EBADF)?;
        tcsetattr(&terminal, SetArg::TCSAFLUSH, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.terminal, SetArg::TCSAFLUSH, &self.before);
    }
}

/// The line that is typed; `None` when the person gives up or types nothing.
fn typed(terminal: &mut impl Read) -> std::io::Result<Option<Zeroizing<String>>> {
    // One allocation, so that growing leaves no copies behind.
    let room = usize::try_from(SECRET_FILE_OCTETS_MAX).unwrap_or_default();
    let mut line = Zeroizing::new(Vec::with_capacity(room));
    let mut octet = [0_u8; 1];
    loop {
        if terminal.read(&mut octet)? == 0 {
            return Ok(None);
        }
        match octet {
            [CTRL_C | CTRL_D] => return Ok(None),
            [b'\r' | b'\n'] => break,
            [BACKSPACE | DELETE] => while line.pop().is_some_and(|last| last & 0xc0 == 0x80) {},
            [CTRL_U] => line.clear(),
            [other] if line.len() < room => line.push(other),
            [_] => return Err(std::io::Error::other("the line is too long")),
        }
    }
    let text = std::str::from_utf8(&line)
        .map_err(|_| std::io::Error::other("the line is not UTF-8 text"))?;
    Ok((!text.is_empty()).then(|| Zeroizing::new(text.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_can_be_corrected_and_given_up() {
        for (keys, expected) in [
            (&b"abc\r"[..], Some("abc")),
            (b"abx\x7fc\n", Some("abc")),
            ("ä\u{8}b\n".as_bytes(), Some("b")),
            (b"wrong\x15right\n", Some("right")),
            (b"abc\x03", None),
            (b"\n", None),
            (b"\x7f\n", None),
            (b"abc", None),
        ] {
            let found = typed(&mut &*keys).unwrap();
            assert_eq!(found.as_deref().map(String::as_str), expected, "{keys:?}");
        }
        let room = usize::try_from(SECRET_FILE_OCTETS_MAX).unwrap();
        assert!(typed(&mut vec![b'a'; room + 1].as_slice()).is_err());
        assert!(typed(&mut &b"\xff\n"[..]).is_err());
    }
}
