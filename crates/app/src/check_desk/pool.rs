//! Measurements that all checks of a process share. What was asked of a host a moment ago is answered from
//! here, two checks that ask the same at once share one session, and an address gets a bounded number of
//! sessions whoever asks and whatever names lead there. What foreign data names is asked on the ports of the
//! web alone. Judgements are never shared (they belong to a domain), and DNS is not kept here. The way in is
//! [`Pool::answer`].

use crate::limits::{MEASURED_ONCE_IN, MEASUREMENTS_MAX, SESSIONS_PER_ADDRESS_MAX};
use crate::world::{Stopwatch, World};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;
use waxseal_check::question::{Answer, Connect, FetchEnd, Question};
use waxseal_proto::observation::{Observation, Reason};

/// RFC 9110 §4.2.1: a missing issuer is fetched from here and from no other port.
const PORT_HTTP: u16 = 80;

/// RFC 9110 §4.2.2: policies, and report addresses.
const PORT_HTTPS: u16 = 443;

/// The shared measurements of a process.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    answers: BTreeMap<Question, (Stopwatch, Arc<OnceCell<Answer>>)>,
    sessions: BTreeMap<(IpAddr, u16), Vec<Stopwatch>>,
}

/// The address may not be asked again yet.
struct TooOften;

impl Pool {
    /// The answer of a moment ago, or a new one; none when the host would be asked too often.
    pub(crate) async fn answer(&self, world: &World, question: &Question) -> Option<Answer> {
        if let Some(answer) = elsewhere(question) {
            return Some(answer);
        }
        let places = places(question);
        if places.is_empty() {
            return Some(world.answer(question).await);
        }
        let cell = self.cell(question)?;
        let measured = cell.get_or_try_init(|| async {
            self.enter(&places)?;
            Ok::<_, TooOften>(world.answer(question).await)
        });
        measured.await.ok().cloned()
    }

    /// The place of a measurement; none when there is no room for another.
    fn cell(&self, question: &Question) -> Option<Arc<OnceCell<Answer>>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((since, cell)) = kept.answers.get(question)
            && since.elapsed() < MEASURED_ONCE_IN
        {
            return Some(Arc::clone(cell));
        }
        if kept.answers.len() >= MEASUREMENTS_MAX {
            kept.answers.retain(|_, (since, _)| since.elapsed() < MEASURED_ONCE_IN);
            kept.sessions.retain(|_, begun| {
                begun.retain(|since| since.elapsed() < MEASURED_ONCE_IN);
                !begun.is_empty()
            });
        }
        if kept.answers.len() >= MEASUREMENTS_MAX {
            return None;
        }
        let cell = Arc::new(OnceCell::new());
        kept.answers.insert(question.clone(), (Stopwatch::start(), Arc::clone(&cell)));
        Some(cell)
    }

    /// Counts a session that was opened before this process began.
    pub(crate) fn count(&self, place: (IpAddr, u16)) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.sessions.entry(place).or_default().push(Stopwatch::start());
    }

    /// Counts a session to each of these places, or to none.
    fn enter(&self, places: &[(IpAddr, u16)]) -> Result<(), TooOften> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for place in places {
            let begun = kept.sessions.entry(*place).or_default();
            begun.retain(|since| since.elapsed() < MEASURED_ONCE_IN);
            if begun.len() >= SESSIONS_PER_ADDRESS_MAX {
                return Err(TooOften);
            }
        }
        for place in places {
            kept.sessions.entry(*place).or_default().push(Stopwatch::start());
        }
        Ok(())
    }
}

/// The answer to a question that leads to a port where strangers may have nothing looked at.
fn elsewhere(question: &Question) -> Option<Answer> {
    match question {
        Question::Certificate(question) if question.port != PORT_HTTP => {
            Some(Answer::Certificate(Observation::NotObserved(Reason::GuardRefused)))
        }
        Question::Reach(question) if question.port != PORT_HTTPS => {
            Some(Answer::Reach(FetchEnd::NotConnected(Connect::GuardRefused)))
        }
        Question::Certificate(_)
        | Question::Control(_)
        | Question::Dns(_)
        | Question::Hello(_)
        | Question::Policy(_)
        | Question::Probe(_)
        | Question::Reach(_)
        | Question::Vantage => None,
    }
}

/// The addresses and ports that a question may lead to; none for what touches no target or is answered by name
/// servers.
fn places(question: &Question) -> Vec<(IpAddr, u16)> {
    let all = |addresses: &[IpAddr], port: u16| {
        addresses.iter().map(|address| (*address, port)).collect()
    };
    match question {
        Question::Certificate(question) => all(&question.addresses, question.port),
        Question::Hello(question) => vec![(question.address, question.port)],
        Question::Policy(question) => all(&question.addresses, PORT_HTTPS),
        Question::Probe(question) => vec![(question.address, question.port)],
        Question::Reach(question) => all(&question.addresses, question.port),
        Question::Control(_) | Question::Dns(_) | Question::Vantage => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use waxseal_check::question::{CertificateQuestion, ReachQuestion};
    use waxseal_proto::name::DomainName;

    #[test]
    fn an_address_gets_a_bounded_number_of_sessions() {
        let pool = Pool::default();
        let address: IpAddr = "198.18.0.1".parse().unwrap();
        let other: IpAddr = "198.18.0.2".parse().unwrap();
        for _ in 0..SESSIONS_PER_ADDRESS_MAX {
            assert!(pool.enter(&[(address, 25)]).is_ok());
        }
        assert!(pool.enter(&[(address, 25)]).is_err());
        assert!(
            pool.enter(&[(other, 25), (address, 25)]).is_err(),
            "not as a second choice either"
        );
        assert!(pool.enter(&[(address, 465)]).is_ok(), "another port");
        for _ in 0..SESSIONS_PER_ADDRESS_MAX {
            assert!(pool.enter(&[(other, 25)]).is_ok(), "a refused one counts nothing");
        }
    }

    #[test]
    fn foreign_data_names_no_port_but_those_of_the_web() {
        let host = DomainName::parse("in.example.test").unwrap();
        let addresses: Vec<IpAddr> = vec!["198.18.0.1".parse().unwrap()];
        for (port, reach, certificate) in
            [(443, true, false), (80, false, true), (8443, false, false), (6379, false, false)]
        {
            let (host, addresses) = (host.clone(), addresses.clone());
            let asked = ReachQuestion { host: host.clone(), port, addresses: addresses.clone() };
            assert_eq!(elsewhere(&Question::Reach(asked)).is_none(), reach, "{port}");
            let asked = CertificateQuestion { host, port, path: "/".to_owned(), addresses };
            assert_eq!(elsewhere(&Question::Certificate(asked)).is_none(), certificate, "{port}");
        }
    }
}
