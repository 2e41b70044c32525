//! Readable text for small values: a label and a value per line. Values are foreign and escaped here.

use crate::escape;

/// Lines `label: value`, aligned. An empty value is shown as `-`; a label may repeat for lists.
pub(crate) fn fields(lines: &[(&str, String)]) -> String {
    let width = lines.iter().map(|(label, _)| label.len()).max().unwrap_or(0) + 1;
    let mut out = String::new();
    let mut last = "";
    for (label, value) in lines {
        let shown = if *label == last { String::new() } else { format!("{label}:") };
        let value = if value.is_empty() { "-".to_owned() } else { escape::line(value) };
        out.push_str(format!("{shown:<width$} {value}").trim_end());
        out.push('\n');
        last = label;
    }
    out
}

/// One line per item, or one with `-` for none.
pub(crate) fn list<'a>(label: &'a str, items: &[String]) -> Vec<(&'a str, String)> {
    if items.is_empty() {
        return vec![(label, String::new())];
    }
    items.iter().map(|item| (label, item.clone())).collect()
}

/// A number of secrets.
pub(crate) fn secrets(count: i64) -> String {
    format!("{count} {}", if count == 1 { "secret" } else { "secrets" })
}

/// `yes` or `no`.
pub(crate) fn yes(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_aligned_and_harmless() {
        let mut lines = vec![("valid", yes(false)), ("id", "a\u{1b}[2J".to_owned())];
        lines.extend(list("errors", &["one".to_owned(), "two".to_owned()]));
        lines.extend(list("warnings", &[]));
        assert_eq!(
            fields(&lines),
            "valid:    no\nid:       a\\u{1b}[2J\nerrors:   one\n          two\nwarnings: -\n"
        );
    }
}
