//! The JSON of `waxseal headers`: the keys of the contract, and beside them what else is known. Values
//! that a line does not give are `null`; times are RFC 3339 in UTC.

use super::{DOES_NOT_PROVE, PROVES, Seen};
use schemars::JsonSchema;
use serde::Serialize;
use waxseal_proto::message::alignment::{self, AlignmentSeen, Identity, Mechanism};
use waxseal_proto::message::auth_results::{AuthResult, AuthResults};
use waxseal_proto::message::received::{Hop, TlsVersionNoted, WithProtocol};

/// One message.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Headers")]
pub(crate) struct Message {
    hops: Vec<WireHop>,
    all_encrypted: Option<bool>,
    /// A place in `hops`, from 0.
    first_unencrypted: Option<usize>,
    hops_not_read: usize,
    authentication_results: Vec<Authentication>,
    deviations: Vec<&'static str>,
    proves: Vec<&'static str>,
    does_not_prove: Vec<&'static str>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HeadersHop")]
struct WireHop {
    from: From,
    by: Option<String>,
    with: Option<&'static str>,
    id: Option<String>,
    #[serde(rename = "for")]
    recipient: Option<String>,
    via: Option<String>,
    date: Option<String>,
    tls: Tls,
    /// encrypted, not-encrypted, not-stated, local, other-transport.
    protection: &'static str,
    /// The `with` clause as written.
    with_text: Option<String>,
    deviations: Vec<&'static str>,
    raw: String,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HeadersFrom")]
struct From {
    name: Option<String>,
    ip: Option<String>,
    rdns: Option<String>,
    helo: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HeadersTls")]
struct Tls {
    /// Whether the line claims TLS.
    encrypted: bool,
    version: Option<&'static str>,
    cipher: Option<String>,
    bits: Option<u16>,
    /// The line says TLSv1/SSLv3, which old OpenSSL prints for newer versions too.
    version_is_family: bool,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HeadersAuthentication")]
struct Authentication {
    authserv_id: Option<String>,
    received_above: usize,
    results: Vec<MethodResult>,
    from_domain: Option<String>,
    alignment: Alignment,
    identities: Vec<WireIdentity>,
    raw: String,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HeadersMethodResult")]
struct MethodResult {
    method: String,
    result: String,
    reason: Option<String>,
    properties: Vec<Property>,
    comments: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HeadersProperty")]
struct Property {
    name: String,
    value: String,
}

/// The closest alignment among results that passed: strict, relaxed, none; null when none passed.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HeadersAlignment")]
struct Alignment {
    spf: Option<&'static str>,
    dkim: Option<&'static str>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "HeadersIdentity")]
struct WireIdentity {
    method: &'static str,
    result: String,
    domain: String,
    alignment: Option<&'static str>,
}

impl Message {
    pub(super) fn of(seen: &Seen) -> Self {
        Self {
            hops: seen.path.hops.iter().map(WireHop::of).collect(),
            all_encrypted: seen.path.all_encrypted(),
            first_unencrypted: seen.path.first_unencrypted(),
            hops_not_read: seen.path.hops_not_read,
            authentication_results: seen
                .results
                .iter()
                .map(|(results, alignment)| Authentication::of(results, alignment))
                .collect(),
            deviations: seen.block.deviations.iter().map(|one| one.as_str()).collect(),
            proves: PROVES.to_vec(),
            does_not_prove: DOES_NOT_PROVE.to_vec(),
        }
    }
}

impl WireHop {
    fn of(hop: &Hop) -> Self {
        Self {
            from: From {
                name: hop.from.name.clone(),
                ip: hop.from.ip.map(|ip| ip.to_string()),
                rdns: hop.from.rdns.clone(),
                helo: hop.from.helo.clone(),
            },
            by: hop.by.clone(),
            with: hop.with.map(WithProtocol::as_str),
            id: hop.id.clone(),
            recipient: hop.for_recipient.clone(),
            via: hop.via.clone(),
            date: hop.date.map(|at| at.to_string()),
            tls: Tls {
                encrypted: hop.claims_tls(),
                version: hop.tls.version.map(TlsVersionNoted::as_str),
                cipher: hop.tls.cipher.clone(),
                bits: hop.tls.bits,
                version_is_family: hop.tls.version_is_family,
            },
            protection: hop.protection.as_str(),
            with_text: hop.with_text.clone(),
            deviations: hop.deviations.iter().map(|one| one.as_str()).collect(),
            raw: hop.raw.trim().to_owned(),
        }
    }
}

impl Authentication {
    fn of(results: &AuthResults, seen: &AlignmentSeen) -> Self {
        let passed = |mechanism| seen.passed(mechanism).map(alignment::Alignment::as_str);
        Self {
            authserv_id: results.authserv_id.clone(),
            received_above: results.received_above,
            results: results.results.iter().map(MethodResult::of).collect(),
            from_domain: seen.from_domain.as_ref().map(ToString::to_string),
            alignment: Alignment { spf: passed(Mechanism::Spf), dkim: passed(Mechanism::Dkim) },
            identities: seen.identities.iter().map(WireIdentity::of).collect(),
            raw: results.raw.clone(),
        }
    }
}

impl MethodResult {
    fn of(result: &AuthResult) -> Self {
        let property = |(name, value): &(String, String)| Property {
            name: name.clone(),
            value: value.clone(),
        };
        Self {
            method: result.method.clone(),
            result: result.result.clone(),
            reason: result.reason.clone(),
            properties: result.properties.iter().map(property).collect(),
            comments: result.comments.clone(),
        }
    }
}

impl WireIdentity {
    fn of(identity: &Identity) -> Self {
        Self {
            method: identity.mechanism.as_str(),
            result: identity.result.clone(),
            domain: identity.domain.to_string(),
            alignment: identity.alignment.map(alignment::Alignment::as_str),
        }
    }
}
