//! The list of targets: a parser of foreign bytes that is not in it is not fuzzed.

use crate::{Target, corpus, targets};

/// Every target, in the order they run.
pub const TARGETS: &[Target] = &[
    Target {
        name: "reply",
        about: "SMTP replies: read in any pieces, the same answer",
        run: targets::smtp::reply,
        seeds: corpus::smtp,
    },
    Target {
        name: "reply-file",
        about: "a reply in a file",
        run: targets::smtp::reply_file,
        seeds: corpus::smtp,
    },
    Target {
        name: "ehlo",
        about: "the answer to EHLO",
        run: targets::smtp::ehlo,
        seeds: corpus::smtp,
    },
    Target {
        name: "session",
        about: "a whole probe session with any peer",
        run: targets::session::session,
        seeds: corpus::sessions,
    },
    Target {
        name: "submission",
        about: "a whole submission with any peer: sign-in, prompts, one message",
        run: targets::submission::submission,
        seeds: corpus::submissions,
    },
    Target {
        name: "transcript",
        about: "transcripts of any lines, with a secret to hide",
        run: targets::smtp::transcript,
        seeds: corpus::smtp,
    },
    Target {
        name: "domain",
        about: "domain names",
        run: targets::names::domain,
        seeds: corpus::names,
    },
    Target {
        name: "mailbox",
        about: "mailboxes of an envelope",
        run: targets::names::mailbox,
        seeds: corpus::mailboxes,
    },
    Target {
        name: "target-input",
        about: "what a person types as the thing to check",
        run: targets::names::target_input,
        seeds: corpus::names,
    },
    Target {
        name: "txt",
        about: "TXT records of any strings",
        run: targets::policies::txt,
        seeds: corpus::policies,
    },
    Target {
        name: "sts-record",
        about: "MTA-STS records",
        run: targets::policies::sts_record,
        seeds: corpus::policies,
    },
    Target {
        name: "sts-policy",
        about: "MTA-STS policy files",
        run: targets::policies::sts_policy,
        seeds: corpus::policies,
    },
    Target {
        name: "sts-pattern",
        about: "mx patterns of MTA-STS",
        run: targets::policies::sts_pattern,
        seeds: corpus::names,
    },
    Target {
        name: "tls-rpt-record",
        about: "TLS reporting records",
        run: targets::policies::tls_rpt_record,
        seeds: corpus::policies,
    },
    Target {
        name: "header-block",
        about: "the header of a received message, and all that is read from it",
        run: targets::messages::header_block,
        seeds: corpus::messages,
    },
    Target {
        name: "received",
        about: "one Received line",
        run: targets::messages::received,
        seeds: corpus::received,
    },
    Target {
        name: "server-flight",
        about: "a server's first TLS messages: read in any pieces, the same answer",
        run: targets::tls::server_flight,
        seeds: corpus::flights,
    },
    Target {
        name: "first-octets",
        about: "what the first octets of an answer are",
        run: targets::tls::first_octets,
        seeds: corpus::flights,
    },
    Target {
        name: "zone-file",
        about: "DNS records from a file",
        run: targets::world::zone_file,
        seeds: corpus::zone_files,
    },
    Target {
        name: "connect-rule",
        about: "where a host's traffic is sent",
        run: targets::world::connect_rule,
        seeds: corpus::connect_rules,
    },
    Target {
        name: "certificate-file",
        about: "certificates in PEM or DER",
        run: targets::x509::certificate_file,
        seeds: corpus::certificates,
    },
    Target {
        name: "chain",
        about: "judging a presented chain",
        run: targets::x509::chain,
        seeds: corpus::certificates,
    },
    Target {
        name: "presented-name",
        about: "names in certificates against host names",
        run: targets::x509::presented_name,
        seeds: corpus::names,
    },
    Target {
        name: "service-answer",
        about: "what a delivery service answers: verifying, the account, one message, several",
        run: targets::services::answer,
        seeds: corpus::service_answers,
    },
];
