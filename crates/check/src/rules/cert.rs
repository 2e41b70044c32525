//! Rules of the certificate (RFC 5280 §6.1, RFC 9525 §6, RFC 9325 §4.5). The faults of a chain are found in
//! `proto::x509`, each on its own; here each gets its code and its subject.

use super::tcp::{addresses, at};
use crate::facts::{AddressFacts, Facts, HostFacts, Path};
use crate::finding::{ANY, BOTH, Finding, PATH_A, PATH_B, When};
use crate::registry::Rule;
use std::collections::BTreeSet;
use waxseal_proto::finding::Code;
use waxseal_proto::x509::{ChainVerdict, Fault, StapleAnswer, Warning, read_staple};

const CASE: &[When] = &[ANY];
/// An expired CA certificate beside a valid path.
const OTHER_PATH_A: When = When("a-other-path");
const OTHER_PATH_B: When = When("b-other-path");

/// The rules of this area.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "cert-faults",
        codes: &[
            (Code::CertExpired, BOTH),
            (Code::CertNotYetValid, BOTH),
            (Code::CertNameMismatch, BOTH),
            (Code::CertWildcardDepth, BOTH),
            (Code::CertWildcardMalformed, BOTH),
            (Code::CertCnOnly, BOTH),
            (Code::CertIpOnly, CASE),
            (Code::CertSelfSigned, BOTH),
            (Code::CertPrivateCa, BOTH),
            (Code::CertMissingIntermediate, BOTH),
            (Code::CertIntermediateExpired, &[PATH_A, PATH_B, OTHER_PATH_A, OTHER_PATH_B]),
            (Code::CertWeakKey, BOTH),
            (Code::CertWeakSignature, BOTH),
            (Code::CertEkuWrong, BOTH),
            (Code::CertConstraintViolated, BOTH),
            (Code::CertUnparsable, BOTH),
            (Code::CertRevoked, BOTH),
            (Code::CertBadSignature, BOTH),
            (Code::CertChainTooLong, BOTH),
            (Code::CertKeyNotPinned, CASE),
            (Code::CertExpiringSoon, BOTH),
            (Code::CertChainOrder, BOTH),
            (Code::CertLifetimeTooLong, BOTH),
        ],
        judge: faults,
    },
    Rule {
        name: "cert-revocation-unknown",
        codes: &[(Code::CertRevocationUnknown, BOTH)],
        judge: revocation_unknown,
    },
    Rule {
        name: "cert-differs-per-address",
        codes: &[(Code::CertDiffersPerAddress, BOTH)],
        judge: differs_per_address,
    },
];

fn chains(facts: &Facts) -> impl Iterator<Item = (&HostFacts, &AddressFacts, &ChainVerdict)> {
    addresses(facts).filter_map(|(host, address)| Some((host, address, address.chain.seen()?)))
}

fn faults(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (host, address, chain) in chains(facts) {
        let subject = at(host, address);
        let mut codes = BTreeSet::new();
        let of_faults = chain.faults.iter().map(fault_finding);
        let of_warnings = chain.warnings.iter().filter_map(warning_finding);
        for (code, which, evidence) in of_faults.chain(of_warnings) {
            if !codes.insert(code) {
                continue;
            }
            let when = which.on(facts.path);
            let mut finding = Finding::new(code, when, &subject);
            for (label, value) in evidence {
                finding = finding.with(label, value);
            }
            if let Some(leaf) = chain.certificates.first() {
                let name = if leaf.subject.is_empty() {
                    leaf.dns_names.join(" ")
                } else {
                    leaf.subject.clone()
                };
                finding = finding.with("certificate", name);
            }
            findings.push(finding);
        }
    }
    findings
}

/// Which case of a certificate's finding applies, before the path is known.
#[derive(Clone, Copy)]
enum Which {
    /// The same for every path.
    Any,
    /// The case of the path.
    ByPath,
    /// The case of the path, beside a valid path of certificates.
    OtherPath,
}

impl Which {
    const fn on(self, path: Path) -> When {
        match (self, path) {
            (Self::Any, _) => ANY,
            (Self::ByPath, path) => path.case(),
            (Self::OtherPath, Path::ToInbox) => OTHER_PATH_B,
            (Self::OtherPath, Path::ToService(_)) => OTHER_PATH_A,
        }
    }
}

type Parts = (Code, Which, Vec<(&'static str, String)>);

fn fault_finding(fault: &Fault) -> Parts {
    let by_path = |code, evidence| (code, Which::ByPath, evidence);
    let one = |label, value: &dyn ToString| vec![(label, value.to_string())];
    match fault {
        Fault::Expired { not_after } => by_path(Code::CertExpired, one("notAfter", not_after)),
        Fault::NotYetValid { not_before } => {
            by_path(Code::CertNotYetValid, one("notBefore", not_before))
        }
        Fault::IntermediateExpired { subject, not_after } => by_path(
            Code::CertIntermediateExpired,
            vec![("CA", subject.clone()), ("notAfter", not_after.to_string())],
        ),
        Fault::IntermediateNotYetValid { subject, not_before } => by_path(
            Code::CertNotYetValid,
            vec![("CA", subject.clone()), ("notBefore", not_before.to_string())],
        ),
        Fault::NameMismatch { presented } => by_path(Code::CertNameMismatch, names(presented)),
        Fault::WildcardDepth { presented } => {
            by_path(Code::CertWildcardDepth, one("presented", presented))
        }
        Fault::WildcardMalformed { presented } => {
            by_path(Code::CertWildcardMalformed, one("presented", presented))
        }
        Fault::CommonNameOnly { common_name } => by_path(Code::CertCnOnly, one("CN", common_name)),
        Fault::IpOnly { reference, presented } => {
            let mut evidence = one("address", reference);
            evidence.extend(names(presented));
            (Code::CertIpOnly, Which::Any, evidence)
        }
        Fault::SelfSigned => by_path(Code::CertSelfSigned, Vec::new()),
        Fault::PrivateCa { issuer, .. } | Fault::UnknownIssuer { issuer } => {
            by_path(Code::CertPrivateCa, one("issuer", issuer))
        }
        Fault::Distrusted => by_path(Code::CertPrivateCa, one("path", &fault)),
        Fault::MissingIntermediate { issuer, aia, .. } => {
            let mut evidence = one("missing", issuer);
            evidence.extend(aia.iter().map(|url| ("to be had at", url.clone())));
            by_path(Code::CertMissingIntermediate, evidence)
        }
        Fault::WeakKey { subject, kind, bits } => by_path(
            Code::CertWeakKey,
            vec![("key", format!("{} of {bits} bits", kind.as_str())), ("of", subject.clone())],
        ),
        Fault::WeakSignature { algorithm, subject } => by_path(
            Code::CertWeakSignature,
            vec![("signed with", algorithm.clone()), ("on", subject.clone())],
        ),
        Fault::WrongPurpose { subject, purposes } => by_path(
            Code::CertEkuWrong,
            vec![("allowed purposes", purposes.join(", ")), ("of", subject.clone())],
        ),
        Fault::ConstraintViolated { constraint, subject } => by_path(
            Code::CertConstraintViolated,
            vec![("rule", constraint.to_string()), ("at", subject.clone())],
        ),
        Fault::DepthExceeded { .. } | Fault::TooComplex => {
            by_path(Code::CertConstraintViolated, one("path", &fault))
        }
        Fault::BadSignature { .. } | Fault::UnsupportedAlgorithm { .. } => {
            by_path(Code::CertBadSignature, one("chain", &fault))
        }
        Fault::ChainTooLong { .. } => by_path(Code::CertChainTooLong, one("chain", &fault)),
        Fault::KeyNotPinned { presented } => {
            (Code::CertKeyNotPinned, Which::Any, one("SHA-256 of the key shown", presented))
        }
        Fault::Revoked => by_path(Code::CertRevoked, one("chain", &fault)),
        Fault::CrlUnusable { .. } | Fault::Other { .. } | Fault::Unparsable { .. } => {
            by_path(Code::CertUnparsable, one("chain", &fault))
        }
    }
}

/// The code of a fault.
#[cfg(test)]
pub(crate) fn fault_finding_code(fault: &Fault) -> Code {
    fault_finding(fault).0
}

fn names(presented: &[String]) -> Vec<(&'static str, String)> {
    let text =
        if presented.is_empty() { "no names at all".to_owned() } else { presented.join(" ") };
    vec![("presented names", text)]
}

fn warning_finding(warning: &Warning) -> Option<Parts> {
    let by_path = |code, label, value: String| Some((code, Which::ByPath, vec![(label, value)]));
    match warning {
        Warning::ChainOrder
        | Warning::Duplicate { .. }
        | Warning::Unrelated { .. }
        | Warning::UnreadableExtra { .. } => {
            by_path(Code::CertChainOrder, "chain", warning.to_string())
        }
        Warning::ExpiringSoon { not_after } => {
            by_path(Code::CertExpiringSoon, "notAfter", not_after.to_string())
        }
        Warning::IntermediateExpired { subject, not_after } => Some((
            Code::CertIntermediateExpired,
            Which::OtherPath,
            vec![("CA", subject.clone()), ("notAfter", not_after.to_string())],
        )),
        Warning::LifetimeTooLong { days, limit } => {
            by_path(Code::CertLifetimeTooLong, "lifetime", format!("{days} days, allowed {limit}"))
        }
        Warning::Profile { .. } | Warning::RevocationUnknown { .. } => None,
    }
}

/// One note for the whole report: revocation is best effort (rules §7.6). Only a current stapled answer
/// about this very certificate settles it; its signature is not checked.
fn revocation_unknown(facts: &Facts) -> Vec<Finding> {
    let unknown: Vec<(&'static str, String)> = addresses(facts)
        .filter_map(|(host, address)| {
            let chain = address.chain.seen().filter(|chain| chain.valid)?;
            let (leaf, staple) = (chain.certificates.first()?, &address.tls()?.ocsp_staple);
            if staple.is_empty() {
                return Some(("no stapled answer from", at(host, address)));
            }
            let answer = match read_staple(staple, &leaf.serial, facts.now) {
                StapleAnswer::Good => return None,
                // Not a fault of the chain before somebody checks who signed it.
                StapleAnswer::Revoked => "revoked, by an answer whose signature was not checked",
                other @ (StapleAnswer::NotCurrent
                | StapleAnswer::OtherCertificate
                | StapleAnswer::Unknown
                | StapleAnswer::Unusable) => other.as_str(),
            };
            Some(("stapled answer", format!("{answer}, from {}", at(host, address))))
        })
        .collect();
    if unknown.is_empty() {
        return Vec::new();
    }
    let finding = Finding::new(Code::CertRevocationUnknown, facts.path.case(), &facts.scope.target);
    vec![unknown.into_iter().fold(finding, |f, (label, value)| f.with(label, value))]
}

/// How good the certificate of one address is beside those of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Valid,
    EndsSoon,
    NotValid,
}

impl State {
    fn of(chain: &ChainVerdict) -> Self {
        let ends_soon = |warning: &Warning| matches!(warning, Warning::ExpiringSoon { .. });
        if !chain.valid {
            Self::NotValid
        } else if chain.warnings.iter().any(ends_soon) {
            Self::EndsSoon
        } else {
            Self::Valid
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::EndsSoon => "valid, ends soon",
            Self::NotValid => "not valid",
        }
    }
}

/// Different leaves behind one name, and one of them weaker than another.
fn differs_per_address(facts: &Facts) -> Vec<Finding> {
    facts
        .hosts
        .iter()
        .filter_map(|host| {
            let seen: Vec<(&AddressFacts, &ChainVerdict)> = host
                .addresses
                .iter()
                .filter_map(|address| Some((address, address.chain.seen()?)))
                .collect();
            let leaves: BTreeSet<Option<&str>> = seen
                .iter()
                .map(|(_, chain)| chain.certificates.first().map(|leaf| leaf.sha256.as_str()))
                .collect();
            let states: BTreeSet<State> = seen.iter().map(|(_, chain)| State::of(chain)).collect();
            if leaves.len() < 2 || states.len() < 2 {
                return None;
            }
            let finding = Finding::new(Code::CertDiffersPerAddress, facts.path.case(), host.name());
            Some(seen.iter().fold(finding, |finding, (address, chain)| {
                let word = State::of(chain).as_str();
                finding.with("certificate", format!("{word} at {}", address.address))
            }))
        })
        .collect()
}
