//! The few command line flags of xtask, read by hand.
//!
//! No library: each command has at most three flags. The way in is [`Arguments`]; a flag nobody asked
//! for is an error in [`Arguments::finish`], so that a typing mistake never changes what runs.

use anyhow::{Context, Result, bail};

/// What was written after the command, taken out piece by piece.
#[derive(Debug)]
pub(crate) struct Arguments {
    rest: Vec<String>,
}

impl Arguments {
    /// All arguments of one command.
    pub(crate) fn new(rest: &[String]) -> Self {
        Self { rest: rest.to_vec() }
    }

    /// Whether `name` was given; it is then gone.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let before = self.rest.len();
        self.rest.retain(|argument| argument != name);
        self.rest.len() < before
    }

    /// The number after `name`, if it was given.
    ///
    /// # Errors
    /// When nothing or something else than a number follows.
    pub(crate) fn number(&mut self, name: &str) -> Result<Option<u64>> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let value = text.parse().with_context(|| format!("{name}: '{text}' is not a number"))?;
        Ok(Some(value))
    }

    /// The text after `name`, if it was given.
    ///
    /// # Errors
    /// When nothing follows.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>> {
        let Some(at) = self.rest.iter().position(|argument| argument == name) else {
            return Ok(None);
        };
        let text =
            self.rest.get(at + 1).cloned().with_context(|| format!("{name} needs a value"))?;
        self.rest.drain(at..=at + 1);
        Ok(Some(text))
    }

    /// The next argument that is no flag.
    pub(crate) fn word(&mut self) -> Option<String> {
        let at = self.rest.iter().position(|argument| !argument.starts_with('-'))?;
        Some(self.rest.remove(at))
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// Names the first argument that nobody read.
    pub(crate) fn finish(self) -> Result<()> {
        match self.rest.first() {
            None => Ok(()),
            Some(argument) => bail!("unexpected argument '{argument}'"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> Arguments {
        Arguments::new(&text.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn flags_numbers_and_words_are_taken_out() {
        let mut read = arguments("--seconds 20 reply --keep");
        assert_eq!(read.number("--seconds").unwrap(), Some(20));
        assert!(read.flag("--keep"));
        assert_eq!(read.word().as_deref(), Some("reply"));
        read.finish().unwrap();
    }

    #[test]
    fn what_nobody_reads_is_an_error() {
        let error = arguments("--instal").finish().unwrap_err();
        assert_eq!(error.to_string(), "unexpected argument '--instal'");
        assert!(arguments("--seconds soon").number("--seconds").is_err());
        assert!(arguments("--seconds").number("--seconds").is_err());
    }
}
