//! A store that fails while nothing is written to it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use casty::storage::{Change, FrozenRows, LogStore, MemoryStores, StagedRows, StateStore, Stores};
use casty::{GroupId, NotReady};
use casty_tests::bank::{Account, Deposit};
use casty_tests::cluster::{Cluster, DEADLINE, eventually};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::SetOnce;
use tokio::time::timeout;

/// Stores whose rows cannot be read any more from some time on, while logs and votes go on.
#[derive(Clone, Default)]
struct Failing(Arc<Signs>);

#[derive(Default)]
struct Signs {
    /// No row can be read.
    broken: SetOnce<()>,
    /// Somebody has tried.
    tried: SetOnce<()>,
    /// It is said that the store has failed.
    said: SetOnce<()>,
}

struct FailingRows {
    rows: Box<dyn StateStore>,
    signs: Arc<Signs>,
}

impl Stores for Failing {
    fn log(&self, group: GroupId) -> io::Result<Arc<dyn LogStore>> {
        MemoryStores.log(group)
    }

    fn state(&self, group: GroupId) -> io::Result<Box<dyn StateStore>> {
        Ok(Box::new(FailingRows { rows: MemoryStores.state(group)?, signs: self.0.clone() }))
    }

    fn failure(&self) -> BoxFuture<'static, io::Error> {
        let signs = self.0.clone();
        async move {
            signs.said.wait().await;
            io::Error::other("the disk is gone")
        }
        .boxed()
    }
}

impl StateStore for FailingRows {
    fn get(&self, key: &[u8]) -> io::Result<Option<Bytes>> {
        if self.signs.broken.initialized() {
            let _ = self.signs.tried.set(());
            return Err(io::Error::other("the disk is gone"));
        }
        self.rows.get(key)
    }

    fn write(&self, batch: &[Change<'_>]) -> io::Result<()> {
        self.rows.write(batch)
    }

    fn freeze(&self) -> io::Result<FrozenRows> {
        self.rows.freeze()
    }

    fn stage(&self) -> io::Result<Box<dyn StagedRows>> {
        self.rows.stage()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_leads_and_cannot_read_ends_and_another_answers_what_it_was_asked() {
    let (stores, next) = (<[Failing; 3]>::default(), AtomicUsize::new(0));
    let of_next = || Arc::new(stores[next.fetch_add(1, Ordering::Relaxed)].clone());
    let cluster = Cluster::start_with(3, |config| config.stores(of_next())).await;
    let accounts = cluster.sharded::<Account>("account").await;
    let id = cluster.ids_led_by(1, &accounts[0], "user").next().unwrap();
    let (alice, signs) = (accounts[0].entity(id), &stores[1].0);
    signs.broken.set(()).unwrap();
    let asking = tokio::spawn(async move { alice.deposit(Deposit { amount: 1 }).await });
    timeout(DEADLINE, signs.tried.wait()).await.unwrap();
    signs.said.set(()).unwrap();
    assert_eq!(timeout(DEADLINE, cluster.node(1).ended()).await, Ok(NotReady::StoreFailed));
    assert_eq!(asking.await.unwrap(), Ok(1));
    eventually(DEADLINE, "the others see it no more", || cluster.node(0).members().len() == 2).await;
}
