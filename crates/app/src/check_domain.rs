//! Check one domain: survey, questions to the world, facts, report. It decides nothing itself; the loop ends
//! when the survey has no question left, or at its time limit.

use crate::check_desk::Pool;
use crate::world::World;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use waxseal_check::facts::Facts;
use waxseal_check::limits::Limits;
use waxseal_check::question::{
    Answer, ControlQuestion, DnsQuestion, DnsServer, Peer, ProbeQuestion, Question,
};
use waxseal_check::report::wire::ReportV1;
use waxseal_check::report::{Run, Simulated, refused_input, report};
use waxseal_check::survey::{Area, Depth, InputFinding, Scope, Survey};

use waxseal_proto::dns::{MxExchange, MxSet, QueryName, Record, RecordType};
use waxseal_proto::name::{DomainName, InputNote, Target, TargetInput};
use waxseal_proto::smtp::outcome::ProbeOutcome;
use waxseal_proto::smtp::seen::Stage;

/// What to check, as the caller gives it.
#[derive(Clone, Debug)]
pub struct CheckRequest {
    /// What was typed: a domain, or something that names one.
    pub input: String,
    /// The areas to look at.
    pub areas: Vec<Area>,
    /// How many sessions an address may get.
    pub depth: Depth,
    /// The MX hosts that the provider's page lists.
    pub expected_mx: Vec<DomainName>,
    /// Hosts known to answer, from the administrator's configuration.
    pub controls: Vec<ControlHost>,
    /// The port of the mail hosts.
    pub port: u16,
    /// Limits of the survey.
    pub limits: Limits,
    /// Seed for the order of hosts of equal preference.
    pub shuffle_seed: u64,
}

/// A control host of the administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlHost {
    /// Name or address.
    pub host: Target,
    /// Port, usually 25.
    pub port: u16,
}

/// Something that happened while a check runs, for people who watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A session to a mail host begins.
    ProbeBegan {
        /// The host.
        host: String,
        /// Its address.
        address: IpAddr,
    },
    /// A session to a mail host ended.
    ProbeEnded {
        /// The host.
        host: String,
        /// Its address.
        address: IpAddr,
        /// How long it took.
        took: Duration,
        /// What the session came to. Whether the fault is on this side is judged at the end only.
        outcome: ProbeOutcome,
        /// How long each stage took that was entered, in order.
        timings: Vec<(Stage, Duration)>,
    },
    /// The mail hosts of a name were looked up.
    MxAnswered {
        /// The name.
        name: String,
        /// The hosts that were found, in order of preference.
        hosts: Vec<String>,
    },
    /// An MTA-STS policy was fetched, or could not be.
    PolicyFetched {
        /// The host it was wanted from.
        host: String,
    },
}

/// A finished check.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The report.
    pub report: ReportV1,
    /// The facts behind it; none for an input that names nothing.
    pub facts: Option<Facts>,
}

impl CheckRequest {
    /// A full check on port 25.
    pub fn full(input: impl Into<String>) -> Self {
        Self {
            input: input.into(),
            areas: Area::ALL.to_vec(),
            depth: Depth::WithFollowUps,
            expected_mx: Vec::new(),
            controls: Vec::new(),
            port: 25,
            limits: Limits::default(),
            shuffle_seed: 0,
        }
    }
}

/// Checks one domain. Measurements that the pool has from a moment ago are not made again, and what would
/// be too much for a host is left out.
pub(crate) async fn check_domain_sharing(
    world: &World,
    pool: &Pool,
    request: &CheckRequest,
    progress: &(dyn Fn(Progress) + Sync),
) -> Checked {
    check(world, request, Watch { progress, given: &|_| None, pool: Some(pool) }).await
}

/// Checks one domain. It always yields a report; what could not be learned is in its coverage.
pub async fn check_domain(
    world: &World,
    request: &CheckRequest,
    progress: &(dyn Fn(Progress) + Sync),
) -> Checked {
    check(world, request, Watch { progress, given: &|_| None, pool: None }).await
}

async fn check(world: &World, request: &CheckRequest, watch: Watch<'_>) -> Checked {
    let began = world.stopwatch();
    let checked_at = world.now();
    let simulated = if world.is_simulated() { Simulated::Yes } else { Simulated::No };
    let run = |took| Run { checked_at, took, simulated };
    let input = match TargetInput::parse(&request.input) {
        Ok(input) => input,
        Err(error) => {
            let note = InputFinding { code: error.code(), detail: error.to_string() };
            let report = refused_input(&shown(&request.input), &note, run(began.elapsed()));
            return Checked { report, facts: None };
        }
    };
    let scope = scope(world, request, input).await;
    let facts = run_survey(world, scope, &request.limits, watch).await;
    let report = report(&facts, run(began.elapsed()));
    Checked { report, facts: Some(facts) }
}

/// A refused input in a report is cut, so that a report cannot grow with it.
fn shown(input: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 200;
    input.chars().take(SHOWN_CHARS_MAX).collect()
}

async fn scope(world: &World, request: &CheckRequest, input: TargetInput) -> Scope {
    let input_notes = input
        .notes
        .iter()
        .map(|note| InputFinding { code: note.code(), detail: note_words(note, &input.target) })
        .collect();
    Scope {
        input_notes,
        port: request.port,
        areas: request.areas.iter().copied().collect(),
        depth: request.depth,
        expected_mx: request.expected_mx.clone(),
        controls: control_questions(world, &request.controls).await,
        address_rule: world.address_rule(),
        shuffle_seed: request.shuffle_seed,
        ..Scope::full(input.target)
    }
}

fn note_words(note: &InputNote, target: &Target) -> String {
    match note {
        InputNote::AddressGiven(_) => format!("an email address was given, checked: {target}"),
        InputNote::PortGiven(port) => {
            format!("port {port} was given and not used, checked: {target}")
        }
        InputNote::IpLiteral | InputNote::PublicSuffix => target.to_string(),
        InputNote::UrlGiven(_) => format!("a URL was given, checked: {target}"),
    }
}

/// The addresses of the control hosts. One that does not resolve proves nothing and is left out.
pub(crate) async fn control_questions(
    world: &World,
    controls: &[ControlHost],
) -> Vec<ControlQuestion> {
    let mut questions = Vec::new();
    for control in controls {
        let address = match &control.host {
            Target::Address(address) => Some(*address),
            Target::Domain(name) => first_address(world, name).await,
        };
        questions.extend(address.map(|address| ControlQuestion { address, port: control.port }));
    }
    questions
}

/// The first address of a name, IPv4 before IPv6.
pub(crate) async fn first_address(world: &World, name: &DomainName) -> Option<IpAddr> {
    for record_type in [RecordType::A, RecordType::Aaaa] {
        let name = QueryName::from(name);
        let question = DnsQuestion { name, record_type, server: DnsServer::Resolver };
        if let Answer::Dns(answer) = world.answer(&Question::Dns(question)).await {
            for record in answer.records() {
                if let Record::Address(address) = record {
                    return Some(*address);
                }
            }
        }
    }
    None
}

/// Runs one survey to its end. Questions are carried out side by side; the world holds back what must
/// not run together.
pub async fn survey(
    world: &World,
    scope: Scope,
    limits: &Limits,
    progress: &(dyn Fn(Progress) + Sync),
) -> Facts {
    run_survey(world, scope, limits, Watch { progress, given: &|_| None, pool: None }).await
}

/// Runs one survey in which some answers are given and never asked of the world.
pub(crate) async fn survey_where(
    world: &World,
    scope: Scope,
    limits: &Limits,
    given: &(dyn Fn(&Question) -> Option<Answer> + Sync),
) -> Facts {
    run_survey(world, scope, limits, Watch { progress: &|_| {}, given, pool: None }).await
}

/// Who watches a survey, and who answers before the world does.
#[derive(Clone, Copy)]
struct Watch<'a> {
    progress: &'a (dyn Fn(Progress) + Sync),
    given: &'a (dyn Fn(&Question) -> Option<Answer> + Sync),
    pool: Option<&'a Pool>,
}

async fn run_survey(world: &World, scope: Scope, limits: &Limits, watch: Watch<'_>) -> Facts {
    let mut survey = Survey::new(scope, limits.clone(), Arc::clone(world.roots()));
    let mut running = FuturesUnordered::new();
    let time_is_up = tokio::time::sleep(limits.survey_total);
    tokio::pin!(time_is_up);
    let mut left_out = false;
    loop {
        while let Some((id, question)) = survey.poll_question() {
            running.push(async move { (id, carry_out(world, &question, watch).await) });
        }
        tokio::select! {
            answered = running.next() => match answered {
                Some(answered) => {
                    let mut next = Some(answered);
                    while let Some((id, answer)) = next {
                        match answer {
                            Some(answer) => survey.handle_answer(id, answer, world.now()),
                            None => left_out = true,
                        }
                        next = running.next().now_or_never().flatten();
                    }
                }
                None => break,
            },
            () = &mut time_is_up => {
                survey.stop();
                break;
            }
        }
    }
    drop(running);
    if left_out {
        survey.stop();
    }
    survey.into_facts(world.now())
}

/// The answer to a question; none when the question was left out to spare a host.
async fn carry_out(world: &World, question: &Question, watch: Watch<'_>) -> Option<Answer> {
    if let Some(answer) = (watch.given)(question) {
        return Some(answer);
    }
    let probe = watched(question);
    if let Some((host, address)) = probe.clone() {
        (watch.progress)(Progress::ProbeBegan { host, address });
    }
    let began = world.stopwatch();
    let answer = match watch.pool {
        Some(pool) => pool.answer(world, question).await?,
        None => world.answer(question).await,
    };
    match (probe, &answer) {
        (Some((host, address)), Answer::Probe(seen)) => (watch.progress)(Progress::ProbeEnded {
            host,
            address,
            took: began.elapsed(),
            outcome: seen.outcome(),
            timings: seen.timings.clone(),
        }),
        _ => looked_up(question, &answer, watch),
    }
    Some(answer)
}

/// Tells about answers other than sessions that people want to watch.
fn looked_up(question: &Question, answer: &Answer, watch: Watch<'_>) {
    match (question, answer) {
        (Question::Dns(question), Answer::Dns(answer))
            if question.record_type == RecordType::Mx && question.server == DnsServer::Resolver =>
        {
            let set = MxSet::from_answer(answer);
            let hosts = set.records().iter().map(|record| exchange(&record.exchange)).collect();
            (watch.progress)(Progress::MxAnswered { name: question.name.to_string(), hosts });
        }
        (Question::Policy(question), Answer::Policy(_)) => {
            (watch.progress)(Progress::PolicyFetched { host: question.host.to_string() });
        }
        _ => {}
    }
}

fn exchange(exchange: &MxExchange) -> String {
    match exchange {
        MxExchange::AddressLiteral(address) => address.to_string(),
        MxExchange::Host(host) => host.to_string(),
        MxExchange::Invalid(text) => text.clone(),
        MxExchange::Root => ".".to_owned(),
    }
}

/// The host and address of a question that people want to watch.
fn watched(question: &Question) -> Option<(String, IpAddr)> {
    let Question::Probe(ProbeQuestion { peer, address, .. }) = question else { return None };
    let host = match peer {
        Peer::Address(address) => address.to_string(),
        Peer::Host(host) => host.to_string(),
    };
    Some((host, *address))
}
