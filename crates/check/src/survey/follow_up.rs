//! Which further sessions tell look-alike faults apart ("faults: test one variable at a time"): the hello
//! that offers old versions, the one without the hybrid share, the one without SNI. They run after the
//! first session to the same address and never become a setting.

use crate::question::{HelloQuestion, ProbeQuestion, ProbeSeen, Question};
use waxseal_proto::observation::Observation;
use waxseal_proto::smtp::seen::{SessionEnd, SessionSeen, Stage};
use waxseal_proto::tls::hello::HelloPlan;
use waxseal_proto::tls::seen::{Alert, HandshakeEnd, HandshakeFailure, Offer, TlsVersion};

/// The further questions after the first session to one address, most telling first.
pub(crate) fn follow_ups(first: &ProbeQuestion, seen: &ProbeSeen) -> Vec<Question> {
    let Observation::Observed(session) = &seen.session else { return Vec::new() };
    let hello = |plan| {
        Question::Hello(HelloQuestion {
            peer: first.peer.clone(),
            address: first.address,
            port: first.port,
            plan,
        })
    };
    let probe = |offer| Question::Probe(ProbeQuestion { offer, ..first.clone() });
    if silent_at_greeting(session) {
        return vec![hello(HelloPlan::ImplicitTls)];
    }
    let Observation::Observed(handshake) = &session.handshake else { return Vec::new() };
    match &handshake.end {
        HandshakeEnd::Completed(tls) => {
            let mut questions = vec![probe(Offer::WithoutSni)];
            if tls.version == TlsVersion::Tls12 {
                questions.push(hello(HelloPlan::Tls12Extensions));
            }
            questions
        }
        HandshakeEnd::Failed(failure) => match failure {
            HandshakeFailure::TimedOut { .. } | HandshakeFailure::Reset => {
                vec![probe(Offer::SmallHello)]
            }
            HandshakeFailure::Closed => {
                vec![probe(Offer::SmallHello), hello(HelloPlan::OldVersions)]
            }
            HandshakeFailure::AlertReceived(alert) => after_alert(*alert, hello),
            HandshakeFailure::Incompatible(_) => vec![
                hello(HelloPlan::OldVersions),
                hello(HelloPlan::AnySuite),
                hello(HelloPlan::AnyGroup),
                hello(HelloPlan::AnySignature),
            ],
            HandshakeFailure::Malformed(_)
            | HandshakeFailure::NotTls(_)
            | HandshakeFailure::IntegrityFailed(_)
            | HandshakeFailure::RecordOverflow => Vec::new(),
        },
    }
}

fn after_alert(alert: Alert, hello: impl Fn(HelloPlan) -> Question) -> Vec<Question> {
    match alert.0 {
        // protocol_version, internal_error: OpenSSL answers an old version with either.
        70 | 80 => vec![hello(HelloPlan::OldVersions)],
        // handshake_failure, unsupported_certificate, illegal_parameter.
        40 | 43 | 47 => vec![
            hello(HelloPlan::OldVersions),
            hello(HelloPlan::AnySuite),
            hello(HelloPlan::AnyGroup),
            hello(HelloPlan::AnySignature),
        ],
        _ => Vec::new(),
    }
}

fn silent_at_greeting(session: &SessionSeen) -> bool {
    session.stage == Stage::Greeting
        && session.first_octets.is_empty()
        && matches!(session.end, SessionEnd::TimedOut { .. } | SessionEnd::Closed)
}
