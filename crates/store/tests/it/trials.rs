//! What the store must do with tests and verifications: part of the conformance suite.

use jiff::SignedDuration;
use waxseal_store::StoreError;
use waxseal_store::connection::{
    Connection, ConnectionState, NewTrial, TrialKind, TrialOutcome, Use,
};
use waxseal_store::connections::{
    Connections, Page, ReceivedNote, Recorded, TrialGate, TrialPace, TrialStart,
};
use waxseal_store::id::WorkspaceId;

use crate::conformance::{later, line, new_connection, now, one, trial};

/// Runs this part.
pub(crate) async fn conform<C: Connections>(store: &C, workspace: WorkspaceId, other: WorkspaceId) {
    tests_decide_the_state(store, workspace).await;
    trials_are_paced_and_never_repeated(store, workspace, other).await;
    the_newest_is_the_one_that_began_last(store, workspace).await;
    a_lost_trial_has_a_record(store, workspace).await;
    arrivals_are_noted(store, workspace, other).await;
}

const PACE: TrialPace = TrialPace {
    trials_max: 3,
    window: SignedDuration::from_mins(10),
    lasts_at_most: SignedDuration::from_mins(5),
};

fn start(connection: &Connection, seconds: i64, key: Option<&str>) -> TrialStart {
    let if_lost = trial(connection, seconds, TrialOutcome::Unknown);
    TrialStart { kind: TrialKind::Test, if_lost, key: key.map(line) }
}

/// What a test that began came to.
fn ended(start: &TrialStart, outcome: TrialOutcome) -> NewTrial {
    NewTrial { outcome, ..start.if_lost.clone() }
}

async fn tests_decide_the_state<C: Connections>(store: &C, workspace: WorkspaceId) {
    let new = new_connection("tested");
    store.insert(workspace, std::slice::from_ref(&new), now()).await.unwrap();
    let before = one(store, workspace, new.id).await;
    let cases = [
        (10, TrialOutcome::Failed, Recorded::Decides, ConnectionState::Failing),
        (20, TrialOutcome::Accepted, Recorded::Decides, ConnectionState::Passing),
        // The clock was set back.
        (15, TrialOutcome::Rejected, Recorded::Decides, ConnectionState::Failing),
        (30, TrialOutcome::Rejected, Recorded::Decides, ConnectionState::Failing),
        (40, TrialOutcome::Accepted, Recorded::Decides, ConnectionState::Passing),
        (50, TrialOutcome::Unknown, Recorded::Decides, ConnectionState::Failing),
    ];
    for (seconds, outcome, recorded, state) in cases {
        let test = trial(&before, seconds, outcome);
        assert_eq!(store.record_test(workspace, &[test]).await.unwrap(), [recorded], "{seconds}");
        assert_eq!(one(store, workspace, new.id).await.state, state, "{seconds}");
    }
    let verify = trial(&before, 60, TrialOutcome::Accepted);
    store.record_verify(workspace, std::slice::from_ref(&verify)).await.unwrap();
    let read = one(store, workspace, new.id).await;
    assert_eq!(read.state, ConnectionState::Failing, "a verification dismisses no failed test");
    assert_eq!(read.last_test.unwrap().started_at, later(50));
    assert_eq!(read.last_verify.unwrap().id, verify.id);
    let stale = NewTrial { revision: 7, ..trial(&before, 70, TrialOutcome::Accepted) };
    assert_eq!(store.record_test(workspace, &[stale]).await.unwrap(), [Recorded::Outdated]);
    assert_eq!(one(store, workspace, new.id).await.state, ConnectionState::Failing);

    let many: Vec<NewTrial> =
        (100..180).map(|at| trial(&before, at, TrialOutcome::Accepted)).collect();
    store.record_test(workspace, &many).await.unwrap();
    let kept = store.trials(workspace, new.id, TrialKind::Test).await.unwrap();
    assert_eq!(i64::try_from(kept.len()).unwrap(), waxseal_store::limits::TRIALS_KEPT_MAX);
    assert_eq!(kept[0].started_at, later(179));
    let detail = "x".repeat(waxseal_store::limits::TRIAL_DETAIL_OCTETS_MAX + 1);
    let large = NewTrial { detail, ..trial(&before, 200, TrialOutcome::Accepted) };
    let error = store.record_test(workspace, &[large]).await.unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { .. }), "{error:?}");
    store.delete(workspace, &[new.id]).await.unwrap();
}

async fn trials_are_paced_and_never_repeated<C: Connections>(
    store: &C,
    workspace: WorkspaceId,
    other: WorkspaceId,
) {
    let new = new_connection("paced");
    store.insert(workspace, std::slice::from_ref(&new), now()).await.unwrap();
    let before = one(store, workspace, new.id).await;
    let begin = async |start: &TrialStart| store.begin_trial(workspace, start, PACE).await.unwrap();
    let at = |seconds, key| start(&before, seconds, key);
    let first = at(0, Some("a"));
    assert_eq!(begin(&first).await, TrialGate::Begun);
    assert_eq!(begin(&at(10, Some("a"))).await, TrialGate::UnderWay);
    assert_eq!(store.test_of_key(workspace, new.id, &line("a")).await.unwrap(), None);
    let rejected = ended(&first, TrialOutcome::Rejected);
    store.record_test(workspace, std::slice::from_ref(&rejected)).await.unwrap();
    let TrialGate::Recorded(read) = begin(&at(20, Some("a"))).await else { panic!("not recorded") };
    assert_eq!((read.id, read.outcome), (rejected.id, TrialOutcome::Rejected));
    let of_key = store.test_of_key(workspace, new.id, &line("a")).await.unwrap();
    assert_eq!(of_key, Some(read));
    assert_eq!(store.test_of_key(other, new.id, &line("a")).await.unwrap(), None);

    for seconds in [103, 104] {
        assert_eq!(begin(&at(seconds, None)).await, TrialGate::Begun);
    }
    let gate = begin(&at(105, Some("b"))).await;
    assert_eq!(gate, TrialGate::TooMany { free_at: later(600) });
    let verify = TrialStart { kind: TrialKind::Verify, ..at(105, None) };
    assert_eq!(begin(&verify).await, TrialGate::Begun, "each kind has a pace of its own");
    let set_back = begin(&at(50, None)).await;
    assert_eq!(set_back, TrialGate::Begun, "what began later than now does not count");
    let gate = begin(&at(106, Some("a"))).await;
    assert!(matches!(gate, TrialGate::Recorded(_)), "what was sent is told at any pace: {gate:?}");
    assert_eq!(begin(&at(705, Some("b"))).await, TrialGate::Begun);
    let idle = at(1_400, Some("c"));
    assert_eq!(begin(&idle).await, TrialGate::Begun);
    store.withdraw_trial(workspace, idle.if_lost.id).await.unwrap();
    let gate = begin(&at(1_401, Some("c"))).await;
    assert_eq!(gate, TrialGate::Begun, "a test that sent nothing frees its key");
    let changed = TrialStart {
        if_lost: NewTrial { revision: 7, ..at(3_000, None).if_lost },
        ..at(3_000, None)
    };
    assert_eq!(begin(&changed).await, TrialGate::Changed);
    store.set_enabled(workspace, &[new.id], Use::Disabled).await.unwrap();
    assert_eq!(begin(&at(3_001, Some("d"))).await, TrialGate::Disabled);
    assert!(matches!(begin(&at(3_002, Some("a"))).await, TrialGate::Recorded(_)));
    let error = store.begin_trial(other, &at(3_003, None), PACE).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { .. }), "{error:?}");
    store.delete(workspace, &[new.id]).await.unwrap();
}

/// Tests side by side: the one that began last decides, whichever ends last and whatever the clock says.
async fn the_newest_is_the_one_that_began_last<C: Connections>(store: &C, workspace: WorkspaceId) {
    let new = new_connection("side by side");
    store.insert(workspace, std::slice::from_ref(&new), now()).await.unwrap();
    let before = one(store, workspace, new.id).await;
    let (first, second) = (start(&before, 60, None), start(&before, 10, None));
    for start in [&first, &second] {
        assert_eq!(store.begin_trial(workspace, start, PACE).await.unwrap(), TrialGate::Begun);
    }
    let read = one(store, workspace, new.id).await;
    assert_eq!((read.state, read.last_test), (ConnectionState::Untested, None), "both are open");
    let listed = store.trials(workspace, new.id, TrialKind::Test).await.unwrap();
    assert!(listed.is_empty(), "{listed:?}");
    let open = store.trial(workspace, first.if_lost.id).await;
    assert!(matches!(open, Err(StoreError::NotFound { .. })), "{open:?}");
    for (start, outcome, recorded) in [
        (&second, TrialOutcome::Failed, Recorded::Decides),
        (&first, TrialOutcome::Accepted, Recorded::Outdated),
    ] {
        let ended = [ended(start, outcome)];
        assert_eq!(store.record_test(workspace, &ended).await.unwrap(), [recorded]);
        let read = one(store, workspace, new.id).await;
        assert_eq!(read.state, ConnectionState::Failing);
        assert_eq!(read.last_test.unwrap().id, second.if_lost.id);
    }
    let listed = store.trials(workspace, new.id, TrialKind::Test).await.unwrap();
    let listed: Vec<_> = listed.iter().map(|trial| trial.id).collect();
    assert_eq!(listed, [second.if_lost.id, first.if_lost.id]);
    store.delete(workspace, &[new.id]).await.unwrap();
}

/// A process that dies in a test, with and without a key, and one that was only slow.
async fn a_lost_trial_has_a_record<C: Connections>(store: &C, workspace: WorkspaceId) {
    let new = new_connection("lost");
    store.insert(workspace, std::slice::from_ref(&new), now()).await.unwrap();
    let before = one(store, workspace, new.id).await;
    let passed = trial(&before, 0, TrialOutcome::Accepted);
    store.record_test(workspace, &[passed]).await.unwrap();
    let (keyless, keyed) = (start(&before, 1, None), start(&before, 2, Some("k")));
    let verify = TrialStart { kind: TrialKind::Verify, ..start(&before, 3, None) };
    for start in [&keyless, &verify] {
        assert_eq!(store.begin_trial(workspace, start, PACE).await.unwrap(), TrialGate::Begun);
    }
    store.settle_trials(workspace, later(1)).await.unwrap();
    let read = one(store, workspace, new.id).await;
    assert_eq!(read.state, ConnectionState::Passing, "it may still be running");
    store.settle_trials(workspace, later(4)).await.unwrap();
    let read = one(store, workspace, new.id).await;
    assert_eq!(
        (read.state, read.last_test.unwrap().id),
        (ConnectionState::Failing, keyless.if_lost.id)
    );
    assert_eq!(read.last_verify.unwrap().id, verify.if_lost.id);

    assert_eq!(store.begin_trial(workspace, &keyed, PACE).await.unwrap(), TrialGate::Begun);
    // The next test of the connection settles what was lost before, long after the pace forgot it.
    let next = start(&before, 5_000, Some("k"));
    let gate = store.begin_trial(workspace, &next, PACE).await.unwrap();
    let TrialGate::Recorded(lost) = gate else { panic!("{gate:?}") };
    assert_eq!((lost.id, lost.outcome), (keyed.if_lost.id, TrialOutcome::Unknown));

    let late = ended(&keyed, TrialOutcome::Accepted);
    let recorded = store.record_test(workspace, &[late]).await.unwrap();
    assert_eq!(recorded, [Recorded::Decides], "it was only slow");
    assert_eq!(one(store, workspace, new.id).await.state, ConnectionState::Passing);
    store.delete(workspace, &[new.id]).await.unwrap();
    assert!(store.list(workspace, Page::first(10)).await.unwrap().is_empty());
}

async fn arrivals_are_noted<C: Connections>(store: &C, workspace: WorkspaceId, other: WorkspaceId) {
    let new = new_connection("arrived");
    let foreign = new_connection("not arrived");
    store.insert(workspace, &[new.clone(), foreign.clone()], now()).await.unwrap();
    let before = one(store, workspace, new.id).await;
    let test = trial(&before, 1, TrialOutcome::Rejected);
    store.record_test(workspace, std::slice::from_ref(&test)).await.unwrap();
    let verify = trial(&before, 2, TrialOutcome::Accepted);
    store.record_verify(workspace, std::slice::from_ref(&verify)).await.unwrap();
    for (sought, kind) in [(&test, TrialKind::Test), (&verify, TrialKind::Verify)] {
        let (of, found, read) = store.trial(workspace, sought.id).await.unwrap();
        assert_eq!((of, found, read.id, &read.detail), (new.id, kind, sought.id, &sought.detail));
        let refused = store.trial(other, sought.id).await;
        assert!(matches!(refused, Err(StoreError::NotFound { .. })), "{refused:?}");
    }
    let note = |trial, json: &str| [ReceivedNote { trial, json: json.to_owned() }];
    for json in [r#"{"hops":[1]}"#, r#"{"hops":[]}"#] {
        store.note_received(workspace, new.id, &note(test.id, json)).await.unwrap();
        let read = one(store, workspace, new.id).await;
        let detail = read.last_test.unwrap().detail;
        assert_eq!(detail, format!(r#"{{"steps":[],"received":{json}}}"#));
        assert_eq!((read.state, read.revision), (ConnectionState::Failing, before.revision));
    }
    for refused in [
        store.note_received(workspace, new.id, &note(verify.id, "{}")).await,
        store.note_received(workspace, foreign.id, &note(test.id, "{}")).await,
        store.note_received(other, new.id, &note(test.id, "{}")).await,
    ] {
        assert!(matches!(refused, Err(StoreError::NotFound { .. })), "{refused:?}");
    }
    assert!(store.note_received(workspace, new.id, &note(test.id, "{")).await.is_err());
    let large = "1".repeat(waxseal_store::limits::RECEIVED_NOTE_OCTETS_MAX + 1);
    let error = store.note_received(workspace, new.id, &note(test.id, &large)).await.unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { .. }), "{error:?}");

    // A clock that stands still: what was recorded last is the newest, whatever its identifier.
    for round in 0..20 {
        let outcome = if round % 2 == 0 { TrialOutcome::Accepted } else { TrialOutcome::Failed };
        let same = trial(&before, 3, outcome);
        let recorded = store.record_test(workspace, std::slice::from_ref(&same)).await.unwrap();
        assert_eq!(recorded, [Recorded::Decides], "{round}");
        let tests = store.trials(workspace, new.id, TrialKind::Test).await.unwrap();
        assert_eq!(tests[0].id, same.id, "{round}");
        let read = one(store, workspace, new.id).await;
        assert_eq!(read.last_test.unwrap().id, same.id, "{round}");
    }
    store.delete(workspace, &[new.id, foreign.id]).await.unwrap();
}
