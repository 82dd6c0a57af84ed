//! A [`Machine`] as the consensus library's state machine.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use openraft::storage::{EntryResponder, RaftSnapshotBuilder, RaftStateMachine, Snapshot};
use openraft::{EntryPayload, OptionalSend};
use tokio::sync::{Mutex, Notify, OwnedMutexGuard};

use super::saved;
use super::types::{Entry, LogId, SnapshotMeta, StoredMembership, TypeConfig};
use crate::base::BoxError;
use crate::raft::{Machine, RaftSettings};
use crate::storage::SnapshotStore;

/// The machine of a group with how far it is: both change together, under one lock.
pub(super) struct MachineAdapter {
    replica: Replica,
    /// `None`: the state lives as long as the log does.
    snapshots: Option<Arc<dyn SnapshotStore>>,
    /// Bytes of commands since the last snapshot.
    log_bytes: u64,
    log_bytes_max: u64,
    /// Told when the log is large enough for a snapshot.
    snapshot_due: Arc<Notify>,
}

/// A shared handle to the machine's state.
#[derive(Clone)]
pub(super) struct Replica {
    state: Arc<Mutex<State>>,
    threads: bool,
}

struct State {
    machine: Box<dyn Machine>,
    applied: Option<LogId>,
    membership: StoredMembership,
}

/// A snapshot on its way. On the leader it is made only when it is about to be sent: the state is in memory, so a
/// compaction of a log that is in memory, too, needs no bytes, and a follower that cannot be reached costs none.
pub(super) enum SnapshotData {
    Here(Replica),
    Received(Bytes),
}

impl MachineAdapter {
    /// A machine that is as new, or has the state that was saved last.
    pub(super) async fn open(
        machine: Box<dyn Machine>,
        settings: &RaftSettings,
        snapshots: Option<Arc<dyn SnapshotStore>>,
        snapshot_due: Arc<Notify>,
    ) -> Result<Self, BoxError> {
        let state = State { machine, applied: None, membership: StoredMembership::default() };
        let replica = Replica { state: Arc::new(Mutex::new(state)), threads: settings.snapshot_threads };
        if let Some(store) = snapshots.clone()
            && let Some((meta, bytes)) = replica.run(move || Ok(saved::load(&store)?)).await?
        {
            replica.restore(&meta, bytes).await?;
        }
        Ok(Self { replica, snapshots, log_bytes: 0, log_bytes_max: settings.snapshot_log_bytes, snapshot_due })
    }

    /// The last entry that the state comprises.
    pub(super) async fn applied(&self) -> Option<LogId> {
        self.replica.state.lock().await.applied
    }
}

impl Drop for MachineAdapter {
    fn drop(&mut self) {
        // Lets who waits for it notice that the group is gone.
        self.snapshot_due.notify_one();
    }
}

impl Replica {
    /// The state as bytes, and what it comprises.
    pub(super) async fn produce(&self) -> Result<(SnapshotMeta, Bytes), BoxError> {
        let state = self.state.clone().lock_owned().await;
        self.encode(state).await
    }

    /// The state that is held, as bytes.
    async fn encode(&self, state: OwnedMutexGuard<State>) -> Result<(SnapshotMeta, Bytes), BoxError> {
        self.run(move || Ok((state.meta(), state.machine.snapshot()?))).await
    }

    async fn restore(&self, meta: &SnapshotMeta, bytes: Bytes) -> Result<(), BoxError> {
        let mut state = self.state.clone().lock_owned().await;
        let meta = meta.clone();
        self.run(move || {
            state.machine.restore(&bytes)?;
            state.applied = meta.last_log_id;
            state.membership = meta.last_membership;
            Ok(())
        })
        .await
    }

    async fn run<T: Send + 'static>(
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
    fn meta(&self) -> SnapshotMeta {
        SnapshotMeta { last_log_id: self.applied, last_membership: self.membership.clone() }
    }

    /// Applies one entry, which must be the next one.
    fn apply(&mut self, entry: Entry) -> io::Result<Bytes> {
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

impl RaftStateMachine<TypeConfig> for MachineAdapter {
    type SnapshotData = SnapshotData;
    type SnapshotBuilder = Built;

    async fn applied_state(&mut self) -> io::Result<(Option<LogId>, StoredMembership)> {
        let state = self.replica.state.lock().await;
        Ok((state.applied, state.membership.clone()))
    }

    async fn apply<S>(&mut self, mut entries: S) -> io::Result<()>
    where
        S: Stream<Item = io::Result<EntryResponder<TypeConfig>>> + Unpin + OptionalSend,
    {
        let mut state = self.replica.state.lock().await;
        while let Some((entry, responder)) = entries.try_next().await? {
            if let EntryPayload::Normal(command) = &entry.payload {
                self.log_bytes += command.0.len() as u64;
            }
            let output = state.apply(entry)?;
            if let Some(responder) = responder {
                responder.send(output);
            }
        }
        if self.log_bytes >= self.log_bytes_max {
            self.log_bytes = 0;
            self.snapshot_due.notify_one();
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Built {
        self.log_bytes = 0;
        let state = self.replica.state.clone().lock_owned().await;
        let meta = state.meta();
        let save = self.snapshots.clone().map(|store| (store, state));
        Built { meta, replica: self.replica.clone(), save }
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMeta, snapshot: SnapshotData) -> io::Result<()> {
        let SnapshotData::Received(bytes) = snapshot else {
            return Err(io::Error::other("a snapshot of this replica was to be installed in itself"));
        };
        let size = bytes.len();
        self.replica.restore(meta, bytes.clone()).await.map_err(|why| {
            io::Error::other(format!("the machine did not accept a snapshot of {size} bytes from the leader: {why}"))
        })?;
        // The log up to here goes away next.
        match &self.snapshots {
            Some(store) => saved::save(&**store, meta, bytes).await,
            None => Ok(()),
        }
    }

    async fn get_current_snapshot(&mut self) -> io::Result<Option<Snapshot<Clid, u64, (), SnapshotData>>> {
        let meta = self.replica.state.lock().await.meta();
        let here = || Snapshot { meta: meta.clone(), snapshot: SnapshotData::Here(self.replica.clone()) };
        Ok(meta.last_log_id.is_some().then(here))
    }
}

type Clid = openraft::alias::CommittedLeaderIdOf<TypeConfig>;

/// What a compaction of the log up to here needs to know.
pub(super) struct Built {
    meta: SnapshotMeta,
    replica: Replica,
    /// Where the state has to be saved first, and the state, which stands still until it has become bytes.
    save: Option<(Arc<dyn SnapshotStore>, OwnedMutexGuard<State>)>,
}

impl RaftSnapshotBuilder<TypeConfig> for Built {
    type SnapshotData = SnapshotData;

    async fn build_snapshot(&mut self) -> io::Result<Snapshot<Clid, u64, (), SnapshotData>> {
        if let Some((store, state)) = self.save.take() {
            let failed = |why| io::Error::other(format!("the machine gave no snapshot: {why}"));
            let (meta, bytes) = self.replica.encode(state).await.map_err(failed)?;
            saved::save(&*store, &meta, bytes).await?;
        }
        Ok(Snapshot { meta: self.meta.clone(), snapshot: SnapshotData::Here(self.replica.clone()) })
    }
}
