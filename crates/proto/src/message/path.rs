//! The path of a message by its `Received` lines (RFC 5321 §4.4), newest first, and whether every
//! hand-over between machines claims TLS. The way in is [`MailPath::of`]. Lines below the first server
//! one trusts can be forged whole (RFC 5321 §7.1, §7.2), so the answers are about claims. Keep: a hop inside
//! one machine counts for nothing, and a hop that says nothing is never counted as encrypted.

use super::header::HeaderBlock;
use super::received::{Hop, Protection};
use crate::limits::RECEIVED_HOPS_MAX;

/// All hops of one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailPath {
    /// The hops, newest first: in the order the lines stand.
    pub hops: Vec<Hop>,
    /// Lines over the limit that were not read.
    pub hops_not_read: usize,
}

impl MailPath {
    /// Reads the `Received` lines of a header block.
    pub fn of(block: &HeaderBlock) -> Self {
        let mut lines = block.named("Received");
        let hops = lines.by_ref().take(RECEIVED_HOPS_MAX).map(|field| Hop::parse(&field.raw));
        Self { hops: hops.collect(), hops_not_read: lines.count() }
    }

    /// Whether every hand-over between machines claims TLS. `None` when a line does not say, or when no
    /// line tells of such a hand-over; one that is not encrypted decides in any case.
    pub fn all_encrypted(&self) -> Option<bool> {
        if self.first_unencrypted().is_some() {
            return Some(false);
        }
        let between = self.hops.iter().filter(|hop| hop.protection != Protection::Local);
        let claims: Vec<Option<bool>> = between.map(|hop| hop.protection.encrypted()).collect();
        let complete = self.hops_not_read == 0 && !claims.is_empty();
        (complete && claims.iter().all(|claim| *claim == Some(true))).then_some(true)
    }

    /// The place in [`Self::hops`] of the newest hop whose line names a protocol without TLS.
    pub fn first_unencrypted(&self) -> Option<usize> {
        self.hops.iter().position(|hop| hop.protection == Protection::NotEncrypted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TLS: &str =
        "from a.test (a.test [192.0.2.1]) by b.test with ESMTPS id 1; 1 Jan 2026 00:00 +0000";
    const PLAIN: &str =
        "from a.test ([192.0.2.1]) by b.test with ESMTP id 1; 1 Jan 2026 00:00 +0000";
    const LOCAL: &str = "by b.test (Postfix, from userid 0) id 1; 1 Jan 2026 00:00 +0000";
    const LMTP: &str = "from b.test ([127.0.0.1]) by b.test with LMTP id 1; 1 Jan 2026 00:00 +0000";
    const WEB: &str = "from [192.0.2.9] by web.test via HTTP; 1 Jan 2026 00:00 +0000";
    const SILENT: &str = "from a.test ([192.0.2.1]) by b.test id 1; 1 Jan 2026 00:00 +0000";

    fn path(lines: &[&str]) -> MailPath {
        let text = format!("Received: {}", lines.join("\r\nReceived: "));
        let block = HeaderBlock::parse(text.as_bytes());
        MailPath::of(&block)
    }

    #[test]
    fn claims_are_summed_up() {
        let table: &[(&[&str], Option<bool>, Option<usize>)] = &[
            (&[TLS], Some(true), None),
            (&[LMTP, TLS, LOCAL], Some(true), None),
            (&[LMTP, TLS, PLAIN, PLAIN], Some(false), Some(2)),
            (&[TLS, WEB], None, None),
            (&[TLS, SILENT], None, None),
            (&[SILENT, PLAIN], Some(false), Some(1)),
            (&[LOCAL], None, None),
        ];
        for (lines, all, first) in table {
            let path = path(lines);
            assert_eq!(
                (path.all_encrypted(), path.first_unencrypted()),
                (*all, *first),
                "{lines:?}"
            );
        }
    }

    #[test]
    fn a_message_without_lines_has_no_path() {
        let path = MailPath::of(&HeaderBlock::parse(b"Subject: x\r\n\r\nReceived: body\r\n"));
        assert_eq!(path, MailPath::default());
        assert_eq!((path.all_encrypted(), path.first_unencrypted()), (None, None));
    }

    #[test]
    fn lines_over_the_limit_are_counted_and_leave_it_open() {
        let path = path(&vec![TLS; RECEIVED_HOPS_MAX + 3]);
        assert_eq!((path.hops.len(), path.hops_not_read), (RECEIVED_HOPS_MAX, 3));
        assert_eq!(path.all_encrypted(), None);
    }
}
