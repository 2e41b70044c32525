//! Why nobody was signed in (RFC 4954 §6): the kind of refusal that the session read from code and text
//! becomes a code. The way in is [`findings`].

use super::SmtpTried;
use super::replies::quoted;
use crate::finding::{ANY, Finding};
use waxseal_proto::finding::Code;
use waxseal_proto::smtp::sasl::refusal::{RefusalKind, SignInRefusal};
use waxseal_proto::smtp::submission::SubmissionSeen;

/// What the sign-in shows.
pub(super) fn findings(tried: &SmtpTried, seen: &SubmissionSeen) -> Vec<Finding> {
    seen.refusal().and_then(|refusal| refused(tried, refusal)).into_iter().collect()
}

fn refused(tried: &SmtpTried, refusal: &SignInRefusal) -> Option<Finding> {
    if refusal.kind != RefusalKind::BadCredentials {
        return None;
    }
    let mut finding = Finding::new(Code::AuthBadCredentials, ANY, tried.subject());
    if let Some(reply) = &refusal.reply {
        finding = finding.with("answer to sign-in", quoted(reply));
    }
    if let Some(mechanism) = refusal.mechanism {
        finding = finding.with("mechanism", mechanism.as_str());
    }
    Some(finding)
}
