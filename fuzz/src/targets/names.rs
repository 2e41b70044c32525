//! Domain names, what people type instead of one, and mailboxes (RFC 1035 §2.3.1, RFC 5891 §5, RFC 5321 §4.1.2).
//!
//! What was accepted once is accepted again, unchanged.

use waxseal_proto::dns::QueryName;
use waxseal_proto::name::{DomainName, Mailbox, TargetInput};

/// Parses a domain name; its text parses to itself.
pub fn domain(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(query) = QueryName::parse(&text) {
        assert_eq!(QueryName::parse(query.as_str()).as_ref(), Some(&query), "a query name changed");
    }
    let name = match DomainName::parse(&text) {
        Ok(name) => name,
        Err(error) => {
            // A limit is noticed where it is exceeded, which is inside the text as well.
            return assert!(error.position <= text.len(), "a place outside the text: {error:?}");
        }
    };
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

/// Parses a mailbox; its text parses to itself and can stand in a command as it is.
pub fn mailbox(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mailbox = match Mailbox::parse(&text) {
        Ok(mailbox) => mailbox,
        Err(error) => return assert!(error.position <= text.len(), "a place outside the text"),
    };
    let shown = mailbox.to_string();
    assert_eq!(Mailbox::parse(&shown).as_ref(), Ok(&mailbox), "a mailbox changed");
    assert!(shown.len() <= 254, "a mailbox over its limit");
    assert!(!shown.chars().any(char::is_control), "a mailbox with a control character: {shown:?}");
    let local = mailbox.local_part().as_str();
    assert!((1..=64).contains(&local.len()), "a local part over its limit");
    assert_eq!(mailbox.ascii().is_none(), mailbox.needs_smtputf8(), "one of the two must hold");
    assert!(mailbox.ascii().is_none_or(|ascii| ascii.is_ascii()), "not ASCII");
}
