//! The conformance suite: generic over the traits of the store, with two empty workspaces of one database.

use jiff::{SignedDuration, Timestamp};
use waxseal_proto::name::Mailbox;
use waxseal_proto::secret::Secret;
use waxseal_store::StoreError;
use waxseal_store::connection::{
    ClearTextException, ClearTextExceptionGrant, Connection, ConnectionChange, ConnectionKind,
    ConnectionState, CustomSmtp, EncryptedMode, Holder, HttpsUrl, IpPreference, Mechanism,
    MinimumTls, NewConnection, NewTrial, OneLine, PinnedKey, RelayHost, SecretState, SecretWrite,
    ServiceConnection, ServiceName, Settings, SignIn, Transport, TrialOutcome, Trust, TrustPem,
    Use,
};
use waxseal_store::connections::{Connections, Page};
use waxseal_store::id::{ConnectionId, TrialId, WorkspaceId};
use waxseal_store::keys::MasterKeys;
use waxseal_store::secrets::{SealedSecrets, SecretVault};
use zeroize::Zeroizing;

use crate::trials;

/// The time at which everything happens.
pub(crate) fn now() -> Timestamp {
    "2026-05-01T10:00:00Z".parse().unwrap()
}

pub(crate) fn later(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

pub(crate) fn line(text: &str) -> OneLine {
    OneLine::parse("test", text).unwrap()
}

pub(crate) fn secret(text: &str) -> Secret<Zeroizing<String>> {
    Secret::new(Zeroizing::new(text.to_owned()))
}

fn encrypted() -> Transport {
    Transport::Encrypted {
        mode: EncryptedMode::Starttls,
        sign_in: Some(SignIn { mechanism: Mechanism::Automatic, user: line("sender") }),
        trust: Trust::PublicRoots,
        minimum_tls: MinimumTls::Tls12,
    }
}

/// The certificate of a private authority.
fn authority() -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    parameters.self_signed(&key).unwrap().pem()
}

fn smtp(transport: Transport) -> Settings {
    Settings {
        kind: ConnectionKind::Smtp(CustomSmtp {
            host: RelayHost::parse("smtp.example.com").unwrap(),
            port: 587.try_into().unwrap(),
            transport,
            ehlo_name: None,
            ip_preference: IpPreference::Any,
        }),
        from_name: Some(line("Büro")),
        from_address: Mailbox::parse("news@example.com").unwrap(),
    }
}

/// A connection that signs in over STARTTLS.
pub(crate) fn new_connection(name: &str) -> NewConnection {
    let id = ConnectionId::new(now()).unwrap();
    NewConnection { id, name: line(name), settings: smtp(encrypted()), secret: None }
}

pub(crate) fn trial(connection: &Connection, seconds: i64, outcome: TrialOutcome) -> NewTrial {
    NewTrial {
        id: TrialId::new(later(seconds)).unwrap(),
        connection: connection.id,
        revision: connection.revision,
        started_at: later(seconds),
        took_ms: 120,
        outcome,
        detail: r#"{"steps":[]}"#.to_owned(),
    }
}

pub(crate) async fn one<C: Connections>(
    store: &C,
    workspace: WorkspaceId,
    id: ConnectionId,
) -> Connection {
    store.get(workspace, &[id]).await.unwrap().pop().unwrap()
}

/// Runs the whole suite.
pub(crate) async fn connections<C>(store: &C, (workspace, other): (WorkspaceId, WorkspaceId))
where
    C: Connections + SealedSecrets + Clone + std::fmt::Debug,
{
    every_kind_is_read_back(store, workspace).await;
    batches_are_whole(store, workspace).await;
    workspaces_do_not_see_each_other(store, workspace, other).await;
    changes_make_untested(store, workspace).await;
    trials::conform(store, workspace, other).await;
    secrets_go_in_and_never_out(store, workspace, other).await;
    settings_and_secret_are_written_together(store, workspace).await;
    mode_none_holds_no_secret(store, workspace).await;
    what_is_in_use_stays(store, workspace).await;
}

async fn every_kind_is_read_back<C: Connections>(store: &C, workspace: WorkspaceId) {
    let exception = ClearTextException::new(ClearTextExceptionGrant {
        documentation: HttpsUrl::parse("page", "https://docs.example.com/relay").unwrap(),
        reason: line("the relay speaks no TLS"),
        granted_by: line("owner"),
        granted_at: now(),
        ends_at: later(86_400),
    });
    let pins = vec![PinnedKey::parse(&"ab".repeat(32)).unwrap()];
    let region = [("region".to_owned(), "eu-west-1".to_owned())];
    let service = ServiceName::parse("amazon-ses").unwrap();
    let api = ConnectionKind::Api(ServiceConnection::new(service, region).unwrap());
    let pinned = Transport::Encrypted {
        mode: EncryptedMode::Tls,
        sign_in: None,
        trust: Trust::pinned(pins).unwrap(),
        minimum_tls: MinimumTls::Tls13,
    };
    let private = Transport::Encrypted {
        mode: EncryptedMode::Tls,
        sign_in: Some(SignIn { mechanism: Mechanism::Xoauth2, user: line("sender@example.com") }),
        trust: Trust::Authority(TrustPem::parse(&authority()).unwrap()),
        minimum_tls: MinimumTls::Tls12,
    };
    let all = [
        smtp(encrypted()),
        smtp(private),
        smtp(pinned),
        smtp(Transport::Clear { exception: None }),
        smtp(Transport::Clear { exception: Some(exception.unwrap()) }),
        Settings { kind: api, from_name: None, ..smtp(encrypted()) },
    ];
    let new: Vec<NewConnection> = all
        .into_iter()
        .enumerate()
        .map(|(at, settings)| {
            let id = ConnectionId::new(later(at.try_into().unwrap())).unwrap();
            NewConnection { id, name: line(&format!("kind {at}")), settings, secret: None }
        })
        .collect();
    store.insert(workspace, &new, now()).await.unwrap();
    let ids: Vec<ConnectionId> = new.iter().rev().map(|new| new.id).collect();
    let read = store.get(workspace, &ids).await.unwrap();
    for (read, new) in read.iter().zip(new.iter().rev()) {
        assert_eq!((read.id, &read.name, &read.settings), (new.id, &new.name, &new.settings));
        assert_eq!((read.workspace, read.enabled, read.revision), (workspace, true, 1));
        assert_eq!((read.state, read.secret), (ConnectionState::Untested, SecretState::Missing));
        assert_eq!((read.created_at, read.changed_at), (now(), now()));
    }
    let encrypts: Vec<bool> = read.iter().map(Connection::encrypts).collect();
    assert_eq!(encrypts, [true, false, false, true, true, true]);
    let first = store.list(workspace, Page::first(2)).await.unwrap();
    let rest = Page { after: Some(first[1].id), rows_max: 10 };
    let rest = store.list(workspace, rest).await.unwrap();
    let listed: Vec<_> = first.iter().chain(&rest).map(|connection| connection.id).collect();
    assert_eq!(listed, ids.iter().rev().copied().collect::<Vec<_>>());
    assert_eq!(store.find(workspace, &line("kind 3")).await.unwrap().id, new[3].id);
    store.delete(workspace, &ids).await.unwrap();
    assert!(store.list(workspace, Page::first(10)).await.unwrap().is_empty());
}

async fn batches_are_whole<C: Connections>(store: &C, workspace: WorkspaceId) {
    let (first, second) = (new_connection("twin"), new_connection("twin"));
    let error = store.insert(workspace, &[first.clone(), second], now()).await.unwrap_err();
    assert!(matches!(error, StoreError::NameTaken { .. }), "{error:?}");
    assert!(store.list(workspace, Page::first(10)).await.unwrap().is_empty());
    store.insert(workspace, std::slice::from_ref(&first), now()).await.unwrap();
    let absent = ConnectionId::new(now()).unwrap();
    for result in [
        store.delete(workspace, &[first.id, absent]).await,
        store.set_enabled(workspace, &[first.id, absent], Use::Disabled).await,
        store.get(workspace, &[first.id, absent]).await.map(|_| ()),
    ] {
        assert!(matches!(result, Err(StoreError::NotFound { .. })), "{result:?}");
    }
    assert!(one(store, workspace, first.id).await.enabled);
    store.set_enabled(workspace, &[first.id], Use::Disabled).await.unwrap();
    assert!(!one(store, workspace, first.id).await.enabled);
    store.delete(workspace, &[first.id]).await.unwrap();
}

async fn workspaces_do_not_see_each_other<C: Connections>(
    store: &C,
    workspace: WorkspaceId,
    other: WorkspaceId,
) {
    let mine = new_connection("same name");
    let theirs = new_connection("same name");
    store.insert(workspace, std::slice::from_ref(&mine), now()).await.unwrap();
    store.insert(other, std::slice::from_ref(&theirs), now()).await.unwrap();
    assert_eq!(store.list(other, Page::first(10)).await.unwrap().len(), 1);
    let mut test = trial(&one(store, workspace, mine.id).await, 1, TrialOutcome::Accepted);
    test.connection = mine.id;
    for refused in [
        store.get(other, &[mine.id]).await.map(|_| ()),
        store.delete(other, &[mine.id]).await,
        store.record_test(other, &[test]).await.map(|_| ()),
        store.remove_secret(other, &[mine.id], now()).await,
    ] {
        assert!(matches!(refused, Err(StoreError::NotFound { .. })), "{refused:?}");
    }
    store.delete(workspace, &[mine.id]).await.unwrap();
    store.delete(other, &[theirs.id]).await.unwrap();
}

async fn changes_make_untested<C: Connections>(store: &C, workspace: WorkspaceId) {
    let new = new_connection("changing");
    store.insert(workspace, std::slice::from_ref(&new), now()).await.unwrap();
    let before = one(store, workspace, new.id).await;
    let accepted = trial(&before, 1, TrialOutcome::Accepted);
    store.record_test(workspace, &[accepted]).await.unwrap();
    let change = |revision, name: &str, settings| ConnectionChange {
        id: new.id,
        seen_revision: revision,
        name: line(name),
        settings,
        secret: SecretWrite::Keep,
    };
    let renamed = change(1, "renamed", new.settings.clone());
    store.update(workspace, &[renamed], later(2)).await.unwrap();
    let read = one(store, workspace, new.id).await;
    assert_eq!((read.name.as_str(), read.revision), ("renamed", 1));
    assert_eq!((read.state, read.changed_at), (ConnectionState::Passing, now()));

    let other_name = Settings { from_name: None, ..new.settings.clone() };
    store.update(workspace, &[change(1, "renamed", other_name.clone())], later(3)).await.unwrap();
    let read = one(store, workspace, new.id).await;
    assert_eq!((read.state, read.revision), (ConnectionState::Untested, 2));
    assert_eq!((read.changed_at, read.settings.from_name), (later(3), None));
    assert!(read.last_test.is_some_and(|test| test.revision == 1), "the old test stays visible");

    let stale = store.update(workspace, &[change(1, "stale", other_name)], later(4)).await;
    assert!(matches!(stale, Err(StoreError::ChangedMeanwhile { .. })), "{stale:?}");
    store.delete(workspace, &[new.id]).await.unwrap();
}

async fn settings_and_secret_are_written_together<C>(store: &C, workspace: WorkspaceId)
where
    C: Connections + SealedSecrets + Clone + std::fmt::Debug,
{
    let keys = MasterKeys::generate().unwrap();
    let vault = SecretVault::open(store.clone(), keys, now()).await.unwrap();
    let plain = new_connection("together");
    let seal = |text| vault.seal(plain.id, &secret(text)).unwrap();
    let foreign = new_connection("of another");
    let misplaced = NewConnection { secret: Some(seal("x")), ..foreign.clone() };
    let clear = smtp(Transport::Clear { exception: None });
    let in_clear =
        NewConnection { settings: clear.clone(), secret: Some(seal("x")), ..plain.clone() };
    for refused in [&misplaced, &in_clear] {
        let batch = [new_connection("before it"), refused.clone()];
        store.insert(workspace, &batch, now()).await.unwrap_err();
        assert!(store.list(workspace, Page::first(10)).await.unwrap().is_empty());
    }
    let new = NewConnection { secret: Some(seal("first")), ..plain.clone() };
    store.insert(workspace, &[new, foreign.clone()], now()).await.unwrap();
    let opens = async || {
        let opened = vault.for_sending(workspace, plain.id).await.unwrap();
        opened.map(|opened| opened.expose().as_str().to_owned())
    };
    let read = one(store, workspace, plain.id).await;
    assert_eq!((read.revision, read.secret), (1, SecretState::Stored { changed_at: now() }));
    assert_eq!(opens().await.as_deref(), Some("first"));

    let unnamed = Settings { from_name: None, ..plain.settings.clone() };
    let change = |seen_revision, settings: &Settings, secret| ConnectionChange {
        id: plain.id,
        seen_revision,
        name: plain.name.clone(),
        settings: settings.clone(),
        secret,
    };
    let taken =
        |secret| ConnectionChange { name: foreign.name.clone(), ..change(1, &unnamed, secret) };
    let elsewhere = vault.seal(foreign.id, &secret("x")).unwrap();
    let retired = MasterKeys::generate().unwrap();
    let retired =
        waxseal_store::connections::SealedSecret::seal(&retired, plain.id, &secret("x")).unwrap();
    for refused in [
        change(1, &clear, SecretWrite::Set(seal("x"))),
        change(1, &clear, SecretWrite::Keep),
        change(1, &unnamed, SecretWrite::Set(elsewhere)),
        change(1, &unnamed, SecretWrite::Set(retired)),
        change(7, &unnamed, SecretWrite::Remove),
        taken(SecretWrite::Set(seal("x"))),
        taken(SecretWrite::Remove),
    ] {
        store.update(workspace, std::slice::from_ref(&refused), later(1)).await.unwrap_err();
        assert_eq!(one(store, workspace, plain.id).await, read, "{refused:?}");
        assert_eq!(opens().await.as_deref(), Some("first"), "{refused:?}");
    }
    let both = change(1, &unnamed, SecretWrite::Set(seal("second")));
    store.update(workspace, &[both], later(2)).await.unwrap();
    let read = one(store, workspace, plain.id).await;
    assert_eq!((read.revision, read.settings.from_name.is_none()), (2, true), "one change");
    assert_eq!(opens().await.as_deref(), Some("second"));
    let away = change(2, &clear, SecretWrite::Remove);
    store.update(workspace, &[away], later(3)).await.unwrap();
    let read = one(store, workspace, plain.id).await;
    assert_eq!((read.revision, read.secret, read.encrypts()), (3, SecretState::Missing, false));
    store.delete(workspace, &[plain.id, foreign.id]).await.unwrap();
}

async fn secrets_go_in_and_never_out<C>(store: &C, workspace: WorkspaceId, other: WorkspaceId)
where
    C: Connections + SealedSecrets + Clone + std::fmt::Debug,
{
    let new = new_connection("sealed");
    store.insert(workspace, std::slice::from_ref(&new), now()).await.unwrap();
    let keys = MasterKeys::generate().unwrap();
    let vault = SecretVault::open(store.clone(), keys, now()).await.unwrap();
    assert!(vault.for_sending(workspace, new.id).await.unwrap().is_none());
    for password in ["first password", "second password"] {
        let before = one(store, workspace, new.id).await;
        store.record_test(workspace, &[trial(&before, 1, TrialOutcome::Accepted)]).await.unwrap();
        let sealed = vault.seal(new.id, &secret(password)).unwrap();
        store.set_secret(workspace, &[sealed], later(5)).await.unwrap();
        let read = one(store, workspace, new.id).await;
        assert_eq!(read.secret, SecretState::Stored { changed_at: later(5) });
        assert_eq!((read.state, read.revision), (ConnectionState::Untested, before.revision + 1));
        assert!(!format!("{read:?}").contains("password"));
        let opened = vault.for_sending(workspace, new.id).await.unwrap().unwrap();
        assert_eq!(opened.expose().as_str(), password);
        assert!(vault.for_sending(other, new.id).await.unwrap().is_none());
    }
    let foreign = MasterKeys::generate().unwrap();
    let error = SecretVault::open(store.clone(), foreign.clone(), now()).await.unwrap_err();
    assert!(matches!(error, StoreError::KeyMissing { secrets: 1, .. }), "{error:?}");
    let sealed =
        waxseal_store::connections::SealedSecret::seal(&foreign, new.id, &secret("x")).unwrap();
    let error = store.set_secret(workspace, &[sealed], now()).await.unwrap_err();
    assert!(matches!(error, StoreError::KeyNotKnown { .. }), "{error:?}");

    store.remove_secret(workspace, &[new.id], later(6)).await.unwrap();
    let read = one(store, workspace, new.id).await;
    assert_eq!((read.secret, read.changed_at), (SecretState::Missing, later(6)));
    store.remove_secret(workspace, &[new.id], later(7)).await.unwrap();
    assert_eq!(one(store, workspace, new.id).await.revision, read.revision);
    store.delete(workspace, &[new.id]).await.unwrap();
}

async fn mode_none_holds_no_secret<C>(store: &C, workspace: WorkspaceId)
where
    C: Connections + SealedSecrets + Clone + std::fmt::Debug,
{
    let clear = smtp(Transport::Clear { exception: None });
    let none = NewConnection { settings: clear.clone(), ..new_connection("in clear") };
    let safe = new_connection("encrypted");
    store.insert(workspace, &[none.clone(), safe.clone()], now()).await.unwrap();
    let keys = MasterKeys::generate().unwrap();
    let vault = SecretVault::open(store.clone(), keys, now()).await.unwrap();
    let sealed = vault.seal(none.id, &secret("password")).unwrap();
    let refused = store.set_secret(workspace, &[sealed], now()).await;
    assert!(matches!(refused, Err(StoreError::SecretNotAllowed { .. })), "{refused:?}");
    let sealed = vault.seal(safe.id, &secret("password")).unwrap();
    store.set_secret(workspace, &[sealed], now()).await.unwrap();
    let weaker = ConnectionChange {
        id: safe.id,
        seen_revision: 2,
        name: safe.name.clone(),
        settings: clear,
        secret: SecretWrite::Keep,
    };
    let refused = store.update(workspace, std::slice::from_ref(&weaker), now()).await;
    assert!(matches!(refused, Err(StoreError::SecretNotAllowed { .. })), "{refused:?}");
    let sealed = vault.seal(safe.id, &secret("other")).unwrap();
    let weaker = ConnectionChange { secret: SecretWrite::Set(sealed), ..weaker };
    let refused = store.update(workspace, &[weaker], now()).await;
    assert!(matches!(refused, Err(StoreError::SecretNotAllowed { .. })), "{refused:?}");
    assert!(one(store, workspace, safe.id).await.encrypts());
    store.delete(workspace, &[none.id, safe.id]).await.unwrap();
    assert!(store.all_envelopes().await.unwrap().is_empty(), "a secret goes with its connection");
}

async fn what_is_in_use_stays<C: Connections>(store: &C, workspace: WorkspaceId) {
    let new = new_connection("in use");
    store.insert(workspace, std::slice::from_ref(&new), now()).await.unwrap();
    let holder = Holder { kind: line("broadcast"), id: line("17") };
    store.hold(workspace, &[new.id], &holder, now()).await.unwrap();
    store.hold(workspace, &[new.id], &holder, now()).await.unwrap();
    assert_eq!(store.holders(workspace, new.id).await.unwrap(), std::slice::from_ref(&holder));
    let error = store.delete(workspace, &[new.id]).await.unwrap_err();
    assert_eq!(error.to_string(), format!("connection {} is in use by broadcast 17", new.id));
    store.release(workspace, &[new.id], &holder).await.unwrap();
    store.delete(workspace, &[new.id]).await.unwrap();
    let gone = store.hold(workspace, &[new.id], &holder, now()).await;
    assert!(matches!(gone, Err(StoreError::NotFound { .. })), "{gone:?}");
}
