//! Why nobody was signed in (RFC 4954 §6), and what the two lists of EHLO show about sign-in. The session
//! has read the kind of a refusal from code and text; what is known of the provider tells more of a bare
//! 535. The way in is [`findings`].

use super::replies::code_of;
use super::{SmtpTried, case_of, quoted};
use crate::finding::Finding;
use waxseal_proto::finding::Code;
use waxseal_proto::observation::{Observation, Reason};
use waxseal_proto::smtp::ehlo::EhloSeen;
use waxseal_proto::smtp::sasl::Mechanism;
use waxseal_proto::smtp::sasl::exchange::ExchangeFault;
use waxseal_proto::smtp::sasl::refusal::{RefusalKind, SignInRefusal};
use waxseal_proto::smtp::submission::{Step, SubmissionSeen};
use waxseal_services::presets::Caution;

/// What the sign-in shows.
pub(super) fn findings(tried: &SmtpTried, seen: &SubmissionSeen) -> Vec<Finding> {
    let mut findings: Vec<Finding> = seen
        .refusal()
        .map(|refusal| refused(tried, seen, refusal))
        .or_else(|| unanswered(tried, seen))
        .into_iter()
        .collect();
    findings.extend(offers(tried, seen));
    findings
}

/// The code of a kind of refusal; `None` for one in no known form.
pub(super) const fn code_of_kind(kind: RefusalKind) -> Option<Code> {
    Some(match kind {
        RefusalKind::AccountDisabled => Code::AuthAccountDisabled,
        RefusalKind::AppPasswordNeeded => Code::AuthAppPasswordNeeded,
        RefusalKind::AuthRequired => Code::Auth530AuthRequired,
        RefusalKind::BadCredentials => Code::AuthBadCredentials,
        RefusalKind::EncryptionRequired => Code::Auth538EncryptionRequired,
        RefusalKind::ExchangeBroken | RefusalKind::ServerNotProven => Code::AuthExchangeBroken,
        // RFC 4954 §6: 432 asks for one sign-in by another mechanism first.
        RefusalKind::MechanismMismatch | RefusalKind::PasswordTransition => {
            Code::AuthMechanismMismatch
        }
        RefusalKind::NetworkNotAllowed => Code::AuthNetworkNotAllowed,
        RefusalKind::NotAdvertised => Code::AuthNotAdvertised,
        RefusalKind::OauthNeeded => Code::AuthOauthNeeded,
        RefusalKind::Other => return None,
        RefusalKind::StartTlsFirst => Code::Auth530StarttlsFirst,
        RefusalKind::Temporary => Code::AuthTemporary,
        RefusalKind::TokenInvalid => Code::AuthOauthTokenInvalid,
        RefusalKind::WebLoginNeeded => Code::AuthWebLoginNeeded,
    })
}

fn refused(tried: &SmtpTried, seen: &SubmissionSeen, refusal: &SignInRefusal) -> Finding {
    let by_reply = || refusal.reply.as_ref().map(|reply| code_of(reply, Step::SignIn));
    let code = code_of_kind(refusal.kind).or_else(by_reply).unwrap_or(Code::AuthExchangeBroken);
    let preset = tried.preset();
    // What the provider takes explains a bare 535: an ordinary password is never right there.
    let code = match (code, preset) {
        (Code::AuthBadCredentials, Some(preset)) if preset.is_oauth_only() => Code::AuthOauthNeeded,
        (Code::AuthBadCredentials, Some(preset)) if preset.needs_app_password() => {
            Code::AuthAppPasswordNeeded
        }
        (code, _) => code,
    };
    let mut finding = Finding::new(code, case_of(code), tried.subject());
    if let Some(reply) = &refusal.reply {
        finding = finding.with("answer to sign-in", quoted(reply));
    }
    if let Some(mechanism) = refusal.mechanism {
        finding = finding.with("mechanism", mechanism.as_str());
    }
    // A server that refuses owes no proof of its own.
    let was_refused = refusal.reply.as_ref().is_some_and(|reply| reply.code.first_digit() >= 4);
    let owes_nothing = |fault: &&ExchangeFault| **fault == ExchangeFault::ServerNotProven;
    if let Some(fault) =
        refusal.fault.as_ref().filter(|fault| !(was_refused && owes_nothing(fault)))
    {
        finding = finding.with("in the exchange", in_words(fault));
    }
    if matches!(code, Code::AuthMechanismMismatch | Code::AuthNotAdvertised | Code::AuthOauthNeeded)
    {
        finding = finding.with("offered inside TLS", offered(seen));
    }
    match preset {
        Some(preset) if preset.cautions.contains(&Caution::DataCentre) => finding
            .with("host and account", "must belong to the same data centre of the provider")
            .with("documentation of the service", preset.documentation),
        Some(preset) => finding.with("documentation of the service", preset.documentation),
        None => finding,
    }
}

/// No mechanism name but the standard's stands in a list that is empty.
fn offered(seen: &SubmissionSeen) -> String {
    let last = last_ehlo(seen).map(EhloSeen::auth).unwrap_or_default();
    if last.is_empty() { "no sign-in".to_owned() } else { last.join(" ") }
}

fn last_ehlo(seen: &SubmissionSeen) -> Option<&EhloSeen> {
    seen.session.ehlo_after_tls.seen().or_else(|| seen.session.ehlo.seen())
}

const fn in_words(fault: &ExchangeFault) -> &'static str {
    match fault {
        ExchangeFault::Prompt => "a prompt that cannot be read",
        ExchangeFault::ScramIterations(_) => "the server asks for an iteration count out of bounds",
        ExchangeFault::ScramNonce => "the server changed the nonce",
        ExchangeFault::ScramRefused => "the server refused the proof of the password",
        ExchangeFault::ServerNotProven => "the server did not prove that it knows the password",
        ExchangeFault::TokenRefused(_) => "the server refused the token",
        ExchangeFault::TooManyPrompts => "more prompts than any mechanism has",
    }
}

/// The session was lost while the answer to the sign-in was awaited: the password is not in question.
fn unanswered(tried: &SmtpTried, seen: &SubmissionSeen) -> Option<Finding> {
    let awaited = seen.last_step() == Some(Step::SignIn) && seen.stop.is_none();
    let Observation::NotObserved(reason) = &seen.signed_in else { return None };
    let (code, what) = match reason {
        Reason::TimedOut => (Code::AuthTemporary, "no answer in time"),
        Reason::PeerClosed => (Code::AuthTemporary, "the server closed the connection"),
        Reason::Unintelligible | Reason::LimitReached => {
            (Code::AuthExchangeBroken, "an answer that cannot be read")
        }
        Reason::BlockedHere
        | Reason::GuardRefused
        | Reason::EarlierStageFailed
        | Reason::NotAsked
        | Reason::RefusedByPeer
        | Reason::Unverified => return None,
    };
    awaited
        .then(|| Finding::new(code, case_of(code), tried.subject()).with("answer to sign-in", what))
}

/// What the list in clear and the list inside TLS offer (RFC 4954 §4). Only the second counts.
fn offers(tried: &SmtpTried, seen: &SubmissionSeen) -> Option<Finding> {
    let before = seen.session.ehlo.seen().filter(|ehlo| ehlo.accepted())?.auth();
    let in_clear: Vec<&str> = [Mechanism::Plain, Mechanism::Login]
        .into_iter()
        .map(Mechanism::as_str)
        .filter(|name| before.iter().any(|offered| offered == name))
        .collect();
    if !in_clear.is_empty() {
        let code = Code::AuthAdvertisedInClear;
        return Some(
            Finding::new(code, case_of(code), tried.subject())
                .with("offered before TLS", in_clear.join(" ")),
        );
    }
    let after = seen.session.ehlo_after_tls.seen()?.auth();
    let code = Code::AuthAfterTlsOnly;
    (before.is_empty() && !after.is_empty()).then(|| {
        Finding::new(code, case_of(code), tried.subject())
            .with("offered inside TLS only", after.join(" "))
    })
}
