//! What every database must do with links to reports.

use jiff::SignedDuration;
use waxseal_store::checks::Checks;
use waxseal_store::connections::Page;
use waxseal_store::id::{CheckId, WorkspaceId};
use waxseal_store::results::{NewLink, ResultLinks};
use waxseal_store::token::{Token, TokenHash};
use waxseal_store::{Store, StoreError};

use crate::checks::check;
use crate::conformance::now;

#[tokio::test]
async fn sqlite_conforms() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path(), now()).await.unwrap();
    let workspace = store.workspace("default").await.unwrap();
    let other = store.ensure_workspace("other", now()).await.unwrap();
    conforms(&store, workspace, other).await;
}

fn link(check: CheckId, days: i64) -> (NewLink, TokenHash, TokenHash) {
    let (token, owner) = (Token::new().unwrap().hash(), Token::new().unwrap().hash());
    let expires_at = now() + SignedDuration::from_hours(24 * days);
    (NewLink { token, owner, check, created_at: now(), expires_at }, token, owner)
}

async fn conforms<S: Checks + ResultLinks>(store: &S, workspace: WorkspaceId, other: WorkspaceId) {
    let saved = [check("a.example", 0, "pass"), check("b.example", 1, "fail")];
    store.save(workspace, &saved).await.unwrap();
    let (first, token, owner) = link(saved[0].id, 30);
    store.link(workspace, &first).await.unwrap();
    let (second, other_token, other_owner) = link(saved[0].id, 10);
    store.link(workspace, &second).await.unwrap();
    let refused = store.link(other, &link(saved[0].id, 30).0).await;
    assert!(matches!(refused, Err(StoreError::NotFound { .. })), "{refused:?}");

    let linked = store.linked(token, Some(owner), now()).await.unwrap();
    assert_eq!((linked.report, linked.check), (saved[0].report.clone(), saved[0].id));
    assert!(linked.is_owner);
    assert_eq!(linked.expires_at, first.expires_at);
    for wrong in [None, Some(token), Some(other_owner)] {
        assert!(!store.linked(token, wrong, now()).await.unwrap().is_owner, "{wrong:?}");
    }
    for (token, at) in [(owner, now()), (TokenHash::of(""), now()), (token, first.expires_at)] {
        let refused = store.linked(token, None, at).await;
        assert!(matches!(refused, Err(StoreError::NotFound { .. })), "{refused:?}");
    }

    assert!(!store.unlink(token, other_owner).await.unwrap(), "the secret of another link");
    assert!(store.unlink(token, owner).await.unwrap());
    assert!(!store.unlink(token, owner).await.unwrap(), "it is gone");
    assert!(store.linked(token, None, now()).await.is_err());
    assert!(store.linked(other_token, None, now()).await.is_ok(), "the report has another link");
    let page = || store.summaries(workspace, None, Page::first(9));
    assert_eq!(page().await.unwrap().len(), 2);

    assert_eq!(store.drop_ended(now()).await.unwrap(), 0);
    assert_eq!(store.drop_ended(second.expires_at).await.unwrap(), 1);
    let left = page().await.unwrap();
    assert_eq!(left.len(), 1, "a report goes with its last link");
    assert_eq!(left[0].id, saved[1].id, "a report that never had a link stays");
}
