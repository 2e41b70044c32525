//! Addresses as the services' fields hold them: `a@b.example`, `Name <a@b.example>`, lists with commas
//! (RFC 5322 §3.4). The way in: [`list`]; it gives the addresses without names, or says what is wrong.

/// The addresses of a comma-separated list.
pub(crate) fn list(text: &str) -> Result<Vec<String>, String> {
    let mut pieces = vec![String::new()];
    let mut quoted = false;
    let mut escaped = false;
    for letter in text.chars() {
        match letter {
            '"' if !escaped => quoted = !quoted,
            ',' if !quoted => {
                pieces.push(String::new());
                continue;
            }
            _ => {}
        }
        escaped = letter == '\\' && !escaped;
        if let Some(piece) = pieces.last_mut() {
            piece.push(letter);
        }
    }
    if quoted {
        return Err(format!("{text:?} has an open quote"));
    }
    pieces.iter().map(|piece| one(piece)).collect()
}

/// The address in `a@b` or `Name <a@b>`.
pub(crate) fn one(text: &str) -> Result<String, String> {
    let text = text.trim();
    let address = match text.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
        Some((_, address)) => address,
        None => text,
    };
    if is_address(address) {
        Ok(address.to_owned())
    } else {
        Err(format!("{text:?} is no address"))
    }
}

/// Whether this is an address without a name.
pub(crate) fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let bad = |each: char| each.is_whitespace() || each.is_control() || "<>,;()\\\"".contains(each);
    !local.is_empty()
        && !local.contains(bad)
        && domain.split('.').count() > 1
        && domain.split('.').all(|label| !label.is_empty())
        && domain.chars().all(|each| each.is_alphanumeric() || "-.".contains(each))
}

/// The domain of an address, in lower case.
pub(crate) fn domain(address: &str) -> String {
    address.rsplit('@').next().unwrap_or_default().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_taken_apart() {
        let cases: [(&str, Option<&[&str]>); 8] = [
            ("a@b.example", Some(&["a@b.example"])),
            (r#""Last, First" <a@b.example>, c@d.example"#, Some(&["a@b.example", "c@d.example"])),
            ("=?UTF-8?B?w4Q=?= <a@b.example>", Some(&["a@b.example"])),
            (r#""a \" b" <a@b.example>"#, Some(&["a@b.example"])),
            ("a@b", None),
            ("a b@c.example", None),
            ("", None),
            (r#""a <a@b.example>"#, None),
        ];
        for (text, addresses) in cases {
            let expected = addresses.map(|list| list.iter().map(|a| (*a).to_owned()).collect());
            assert_eq!(list(text).ok(), expected, "{text}");
        }
    }
}
