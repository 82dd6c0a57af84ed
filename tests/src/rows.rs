//! A store of entities whose calls a test refuses, loses and holds up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use casty::storage::{EntityKey, EntityStore, EntityStoreError, StoredEntity};
use futures_util::future::{BoxFuture, FutureExt};
use tokio::sync::watch;

/// What becomes of the calls of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// They reach the store, and the answers come back.
    Open,
    /// They are refused: the store is down.
    Down,
    /// Saves are lost on the way there, and nobody knows.
    LosesSaves,
    /// Saves reach the store, and the answers are lost.
    LosesAnswers,
    /// Saves reach the store, and nothing comes back; loads neither.
    Mute,
    /// Saves wait on the way there, and arrive when this is over, whether or not somebody still waits for them.
    HoldsSaves,
}

/// One node's way to a store that several share.
#[derive(Clone, Debug)]
pub struct Rows {
    store: Arc<dyn EntityStore>,
    way: Arc<watch::Sender<Way>>,
    counts: Arc<Counts>,
}

/// What became of saves.
#[derive(Debug, Default)]
struct Counts {
    tried: AtomicU64,
    begun: AtomicU64,
    saved: AtomicU64,
    refused: AtomicU64,
}

impl Rows {
    /// A way to `store`.
    pub fn to(store: Arc<dyn EntityStore>) -> Self {
        Self { store, way: Arc::new(watch::Sender::new(Way::Open)), counts: Arc::default() }
    }

    /// From now on calls go this way.
    pub fn go(&self, way: Way) {
        self.way.send_replace(way);
    }

    /// How many saves were called for.
    pub fn tried(&self) -> u64 {
        self.counts.tried.load(Ordering::SeqCst)
    }

    /// How many saves have set out.
    pub fn begun(&self) -> u64 {
        self.counts.begun.load(Ordering::SeqCst)
    }

    /// How many saves the store has taken.
    pub fn saved(&self) -> u64 {
        self.counts.saved.load(Ordering::SeqCst)
    }

    /// How many saves the store has refused, since another revision was there.
    pub fn refused(&self) -> u64 {
        self.counts.refused.load(Ordering::SeqCst)
    }

    async fn passed(self, key: EntityKey, expected: u64, row: Bytes) -> Result<(), EntityStoreError> {
        let mut way = self.way.subscribe();
        self.counts.begun.fetch_add(1, Ordering::SeqCst);
        // The sender is as long-lived as this.
        let _ = way.wait_for(|way| *way != Way::HoldsSaves).await;
        let saved = self.store.save(&key, expected, row).await;
        match &saved {
            Ok(()) => self.counts.saved.fetch_add(1, Ordering::SeqCst),
            Err(EntityStoreError::Conflict) => self.counts.refused.fetch_add(1, Ordering::SeqCst),
            Err(_) => 0,
        };
        saved
    }
}

fn down() -> EntityStoreError {
    EntityStoreError::unavailable("the test has taken it down")
}

impl EntityStore for Rows {
    fn load<'a>(&'a self, key: &'a EntityKey) -> BoxFuture<'a, Result<Option<StoredEntity>, EntityStoreError>> {
        let way = *self.way.borrow();
        async move { if matches!(way, Way::Down | Way::Mute) { Err(down()) } else { self.store.load(key).await } }
            .boxed()
    }

    fn save<'a>(
        &'a self,
        key: &'a EntityKey,
        expected: u64,
        row: Bytes,
    ) -> BoxFuture<'a, Result<(), EntityStoreError>> {
        let way = *self.way.borrow();
        self.counts.tried.fetch_add(1, Ordering::SeqCst);
        let lost = || EntityStoreError::unknown("the test has lost the answer");
        async move {
            // What has set out arrives, whoever waits for it.
            let passed = |rows: Self| tokio::spawn(rows.passed(key.clone(), expected, row));
            match way {
                Way::Down => Err(down()),
                Way::LosesSaves => Err(lost()),
                Way::LosesAnswers | Way::Mute => match passed(self.clone()).await {
                    Ok(Err(EntityStoreError::Conflict)) => Err(EntityStoreError::Conflict),
                    _ => Err(lost()),
                },
                Way::Open | Way::HoldsSaves => passed(self.clone()).await.unwrap_or_else(|_| Err(lost())),
            }
        }
        .boxed()
    }
}
