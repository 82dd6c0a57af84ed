//! Leaving the cluster for good: what the node holds goes to others first.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::meta::{Command, Stay, Topology, Verdict};
use super::{LeaveError, Node};
use crate::actor::ShutdownReport;
use crate::cluster::Role;

/// How long the others have to take over.
const LEAVE_MAX: Duration = Duration::from_secs(60);

impl Node {
    /// Leaves the cluster for good, and stops. Before, it hands over what it leads, and the others take replicas of what it
    /// holds: no request fails because of it. The last node of a cluster takes everything with it, or keeps it in its
    /// `data_dir`.
    ///
    /// After an error the node runs on, and the others go on taking over. [`shutdown`](Self::shutdown) ends it all the same.
    pub async fn leave(&self) -> Result<ShutdownReport, LeaveError> {
        let deadline = Instant::now() + LEAVE_MAX;
        match timeout_at(deadline, self.hand_over(deadline)).await {
            Ok(Ok(handed_over)) => {
                if handed_over && let Err(error) = self.inner.life.end().await {
                    tracing::error!(%error, "the end of this life of the node cannot be stored");
                }
                Ok(self.shutdown().await)
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(LeaveError::TimedOut { after: LEAVE_MAX, holds: self.inner.host.groups().len() }),
        }
    }

    /// Ends when the cluster does not count on this node any more. False: there is nobody to hand anything to.
    async fn hand_over(&self, deadline: Instant) -> Result<bool, LeaveError> {
        let inner = &self.inner;
        let others = |topology: &Topology| {
            topology
                .nodes()
                .iter()
                .any(|(node, entry)| *node != inner.me && entry.role == Role::Replica && entry.stay == Stay::Stays)
        };
        if !inner.topology().is_some_and(|topology| others(&topology)) {
            return Ok(false);
        }
        inner.leaving.store(true, Ordering::Release);
        tracing::info!("leaving: the other nodes take over what this one holds");
        match inner.agree(&Command::Leave { node: inner.me }, deadline).await {
            // The cluster has given this node up before.
            Some(Verdict::Agreed | Verdict::Overtaken) => {}
            _ => return Err(LeaveError::Unavailable { after: LEAVE_MAX }),
        }
        let mut agreed = inner.watch_topology();
        // A view from before the decision may not know yet of what this node was given a moment ago.
        let decided = |topology: &Topology| topology.nodes().get(&inner.me).is_none_or(|me| me.stay == Stay::Leaves);
        let done = |topology: &Topology| (decided(topology) && !topology.needs(inner.me)) || !others(topology);
        tokio::select! {
            left = agreed.wait_for(|topology| topology.as_deref().is_none_or(done)) => drop(left),
            () = inner.told_over.notified() => {}
        }
        Ok(true)
    }
}
