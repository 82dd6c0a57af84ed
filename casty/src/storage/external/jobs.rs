//! The calls of a store, on their way to the one task or thread that has the connection.

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use super::{EntityKey, EntityStoreError, StoredEntity};

/// So many calls wait for the connection; further ones wait for their place.
const WAITING_MAX: usize = 1024;

/// So many calls are taken together, and share what a transaction costs.
pub(super) const TOGETHER_MAX: usize = 256;

type Loaded = Result<Option<StoredEntity>, EntityStoreError>;
type Saved = Result<(), EntityStoreError>;

/// A row that is asked for.
pub(super) struct Load {
    pub(super) key: EntityKey,
    pub(super) reply: oneshot::Sender<Loaded>,
}

/// A row that is to be saved.
pub(super) struct Save {
    pub(super) key: EntityKey,
    pub(super) expected: u64,
    pub(super) row: Bytes,
    pub(super) reply: oneshot::Sender<Saved>,
}

/// One call.
pub(super) enum Job {
    Load(Load),
    Save(Save),
}

/// The callers' end.
#[derive(Clone, Debug)]
pub(super) struct Jobs(mpsc::Sender<Job>);

impl Jobs {
    /// Both ends.
    pub(super) fn new() -> (Self, mpsc::Receiver<Job>) {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        (Self(sender), receiver)
    }

    /// [`EntityStore::load`](super::EntityStore::load).
    pub(super) fn load<'a>(&'a self, key: &'a EntityKey) -> BoxFuture<'a, Loaded> {
        async move {
            let (reply, told) = oneshot::channel();
            let sent = self.0.send(Job::Load(Load { key: key.clone(), reply })).await;
            sent.map_err(|_| EntityStoreError::unavailable(OVER))?;
            told.await.unwrap_or_else(|_| Err(EntityStoreError::unavailable(OVER)))
        }
        .boxed()
    }

    /// [`EntityStore::save`](super::EntityStore::save).
    pub(super) fn save<'a>(&'a self, key: &'a EntityKey, expected: u64, row: Bytes) -> BoxFuture<'a, Saved> {
        async move {
            let (reply, told) = oneshot::channel();
            let sent = self.0.send(Job::Save(Save { key: key.clone(), expected, row, reply })).await;
            sent.map_err(|_| EntityStoreError::unavailable(OVER))?;
            told.await.unwrap_or_else(|_| Err(EntityStoreError::unknown(OVER)))
        }
        .boxed()
    }
}

const OVER: &str = "what ran it has ended";

/// Takes calls apart by kind. Saves that nobody waits for any more are dropped: their outcome counts as unknown already.
pub(super) fn sorted(jobs: impl IntoIterator<Item = Job>) -> (Vec<Load>, Vec<Save>) {
    let (mut loads, mut saves) = (Vec::new(), Vec::new());
    for job in jobs {
        match job {
            Job::Load(load) => loads.push(load),
            Job::Save(save) if save.reply.is_closed() => {}
            Job::Save(save) => saves.push(save),
        }
    }
    (loads, saves)
}
