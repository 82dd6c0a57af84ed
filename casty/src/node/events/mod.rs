//! What happens to the cluster, as a topic.

mod told;

use std::sync::Arc;

use self::told::{Now, Told};
use super::Node;
use super::inner::Inner;
use crate::actor::{Message, Topic};
use crate::base::NodeId;
use crate::cluster::Member;
use crate::raft::Group;

/// What the topic is called where it is printed. No program finds it by this name.
const NAME: &str = "cluster events";

/// Something that happened to the cluster, as one of its nodes sees it.
///
/// Of one life of a node it is told in this order: up, then unreachable and up again any number of times, then left. A later
/// life under the same name is another member, with another key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClusterEvent {
    /// The cluster has admitted the node, and it is in sight; or it is in sight again. A node tells it of itself too.
    MemberUp(Member),
    /// A node of the cluster that was up is out of sight. It may come back; if it does not, it is removed after
    /// [`remove_after`](crate::ClusterConfig::remove_after). Of a node that has said that it leaves, it is not told.
    MemberUnreachable(Member),
    /// A node that was up is no part of the cluster any more: it left, was removed, or a later life took its place.
    MemberLeft(Member),
    /// Another node leads the meta group, or, as far as this node knows, none does.
    LeaderChanged {
        /// The node that leads.
        leader: Option<NodeId>,
    },
}

impl Message for ClusterEvent {}

impl Node {
    /// What happens to the cluster from now on: nodes that are up, out of sight, and gone, and who leads the meta group.
    ///
    /// Every node tells its own actors what it sees itself, each thing once and in order. That a node belongs to the cluster or
    /// has left it is agreed on, so all nodes come to tell it; whether a node is in sight is a belief, which may differ for a
    /// while. What comes and goes before anybody looks may not be told at all. A node whose own life is over tells nothing more.
    ///
    /// What was told before a subscription is not repeated: subscribe, and then read [`members`](Self::members). They
    /// include nodes in sight that the cluster has not admitted yet.
    ///
    /// ```no_run
    /// use casty::ClusterEvent;
    /// use casty::prelude::*;
    ///
    /// struct Pager;
    ///
    /// #[actor(local)]
    /// impl Pager {
    ///     #[handler]
    ///     fn page(&mut self, event: ClusterEvent) {
    ///         if let ClusterEvent::MemberUnreachable(member) = event {
    ///             println!("{} at {} is out of sight", member.id, member.addr);
    ///         }
    ///     }
    /// }
    ///
    /// # async fn example(node: casty::Node) -> Result<(), BoxError> {
    /// let pager = node.spawn(Pager).await?;
    /// node.events().subscribe(&pager);
    /// # Ok(()) }
    /// ```
    pub fn events(&self) -> &Topic<ClusterEvent> {
        &self.inner.events
    }
}

/// The topic of one node.
pub(super) fn topic() -> Topic<ClusterEvent> {
    Topic::new(NAME.into())
}

impl Inner {
    /// Tells what happens to the cluster, from when this node follows its meta group until its own life is over.
    pub(super) async fn tell_events(self: Arc<Self>, meta: Arc<Group>) {
        let Some(cluster) = self.links.cluster() else { return };
        let (mut agreed, mut sight, mut leadership) = (self.watch_topology(), cluster.watch(), meta.leadership());
        drop(cluster);
        let mut told = Told::default();
        loop {
            let topology = agreed.borrow_and_update().clone();
            let (members, leader) = (sight.borrow_and_update().clone(), *leadership.borrow_and_update());
            if let Some(topology) = topology {
                let now = Now { me: self.me, topology: &topology, in_sight: &members, leadership: leader };
                for event in told.advance(&now) {
                    self.events.publish(event);
                }
            }
            let changed = tokio::select! {
                changed = agreed.changed() => changed,
                changed = sight.changed() => changed,
                changed = leadership.changed() => changed,
                _ = self.ended() => return,
            };
            if changed.is_err() {
                return;
            }
        }
    }
}
