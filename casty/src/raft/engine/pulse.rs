//! Changes of a group's leadership, as the core reports them.

use std::time::Duration;

use openraft::ServerState;
use openraft::alias::WatchReceiverOf;
use openraft::async_runtime::WatchReceiver;
use openraft::metrics::RaftServerMetrics;

use super::types::{TypeConfig, leader};
use crate::base::NodeKey;
use crate::raft::LeaderId;

/// What the core of a group says of its leadership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::raft) struct View {
    /// The leader that this node knows.
    pub(in crate::raft) leader: Option<LeaderId>,
    /// It is this node. Nobody was asked whether it still is.
    pub(in crate::raft) leads: bool,
}

/// Watches the leadership of one group.
pub(in crate::raft) struct Pulse {
    me: NodeKey,
    metrics: WatchReceiverOf<TypeConfig, RaftServerMetrics<TypeConfig>>,
}

impl Pulse {
    pub(super) fn new(me: NodeKey, metrics: WatchReceiverOf<TypeConfig, RaftServerMetrics<TypeConfig>>) -> Self {
        Self { me, metrics }
    }

    pub(in crate::raft) fn view(&self) -> View {
        let metrics = self.metrics.borrow_watched();
        let leader = leader(&metrics.vote);
        let leads = metrics.state == ServerState::Leader && leader.is_some_and(|leader| leader.node == self.me);
        View { leader, leads }
    }

    /// Waits for a change. `false`: the group has stopped.
    pub(in crate::raft) async fn changed(&mut self) -> bool {
        self.metrics.changed().await.is_ok()
    }

    /// Waits for a change, but not longer than this. `false`: the group has stopped.
    pub(in crate::raft) async fn changed_within(&mut self, longest: Duration) -> bool {
        tokio::time::timeout(longest, self.changed()).await.unwrap_or(true)
    }
}
