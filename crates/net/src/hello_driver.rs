//! Carries one hand-made ClientHello to a server (RFC 9846 §4.1.2, RFC 3207 §4).

use crate::world::World;
use waxseal_check::question::HelloQuestion;
use waxseal_proto::observation::{Observation, Reason};
use waxseal_proto::tls::hello::HelloAnswer;

/// Sends one hello on a connection of its own.
pub(crate) fn hello(_world: &World, _question: &HelloQuestion) -> Observation<HelloAnswer> {
    Observation::NotObserved(Reason::NotAsked)
}
