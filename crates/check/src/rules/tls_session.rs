//! Rules of a handshake that completed: what the session and its follow-ups show (RFC 9325 §3, RFC 10024).
//! None of these stops a connection of today; each says what it lacks.

use super::greeting::{reply_text, sessions};
use super::tcp::{addresses, at};
use crate::facts::Facts;
use crate::finding::Finding;
use waxseal_proto::finding::Code;
use waxseal_proto::smtp::reply_class::Permanence;
use waxseal_proto::tls::hello::{HelloAnswer, HelloPlan};
use waxseal_proto::tls::mode::Mode;
use waxseal_proto::tls::seen::{Offer, TlsVersion};

pub(crate) fn tls13_missing(facts: &Facts) -> Vec<Finding> {
    addresses(facts)
        .filter(|(_, address)| address.tls().is_some_and(|tls| tls.version < TlsVersion::Tls13))
        .map(|(host, address)| {
            Finding::new(Code::Tls13Missing, facts.path.case(), at(host, address))
                .with("highest version", "1.2")
        })
        .collect()
}

pub(crate) fn no_pq(facts: &Facts) -> Vec<Finding> {
    addresses(facts)
        .filter_map(|(host, address)| {
            let tls = address.tls()?;
            let group = tls.group?;
            (!group.is_hybrid()).then(|| {
                Finding::new(Code::TlsNoPq, facts.path.case(), at(host, address))
                    .with("X25519MLKEM768 offered, chosen", group.name())
            })
        })
        .collect()
}

/// What a ServerHello of TLS 1.2 leaves out or takes up.
pub(crate) fn tls12_extensions(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (host, address) in addresses(facts) {
        let Some(HelloAnswer::ServerHello(hello)) = address.hello(HelloPlan::Tls12Extensions)
        else {
            continue;
        };
        if hello.version != Some(TlsVersion::Tls12) {
            continue;
        }
        let seen = [
            (hello.compression, Code::TlsCompression, "a compression method was chosen"),
            (
                !hello.secure_renegotiation,
                Code::TlsRenegotiationInsecure,
                "renegotiation_info is absent",
            ),
            (!hello.extended_master_secret, Code::TlsNoEms, "extended_master_secret is absent"),
        ];
        for (_, code, words) in seen.into_iter().filter(|(present, ..)| *present) {
            findings.push(
                Finding::new(code, facts.path.case(), at(host, address))
                    .with("TLS 1.2 ServerHello", words),
            );
        }
    }
    findings
}

/// The name matches with SNI and does not match without it.
pub(crate) fn sni_default_cert(facts: &Facts) -> Vec<Finding> {
    addresses(facts)
        .filter_map(|(host, address)| {
            let with_sni = address.chain.seen()?;
            let without = address.other_offer(Offer::WithoutSni)?.chain.seen()?;
            let foreign = with_sni.name_match == Some(true) && without.name_match == Some(false);
            foreign.then(|| {
                let names = without
                    .certificates
                    .first()
                    .map(|certificate| certificate.dns_names.join(" "))
                    .unwrap_or_default();
                Finding::new(Code::TlsSniDefaultCert, facts.path.case(), at(host, address))
                    .with("without SNI the certificate is for", names)
            })
        })
        .collect()
}

pub(crate) fn truncated_close(facts: &Facts) -> Vec<Finding> {
    sessions(facts)
        .filter(|(_, _, session)| session.close_notify.seen() == Some(&false))
        .map(|(host, address, _)| {
            Finding::new(Code::TlsTruncatedClose, facts.path.case(), at(host, address))
                .with("after QUIT", "the connection ended without close_notify")
        })
        .collect()
}

/// TLS stands, and the server refuses to talk inside it (RFC 3207 §4.1).
pub(crate) fn policy_after_handshake(facts: &Facts) -> Vec<Finding> {
    sessions(facts)
        .filter(|_| facts.path.mode() == Mode::Starttls)
        .filter_map(|(host, address, session)| {
            let reply = &session.ehlo_after_tls.seen()?.reply;
            (Permanence::of(reply.code) == Permanence::Permanent).then(|| {
                Finding::new(Code::TlsPolicyAfterHandshake, facts.path.case(), at(host, address))
                    .with("answer to EHLO inside TLS", reply_text(reply))
            })
        })
        .collect()
}
