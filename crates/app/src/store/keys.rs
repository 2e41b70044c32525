//! Where the master keys come from. A command runs in `/bin/sh`, gets no input, and what it prints is what
//! a key file would hold. Keep: its output appears in no error.

use std::process::Stdio;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use waxseal_proto::secret::Secret;
use waxseal_store::KeyFile;
use waxseal_store::keys::MasterKeys;
use zeroize::Zeroizing;

use super::DataError;
use crate::limits::{KEY_COMMAND_MAX, KEY_COMMAND_OCTETS_MAX};

/// Where the master keys come from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// A command that prints them.
    Command(String),
    /// A file of mode 0600.
    File(KeyFile),
    /// A text, such as that of an environment variable.
    Text {
        /// What it was read from, in words.
        from: String,
        /// The text.
        text: Secret<Zeroizing<String>>,
    },
}

impl std::fmt::Display for KeySource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            // It may name an account or hold a token of its own.
            Self::Command(_) => formatter.write_str("a command (not shown)"),
            Self::File(file) => write!(formatter, "the file {}", file.path().display()),
            Self::Text { from, .. } => formatter.write_str(from),
        }
    }
}

impl KeySource {
    /// Reads the keys.
    ///
    /// # Errors
    /// A source that does not give them, or a text that is no key text.
    pub(super) async fn read(&self) -> Result<MasterKeys, DataError> {
        let octets = match self {
            Self::File(file) => return Ok(file.load()?),
            Self::Text { text, .. } => Zeroizing::new(text.expose().as_bytes().to_vec()),
            Self::Command(line) => run(line).await?,
        };
        MasterKeys::parse(&octets)
            .map_err(|source| DataError::KeyText { from: self.to_string(), source })
    }
}

async fn run(line: &str) -> Result<Zeroizing<Vec<u8>>, DataError> {
    let failed = |problem: String| DataError::KeyCommand { problem };
    let mut child = Command::new("/bin/sh")
        .args(["-c", line])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(format!("could not be started: {error}")))?;
    let stdout = child.stdout.take();
    let work = async {
        // One allocation, so that growing leaves no copies behind.
        let room = usize::try_from(KEY_COMMAND_OCTETS_MAX).unwrap_or_default().saturating_add(1);
        let mut printed = Zeroizing::new(Vec::with_capacity(room));
        if let Some(stdout) = stdout {
            stdout.take(KEY_COMMAND_OCTETS_MAX.saturating_add(1)).read_to_end(&mut printed).await?;
        }
        Ok::<_, std::io::Error>((printed, child.wait().await?))
    };
    match tokio::time::timeout(KEY_COMMAND_MAX, work).await {
        Err(_) => Err(failed(format!("did not end within {} s", KEY_COMMAND_MAX.as_secs()))),
        Ok(Err(error)) => Err(failed(format!("could not be read: {error}"))),
        Ok(Ok((_, status))) if !status.success() => Err(failed(status.code().map_or_else(
            || "was ended by a signal".to_owned(),
            |code| format!("ended with status {code}"),
        ))),
        Ok(Ok((printed, _))) => Ok(printed),
    }
}
