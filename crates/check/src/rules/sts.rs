//! Rules of MTA-STS (RFC 8461). Absence is a note; a broken policy is a fault; enforcing it over a mail host
//! that fails is one of its own, beside the cause.

use super::sts_fetch;
use crate::facts::{Facts, StsFacts};
use crate::finding::{ANY, Finding, When};
use crate::registry::Rule;
use crate::survey::sts_record_set;
use waxseal_proto::dns::{DnsAnswer, MxSet, Outcome};
use waxseal_proto::finding::Code;
use waxseal_proto::mta_sts::{Mode, Policy, PolicyError, PolicyParse, RecordSet};
use waxseal_proto::name::DomainName;

const CASE: &[When] = &[ANY];
const DAY: When = When("day");
const WEEK: When = When("week");
const NOT_A_NUMBER: When = When("not-a-number");
const OVER_A_YEAR: When = When("over-a-year");
const ENFORCE: When = When("enforce");
const TESTING: When = When("testing");

/// A policy that lives shorter than this is easily blocked away (RFC 8461 §10.2), in seconds.
const MAX_AGE_DAY_S: u64 = 86_400;
/// Weeks are expected of an enforced policy (RFC 8461 §3.2), in seconds.
const MAX_AGE_WEEK_S: u64 = 604_800;

/// The rules of this area.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "sts-record",
        codes: &[
            (Code::StsNone, CASE),
            (Code::StsRecordMultiple, CASE),
            (Code::StsRecordSyntax, CASE),
            (Code::StsIdInvalid, CASE),
            (Code::StsRecordDnsError, CASE),
            (Code::StsPolicyWithoutRecord, CASE),
            (Code::StsSubdomainNotCovered, CASE),
        ],
        judge: record,
    },
    Rule {
        name: "sts-fetch",
        codes: &[
            (Code::StsHostUnresolvable, CASE),
            (Code::StsHostUnreachable, CASE),
            (Code::StsHostCertInvalid, CASE),
            (Code::StsRedirect, CASE),
            (Code::StsHttpStatus, CASE),
            (Code::StsContentType, CASE),
            (Code::StsOversize, CASE),
        ],
        judge: sts_fetch::fetch,
    },
    Rule {
        name: "sts-policy",
        codes: &[
            (Code::StsEncoding, CASE),
            (Code::StsPolicySyntax, CASE),
            (Code::StsMaxAgeInvalid, &[NOT_A_NUMBER, OVER_A_YEAR]),
            (Code::StsMxMissing, CASE),
            (Code::StsMxPatternInvalid, CASE),
        ],
        judge: policy,
    },
    Rule {
        name: "sts-mode",
        codes: &[(Code::StsModeTesting, CASE), (Code::StsModeNone, CASE)],
        judge: mode,
    },
    Rule {
        name: "sts-max-age-short",
        codes: &[(Code::StsMaxAgeShort, &[DAY, WEEK])],
        judge: max_age_short,
    },
    Rule {
        name: "sts-mx",
        codes: &[(Code::StsMxNotListed, &[ENFORCE, TESTING]), (Code::StsStalePattern, CASE)],
        judge: mx,
    },
    Rule {
        name: "sts-enforce-mx-fails",
        codes: &[(Code::StsEnforceMxFails, CASE)],
        judge: enforce_mx_fails,
    },
];

/// The records at `_mta-sts`, once looked up without error.
pub(crate) fn record_set(sts: &StsFacts) -> Option<RecordSet> {
    let answer = sts.record.seen()?;
    (!matches!(answer.outcome, Outcome::Failed(_))).then(|| sts_record_set(answer))
}

/// Whether a valid record asks senders to fetch the policy.
pub(crate) fn announced(sts: &StsFacts) -> bool {
    record_set(sts).is_some_and(|set| set.record().is_some())
}

/// The policy that senders would take: record and file both valid.
pub(crate) fn usable_policy(facts: &Facts) -> Option<&Policy> {
    let sts = facts.sts.seen()?;
    announced(sts).then_some(())?;
    sts.policy.seen()?.policy.as_ref()
}

fn record(facts: &Facts) -> Vec<Finding> {
    let Some(sts) = facts.sts.seen() else { return Vec::new() };
    let Some(answer) = sts.record.seen() else { return Vec::new() };
    // A domain that does not exist lacks everything; that is said once.
    if facts.mx.set.seen() == Some(&MxSet::NoName) {
        return Vec::new();
    }
    let new = |code| Finding::new(code, ANY, &facts.scope.target);
    if let Outcome::Failed(failure) = &answer.outcome {
        return vec![new(Code::StsRecordDnsError).with("TXT", sts_fetch::failure_words(failure))];
    }
    let set = sts_record_set(answer);
    let mut findings = match &set {
        RecordSet::Valid(..) => return Vec::new(),
        RecordSet::None => none(facts, sts),
        RecordSet::Multiple(texts) => {
            vec![texts.iter().fold(new(Code::StsRecordMultiple), |f, text| f.with("TXT", text))]
        }
        RecordSet::NearMiss(texts) => {
            vec![texts.iter().fold(new(Code::StsRecordSyntax), |f, text| f.with("TXT", text))]
        }
        RecordSet::Invalid(parse) => parse
            .codes()
            .into_iter()
            .map(|code| {
                parse
                    .errors
                    .iter()
                    .filter(|error| error.code() == code)
                    .fold(new(code), |f, error| f.with("record", error))
            })
            .collect(),
    };
    let unannounced = sts.policy.seen().is_some_and(|parse| parse.policy.is_some());
    if unannounced && set == RecordSet::None {
        findings.push(new(Code::StsPolicyWithoutRecord).with("policy file", "is served"));
    }
    findings
}

/// No record: a policy of the organisational domain is not inherited, which is worth saying instead.
fn none(facts: &Facts, sts: &StsFacts) -> Vec<Finding> {
    if sts.policy.seen().is_some_and(|parse| parse.policy.is_some()) {
        return Vec::new();
    }
    let parent: Option<&(DomainName, DnsAnswer)> =
        sts.parent_record.seen().filter(|(_, answer)| sts_record_set(answer).record().is_some());
    vec![match parent {
        Some((parent, _)) => Finding::new(Code::StsSubdomainNotCovered, ANY, &facts.scope.target)
            .with("policy only at", parent),
        None => Finding::new(Code::StsNone, ANY, &facts.scope.target).with("TXT", "no record"),
    }]
}

/// The parsed file, where a record announces it.
fn announced_file(facts: &Facts) -> Option<&PolicyParse> {
    let sts = facts.sts.seen()?;
    announced(sts).then_some(())?;
    sts.policy.seen()
}

fn policy(facts: &Facts) -> Vec<Finding> {
    let Some(parse) = announced_file(facts) else { return Vec::new() };
    // The bot-check page of a web server is `sts-http-status`, not a list of syntax errors.
    if sts_fetch::is_web_page(facts) {
        return Vec::new();
    }
    parse
        .codes()
        .into_iter()
        .filter(|code| *code != Code::StsOversize)
        .map(|code| {
            let errors: Vec<&PolicyError> =
                parse.errors.iter().filter(|error| error.code() == code).collect();
            let when = match (code, errors.first()) {
                (Code::StsMaxAgeInvalid, Some(PolicyError::MaxAgeOverCap(_))) => OVER_A_YEAR,
                (Code::StsMaxAgeInvalid, _) => NOT_A_NUMBER,
                _ => ANY,
            };
            errors.into_iter().fold(Finding::new(code, when, &facts.scope.target), |f, error| {
                f.with("policy", error)
            })
        })
        .collect()
}

fn mode(facts: &Facts) -> Vec<Finding> {
    let code = match usable_policy(facts).map(|policy| policy.mode) {
        Some(Mode::Testing) => Code::StsModeTesting,
        Some(Mode::None) => Code::StsModeNone,
        Some(Mode::Enforce) | None => return Vec::new(),
    };
    vec![Finding::new(code, ANY, &facts.scope.target)]
}

fn max_age_short(facts: &Facts) -> Vec<Finding> {
    let Some(policy) = usable_policy(facts).filter(|policy| policy.mode == Mode::Enforce) else {
        return Vec::new();
    };
    let when = match policy.max_age_s {
        ..MAX_AGE_DAY_S => DAY,
        MAX_AGE_DAY_S..MAX_AGE_WEEK_S => WEEK,
        MAX_AGE_WEEK_S.. => return Vec::new(),
    };
    vec![
        Finding::new(Code::StsMaxAgeShort, when, &facts.scope.target)
            .with("max_age", format!("{} s", policy.max_age_s)),
    ]
}

/// The host names of the current MX.
fn mx_names(facts: &Facts) -> Vec<DomainName> {
    facts.hosts.iter().filter_map(|host| host.exchange.host().cloned()).collect()
}

/// Pattern and MX set against each other (RFC 8461 §4.1), both ways.
fn mx(facts: &Facts) -> Vec<Finding> {
    let Some(policy) = usable_policy(facts).filter(|policy| policy.mode != Mode::None) else {
        return Vec::new();
    };
    let known = matches!(facts.mx.set.seen(), Some(MxSet::Hosts(_) | MxSet::NoData));
    let names = mx_names(facts);
    if !known || names.is_empty() {
        return Vec::new();
    }
    let when = if policy.mode == Mode::Enforce { ENFORCE } else { TESTING };
    let patterns: Vec<String> = policy.mx.iter().map(ToString::to_string).collect();
    let not_listed = names.iter().filter(|name| policy.matching(name).is_none()).map(|name| {
        Finding::new(Code::StsMxNotListed, when, name).with("policy lists", patterns.join(" "))
    });
    let whole_set = facts.hosts_left_out.is_empty();
    let stale = policy
        .mx
        .iter()
        .filter(|pattern| whole_set && !names.iter().any(|name| pattern.matches(name)))
        .map(|pattern| {
            Finding::new(Code::StsStalePattern, ANY, &facts.scope.target)
                .with("matches no MX", pattern)
        });
    not_listed.chain(stale).collect()
}

/// Enforce over a listed host whose STARTTLS or certificate fails; a host that was not reached is
/// "not tested" and no evidence.
fn enforce_mx_fails(facts: &Facts) -> Vec<Finding> {
    let Some(policy) = usable_policy(facts).filter(|policy| policy.mode == Mode::Enforce) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for host in &facts.hosts {
        let listed = host.exchange.host().is_some_and(|name| policy.matching(name).is_some());
        let failing: Vec<String> = host
            .addresses
            .iter()
            .filter_map(|address| {
                let reason = sts_fetch::session_fault(address)?;
                Some(format!("{reason} at {}", address.address))
            })
            .collect();
        if listed && !failing.is_empty() {
            let finding = Finding::new(Code::StsEnforceMxFails, ANY, host.name());
            findings.push(failing.into_iter().fold(finding, |f, text| f.with("fails", text)));
        }
    }
    findings
}
