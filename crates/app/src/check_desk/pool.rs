//! Measurements that all checks of a process share. What was asked of a host a moment ago is answered from
//! here, two checks that ask the same at once share one session, and an address gets a bounded number of
//! sessions whoever asks and whatever names lead there. Judgements are never shared (they belong to a domain),
//! and DNS is not kept here. The way in is [`Pool::answer`].

use crate::limits::{MEASURED_ONCE_IN, MEASUREMENTS_MAX, SESSIONS_PER_ADDRESS_MAX};
use crate::world::{Stopwatch, World};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;
use waxseal_check::question::{Answer, Question};

/// Port of HTTPS and of the fetch of issuers, for counting.
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
        let Some(place) = place(question) else { return Some(world.answer(question).await) };
        let cell = self.cell(question)?;
        let measured = cell.get_or_try_init(|| async {
            self.enter(place)?;
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

    fn enter(&self, place: (IpAddr, u16)) -> Result<(), TooOften> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = kept.sessions.entry(place).or_default();
        begun.retain(|since| since.elapsed() < MEASURED_ONCE_IN);
        if begun.len() >= SESSIONS_PER_ADDRESS_MAX {
            return Err(TooOften);
        }
        begun.push(Stopwatch::start());
        Ok(())
    }
}

/// The address and port that a question leads to; none for what touches no target or is answered by name
/// servers.
fn place(question: &Question) -> Option<(IpAddr, u16)> {
    match question {
        Question::Certificate(question) => Some((*question.addresses.first()?, question.port)),
        Question::Hello(question) => Some((question.address, question.port)),
        Question::Policy(question) => Some((*question.addresses.first()?, PORT_HTTPS)),
        Question::Probe(question) => Some((question.address, question.port)),
        Question::Reach(question) => Some((*question.addresses.first()?, question.port)),
        Question::Control(_) | Question::Dns(_) | Question::Vantage => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_a_bounded_number_of_sessions() {
        let pool = Pool::default();
        let place = ("198.18.0.1".parse().unwrap(), 25);
        for _ in 0..SESSIONS_PER_ADDRESS_MAX {
            assert!(pool.enter(place).is_ok());
        }
        assert!(pool.enter(place).is_err());
        assert!(pool.enter(("198.18.0.1".parse().unwrap(), 465)).is_ok(), "another port");
    }
}
