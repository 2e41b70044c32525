//! Carries one hand-made ClientHello to a server and its flight back (RFC 9846 §4.1.2, RFC 3207 §4): the SMTP
//! part up to STARTTLS, then raw octets both ways. It finishes no handshake and knows nothing of what the
//! octets mean. The way in is [`hello`]; a change must keep it at one hello per connection.

use crate::executor::connect_to;
use crate::limits::READ_OCTETS_MAX;
use crate::policy_fetch::reason_of;
use crate::smtp_driver::{StageTimes, drive_to_starttls};
use crate::world::World;
use std::io::ErrorKind;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use waxseal_check::question::{HelloQuestion, Peer};
use waxseal_proto::observation::{Observation, Reason};
use waxseal_proto::smtp::seen::Stage;
use waxseal_proto::smtp::session::{ProbePlan, Until};
use waxseal_proto::tls::hello::{ClientHello, ClientRandom, HelloAnswer, HelloPlan, ServerFlight};

/// Sends one hello on a connection of its own.
pub(crate) async fn hello(world: &World, question: &HelloQuestion) -> Observation<HelloAnswer> {
    let Some(record) = record(world, question) else {
        return Observation::NotObserved(Reason::EarlierStageFailed);
    };
    let ehlo_name = world.vantage().await.ehlo_name.clone();
    let _permit = world.budget().enter(question.address).await;
    let mut times = StageTimes::start(world.limits());
    let target = (question.address, question.port);
    let stream = match connect_to(world, &question.peer, target).await {
        Ok(stream) => stream,
        Err(connect) => return Observation::NotObserved(reason_of(&connect)),
    };
    let ready = match question.plan {
        HelloPlan::ImplicitTls => Ok(stream),
        HelloPlan::AnyGroup
        | HelloPlan::AnySignature
        | HelloPlan::AnySuite
        | HelloPlan::OldVersions
        | HelloPlan::Tls12Extensions => {
            let plan = ProbePlan { ehlo_name, until: Until::StartTls };
            Box::pin(drive_to_starttls(stream, plan, &mut times)).await
        }
    };
    let stream = match ready {
        Ok(stream) => stream,
        Err((stage, end)) => return Observation::Observed(HelloAnswer::NotReached { stage, end }),
    };
    let limit = times.enter(Stage::Handshake);
    Observation::Observed(flight(stream, &record, limit).await)
}

/// The hello as octets; `None` when the operating system gives no random ones.
fn record(world: &World, question: &HelloQuestion) -> Option<Vec<u8>> {
    let mut random = ClientRandom { random: [0; 32], session_id: [0; 32] };
    world.tls().fill_random(&mut random.random).ok()?;
    world.tls().fill_random(&mut random.session_id).ok()?;
    let server_name = match &question.peer {
        Peer::Address(_) => None,
        Peer::Host(host) => Some(host),
    };
    Some(ClientHello::for_plan(question.plan).to_record(server_name, &random))
}

/// Sends the hello and reads until the flight has an answer or the limit is reached.
async fn flight(mut stream: TcpStream, record: &[u8], limit: Duration) -> HelloAnswer {
    let mut flight = ServerFlight::new();
    let conversation = async {
        // What stood in the way of the write shows in the read.
        let _ = stream.write_all(record).await;
        let mut buffer = [0; READ_OCTETS_MAX];
        loop {
            match stream.read(&mut buffer).await {
                Ok(0) => flight.handle_closed(),
                Ok(count) => {
                    flight.handle_server_bytes(buffer.get(..count).unwrap_or_default());
                }
                Err(error) if error.kind() == ErrorKind::ConnectionReset => flight.handle_reset(),
                Err(_) => flight.handle_closed(),
            }
            if let Some(answer) = flight.poll_answer() {
                return answer;
            }
        }
    };
    if let Ok(answer) = timeout(limit, conversation).await {
        return answer;
    }
    flight.handle_timed_out();
    flight.poll_answer().unwrap_or(HelloAnswer::TimedOut)
}
