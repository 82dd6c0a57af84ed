//! The state of a group on this node, for all who need it.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use openraft::EntryPayload;
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot, watch};

use super::saved;
use super::transfers::Transfers;
use super::types::{Entry, LogId, SnapshotMeta, StoredMembership};
use crate::base::BoxError;
use crate::raft::{Machine, RaftSettings};
use crate::storage::{FrozenRows, RowReader, SnapshotStore, StagedRows};

/// A shared handle to the machine's state.
#[derive(Clone)]
pub(super) struct Replica {
    state: Arc<Mutex<State>>,
    /// `None`: the state lives as long as the log does.
    pub(super) snapshots: Option<Arc<dyn SnapshotStore>>,
    /// What followers are being sent.
    pub(super) transfers: Arc<Transfers>,
    /// Bytes of commands since the last compaction of the log.
    pub(super) log_bytes: watch::Sender<u64>,
    threads: bool,
}

/// The machine of a group with how far it is: both change together, under one lock.
pub(super) struct State {
    pub(super) machine: Box<dyn Machine>,
    pub(super) applied: Option<LogId>,
    pub(super) membership: StoredMembership,
}

/// The state of one moment.
pub(super) struct Moment {
    pub(super) meta: SnapshotMeta,
    pub(super) head: Bytes,
    pub(super) rows: Option<Box<dyn RowReader>>,
}

/// The state of another node.
pub(super) struct Received {
    pub(super) head: Bytes,
    pub(super) rows: Option<Box<dyn StagedRows>>,
}

/// What is told when a snapshot is durable.
pub(super) type Saving = oneshot::Receiver<io::Result<()>>;

impl Replica {
    /// A machine that is as new, or has the state that was saved last.
    pub(super) async fn open(
        machine: Box<dyn Machine>,
        settings: &RaftSettings,
        snapshots: Option<Arc<dyn SnapshotStore>>,
    ) -> Result<Self, BoxError> {
        let state = State { machine, applied: None, membership: StoredMembership::default() };
        let replica = Self {
            state: Arc::new(Mutex::new(state)),
            snapshots,
            transfers: Arc::default(),
            log_bytes: watch::Sender::new(0),
            threads: settings.snapshot_threads,
        };
        if let Some(store) = replica.snapshots.clone()
            && let Some(Moment { meta, head, .. }) = replica.run(move || Ok(saved::load(&*store)?)).await?
        {
            let mut state = replica.lock().await;
            replica.run(move || state.restore(&meta, &head, None)).await?;
        }
        Ok(replica)
    }

    pub(super) async fn lock(&self) -> OwnedMutexGuard<State> {
        self.state.clone().lock_owned().await
    }

    /// The state of this moment, to be read while the group goes on.
    pub(super) async fn produce(&self) -> Result<Moment, BoxError> {
        let state = self.lock().await;
        let Some(store) = self.snapshots.clone() else {
            return self.run(move || state.moment()).await;
        };
        self.save(state, store.clone()).await?;
        let saved = self.run(move || Ok(saved::load(&*store)?)).await?;
        saved.ok_or_else(|| "nothing was applied yet".into())
    }

    /// Saves the state, which stands still until it is known what has to be written, and waits until it is durable.
    pub(super) async fn save(
        &self,
        state: OwnedMutexGuard<State>,
        store: Arc<dyn SnapshotStore>,
    ) -> Result<(), BoxError> {
        match self.run(move || state.begin_save(&*store)).await? {
            Some(saving) => Ok(saved::done(saving).await?),
            None => Ok(()),
        }
    }

    /// Begins rows of another node; `None` if the machine has no table.
    pub(super) async fn stage(&self) -> Result<Option<Box<dyn StagedRows>>, BoxError> {
        self.state.lock().await.machine.stage()
    }

    /// Replaces the state, and waits until that is as durable as the log, which goes away next.
    pub(super) async fn install(&self, meta: &SnapshotMeta, received: Received) -> Result<(), BoxError> {
        let (meta, mut state) = (meta.clone(), self.lock().await);
        let state = self
            .run(move || {
                state.restore(&meta, &received.head, received.rows)?;
                Ok(state)
            })
            .await?;
        match self.snapshots.clone() {
            Some(store) => self.save(state, store).await,
            None => Ok(()),
        }
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, BoxError> + Send + 'static,
    ) -> Result<T, BoxError> {
        if !self.threads {
            return work();
        }
        // A panic of the machine becomes an error here.
        tokio::task::spawn_blocking(work).await?
    }
}

impl State {
    pub(super) fn meta(&self) -> SnapshotMeta {
        SnapshotMeta { last_log_id: self.applied, last_membership: self.membership.clone() }
    }

    fn moment(&self) -> Result<Moment, BoxError> {
        let snapshot = self.machine.snapshot()?;
        let rows = match snapshot.rows {
            None => None,
            Some(FrozenRows::Here(rows)) => Some(rows),
            Some(FrozenRows::Unsaved(_)) => return Err("the log of a table on a disk is in memory".into()),
        };
        Ok(Moment { meta: self.meta(), head: snapshot.head, rows })
    }

    /// Hands the state to a store. `None`: nothing was applied yet.
    pub(super) fn begin_save(&self, store: &dyn SnapshotStore) -> Result<Option<Saving>, BoxError> {
        if self.applied.is_none() {
            return Ok(None);
        }
        let snapshot = self.machine.snapshot().map_err(|why| format!("the machine gave no snapshot: {why}"))?;
        Ok(Some(saved::begin(store, &self.meta(), snapshot)?))
    }

    fn restore(&mut self, meta: &SnapshotMeta, head: &[u8], rows: Option<Box<dyn StagedRows>>) -> Result<(), BoxError> {
        self.machine.restore(head, rows)?;
        self.applied = meta.last_log_id;
        self.membership = meta.last_membership.clone();
        Ok(())
    }

    /// Applies one entry, which must be the next one.
    pub(super) fn apply(&mut self, entry: Entry) -> io::Result<Bytes> {
        let expected = self.applied.map_or(0, |applied| applied.index + 1);
        if entry.log_id.index != expected {
            let why = format!("entry {} was to be applied where {expected} is the next", entry.log_id.index);
            return Err(io::Error::other(why));
        }
        let output = match entry.payload {
            EntryPayload::Blank => Bytes::new(),
            EntryPayload::Normal(command) => {
                let index = entry.log_id.index;
                let failed = |why| io::Error::other(format!("the machine failed at entry {index}: {why}"));
                self.machine.apply(index, &command.0).map_err(failed)?
            }
            EntryPayload::Membership(membership) => {
                self.membership = StoredMembership::new(Some(entry.log_id), membership);
                Bytes::new()
            }
        };
        self.applied = Some(entry.log_id);
        Ok(output)
    }
}
