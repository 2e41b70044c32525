//! What every database must do with tokens of programs, answers that are kept for them, and links to secrets.

use jiff::SignedDuration;
use waxseal_store::api_tokens::{ApiToken, ApiTokens};
use waxseal_store::connections::Connections;
use waxseal_store::id::{ApiTokenId, ConnectionId, WorkspaceId};
use waxseal_store::kept_answers::{KeptAnswer, KeptAnswers, KeyGate, KeyedRequest};
use waxseal_store::limits::KEPT_ANSWER_OCTETS_MAX;
use waxseal_store::secret_links::{SecretLink, SecretLinks};
use waxseal_store::token::{Token, TokenHash};
use waxseal_store::{Store, StoreError};

use crate::conformance::{new_connection, now};

#[tokio::test]
async fn sqlite_conforms() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path(), now()).await.unwrap();
    let workspace = store.workspace("default").await.unwrap();
    let other = store.ensure_workspace("other", now()).await.unwrap();
    tokens_come_and_go(&store, workspace, other).await;
    answers_are_kept(&store, workspace, other).await;
    links_are_taken_once(&store, workspace, other).await;
}

fn token(workspace: WorkspaceId, name: &str, hours: Option<i64>) -> ApiToken {
    ApiToken {
        id: ApiTokenId::new(now()).unwrap(),
        workspace,
        name: name.to_owned(),
        scopes: vec!["read".to_owned(), "check".to_owned()],
        created_by: "anna".to_owned(),
        created_at: now(),
        expires_at: hours.map(|hours| now() + SignedDuration::from_hours(hours)),
        last_used_at: None,
    }
}

async fn tokens_come_and_go<T: ApiTokens>(store: &T, workspace: WorkspaceId, other: WorkspaceId) {
    let hash = || Token::new().unwrap().hash();
    let (build, ended, theirs) = (hash(), hash(), hash());
    let mut mine = token(workspace, "build", None);
    store.add_api_token(&mine, build).await.unwrap();
    let short = token(workspace, "a short one", Some(1));
    store.add_api_token(&short, ended).await.unwrap();
    let refused = store.add_api_token(&token(workspace, "build", None), hash()).await;
    assert!(matches!(refused, Err(StoreError::NameTaken { .. })), "{refused:?}");
    store.add_api_token(&token(other, "build", None), theirs).await.unwrap();

    assert_eq!(store.api_tokens(workspace).await.unwrap(), [short.clone(), mine.clone()]);
    let held = store.api_token(build, now()).await.unwrap().unwrap();
    assert_eq!((&held.token, held.workspace_name.as_str()), (&mine, "default"));
    let held = store.api_token(theirs, now()).await.unwrap().unwrap();
    assert_eq!((held.token.workspace, held.workspace_name.as_str()), (other, "other"));
    assert_eq!(store.api_token(hash(), now()).await.unwrap(), None);
    let end = short.expires_at.unwrap();
    let second = SignedDuration::from_secs(1);
    assert!(store.api_token(ended, end - second).await.unwrap().is_some());
    assert_eq!(store.api_token(ended, end).await.unwrap(), None, "it ended");

    store.note_api_token_use(other, mine.id, end).await.unwrap();
    assert_eq!(store.api_token(build, now()).await.unwrap().unwrap().token.last_used_at, None);
    store.note_api_token_use(workspace, mine.id, end).await.unwrap();
    mine.last_used_at = Some(end);
    assert_eq!(store.api_token(build, now()).await.unwrap().unwrap().token, mine);

    let refused = store.remove_api_token(other, mine.id).await;
    assert!(matches!(refused, Err(StoreError::NotFound { .. })), "{refused:?}");
    store.remove_api_token(workspace, mine.id).await.unwrap();
    assert_eq!(store.api_token(build, now()).await.unwrap(), None);
    assert!(store.api_token(theirs, now()).await.unwrap().is_some());
    assert!(store.remove_api_token(workspace, mine.id).await.is_err());
}

async fn answers_are_kept<T>(store: &T, workspace: WorkspaceId, other: WorkspaceId)
where
    T: ApiTokens + KeptAnswers,
{
    let (one, two) = (token(workspace, "one", None), token(workspace, "two", None));
    for each in [&one, &two] {
        store.add_api_token(each, Token::new().unwrap().hash()).await.unwrap();
    }
    let (minute, hour) = (SignedDuration::from_mins(1), SignedDuration::from_hours(1));
    let request = |token: &ApiToken, what: &str| KeyedRequest {
        token: token.id,
        key: TokenHash::of("monday"),
        request: TokenHash::of(what),
        at: now(),
        lasts_at_most: minute,
        kept: hour,
    };
    let first = request(&one, "POST /a");
    let later = |minutes: i32| KeyedRequest { at: now() + minute * minutes, ..first };
    assert_eq!(store.begin_keyed(workspace, &first).await.unwrap(), KeyGate::Begun);
    assert_eq!(store.begin_keyed(workspace, &first).await.unwrap(), KeyGate::UnderWay);
    let different = request(&one, "POST /b");
    assert_eq!(store.begin_keyed(workspace, &different).await.unwrap(), KeyGate::OtherRequest);
    let of_another = request(&two, "POST /b");
    assert_eq!(store.begin_keyed(workspace, &of_another).await.unwrap(), KeyGate::Begun);
    assert!(store.begin_keyed(other, &first).await.is_err(), "a token of another workspace");

    let again = store.begin_keyed(workspace, &later(1)).await.unwrap();
    assert_eq!(again, KeyGate::Begun, "the first was lost with its process");
    let answer = KeptAnswer { status: 202, sealed: "sealed".to_owned() };
    store.keep_answer(workspace, &first, &answer).await.unwrap();
    let repeated = store.begin_keyed(workspace, &later(50)).await.unwrap();
    assert_eq!(repeated, KeyGate::Answered(answer.clone()));
    assert_eq!(store.begin_keyed(workspace, &later(61)).await.unwrap(), KeyGate::Begun, "it ended");
    let large = KeptAnswer { sealed: "x".repeat(KEPT_ANSWER_OCTETS_MAX + 1), ..answer };
    let refused = store.keep_answer(workspace, &first, &large).await;
    assert!(matches!(refused, Err(StoreError::TooLarge { .. })), "{refused:?}");

    store.withdraw_keyed(workspace, &of_another).await.unwrap();
    assert_eq!(store.begin_keyed(workspace, &of_another).await.unwrap(), KeyGate::Begun);
    assert_eq!(store.drop_ended_answers(now()).await.unwrap(), 0);
    store.remove_api_token(workspace, one.id).await.unwrap();
    assert_eq!(store.drop_ended_answers(now() + hour * 9).await.unwrap(), 1, "one is gone");
}

async fn links_are_taken_once<T>(store: &T, workspace: WorkspaceId, other: WorkspaceId)
where
    T: Connections + SecretLinks,
{
    let connection = new_connection("needs a secret");
    store.insert(workspace, std::slice::from_ref(&connection), now()).await.unwrap();
    let end = now() + SignedDuration::from_mins(15);
    let link = |workspace, connection| SecretLink {
        workspace,
        connection,
        created_by: "an agent".to_owned(),
        expires_at: end,
    };
    let mine = link(workspace, connection.id);
    let hash = Token::new().unwrap().hash();
    store.add_secret_link(hash, &mine, now()).await.unwrap();
    for wrong in [link(other, connection.id), link(workspace, ConnectionId::new(now()).unwrap())] {
        let refused = store.add_secret_link(Token::new().unwrap().hash(), &wrong, now()).await;
        assert!(matches!(refused, Err(StoreError::NotFound { .. })), "{refused:?}");
    }
    assert_eq!(store.secret_link(hash, now()).await.unwrap(), Some(mine.clone()));
    assert_eq!(store.secret_link(hash, end).await.unwrap(), None);
    assert_eq!(store.take_secret_link(hash, end).await.unwrap(), None, "it ended");
    assert_eq!(store.take_secret_link(hash, now()).await.unwrap(), Some(mine.clone()));
    assert_eq!(store.take_secret_link(hash, now()).await.unwrap(), None, "one gets it");

    store.add_secret_link(hash, &mine, now()).await.unwrap();
    assert_eq!(store.drop_ended_secret_links(now()).await.unwrap(), 0);
    assert_eq!(store.drop_ended_secret_links(end).await.unwrap(), 1);
    store.add_secret_link(hash, &mine, now()).await.unwrap();
    store.delete(workspace, &[connection.id]).await.unwrap();
    assert_eq!(store.secret_link(hash, now()).await.unwrap(), None, "it goes with its connection");
}
