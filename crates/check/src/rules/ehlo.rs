//! Rules of EHLO (RFC 5321 §4.1.1.1, §4.1.4; RFC 3207 §4.2). Only the list inside TLS counts.
//! A refused name and a refused command stay two findings.

use super::greeting::{breaks_syntax, reply_text, sessions, too_large, unreadable_at, waited};
use super::tcp::at;
use crate::facts::Facts;
use crate::finding::{BOTH, Finding};
use crate::registry::Rule;
use waxseal_proto::deviation::Deviation;
use waxseal_proto::finding::Code;
use waxseal_proto::smtp::ehlo::EhloSeen;
use waxseal_proto::smtp::reply::Reply;
use waxseal_proto::smtp::reply_class::{EhloClass, Permanence, classify_ehlo};
use waxseal_proto::smtp::seen::{SessionEnd, SessionSeen, Stage};
use waxseal_proto::tls::mode::Mode;

/// The rules of this area.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "ehlo-refused",
        codes: &[
            (Code::EhloRejected, BOTH),
            (Code::EhloNameRejected, BOTH),
            (Code::EhloTemporary, BOTH),
        ],
        judge: refused,
    },
    Rule { name: "ehlo-hang", codes: &[(Code::EhloHang, BOTH)], judge: hang },
    Rule { name: "ehlo-form", codes: &[(Code::EhloMalformed, BOTH)], judge: form },
    Rule { name: "ehlo-changes", codes: &[(Code::EhloChangesAfterTls, BOTH)], judge: changes },
];

fn refused(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (host, address, session) in sessions(facts) {
        let before = session.ehlo.seen().and_then(|ehlo| code_of(&ehlo.reply));
        // A refusal for good of the second EHLO is `tls-policy-after-handshake`; with TLS from the first
        // octet there is no other EHLO.
        let only_one = facts.path.mode() == Mode::Tls;
        let inside = session
            .ehlo_after_tls
            .seen()
            .filter(|ehlo| only_one || Permanence::of(ehlo.reply.code) != Permanence::Permanent)
            .and_then(|ehlo| code_of(&ehlo.reply));
        for (code, reply) in before.into_iter().chain(inside) {
            let mut finding = Finding::new(code, facts.path.case(), at(host, address))
                .with("answer to EHLO", reply);
            if let Some(helo) = session.helo.seen() {
                finding = finding.with("answer to HELO", reply_text(helo));
            }
            findings.push(finding);
        }
    }
    findings
}

fn code_of(reply: &Reply) -> Option<(Code, String)> {
    let code = match classify_ehlo(reply) {
        EhloClass::Accepted => return None,
        // An acceptance that contradicts itself is `ehlo-malformed`.
        EhloClass::Refused if reply.code.number() == 250 => return None,
        EhloClass::Greylisted | EhloClass::Throttled => Code::EhloTemporary,
        EhloClass::NameRejected => Code::EhloNameRejected,
        EhloClass::NotUnderstood | EhloClass::Refused | EhloClass::ReputationBlocked => {
            Code::EhloRejected
        }
    };
    Some((code, reply_text(reply)))
}

fn hang(facts: &Facts) -> Vec<Finding> {
    sessions(facts)
        .filter(|(_, _, session)| {
            matches!(session.stage, Stage::Ehlo | Stage::EhloAfterTls)
                && matches!(session.end, SessionEnd::TimedOut { .. })
        })
        .map(|(host, address, session)| {
            Finding::new(Code::EhloHang, facts.path.case(), at(host, address))
                .with("waited for the answer to EHLO", waited(address, session.stage))
        })
        .collect()
}

fn form(facts: &Facts) -> Vec<Finding> {
    sessions(facts)
        .filter_map(|(host, address, session)| {
            let cap = matches!(session.stage, Stage::Ehlo | Stage::EhloAfterTls)
                && session.end == SessionEnd::CapReached;
            let mut words: Vec<&'static str> = [session.ehlo.seen(), session.ehlo_after_tls.seen()]
                .into_iter()
                .flatten()
                .flat_map(|ehlo| ehlo.reply.deviations.iter().chain(&ehlo.deviations).copied())
                .chain(unreadable(session))
                .filter(|deviation| {
                    breaks_syntax(*deviation)
                        || too_large(*deviation)
                        || *deviation == Deviation::KeywordSyntax
                })
                .map(Deviation::as_str)
                .collect();
            words.sort_unstable();
            words.dedup();
            if cap {
                words.push("beyond the hard limit");
            }
            if words.is_empty() {
                return None;
            }
            let finding = Finding::new(Code::EhloMalformed, facts.path.case(), at(host, address));
            Some(
                words
                    .into_iter()
                    .fold(finding, |f, word| f.with("departs from the standard", word)),
            )
        })
        .collect()
}

/// The deviations of an answer to EHLO that is no SMTP reply at all.
fn unreadable(session: &SessionSeen) -> impl Iterator<Item = Deviation> {
    let answer =
        unreadable_at(session, Stage::Ehlo).or_else(|| unreadable_at(session, Stage::EhloAfterTls));
    answer.into_iter().flat_map(|answer| answer.deviations.iter().copied())
}

/// Differences other than STARTTLS itself, which has to disappear.
fn changes(facts: &Facts) -> Vec<Finding> {
    let keywords = |ehlo: &EhloSeen| -> Vec<String> {
        let mut words: Vec<String> = ehlo
            .extensions
            .iter()
            .filter(|extension| extension.keyword != "STARTTLS")
            .map(|extension| {
                format!("{} {}", extension.keyword, extension.parameters.join(" "))
                    .trim()
                    .to_owned()
            })
            .collect();
        words.sort();
        words
    };
    sessions(facts)
        .filter_map(|(host, address, session)| {
            let before = keywords(session.ehlo.seen()?);
            let after = keywords(session.ehlo_after_tls.seen()?);
            let gone = before.iter().filter(|word| !after.contains(word));
            let new = after.iter().filter(|word| !before.contains(word));
            let finding =
                Finding::new(Code::EhloChangesAfterTls, facts.path.case(), at(host, address));
            let finding = gone.fold(finding, |f, word| f.with("only before TLS", word));
            let finding = new.fold(finding, |f, word| f.with("only inside TLS", word));
            (!finding.evidence.is_empty()).then_some(finding)
        })
        .collect()
}
