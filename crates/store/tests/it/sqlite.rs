//! What every database must do with connections: one suite over the traits, run for each database.

use waxseal_store::Store;

use crate::conformance;

#[tokio::test]
async fn sqlite_conforms() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path(), conformance::now()).await.unwrap();
    let workspaces = (
        store.workspace("default").await.unwrap(),
        store.ensure_workspace("other", conformance::now()).await.unwrap(),
    );
    conformance::connections(&store, workspaces).await;
}
