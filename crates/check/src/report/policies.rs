//! The published form of name servers, MTA-STS and TLS reporting.
//! It repeats what records and files say; judgement stays in the rules.

use super::wire::{MtaStsV1, NameServerV1, TlsRptV1};
use crate::facts::{Facts, NameServerFacts, RptFacts, StsFacts};
use crate::question::{Connect, FetchEnd};
use crate::rules::dns_servers::mx_set;
use crate::rules::sts::record_set;
use crate::rules::sts_fetch::failure_words;
use crate::survey::{rpt_record_set, texts};
use waxseal_proto::dns::{DnsAnswer, Outcome};
use waxseal_proto::mta_sts::RecordSet;
use waxseal_proto::tls_rpt;

pub(crate) fn name_servers(facts: &Facts) -> Vec<NameServerV1> {
    facts.name_servers.seen().map_or_else(Vec::new, |servers| servers.iter().map(server).collect())
}

fn server(server: &NameServerFacts) -> NameServerV1 {
    let mx = server.mx.seen();
    NameServerV1 {
        host: server.host.to_string(),
        address: server.address.seen().map(ToString::to_string),
        answer: mx.map_or_else(|| "not-asked".to_owned(), answer_word),
        mx: mx.map(|answer| mx_set(answer).into_iter().collect()).unwrap_or_default(),
        serial: server.soa.seen().and_then(|answer| {
            answer.records().iter().find_map(|record| record.soa().map(|soa| soa.serial))
        }),
        ttl_s: mx.and_then(|answer| answer.ttl_s),
    }
}

fn answer_word(answer: &DnsAnswer) -> String {
    match &answer.outcome {
        Outcome::Found(_) => "found".to_owned(),
        Outcome::NoData => "no-data".to_owned(),
        Outcome::NoName => "no-name".to_owned(),
        Outcome::Failed(failure) => failure_words(failure),
    }
}

pub(crate) fn mta_sts(sts: &StsFacts) -> MtaStsV1 {
    let set = record_set(sts);
    let record = set.as_ref().and_then(RecordSet::record);
    let parse = sts.policy.seen();
    let mut errors: Vec<String> = match &set {
        Some(RecordSet::Invalid(parse)) => parse.errors.iter().map(ToString::to_string).collect(),
        Some(RecordSet::Multiple(_)) => vec!["more than one record".to_owned()],
        Some(RecordSet::NearMiss(_)) => vec!["no record starts with v=STSv1;".to_owned()],
        Some(RecordSet::None | RecordSet::Valid(..)) | None => Vec::new(),
    };
    errors.extend(parse.iter().flat_map(|parse| parse.errors.iter().map(ToString::to_string)));
    MtaStsV1 {
        answer: sts.record.seen().map(answer_word),
        records: sts.record.seen().map(texts).unwrap_or_default(),
        id: record.map(|record| record.id.to_string()),
        fetch: sts.fetch.seen().map(fetch_word),
        mode: parse.and_then(|parse| parse.mode).map(|mode| mode.as_str().to_owned()),
        mx: parse.map(|parse| parse.mx.clone()).unwrap_or_default(),
        max_age: parse.and_then(|parse| parse.max_age_s),
        valid: record.is_some() && parse.is_some_and(|parse| parse.policy.is_some()),
        errors,
    }
}

fn fetch_word(end: &FetchEnd) -> String {
    match end {
        FetchEnd::NotConnected(Connect::Refused) => "connect-refused".to_owned(),
        FetchEnd::NotConnected(Connect::TimedOut) => "connect-timeout".to_owned(),
        FetchEnd::NotConnected(Connect::GuardRefused) => "guard-refused".to_owned(),
        FetchEnd::NotConnected(Connect::Reset) => "connect-reset".to_owned(),
        FetchEnd::NotConnected(Connect::Connected | Connect::Unreachable { .. }) => {
            "connect-unreachable".to_owned()
        }
        FetchEnd::TlsRefused(_) => "tls-refused".to_owned(),
        FetchEnd::TlsEstablished => "tls-established".to_owned(),
        FetchEnd::HttpMalformed(_) => "http-malformed".to_owned(),
        FetchEnd::TooLarge => "too-large".to_owned(),
        FetchEnd::TooSlow => "too-slow".to_owned(),
        FetchEnd::Response(response) if response.status == 200 => "ok".to_owned(),
        FetchEnd::Response(response) => format!("http-{}", response.status),
    }
}

pub(crate) fn tls_rpt(rpt: &RptFacts) -> TlsRptV1 {
    let answer = rpt.record.seen();
    let set = answer.map(rpt_record_set);
    let errors = match &set {
        Some(tls_rpt::RecordSet::Invalid(parse) | tls_rpt::RecordSet::Valid(parse, _)) => {
            parse.errors.iter().map(ToString::to_string).collect()
        }
        Some(tls_rpt::RecordSet::Multiple(_)) => vec!["more than one record".to_owned()],
        Some(tls_rpt::RecordSet::NearMiss(_)) => {
            vec!["no record starts with v=TLSRPTv1;".to_owned()]
        }
        Some(tls_rpt::RecordSet::None) | None => Vec::new(),
    };
    let rua = match &set {
        Some(tls_rpt::RecordSet::Invalid(parse) | tls_rpt::RecordSet::Valid(parse, _)) => {
            parse.rua.iter().flatten().map(|rua| rua.uri.clone()).collect()
        }
        Some(
            tls_rpt::RecordSet::Multiple(_)
            | tls_rpt::RecordSet::NearMiss(_)
            | tls_rpt::RecordSet::None,
        )
        | None => Vec::new(),
    };
    TlsRptV1 {
        answer: answer.map(answer_word),
        records: answer.map(texts).unwrap_or_default(),
        rua,
        valid: errors.is_empty() && matches!(set, Some(tls_rpt::RecordSet::Valid(..))),
        errors,
    }
}
