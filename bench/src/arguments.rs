//! The command line of this program: a command, `--name value` pairs, and what stands behind `--`.
//! Only xtask and this program itself write it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

/// A parsed command line.
#[derive(Debug)]
pub(crate) struct Arguments {
    /// The command.
    pub(crate) name: String,
    values: BTreeMap<String, String>,
}

/// Options that stand alone.
const ALONE: &[&str] = &["quick"];

impl Arguments {
    /// Splits the words; the second part is what stands behind `--`.
    ///
    /// # Errors
    /// When a word is no option or an option has no value.
    pub(crate) fn parse(words: Vec<String>) -> Result<(Self, Vec<String>)> {
        let mut words = words.into_iter();
        let name = words.next().context("no command given")?;
        let mut values = BTreeMap::new();
        while let Some(word) = words.next() {
            if word == "--" {
                break;
            }
            let Some(option) = word.strip_prefix("--") else { bail!("unexpected word '{word}'") };
            let value = if ALONE.contains(&option) {
                String::new()
            } else {
                words.next().with_context(|| format!("{word} needs a value"))?
            };
            values.insert(option.to_owned(), value);
        }
        Ok((Self { name, values }, words.collect()))
    }

    /// Whether an option stands there.
    pub(crate) fn has(&self, option: &str) -> bool {
        self.values.contains_key(option)
    }

    /// The value of an option, if it was given.
    pub(crate) fn text(&self, option: &str) -> Option<&str> {
        self.values.get(option).map(String::as_str)
    }

    /// The value of an option that must be there.
    ///
    /// # Errors
    /// When it is not.
    pub(crate) fn required(&self, option: &str) -> Result<&str> {
        self.text(option).with_context(|| format!("--{option} is missing"))
    }

    /// The folder of a receiver.
    ///
    /// # Errors
    /// When it was not given.
    pub(crate) fn folder(&self) -> Result<PathBuf> {
        self.required("folder").map(PathBuf::from)
    }

    /// A number, or this one.
    ///
    /// # Errors
    /// When the value is no number.
    pub(crate) fn number(&self, option: &str, otherwise: usize) -> Result<usize> {
        self.text(option).map_or(Ok(otherwise), |text| {
            text.parse().with_context(|| format!("--{option} {text:?} is no number"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(String::from).collect()
    }

    #[test]
    fn options_and_the_command_behind_them_are_kept_apart() {
        let (arguments, command) =
            Arguments::parse(words("check --quick --rounds 3 -- ls --all")).unwrap();
        assert!(arguments.has("quick"));
        assert_eq!(arguments.number("rounds", 5).unwrap(), 3);
        assert_eq!(arguments.number("domains", 1000).unwrap(), 1000);
        assert_eq!(command, ["ls", "--all"]);
    }

    #[test]
    fn wrong_words_are_named() {
        for (text, problem) in [
            ("", "no command given"),
            ("check now", "unexpected word 'now'"),
            ("check --rounds", "--rounds needs a value"),
        ] {
            assert_eq!(Arguments::parse(words(text)).unwrap_err().to_string(), problem);
        }
        let (arguments, _) = Arguments::parse(words("check --rounds x")).unwrap();
        let error = arguments.number("rounds", 1).unwrap_err().to_string();
        assert_eq!(error, "--rounds \"x\" is no number");
    }
}
