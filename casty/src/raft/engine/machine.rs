//! A [`Machine`](crate::raft::Machine) as the consensus library's state machine.

use std::io;
use std::sync::Arc;

use futures_util::{Stream, TryStreamExt};
use openraft::storage::{EntryResponder, RaftSnapshotBuilder, RaftStateMachine, Snapshot};
use openraft::{EntryPayload, OptionalSend};
use tokio::sync::{Notify, OwnedMutexGuard};

use super::replica::{Received, Replica, Saving, State};
use super::saved;
use super::types::{LogId, SnapshotMeta, StoredMembership, TypeConfig};
use crate::base::BoxError;
use crate::raft::RaftSettings;
use crate::storage::SnapshotStore;

/// With so many times the bytes of changed rows at which the state is saved, nothing is applied before it is.
const UNSAVED_CHECKPOINTS_MAX: u64 = 4;
/// What an entry takes in memory beside its command.
const ENTRY_BYTES: u64 = 64;
/// A log that is so many times as long as one that is due to be compacted does not wait for followers that are being
/// sent the state.
const PATIENT_LOGS: u64 = 4;

/// The machine of a group, as the library drives it.
pub(super) struct MachineAdapter {
    replica: Replica,
    log_bytes_max: u64,
    checkpoint_bytes: u64,
    /// Told when the log is large enough to be compacted.
    snapshot_due: Arc<Notify>,
    /// The state that is being saved because many rows have changed.
    saving: Option<Saving>,
}

/// A snapshot on its way. On the leader it is made only when it is about to be sent: so a compaction of a log that is
/// in memory, as the state is, needs none, and a follower that cannot be reached costs none.
pub(super) enum SnapshotData {
    Here(Replica),
    Received(Received),
}

impl MachineAdapter {
    pub(super) fn new(replica: Replica, settings: &RaftSettings, snapshot_due: Arc<Notify>) -> Self {
        let RaftSettings { snapshot_log_bytes: log_bytes_max, checkpoint_bytes, .. } = *settings;
        Self { replica, log_bytes_max, checkpoint_bytes, snapshot_due, saving: None }
    }

    /// Saves what has changed while the group goes on, unless that is being done.
    async fn checkpoint(&mut self, store: &dyn SnapshotStore, state: &State) -> io::Result<()> {
        if let Some(saving) = self.saving.take() {
            if saving.is_empty() && state.machine.unsaved_bytes() < self.checkpoint_bytes * UNSAVED_CHECKPOINTS_MAX {
                self.saving = Some(saving);
                return Ok(());
            }
            saved::done(saving).await?;
        }
        self.saving = state.begin_save(store).map_err(io::Error::other)?;
        Ok(())
    }
}

impl Drop for MachineAdapter {
    fn drop(&mut self) {
        // Lets who waits for it notice that the group is gone.
        self.snapshot_due.notify_one();
    }
}

impl RaftStateMachine<TypeConfig> for MachineAdapter {
    type SnapshotData = SnapshotData;
    type SnapshotBuilder = Built;

    async fn applied_state(&mut self) -> io::Result<(Option<LogId>, StoredMembership)> {
        let state = self.replica.lock().await;
        Ok((state.applied, state.membership.clone()))
    }

    async fn apply<S>(&mut self, mut entries: S) -> io::Result<()>
    where
        S: Stream<Item = io::Result<EntryResponder<TypeConfig>>> + Unpin + OptionalSend,
    {
        let (mut state, mut log_bytes) = (self.replica.lock().await, 0);
        while let Some((entry, responder)) = entries.try_next().await? {
            if let EntryPayload::Normal(command) = &entry.payload {
                log_bytes += command.0.len() as u64 + ENTRY_BYTES;
            }
            let output = state.apply(entry)?;
            if let Some(responder) = responder {
                responder.send(output);
            }
            if state.machine.unsaved_bytes() >= self.checkpoint_bytes
                && let Some(store) = self.replica.snapshots.clone()
            {
                self.checkpoint(&*store, &state).await?;
            }
        }
        self.replica.log_bytes.send_modify(|bytes| *bytes += log_bytes);
        if *self.replica.log_bytes.borrow() >= self.log_bytes_max {
            self.snapshot_due.notify_one();
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Built {
        self.replica.log_bytes.send_replace(0);
        let state = self.replica.lock().await;
        let meta = state.meta();
        let save = self.replica.snapshots.clone().map(|store| (store, state));
        Built { meta, replica: self.replica.clone(), save, log_bytes_max: self.log_bytes_max * PATIENT_LOGS }
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMeta, snapshot: SnapshotData) -> io::Result<()> {
        let SnapshotData::Received(received) = snapshot else {
            return Err(io::Error::other("a snapshot of this replica was to be installed in itself"));
        };
        let failed = |why: BoxError| io::Error::other(format!("a snapshot of the leader was not installed: {why}"));
        self.replica.install(meta, received).await.map_err(failed)
    }

    async fn get_current_snapshot(&mut self) -> io::Result<Option<Snapshot<Clid, u64, (), SnapshotData>>> {
        // The library takes it that a follower has all this once it was sent, and a transfer may go on with what it began.
        let now = self.replica.lock().await.meta();
        let meta = self.replica.transfers.oldest().unwrap_or(now);
        let here = || Snapshot { meta: meta.clone(), snapshot: SnapshotData::Here(self.replica.clone()) };
        Ok(meta.last_log_id.is_some().then(here))
    }
}

type Clid = openraft::alias::CommittedLeaderIdOf<TypeConfig>;

/// What a compaction of the log up to here needs to know.
pub(super) struct Built {
    meta: SnapshotMeta,
    replica: Replica,
    /// Where the state has to be saved first, and the state, which stands still until it is known what to write.
    save: Option<(Arc<dyn SnapshotStore>, OwnedMutexGuard<State>)>,
    /// The length of the log at which it is compacted, whoever needs it.
    log_bytes_max: u64,
}

impl RaftSnapshotBuilder<TypeConfig> for Built {
    type SnapshotData = SnapshotData;

    async fn build_snapshot(&mut self) -> io::Result<Snapshot<Clid, u64, (), SnapshotData>> {
        if let Some((store, state)) = self.save.take() {
            self.replica.save(state, store).await.map_err(io::Error::other)?;
        }
        // A follower that has got the state needs the entries behind it next.
        let mut log_bytes = self.replica.log_bytes.subscribe();
        tokio::select! {
            () = self.replica.transfers.ended() => {}
            _ = log_bytes.wait_for(|bytes| *bytes >= self.log_bytes_max) => {}
        }
        Ok(Snapshot { meta: self.meta.clone(), snapshot: SnapshotData::Here(self.replica.clone()) })
    }
}
