//! Who belongs to a group, as the library has it.

use std::collections::{BTreeMap, BTreeSet};

use openraft::async_runtime::WatchReceiver;
use openraft::{ChangeMembers, Instant};

use super::Engine;
use crate::base::NodeKey;
use crate::raft::{RaftError, Roster, RosterChange};

/// Whoever lacks no more entries than this has caught up: it has them with the next message.
const LAG_MAX: u64 = 100;

impl Engine {
    /// The newest membership in this node's log.
    pub(in crate::raft) fn roster(&self) -> Roster {
        let metrics = self.core.raft.metrics();
        let metrics = metrics.borrow_watched();
        let stored = &metrics.membership_config;
        let learners = stored.membership().learner_ids().map(NodeKey).collect();
        let enough = metrics.last_log_index.map_or(0, |last| last.saturating_sub(LAG_MAX));
        let matched = metrics.replication.iter().flatten();
        let close = matched.filter(|(_, matched)| matched.as_ref().is_some_and(|matched| matched.index >= enough));
        let fresh = self.heartbeat * 2;
        let heard = metrics.heartbeat.iter().flatten();
        let answering = heard.filter(|(_, at)| at.as_ref().is_some_and(|at| at.elapsed() <= fresh));
        Roster {
            voters: stored.voter_ids().map(NodeKey).collect(),
            learners,
            joint: stored.get_joint_config().len() > 1,
            committed: stored.log_id().as_ref() <= metrics.local_committed.as_ref(),
            caught_up: close.map(|(node, _)| NodeKey(*node)).collect(),
            answering: answering.map(|(node, _)| NodeKey(*node)).collect(),
        }
    }

    /// On the leader, the members that have answered what it sent since `begun`, itself among them.
    pub(in crate::raft) fn answered_since(&self, begun: tokio::time::Instant) -> BTreeSet<NodeKey> {
        // In this order: an answer to what was sent before counts as too old.
        let age = begun.elapsed();
        let metrics = self.core.raft.metrics();
        let metrics = metrics.borrow_watched();
        let heard = metrics.heartbeat.iter().flatten();
        let since = heard.filter(|(_, at)| at.as_ref().is_some_and(|at| at.elapsed() <= age));
        since.map(|(node, _)| NodeKey(*node)).chain([self.me]).collect()
    }

    /// How long the leader waits between two heartbeats.
    pub(in crate::raft) fn heartbeat(&self) -> std::time::Duration {
        self.heartbeat
    }

    /// Changes the membership by one step, and waits for its commit.
    pub(in crate::raft) async fn change(&self, change: RosterChange) -> Result<(), RaftError> {
        let change = match change {
            RosterChange::Learn(node) => ChangeMembers::AddNodes(BTreeMap::from([(node.0, ())])),
            RosterChange::Vote(voters) => ChangeMembers::ReplaceAllVoters(voters.iter().map(|node| node.0).collect()),
            RosterChange::Forget(node) => ChangeMembers::RemoveNodes(BTreeSet::from([node.0])),
        };
        // Whoever loses its vote stays as a learner: that it leaves is a step of its own.
        let changed = self.core.unless_closed(self.core.raft.change_membership(change, true)).await;
        let failed = |why: String| RaftError::NotReconfigured { group: self.group, why };
        changed.ok_or_else(|| self.stopped())?.map(drop).map_err(|why| failed(why.to_string()))
    }
}
