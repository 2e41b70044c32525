//! Domain names and what people type instead of one (RFC 1035 §2.3.1, RFC 5891 §5).
//!
//! What was accepted once is accepted again, unchanged.

use waxseal_proto::dns::QueryName;
use waxseal_proto::name::{DomainName, TargetInput};

/// Parses a domain name; its text parses to itself.
pub fn domain(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(query) = QueryName::parse(&text) {
        assert_eq!(QueryName::parse(query.as_str()).as_ref(), Some(&query), "a query name changed");
    }
    let Ok(name) = DomainName::parse(&text) else { return };
    assert_eq!(DomainName::parse(name.as_str()).as_ref(), Ok(&name), "a domain name changed");
    assert!(name.as_str().len() <= 253, "a domain name over its limit");
    assert!(name.labels().all(|label| (1..=63).contains(&label.len())), "a label over its limit");
    assert!(name.is_same_or_below(&name), "a name is not below itself");
    let _ = (name.parent(), name.to_unicode(), name.organizational(), name.is_public_suffix());
}

/// Reads a typed target.
pub fn target_input(data: &[u8]) {
    match TargetInput::parse(&String::from_utf8_lossy(data)) {
        Ok(input) => {
            let _ = input.target.domain();
        }
        Err(error) => {
            let shown = error.to_string();
            assert!(
                !shown.contains('\u{1b}') && !shown.contains('\n'),
                "an error carries controls: {shown:?}"
            );
        }
    }
}
