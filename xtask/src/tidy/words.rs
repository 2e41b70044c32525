//! Words that tell of the place where the code was written and not of the code; and work left open.
//!
//! Vectors are other people's texts and are left alone.

use super::Tree;

/// Each word in two halves, so that this file does not hold it.
const FOREIGN: &[(&str, &str)] = &[
    ("/wo", "rk/"),
    ("before-", "stop"),
    ("HELPERS", ".md"),
    // What a merge leaves where it could not decide.
    ("<<<<", "<<< "),
    (">>>>", ">>> "),
];

const UNFINISHED: &[(&str, &str)] =
    &[("TO", "DO"), ("FIX", "ME"), ("X", "XX"), ("unimpl", "emented!(")];

/// Every line with such a word.
pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    for file in &tree.text {
        if file.path.contains("/vectors/") || file.path.ends_with("Cargo.lock") {
            continue;
        }
        for (number, line) in file.text.lines().enumerate() {
            for (start, end) in FOREIGN {
                let word = format!("{start}{end}");
                if line.contains(&word) {
                    problems.push(format!(
                        "{}:{}: '{word}' does not belong here",
                        file.path,
                        number + 1
                    ));
                }
            }
            for (start, end) in UNFINISHED {
                let word = format!("{start}{end}");
                if file.is_rust() && has_word(line, &word) {
                    problems.push(format!(
                        "{}:{}: '{word}': finish it or drop it",
                        file.path,
                        number + 1
                    ));
                }
            }
        }
    }
    problems
}

fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|text| text.chars().next());
        let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !joins(before) && (word.ends_with('(') || !joins(after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_words_count() {
        let word = concat!("X", "XX");
        assert!(has_word(&format!("// {word}: later"), word));
        assert!(!has_word(&format!("const {word}X: u8"), word));
        assert!(!has_word("1XX", word));
    }
}
