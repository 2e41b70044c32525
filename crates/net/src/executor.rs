//! Carries a question out and always answers (RFC 5321 §3, RFC 1035 §3): one function per kind of question,
//! each under its limits and its place in the budget. It poses no question of its own and repeats none.
//! The way in is [`World::answer`]; a change must keep it infallible.

use crate::dial::Target;
use crate::hello_driver;
use crate::policy_fetch::{certificate, policy, reach, reason_of};
use crate::smtp_driver::{StageTimes, drive};
use crate::world::World;
use std::net::IpAddr;
use tokio::net::TcpStream;
use waxseal_check::question::{
    Answer, Connect, ControlQuestion, DnsQuestion, DnsServer, Peer, ProbeQuestion, ProbeSeen,
    Question,
};
use waxseal_proto::dns::DnsAnswer;
use waxseal_proto::observation::Observation;
use waxseal_proto::smtp::session::{ProbePlan, Until};

impl World {
    /// Answers a question; at worst the answer says why nothing was observed.
    pub async fn answer(&self, question: &Question) -> Answer {
        match question {
            Question::Certificate(question) => {
                Answer::Certificate(certificate(self, question).await)
            }
            Question::Control(question) => Answer::Control(control(self, question).await),
            Question::Dns(question) => Answer::Dns(dns(self, question).await),
            Question::Hello(question) => {
                Answer::Hello(Box::pin(hello_driver::hello(self, question)).await)
            }
            Question::Policy(question) => Answer::Policy(policy(self, question).await),
            Question::Probe(question) => Answer::Probe(Box::pin(probe(self, question)).await),
            Question::Reach(question) => Answer::Reach(reach(self, question).await),
            Question::Vantage => Answer::Vantage(self.vantage().await.vantage.clone()),
        }
    }
}

async fn dns(world: &World, question: &DnsQuestion) -> DnsAnswer {
    match question.server {
        DnsServer::Authoritative(server) => {
            world.ask_server(server, (&question.name, question.record_type)).await
        }
        DnsServer::Resolver => world.resolve(&question.name, question.record_type).await,
    }
}

async fn control(world: &World, question: &ControlQuestion) -> Connect {
    let target = Target { host: None, address: question.address, port: question.port };
    let _permit = world.budget().enter(question.address).await;
    match world.dialer().dial(&target).await {
        Ok(_) => Connect::Connected,
        Err(connect) => connect,
    }
}

/// Connects to a mail host. The name only matters for connect rules.
pub(crate) async fn connect_to(
    world: &World,
    peer: &Peer,
    (address, port): (IpAddr, u16),
) -> Result<TcpStream, Connect> {
    let host = match peer {
        Peer::Address(_) => None,
        Peer::Host(host) => Some(host.as_str()),
    };
    world.dialer().dial(&Target { host, address, port }).await
}

async fn probe(world: &World, question: &ProbeQuestion) -> ProbeSeen {
    let ehlo_name = world.vantage().await.ehlo_name.clone();
    let _permit = world.budget().enter(question.address).await;
    let mut times = StageTimes::start(world.limits());
    let target = (question.address, question.port);
    match connect_to(world, &question.peer, target).await {
        Err(connect) => {
            let session = Observation::NotObserved(reason_of(&connect));
            ProbeSeen { connect, session, timings: times.finish(), judged: None }
        }
        Ok(stream) => {
            let plan = ProbePlan { ehlo_name, until: Until::Quit };
            let (session, judged) =
                Box::pin(drive(world.tls(), stream, question, plan, &mut times)).await;
            ProbeSeen {
                connect: Connect::Connected,
                session: Observation::Observed(session),
                timings: times.finish(),
                judged,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Settings, Simulation, ZoneFile};
    use futures::FutureExt;

    #[tokio::test]
    async fn a_control_waits_for_the_turn_of_its_address() {
        let simulation =
            Simulation { zone_file: Some(ZoneFile::default()), ..Simulation::default() };
        let world = World::real(Settings { simulation, ..Settings::default() }).unwrap();
        let address: IpAddr = "127.0.0.1".parse().unwrap();
        let question = Question::Control(ControlQuestion { address, port: 9 });
        let permit = world.budget().enter(address).await;
        assert!(Box::pin(world.answer(&question)).now_or_never().is_none(), "the turn is taken");
        drop(permit);
        let answer = Box::pin(world.answer(&question)).await;
        assert_eq!(answer, Answer::Control(Connect::GuardRefused));
    }
}
