//! Readers beside a writer, in one process and in two: nobody waits for a reader, everybody sees whole
//! batches only, and a copy made meanwhile is whole.

use waxseal_store::connections::{Connections as _, Page};
use waxseal_store::{Store, backup};

use crate::conformance::{new_connection, now};

const BATCHES: usize = 40;
const BATCH: usize = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_see_whole_batches_while_two_stores_write() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("data");
    // Two stores on one file stand for two processes: they share no connection.
    let stores =
        [Store::open(&folder, now()).await.unwrap(), Store::open(&folder, now()).await.unwrap()];
    let workspace = stores[0].workspace("default").await.unwrap();
    let writers: Vec<_> = stores
        .iter()
        .cloned()
        .enumerate()
        .map(|(writer, store)| {
            tokio::spawn(async move {
                for batch in 0..BATCHES {
                    let new: Vec<_> = (0..BATCH)
                        .map(|at| new_connection(&format!("{writer} {batch} {at}")))
                        .collect();
                    store.insert(workspace, &new, now()).await.unwrap();
                }
            })
        })
        .collect();
    let mut seen = 0;
    let mut copies = 0;
    while seen < 2 * BATCHES * BATCH {
        for store in &stores {
            let count = store.list(workspace, Page::first(1_000)).await.unwrap().len();
            assert!(count.is_multiple_of(BATCH), "half a batch: {count}");
            seen = seen.max(count);
        }
        if copies < 3 {
            copies += 1;
            let copy = root.path().join(format!("{copies}.db"));
            stores[0].backup(&copy).await.unwrap();
            let restored = root.path().join(format!("restored-{copies}"));
            backup::restore(&copy, &restored).await.unwrap();
            let store = Store::open(&restored, now()).await.unwrap();
            let count = store.list(workspace, Page::first(1_000)).await.unwrap().len();
            assert!(count.is_multiple_of(BATCH), "half a batch in a copy: {count}");
        }
        // A writer that failed would never let the count grow.
        let done = writers.iter().all(tokio::task::JoinHandle::is_finished);
        let count = stores[0].list(workspace, Page::first(1_000)).await.unwrap().len();
        assert!(!done || count == 2 * BATCHES * BATCH, "a writer stopped early at {count}");
    }
    for writer in writers {
        writer.await.unwrap();
    }
}
