//! The answers so far, with the look-ups that the plan and the facts share. A missing answer is never read
//! as an absence: every getter distinguishes "not answered" from what was answered.

use crate::question::{
    Answer, Connect, ControlQuestion, DnsQuestion, DnsServer, FetchEnd, HelloQuestion,
    PolicyQuestion, ProbeQuestion, ProbeSeen, Question, ReachQuestion, Vantage,
};
use std::collections::BTreeMap;
use waxseal_proto::dns::{DnsAnswer, QueryName, RecordType};
use waxseal_proto::observation::Observation;
use waxseal_proto::tls::hello::HelloAnswer;
use waxseal_proto::x509::ChainVerdict;

/// Every answer so far, by question.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    answers: BTreeMap<Question, Answer>,
    /// The judgement of each chain that was presented, made once per session.
    pub(crate) chains: BTreeMap<ProbeQuestion, ChainVerdict>,
    /// The same for the chain of a policy host, by host question.
    pub(crate) policy_chains: BTreeMap<PolicyQuestion, ChainVerdict>,
}

impl Known {
    pub(crate) fn insert(&mut self, question: Question, answer: Answer) {
        self.answers.insert(question, answer);
    }

    pub(crate) fn dns(&self, name: &QueryName, record_type: RecordType) -> Option<&DnsAnswer> {
        self.dns_from(name, record_type, DnsServer::Resolver)
    }

    pub(crate) fn dns_from(
        &self,
        name: &QueryName,
        record_type: RecordType,
        server: DnsServer,
    ) -> Option<&DnsAnswer> {
        let question = Question::Dns(DnsQuestion { name: name.clone(), record_type, server });
        match self.answers.get(&question) {
            Some(Answer::Dns(answer)) => Some(answer),
            _ => None,
        }
    }

    pub(crate) fn probe(&self, question: &ProbeQuestion) -> Option<&ProbeSeen> {
        match self.answers.get(&Question::Probe(question.clone())) {
            Some(Answer::Probe(seen)) => Some(seen),
            _ => None,
        }
    }

    pub(crate) fn hello(&self, question: &HelloQuestion) -> Option<&Observation<HelloAnswer>> {
        match self.answers.get(&Question::Hello(question.clone())) {
            Some(Answer::Hello(answer)) => Some(answer),
            _ => None,
        }
    }

    pub(crate) fn policy(&self, question: &PolicyQuestion) -> Option<&FetchEnd> {
        match self.answers.get(&Question::Policy(question.clone())) {
            Some(Answer::Policy(end)) => Some(end),
            _ => None,
        }
    }

    pub(crate) fn reach(&self, question: &ReachQuestion) -> Option<&FetchEnd> {
        match self.answers.get(&Question::Reach(question.clone())) {
            Some(Answer::Reach(end)) => Some(end),
            _ => None,
        }
    }

    pub(crate) fn control(&self, question: &ControlQuestion) -> Option<&Connect> {
        match self.answers.get(&Question::Control(question.clone())) {
            Some(Answer::Control(connect)) => Some(connect),
            _ => None,
        }
    }

    pub(crate) fn vantage(&self) -> Option<&Vantage> {
        match self.answers.get(&Question::Vantage) {
            Some(Answer::Vantage(vantage)) => Some(vantage),
            _ => None,
        }
    }

    /// Every issuer certificate that was downloaded.
    pub(crate) fn downloaded_issuers(&self) -> Vec<Vec<u8>> {
        self.answers
            .values()
            .filter_map(|answer| {
                if let Answer::Certificate(Observation::Observed(der)) = answer {
                    Some(der.clone())
                } else {
                    None
                }
            })
            .collect()
    }
}
