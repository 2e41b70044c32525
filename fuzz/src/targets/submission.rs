//! A submission with credentials against a peer that says anything at any moment (RFC 3207 §4, RFC 4954 §4,
//! RFC 5321 §3.3).
//!
//! Asserts what must never leave: in clear only EHLO, STARTTLS and QUIT, inside TLS that did not verify at
//! most QUIT, and no credential in anything that is kept of the session.

use std::net::{IpAddr, Ipv4Addr};

use waxseal_proto::name::{DomainName, Mailbox};
use waxseal_proto::secret::Secret;
use waxseal_proto::smtp::command::EhloName;
use waxseal_proto::smtp::sasl::{Choice, ClientNonce, Credential, Mechanism, SignIn};
use waxseal_proto::smtp::session::Verified;
use waxseal_proto::smtp::submission::{
    Goal, Onward, Secured, Security, SubmissionAction, SubmissionOutcome, SubmissionPlan,
    SubmissionSession, Transaction,
};
use waxseal_proto::smtp::{MessageData, ReversePath};
use waxseal_proto::tls::danger::ClearTextAllowance;
use waxseal_proto::tls::requirement::Requirement;

use super::session::{Script, completed, failed};

const OUR_NAME: &str = "client.example";
const USER: &str = "somebody@example.com";
const SECRET: &str = "canary-3fd0a2b1c97e44";
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Steps after which a session counts as endless.
const STEPS_PER_OCTET: usize = 8;
const STEPS_BASE: usize = 128;

/// What the wire carries at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Channel {
    #[default]
    Clear,
    Unverified,
    Verified,
}

#[derive(Default)]
struct Sent {
    channel: Channel,
    clear: Vec<String>,
    unverified: Vec<String>,
    verified: Vec<String>,
}

/// Runs one submission to its end. The first octet chooses mode, mechanism and goal.
pub fn submission(data: &[u8]) {
    let mut script = Script(data);
    let choice = script.octet().unwrap_or_default();
    let Some(plan) = plan(choice) else { return };
    let in_clear = matches!(plan.security, Security::None(_));
    let verify_only = matches!(plan.goal, Goal::Verify);
    let mut session = SubmissionSession::new(plan, PEER);
    let mut sent = Sent::default();
    let mut steps = 0;
    loop {
        steps += 1;
        assert!(steps < STEPS_BASE + data.len() * STEPS_PER_OCTET, "a session without end");
        while session.poll_event().is_some() {}
        match session.poll_action() {
            SubmissionAction::Read { .. } => read(&mut session, &mut script),
            SubmissionAction::Write(octets) => sent.note(octets.expose()),
            SubmissionAction::StartTls => start_tls(&mut session, &mut script, &mut sent),
            SubmissionAction::Close => {}
            SubmissionAction::Done => break,
        }
    }
    sent.judge(in_clear);
    let seen = session.into_seen();
    if seen.outcome == SubmissionOutcome::Accepted && !verify_only {
        let channel = if in_clear { &sent.clear } else { &sent.verified };
        assert!(channel.iter().any(|line| line.contains("DATA\r\n")), "accepted without a message");
    }
    let kept = format!("{seen:?}");
    assert!(!kept.contains(SECRET), "the credential is kept: {kept}");
}

fn plan(choice: u8) -> Option<SubmissionPlan> {
    let name = DomainName::parse(OUR_NAME).ok()?;
    let mechanism = *Mechanism::PREFERRED.get(usize::from(choice / 4) % 8)?;
    let credential = match mechanism {
        Mechanism::Xoauth2 => Credential::Token(Secret::new(SECRET.into())),
        Mechanism::CramMd5 | Mechanism::Login | Mechanism::Plain | Mechanism::ScramSha256 => {
            Credential::Password(Secret::new(SECRET.into()))
        }
    };
    let nonce = ClientNonce::from_random([7; 18]);
    let secured = Secured {
        requirement: Requirement::default(),
        sign_in: SignIn::new(USER, credential, Choice::Only(mechanism), nonce).ok(),
    };
    let security = match choice % 4 {
        1 => Security::Tls(secured),
        2 => Security::None(ClearTextAllowance::for_loopback(PEER)?),
        _ => Security::StartTls(secured),
    };
    let goal = if choice % 4 == 3 { Goal::Verify } else { Goal::Deliver(transaction()?) };
    Some(SubmissionPlan { ehlo_name: EhloName::from(&name), security, goal })
}

fn transaction() -> Option<Transaction> {
    let sender = ReversePath::Mailbox(Mailbox::parse(USER).ok()?);
    let recipients = ["anna@example.net", "ben@example.net"];
    let recipients =
        recipients.iter().map(|text| Mailbox::parse(text).ok()).collect::<Option<_>>()?;
    let message = MessageData::new(b"Subject: a\r\n\r\n.body\r\n".to_vec()).ok()?;
    Transaction::new(sender, recipients, message, Onward::Unspecified).ok()
}

fn read(session: &mut SubmissionSession, script: &mut Script<'_>) {
    match script.octet() {
        None => session.handle_closed(),
        Some(0) => session.handle_timed_out(),
        Some(1) => session.handle_reset(),
        Some(count) => {
            let octets = script.take(usize::from(count));
            session.handle_bytes(octets);
        }
    }
}

fn start_tls(session: &mut SubmissionSession, script: &mut Script<'_>, sent: &mut Sent) {
    let choice = script.octet();
    let verified =
        if choice.is_some_and(|octet| octet % 2 == 0) { Verified::Yes } else { Verified::No };
    match choice {
        None | Some(0..=15) => session.handle_handshake(failed(), verified),
        Some(16..=31) => {
            let octets = script.take(8);
            session.handle_injected(octets);
            if octets.is_empty() {
                session.handle_handshake(failed(), verified);
            }
        }
        Some(_) => {
            sent.channel = match verified {
                Verified::No => Channel::Unverified,
                Verified::Yes => Channel::Verified,
            };
            session.handle_handshake(completed(), verified);
        }
    }
}

impl Sent {
    fn note(&mut self, octets: &[u8]) {
        let text = String::from_utf8_lossy(octets).into_owned();
        assert!(text.ends_with("\r\n"), "a line without CRLF: {text:?}");
        match self.channel {
            Channel::Clear => self.clear.push(text),
            Channel::Unverified => self.unverified.push(text),
            Channel::Verified => self.verified.push(text),
        }
    }

    fn judge(&self, in_clear: bool) {
        let verb = |line: &String| line.split_whitespace().next().unwrap_or_default().to_owned();
        if in_clear {
            let auth = self.clear.iter().any(|line| line.starts_with("AUTH"));
            assert!(!auth, "signed in without TLS: {:?}", self.clear);
            return;
        }
        let order = ["EHLO", "STARTTLS", "QUIT"];
        let places: Vec<Option<usize>> = self
            .clear
            .iter()
            .map(|line| order.iter().position(|known| *known == verb(line)))
            .collect();
        let ordered = places.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
        assert!(ordered && !places.contains(&None), "sent in clear: {:?}", self.clear);
        assert!(self.clear.iter().all(|line| line.matches('\n').count() == 1), "{:?}", self.clear);
        let quits = self.unverified.iter().all(|line| line == "QUIT\r\n");
        assert!(quits && self.unverified.len() <= 1, "sent unverified: {:?}", self.unverified);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_seed_reaches_the_message() {
        let mut reached = 0;
        for seed in crate::corpus::submissions() {
            let mut script = Script(&seed);
            let plan = plan(script.octet().unwrap()).unwrap();
            let mut session = SubmissionSession::new(plan, PEER);
            let mut sent = Sent::default();
            loop {
                match session.poll_action() {
                    SubmissionAction::Read { .. } => read(&mut session, &mut script),
                    SubmissionAction::Write(octets) => sent.note(octets.expose()),
                    SubmissionAction::StartTls => start_tls(&mut session, &mut script, &mut sent),
                    SubmissionAction::Close => {}
                    SubmissionAction::Done => break,
                }
            }
            reached += usize::from(session.into_seen().outcome == SubmissionOutcome::Accepted);
        }
        assert!(reached >= 6, "{reached}");
    }
}
