//! Rules of the input: what was typed, and where it leads (RFC 5321 §4.1.2, RFC 6890 §2).
//! What was checked instead of the typed text always stands in the evidence.

use super::tcp::{addresses, at};
use crate::facts::{Facts, Path};
use crate::finding::{ANY, Finding, When};
use crate::question::Connect;
use crate::registry::Rule;
use waxseal_proto::dns::MxSet;
use waxseal_proto::finding::Code;
use waxseal_proto::name::Target;

const CASE: &[When] = &[ANY];

/// The rules of this area.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "input-as-typed",
        codes: &[
            (Code::InputEmpty, CASE),
            (Code::InputDomainSyntax, CASE),
            (Code::InputAddressOrUrlGiven, CASE),
            (Code::InputIdnInvalid, CASE),
            (Code::InputPublicSuffix, CASE),
            (Code::InputIpLiteralTarget, CASE),
            (Code::InputPortInvalid, CASE),
        ],
        judge: as_typed,
    },
    Rule {
        name: "input-target-private",
        codes: &[(Code::InputTargetPrivate, CASE)],
        judge: target_private,
    },
];

/// What was noticed about the text as it was typed.
pub(crate) fn as_typed(facts: &Facts) -> Vec<Finding> {
    facts
        .scope
        .input_notes
        .iter()
        .map(|note| Finding::new(note.code, ANY, &facts.scope.target).with("input", &note.detail))
        .collect()
}

/// A special address that the person named: as a literal, as the domain's own address, or by the host of a
/// service. One that stands behind a real MX is `dns-mx-private-address`.
fn target_private(facts: &Facts) -> Vec<Finding> {
    let named = matches!(facts.scope.target, Target::Address(_))
        || matches!(facts.mx.set.seen(), Some(MxSet::NoData))
        || facts.path != Path::ToInbox;
    addresses(facts)
        .filter(|(_, address)| named && address.connect() == Some(&Connect::GuardRefused))
        .map(|(host, address)| {
            Finding::new(Code::InputTargetPrivate, ANY, at(host, address))
                .with("address", address.address)
        })
        .collect()
}
