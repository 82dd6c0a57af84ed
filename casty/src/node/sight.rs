//! What a simulation sees of a node.

use super::Node;
use crate::base::{GroupId, NodeKey};
use crate::raft::Roster;
use crate::replication::SharedState;

impl Node {
    /// The cluster that the node belongs to.
    pub(crate) fn cluster_id(&self) -> Option<u64> {
        self.inner.links.cluster_id()
    }

    /// Who belongs to each group of which this node holds a replica, as far as it knows.
    pub(crate) fn rosters(&self) -> Vec<(GroupId, Roster)> {
        self.inner.host.groups().iter().map(|group| (group.id(), group.roster())).collect()
    }

    /// Whether the node takes no requests any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.inner.router.is_closed()
    }

    /// Who is to vote in each group, as far as this node has heard.
    pub(crate) fn wanted(&self) -> Vec<(GroupId, Vec<NodeKey>)> {
        let topology = self.inner.topology();
        let placements = topology.iter().flat_map(|topology| topology.placements());
        placements.map(|(group, placement)| (*group, placement.replicas.clone())).collect()
    }

    /// The table of a data group whose replica this node holds.
    pub(crate) fn table(&self, group: GroupId) -> Option<SharedState> {
        self.inner.regions.get(group).map(|region| region.table().clone())
    }
}
