//! Names that may have been meant, for an error that says what to try instead. Nothing is chosen for anybody.

use crate::limits::{NEAR_NAME_CHARS_MAX, NEAR_NAMES_MAX};
use waxseal_services::presets as known;

/// The names that share a piece with what was typed or differ from it by up to two letters.
pub fn near<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let typed = typed.trim().to_lowercase();
    let length = typed.chars().count();
    if !(3..=NEAR_NAME_CHARS_MAX).contains(&length) {
        return Vec::new();
    }
    let letters_max = 2.min(length.saturating_sub(2));
    let is_near = |name: &&str| {
        name.contains(&typed) || typed.contains(name) || wrong_letters(&typed, name) <= letters_max
    };
    names.filter(is_near).take(NEAR_NAMES_MAX).collect()
}

/// Presets that may have been meant: by host, by a shared piece of the name, or by up to two wrong letters.
pub fn presets(typed: &str) -> Vec<&'static str> {
    let typed = typed.trim().to_lowercase();
    let length = typed.chars().count();
    if !(3..=NEAR_NAME_CHARS_MAX).contains(&length) {
        return Vec::new();
    }
    let mut near: Vec<&str> = known::for_host(&typed).map(|preset| preset.name).collect();
    for preset in known::all() {
        let is_near = preset.name.contains(&typed)
            || preset.title.to_lowercase().contains(&typed)
            || typed.contains(preset.name)
            || wrong_letters(&typed, preset.name) <= 2.min(length.saturating_sub(2));
        if is_near && !near.contains(&preset.name) {
            near.push(preset.name);
        }
    }
    near.truncate(NEAR_NAMES_MAX);
    near
}

/// How many letters must be put in, taken out or changed to get from one word to the other.
pub fn wrong_letters(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut above_left = line;
        let mut left = line + 1;
        for (cell, wanted) in row.iter_mut().skip(1).zip(other.chars()) {
            let above = *cell;
            let changed = above_left + usize::from(letter != wanted);
            left = changed.min(above + 1).min(left + 1);
            *cell = left;
            above_left = above;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_letters_are_counted() {
        for (one, other, count) in
            [("", "abc", 3), ("abc", "", 3), ("gmial", "gmail", 2), ("brevo", "bravo", 1)]
        {
            assert_eq!(wrong_letters(one, other), count, "{one} {other}");
        }
    }

    #[test]
    fn near_names_are_found() {
        let names = || ["cert-expired", "cert-not-yet-valid", "tls"].into_iter();
        assert_eq!(near("cert-expird", names()), ["cert-expired"]);
        assert_eq!(near("Cert", names()), ["cert-expired", "cert-not-yet-valid"]);
        assert!(near("zz", names()).is_empty() && near(&"x".repeat(1_000), names()).is_empty());
    }
}
