//! The survey: poses questions, takes answers, yields facts. It never waits and never judges.
//!
//! Order of use: [`Survey::new`], then [`Survey::poll_question`] until `None`, carrying each question out
//! and giving its answer to [`Survey::handle_answer`] (which may make further questions follow), then
//! [`Survey::into_facts`]. [`Survey::stop`] ends it early; what is open then becomes "limit reached".

mod follow_up;
mod hosts;
mod issuer;
mod known;
mod plan;
mod scope;
#[cfg(test)]
mod tests;

pub use scope::{AddressRule, Area, Depth, InputFinding, Scope};

use crate::facts::{self, Facts};
use crate::limits::Limits;
use crate::question::{Answer, FetchEnd, Peer, PolicyQuestion, ProbeQuestion, Question};
use issuer::missing_issuers;
use jiff::Timestamp;
use known::Known;
use plan::Sight;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use waxseal_proto::observation::Observation;
use waxseal_proto::smtp::seen::SessionSeen;
use waxseal_proto::tls::seen::HandshakeSeen;
use waxseal_proto::x509::{ChainQuery, ChainVerdict, ReferenceId, Roots, judge};

pub(crate) use hosts::{addresses, addresses_in, budgeted, exchange_text, mail_hosts, mx_answer};
pub(crate) use known::Known as Answers;
pub(crate) use plan::{
    Sight as View, ZoneServers, organizational_parent, policy_host, policy_question,
    reach_question, report_destinations, rpt_record_set, server_names, sts_record_set, texts,
    zone_servers,
};

/// The number of one question of one survey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuestionId(u64);

/// One survey.
#[derive(Debug)]
pub struct Survey {
    scope: Scope,
    limits: Limits,
    roots: Arc<Roots>,
    known: Known,
    asked: BTreeSet<Question>,
    queue: VecDeque<Question>,
    open: BTreeMap<QuestionId, Question>,
    next_id: u64,
    /// Answers came since the plan was last made.
    plan_is_old: bool,
    stopped: bool,
}

impl Survey {
    /// A survey of one subject. `roots` are the trust anchors that chains are judged by.
    pub fn new(scope: Scope, limits: Limits, roots: Arc<Roots>) -> Self {
        Self {
            scope,
            limits,
            roots,
            known: Known::default(),
            asked: BTreeSet::new(),
            queue: VecDeque::new(),
            open: BTreeMap::new(),
            next_id: 0,
            plan_is_old: true,
            stopped: false,
        }
    }

    /// The next question to carry out now, if any. Questions may be carried out side by side; the survey
    /// is complete when this is `None` and no question is open.
    pub fn poll_question(&mut self) -> Option<(QuestionId, Question)> {
        if self.stopped {
            return None;
        }
        if self.queue.is_empty() {
            self.extend_plan();
        }
        let question = self.queue.pop_front()?;
        let id = QuestionId(self.next_id);
        self.next_id += 1;
        self.open.insert(id, question.clone());
        Some((id, question))
    }

    /// How many questions were handed out and not answered yet.
    pub fn open_questions(&self) -> usize {
        self.open.len()
    }

    /// Takes the answer to a question. An unknown or repeated id is ignored.
    pub fn handle_answer(&mut self, id: QuestionId, answer: Answer, now: Timestamp) {
        let Some(question) = self.open.remove(&id) else { return };
        self.judge_chains(&question, &answer, now);
        self.known.insert(question, answer);
        self.plan_is_old = true;
    }

    /// Ends the survey: no further question follows, and what is unanswered is reported as not checked.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// The facts.
    pub fn into_facts(mut self, now: Timestamp) -> Facts {
        self.extend_plan();
        let cut = self.stopped && !(self.queue.is_empty() && self.open.is_empty());
        let sight = Sight { scope: &self.scope, limits: &self.limits, known: &self.known };
        facts::build(sight, now, cut)
    }

    /// Plans again if an answer came. Left until a question is wanted, so that answers that came together
    /// cost one plan.
    fn extend_plan(&mut self) {
        if !std::mem::take(&mut self.plan_is_old) {
            return;
        }
        let sight = Sight { scope: &self.scope, limits: &self.limits, known: &self.known };
        for question in plan::wanted(sight) {
            // Most of a plan was asked before: only what is new is copied.
            if !self.asked.contains(&question) {
                self.asked.insert(question.clone());
                self.queue.push_back(question);
            }
        }
    }

    /// Judges a presented chain once, when it arrives; and again what lacked an issuer, when one arrives.
    fn judge_chains(&mut self, question: &Question, answer: &Answer, now: Timestamp) {
        match (question, answer) {
            (Question::Probe(probe), Answer::Probe(seen)) => {
                let chain = seen.session.seen().and_then(session_chain);
                let verdict = seen
                    .judged
                    .clone()
                    .or_else(|| chain.map(|chain| self.verdict(chain, &probe.peer, now)));
                if let Some(verdict) = verdict {
                    self.known.chains.insert(probe.clone(), verdict);
                }
            }
            (Question::Policy(policy), Answer::Policy(FetchEnd::TlsRefused(handshake))) => {
                if let Some(chain) = handshake.chain.seen() {
                    let verdict = self.verdict(chain, &Peer::Host(policy.host.clone()), now);
                    self.known.policy_chains.insert(policy.clone(), verdict);
                }
            }
            (Question::Certificate(_), Answer::Certificate(Observation::Observed(der))) => {
                self.judge_again_with(der, now);
            }
            _ => {}
        }
    }

    fn judge_again_with(&mut self, der: &[u8], now: Timestamp) {
        let mut extra = self.known.downloaded_issuers();
        extra.push(der.to_vec());
        let incomplete: Vec<ProbeQuestion> = self
            .known
            .chains
            .iter()
            .filter(|(_, verdict)| !missing_issuers(verdict).is_empty())
            .map(|(probe, _)| probe.clone())
            .collect();
        for probe in incomplete {
            let chain = self
                .known
                .probe(&probe)
                .and_then(|seen| seen.session.seen().and_then(session_chain))
                .cloned();
            let Some(chain) = chain else { continue };
            let verdict = judge(&ChainQuery {
                extra_intermediates: &extra,
                ..self.query(&chain, Some(&reference(&probe.peer)), now)
            });
            self.known.chains.insert(probe, verdict);
        }
    }

    fn verdict(&self, chain: &[Vec<u8>], peer: &Peer, now: Timestamp) -> ChainVerdict {
        judge(&self.query(chain, Some(&reference(peer)), now))
    }

    fn query<'a>(
        &'a self,
        chain: &'a [Vec<u8>],
        reference: Option<&'a ReferenceId>,
        now: Timestamp,
    ) -> ChainQuery<'a> {
        ChainQuery {
            chain,
            roots: &self.roots,
            reference,
            now,
            crls: &[],
            max_depth: None,
            extra_intermediates: &[],
        }
    }
}

fn session_chain(session: &SessionSeen) -> Option<&Vec<Vec<u8>>> {
    let HandshakeSeen { chain, .. } = session.handshake.seen()?;
    chain.seen()
}

fn reference(peer: &Peer) -> ReferenceId {
    match peer {
        Peer::Address(address) => ReferenceId::Ip(*address),
        Peer::Host(host) => ReferenceId::Dns(host.clone()),
    }
}

/// The policy question of a domain's survey, for the facts.
pub(crate) fn policy_question_of(known: &Known, scope: &Scope) -> Option<PolicyQuestion> {
    policy_question(known, scope.target.domain()?)
}
