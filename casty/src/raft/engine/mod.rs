//! One group's consensus, by the library openraft. No file outside this folder names it.

mod acks;
mod assemblies;
mod config;
mod core;
mod log;
mod machine;
mod mesh;
mod network;
mod peer;
mod propose;
mod pulse;
mod replica;
mod roster;
mod runtime;
#[cfg(feature = "sim")]
mod samples;
mod saved;
mod serve;
mod session;
mod transfers;
mod types;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use openraft::ReadPolicy;
use openraft::async_runtime::WatchReceiver;
use openraft::errors::Fatal;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::{GroupStatus, LeaderId, Machine, RaftError};
use crate::base::{GroupId, NodeKey};
use crate::storage::{LogPosition, LogStore};
use core::Core;
use types::{Raft, TypeConfig};

pub(crate) use log::{stored_voters, take_over};
pub(super) use mesh::Mesh;
pub(super) use pulse::Pulse;
#[cfg(feature = "sim")]
pub(crate) use samples::samples;
#[cfg(feature = "sim")]
pub(crate) use wire::Envelope;

/// A handle to the consensus of one group.
#[derive(Clone)]
pub(super) struct Engine {
    group: GroupId,
    me: NodeKey,
    heartbeat: Duration,
    core: Core,
    forgotten: Option<LogPosition>,
}

impl Engine {
    /// Starts a group with what its log holds, or as a new one of these voters. `forgotten`: where the log ended that this node
    /// had of the group earlier, and has dropped.
    pub(super) async fn start(
        mesh: &Arc<Mesh>,
        group: GroupId,
        log: Arc<dyn LogStore>,
        machine: Box<dyn Machine>,
        voters: &[NodeKey],
        forgotten: Option<LogPosition>,
    ) -> Result<Self, RaftError> {
        let (settings, me) = (&mesh.settings, mesh.me());
        if !voters.is_empty() && !voters.contains(&me) {
            return Err(RaftError::NotAVoter { group, node: me });
        }
        let failed = |why: std::io::Error| RaftError::Stopped { group, why: why.to_string() };
        let snapshot_due = Arc::new(Notify::new());
        let replica = replica::Replica::open(machine, settings, log.snapshots())
            .await
            .map_err(|source| RaftError::Unreadable { group, source })?;
        if let Some(purged) = log.bounds().map_err(failed)?.purged
            && replica.lock().await.applied.is_none_or(|applied| applied.index < purged.index)
        {
            return Err(RaftError::StateMissing { group, purged: purged.index });
        }
        let restarted = log.vote().map_err(failed)?.is_some();
        if !voters.is_empty() {
            log::begin(&*log, voters).await.map_err(failed)?;
        }
        let stands = log.bounds().map_err(failed)?.last >= forgotten;
        let config = config::config(group, settings, stands)?;
        let machine = machine::MachineAdapter::new(replica.clone(), settings, snapshot_due.clone());
        let network = network::Network { mesh: mesh.clone(), group };
        let raft = Raft::new(me.0, config, network, log::LogAdapter::new(log), machine)
            .await
            .map_err(|why| RaftError::Stopped { group, why: why.to_string() })?;
        let votes_from = restarted.then(|| Instant::now() + settings.election_max);
        let core = Core::new(raft);
        mesh.add(group, mesh::Member { core: core.clone(), replica, votes_from, forgotten });
        let engine = Self { group, me, heartbeat: settings.heartbeat, core, forgotten };
        tokio::spawn(engine.clone().compact_when(snapshot_due));
        if !stands {
            tokio::spawn(engine.clone().stand_back());
        }
        Ok(engine)
    }

    /// Whether a majority says, within `patience`, that this node leads under `leader`, and everything committed
    /// before the call is applied.
    pub(super) async fn confirm(&self, leader: LeaderId, patience: Duration) -> bool {
        if leader.node != self.me {
            return false;
        }
        let linearizer = self.core.unless_closed(self.core.raft.get_read_linearizer(ReadPolicy::ReadIndex)).await;
        let Some(Ok(linearizer)) = linearizer else { return false };
        if **linearizer.read_log_id().committed_leader_id() != leader.term {
            return false;
        }
        let ready = linearizer.try_await_ready(&self.core.raft, Some(patience));
        matches!(self.core.unless_closed(ready).await, Some(Ok(Ok(_))))
    }

    /// Stands for election, after a pre-vote, unless it stands back. `false`: the group has stopped.
    pub(super) async fn elect(&self) -> bool {
        if self.stands_back() {
            return !self.is_closed();
        }
        matches!(self.core.unless_closed(self.core.raft.trigger().elect(true)).await, Some(Ok(())))
    }

    /// Whether the log lacks some of what this node has dropped of an earlier one. The members that it knows may then be those of
    /// long ago, who no longer count.
    fn stands_back(&self) -> bool {
        self.core.raft.data_metrics().borrow_watched().last_log.as_ref().map(types::position) < self.forgotten
    }

    /// Stands for no election until it lacks nothing any more.
    async fn stand_back(self) {
        let mut metrics = self.core.raft.data_metrics();
        while self.stands_back() {
            if metrics.changed().await.is_err() {
                return;
            }
        }
        self.core.raft.runtime_config().elect(true);
    }

    /// Begins to hand the leadership over.
    pub(super) async fn transfer(&self, to: NodeKey) -> Result<(), RaftError> {
        self.unless_stopped(self.core.raft.trigger().transfer_leader(to.0)).await
    }

    /// Takes a snapshot, behind which the log is compacted.
    pub(super) async fn compact(&self) -> Result<(), RaftError> {
        self.unless_stopped(self.core.raft.trigger().snapshot()).await
    }

    async fn compact_when(self, due: Arc<Notify>) {
        loop {
            due.notified().await;
            // Fails when the group has stopped: the machine gives notice once more when it goes.
            if self.compact().await.is_err() {
                return;
            }
        }
    }

    pub(super) fn status(&self) -> GroupStatus {
        let metrics = self.core.raft.metrics();
        let metrics = metrics.borrow_watched();
        GroupStatus {
            last_index: metrics.last_log_index,
            committed: metrics.local_committed.map(|id| id.index),
            applied: metrics.last_applied.map(|id| id.index),
            purged: metrics.purged.map(|id| id.index),
            snapshot_index: metrics.snapshot.map(|id| id.index),
            term: metrics.current_term,
            leader: types::leader(&metrics.vote),
        }
    }

    /// How long ago the last message was sent that a quorum has acknowledged; `None` when this node does not lead.
    pub(super) fn quorum_age(&self) -> Option<Duration> {
        use openraft::Instant;
        if self.core.raft.voter_ids().eq([self.me.0]) {
            return Some(Duration::ZERO);
        }
        let metrics = self.core.raft.data_metrics();
        let acked = metrics.borrow_watched().last_quorum_acked;
        acked.map(|acked| acked.elapsed())
    }

    pub(super) fn pulse(&self) -> Pulse {
        Pulse::new(self.me, self.core.raft.server_metrics())
    }

    /// Nothing is asked of the group from here on.
    pub(super) fn close(&self) {
        self.core.close();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.core.is_closed()
    }

    /// Why the group has stopped.
    pub(super) fn stopped(&self) -> RaftError {
        let metrics = self.core.raft.metrics();
        let running = metrics.borrow_watched().running_state.clone();
        match running {
            Ok(()) => RaftError::Stopped { group: self.group, why: "it was closed".into() },
            Err(why) => self.fatal(&why),
        }
    }

    pub(super) async fn shutdown(&self) {
        self.close();
        if let Err(why) = self.core.raft.shutdown().await {
            tracing::error!(group = %self.group, %why, "a group did not stop in order");
        }
    }

    async fn unless_stopped(&self, call: impl Future<Output = Result<(), Fatal<TypeConfig>>>) -> Result<(), RaftError> {
        let done = self.core.unless_closed(call).await.ok_or_else(|| self.stopped())?;
        done.map_err(|why| self.fatal(&why))
    }

    fn fatal(&self, why: &Fatal<TypeConfig>) -> RaftError {
        RaftError::Stopped { group: self.group, why: why.to_string() }
    }
}
