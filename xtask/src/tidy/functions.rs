//! Finds the functions of a formatted Rust file with their length and number of parameters.
//!
//! Relies on rustfmt: a body ends at the first closing brace in the column of its `fn` line. Not a
//! parser; a function written by a macro is not seen.

/// One function of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    /// Its name.
    pub(super) name: String,
    /// The line of its `fn`, from 1.
    pub(super) line: usize,
    /// Lines from `fn` to the closing brace.
    pub(super) length: usize,
    /// Parameters, `self` not counted.
    pub(super) parameters: usize,
}

/// Every function with a body in these lines.
pub(super) fn functions<'a>(lines: impl Iterator<Item = (usize, &'a str)>) -> Vec<Function> {
    let lines: Vec<(usize, &str)> = lines.collect();
    let starts = lines.iter().enumerate().filter_map(|(at, (_, line))| Some((at, name(line)?)));
    starts.filter_map(|(at, name)| function(lines.get(at..)?, name)).collect()
}

fn name(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    for prefix in ["pub(crate) ", "pub(super) ", "pub ", "const ", "async ", "unsafe "] {
        rest = rest.strip_prefix(prefix).unwrap_or(rest);
    }
    rest.strip_prefix("fn ")?.split(['(', '<']).next()
}

fn function(lines: &[(usize, &str)], name: &str) -> Option<Function> {
    let (number, first) = lines.first()?;
    let indent = first.len() - first.trim_start().len();
    let body = lines.iter().position(|(_, line)| line.trim_end().ends_with(['{', ';', '}']))?;
    let (_, opening) = lines.get(body)?;
    if opening.trim_end().ends_with(';') {
        return None;
    }
    let closing = format!("{}}}", " ".repeat(indent));
    let one_line = opening.trim_end().ends_with('}') && body == 0;
    let end = if one_line { 0 } else { lines.iter().position(|(_, line)| *line == closing)? };
    let signature: String = lines.iter().take(body + 1).map(|(_, line)| line.trim()).collect();
    let parameters = parameters(&signature);
    Some(Function { name: name.to_string(), line: *number, length: end + 1, parameters })
}

/// Counts the parameters of a signature: commas at the depth of the parameter list.
fn parameters(signature: &str) -> usize {
    let mut depth = 0_i32;
    let mut angle = 0_i32;
    let mut parts = vec![String::new()];
    let mut previous = ' ';
    for character in signature.chars() {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth -= 1;
                if depth == 0 && angle == 0 {
                    break;
                }
            }
            '<' => angle += 1,
            '>' if previous != '-' => angle -= 1,
            ',' if depth == 1 && angle == 0 => parts.push(String::new()),
            _ => {}
        }
        let belongs = depth >= 1 && character != ',' && !(depth == 1 && character == '(');
        if let Some(part) = parts.last_mut().filter(|_| belongs) {
            part.push(character);
        }
        previous = character;
    }
    let is_self = |part: &str| part == "self" || part.ends_with(" self") || part.ends_with("&self");
    parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty() && !is_self(part)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_parameters_are_read_from_formatted_code() {
        let text = "\
pub fn one(&self, a: Vec<(u8, u8)>, b: impl Fn(u8, u8) -> u8) -> u8 {
    1
}

impl X {
    async fn two<T: Into<u8>>(
        first: T,
        second: u8,
    ) -> Result<(u8, u8)> {
        if true {
        }
    }
    fn declared(a: u8);
    fn short() {}
}
";
        let found = functions(text.lines().enumerate().map(|(at, line)| (at + 1, line)));
        let read: Vec<_> =
            found.iter().map(|f| (f.name.as_str(), f.line, f.length, f.parameters)).collect();
        assert_eq!(read, [("one", 1, 3, 2), ("two", 6, 7, 2), ("short", 14, 1, 0)]);
    }
}
