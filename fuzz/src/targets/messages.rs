//! Received messages: header blocks (RFC 5322 §2.2), `Received` lines (RFC 5321 §4.4),
//! `Authentication-Results` (RFC 8601 §2.2).
//!
//! What a line does not say is never filled in as encrypted, and nothing is read past its limit.

use waxseal_proto::limits::{HEADER_FIELD_OCTETS_MAX, HEADER_FIELDS_MAX};
use waxseal_proto::message::alignment::AlignmentSeen;
use waxseal_proto::message::auth_results;
use waxseal_proto::message::header::{HeaderBlock, decoded};
use waxseal_proto::message::path::MailPath;
use waxseal_proto::message::received::{Hop, Protection};

/// Splits a header block and reads all that is in it.
pub fn header_block(data: &[u8]) {
    let block = HeaderBlock::parse(data);
    assert!(block.fields.len() <= HEADER_FIELDS_MAX, "more fields than the limit");
    for field in &block.fields {
        assert!(field.raw.len() <= HEADER_FIELD_OCTETS_MAX, "a field over its limit");
        assert!(!field.value().contains(['\r', '\n']) || field.raw.contains('\r'), "a fold stayed");
        let _ = decoded(&field.raw);
    }
    let path = MailPath::of(&block);
    if path.all_encrypted() == Some(true) {
        let open = |hop: &Hop| !hop.claims_tls() && hop.protection != Protection::Local;
        assert!(!path.hops.iter().any(open), "a hop without TLS counted as encrypted");
    }
    assert_eq!(path.first_unencrypted().is_some(), path.all_encrypted() == Some(false));
    for results in auth_results::of_block(&block) {
        let _ = AlignmentSeen::of(&block, &results);
    }
}

/// Reads one `Received` line; a claim of TLS and its judgement agree.
pub fn received(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let hop = Hop::parse(&text);
    assert_eq!(hop.claims_tls(), hop.protection == Protection::Encrypted, "claim and judgement");
    assert_eq!(hop.raw, text, "a line changed");
}
