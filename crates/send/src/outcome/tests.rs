//! Tests of outcomes: whole sessions in clear to a scripted peer, and what they mean for each recipient.

use super::{Outcome, outcomes};
use waxseal_proto::name::Mailbox;
use waxseal_proto::smtp::command::EhloName;
use waxseal_proto::smtp::reply_class::Scope;
use waxseal_proto::smtp::submission::{
    Goal, Onward, Security, SubmissionAction, SubmissionPlan, SubmissionSession, Transaction,
};
use waxseal_proto::smtp::{MessageData, ReversePath};
use waxseal_proto::tls::danger::ClearTextAllowance;

/// Runs a session in which the server gives these replies in turn, then falls silent.
fn run(replies: &[&str]) -> Vec<Outcome> {
    let loopback = std::net::Ipv4Addr::LOCALHOST.into();
    let recipients = ["b@example.net", "c@example.net"];
    let transaction = Transaction::new(
        ReversePath::Null,
        recipients.iter().map(|text| Mailbox::parse(text).unwrap()).collect(),
        MessageData::new(b"Subject: a\r\n\r\nb\r\n".to_vec()).unwrap(),
        Onward::Unspecified,
    );
    let plan = SubmissionPlan {
        ehlo_name: EhloName::from(loopback),
        security: Security::None(ClearTextAllowance::for_loopback(loopback).unwrap()),
        goal: Goal::Deliver(transaction.unwrap()),
    };
    let mut session = SubmissionSession::new(plan, loopback);
    let mut replies = replies.iter();
    loop {
        match session.poll_action() {
            SubmissionAction::Read { .. } => match replies.next() {
                Some(reply) => session.handle_bytes(format!("{reply}\r\n").as_bytes()),
                None => session.handle_timed_out(),
            },
            SubmissionAction::Done => break,
            SubmissionAction::Write(_) | SubmissionAction::StartTls | SubmissionAction::Close => {}
        }
    }
    outcomes(&session.into_seen()).into_iter().map(|(_, outcome)| outcome).collect()
}

fn word(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Accepted { id } => format!("accepted {}", id.as_deref().unwrap_or("-")),
        Outcome::Deferred(refusal) => format!("deferred {}", refusal.scope.as_str()),
        Outcome::Rejected(refusal) => format!("rejected {}", refusal.scope.as_str()),
        Outcome::Uncertain => "uncertain".to_owned(),
    }
}

#[test]
fn each_recipient_gets_what_the_replies_say_of_it() {
    let begin = ["220 a", "250 a"];
    for (replies, first, second) in [
        (vec!["250 a", "250 a", "250 a", "354 a", "250 2.0.0 q1"], "accepted q1", "accepted q1"),
        (
            vec!["250 a", "550 5.1.1 who", "250 a", "354 a", "250 q1"],
            "rejected recipient",
            "accepted q1",
        ),
        (
            vec!["250 a", "250 a", "452 4.2.2 full", "354 a", "250 q1"],
            "accepted q1",
            "deferred recipient",
        ),
        (vec!["250 a", "550 5.7.1 no", "550 who"], "rejected message", "rejected recipient"),
        (
            vec!["250 a", "550 relay denied", "550 5.1.2 x"],
            "rejected session",
            "rejected recipient",
        ),
        (vec!["550 5.1.8 bad sender"], "rejected message", "rejected message"),
        (
            vec!["250 a", "250 a", "250 a", "354 a", "554 5.7.1 spam"],
            "rejected message",
            "rejected message",
        ),
        (
            vec!["250 a", "250 a", "250 a", "354 a", "554 5.1.1 who"],
            "rejected message",
            "rejected message",
        ),
        (
            vec!["250 a", "250 a", "250 a", "354 a", "451 4.3.0 later"],
            "deferred host",
            "deferred host",
        ),
        (vec!["250 a", "250 a", "250 a", "354 a"], "uncertain", "uncertain"),
        (vec!["250 a", "250 a", "550 5.1.1 who", "354 a"], "uncertain", "rejected recipient"),
        (vec!["250 a", "250 a", "250 a"], "deferred session", "deferred session"),
        (vec![], "deferred session", "deferred session"),
    ] {
        let whole: Vec<&str> = begin.iter().chain(&replies).copied().collect();
        let words: Vec<String> = run(&whole).iter().map(word).collect();
        assert_eq!(words, [first, second], "{replies:?}");
    }
}

#[test]
fn only_recipient_scope_speaks_of_a_recipient() {
    assert_eq!(Scope::Recipient.as_str(), "recipient");
    for reply in ["554 5.7.1 spam", "552 5.3.4 too big", "530 5.7.0 Authentication required"] {
        let outcome = run(&["220 a", "250 a", "250 a", "250 a", "250 a", "354 a", reply]);
        assert!(
            outcome.iter().all(|outcome| !word(outcome).contains("recipient")),
            "{reply} {outcome:?}"
        );
    }
}
