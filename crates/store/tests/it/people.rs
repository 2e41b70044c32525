//! What every database must do with people, sessions and one-time links.

use jiff::SignedDuration;
use waxseal_store::id::{UserId, WorkspaceId};
use waxseal_store::people::{
    AuditEntry, EntryLink, NewSession, PasswordHash, People, Role, Session, User,
};
use waxseal_store::token::Token;
use waxseal_store::{Store, StoreError};

use crate::conformance::now;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

#[tokio::test]
async fn sqlite_conforms() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path(), now()).await.unwrap();
    let workspace = store.workspace("default").await.unwrap();
    let other = store.ensure_workspace("other", now()).await.unwrap();
    conforms(&store, workspace, other).await;
}

fn user(workspace: WorkspaceId, name: &str, role: Role) -> User {
    User {
        id: UserId::new(now()).unwrap(),
        workspace,
        name: name.to_owned(),
        role,
        created_at: now(),
    }
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash(text.to_owned())
}

async fn conforms<P: People>(store: &P, workspace: WorkspaceId, other: WorkspaceId) {
    let anna = user(workspace, "anna", Role::Owner);
    let bert = user(other, "bert", Role::Viewer);
    for each in [&anna, &bert] {
        store.add_user(each, &hash("h1")).await.unwrap();
    }
    let refused = store.add_user(&user(other, "anna", Role::Viewer), &hash("h2")).await;
    assert!(matches!(refused, Err(StoreError::NameTaken { .. })), "{refused:?}");
    assert_eq!(store.users(workspace).await.unwrap(), std::slice::from_ref(&anna));
    assert_eq!(store.user_named("anna").await.unwrap(), Some((anna.clone(), hash("h1"))));
    assert_eq!(store.user_named("Anna").await.unwrap(), None);

    let hour = HOUR;
    let begin = |user: &User, hours: i32| {
        let token = Token::new().unwrap().hash();
        let session = NewSession {
            token,
            user: user.id,
            form_token: "form".to_owned(),
            created_at: now(),
            expires_at: now() + hour * hours,
        };
        (session, token, user.workspace)
    };
    let mut tokens = Vec::new();
    for (session, token, workspace) in [begin(&anna, 1), begin(&anna, 2), begin(&bert, 1)] {
        store.begin_session(workspace, &session).await.unwrap();
        tokens.push(token);
    }
    let (stranger, _, _) = begin(&anna, 1);
    assert!(store.begin_session(other, &stranger).await.is_err(), "not of that workspace");
    let held = store.session(tokens[0], now()).await.unwrap();
    let expected =
        Session { user: anna.clone(), form_token: "form".to_owned(), expires_at: now() + hour };
    assert_eq!(held, Some(expected));
    assert_eq!(store.session(tokens[0], now() + hour).await.unwrap(), None, "it ended");
    assert_eq!(store.session(Token::new().unwrap().hash(), now()).await.unwrap(), None);
    store.end_session(tokens[0]).await.unwrap();
    assert_eq!(store.session(tokens[0], now()).await.unwrap(), None);
    assert!(store.session(tokens[1], now()).await.unwrap().is_some(), "another one holds");
    assert_eq!(store.end_sessions(other, anna.id).await.unwrap(), 0, "a foreign workspace");
    assert!(store.set_password(other, anna.id, &hash("h3")).await.is_err());
    store.set_password(workspace, anna.id, &hash("h3")).await.unwrap();
    assert_eq!(store.session(tokens[1], now()).await.unwrap(), None, "a new password ends them");
    assert!(store.session(tokens[2], now()).await.unwrap().is_some(), "not those of others");
    assert_eq!(store.user_named("anna").await.unwrap().unwrap().1, hash("h3"));
    assert_eq!(store.end_sessions(other, bert.id).await.unwrap(), 1);

    let token = Token::new().unwrap().hash();
    let link = EntryLink { role: Role::Sender, user: None, workspace, expires_at: now() + hour };
    store.add_entry(token, &link, now()).await.unwrap();
    assert_eq!(store.entry(token, now()).await.unwrap(), Some(link));
    assert_eq!(store.entry(token, now() + hour).await.unwrap(), None);
    assert_eq!(store.take_entry(token, now() + hour).await.unwrap(), None);
    assert_eq!(store.take_entry(token, now()).await.unwrap(), Some(link));
    assert_eq!(store.take_entry(token, now()).await.unwrap(), None, "one gets it");

    links_are_ended(store, &link, (anna.id, other)).await;

    for what in ["user.invited", "user.added"] {
        let entry = AuditEntry {
            at: now(),
            who: "anna".to_owned(),
            what: what.to_owned(),
            subject: "bert".to_owned(),
        };
        store.note(workspace, &entry).await.unwrap();
    }
    let notes = store.notes(workspace, 1).await.unwrap();
    assert_eq!((notes.len(), notes[0].what.as_str()), (1, "user.added"), "the newest first");
    assert!(store.notes(other, 9).await.unwrap().is_empty());

    store.add_entry(token, &link, now()).await.unwrap();
    assert_eq!(store.drop_ended_entries(now()).await.unwrap(), 0);
    assert_eq!(store.drop_ended_entries(now() + hour * 3).await.unwrap(), 1);
}

async fn links_are_ended<P: People>(
    store: &P,
    link: &EntryLink,
    (person, other): (UserId, WorkspaceId),
) {
    let owner = EntryLink { role: Role::Owner, ..*link };
    let long = EntryLink { expires_at: link.expires_at + HOUR, ..owner };
    let reset = EntryLink { user: Some(person), ..owner };
    let foreign = EntryLink { workspace: other, ..owner };
    let [token, others] = [(); 2].map(|()| Token::new().unwrap().hash());
    let kept: Vec<_> = [*link, long, reset, foreign]
        .into_iter()
        .map(|link| (Token::new().unwrap().hash(), link))
        .collect();
    for (token, link) in kept.iter().chain(&[(token, owner)]) {
        store.add_entry(*token, link, now()).await.unwrap();
    }
    assert_eq!(store.end_entries(link.workspace, Role::Owner, HOUR).await.unwrap(), 1);
    assert_eq!(store.entry(token, now()).await.unwrap(), None);
    for (token, link) in kept {
        assert_eq!(store.take_entry(token, now()).await.unwrap(), Some(link), "{link:?}");
    }
    // A new password ends the links to one, and no invitation.
    for (token, link) in [(token, &reset), (others, link)] {
        store.add_entry(token, link, now()).await.unwrap();
    }
    store.set_password(link.workspace, person, &hash("h3")).await.unwrap();
    assert_eq!(store.entry(token, now()).await.unwrap(), None);
    assert_eq!(store.take_entry(others, now()).await.unwrap(), Some(*link));
}
