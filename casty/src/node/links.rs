//! The cluster's links, as consensus and sharding see them.

use std::sync::{Arc, OnceLock, Weak};

use crate::base::NodeKey;
use crate::cluster::{Cluster, Lane};
use crate::raft::Links;
use crate::sharding::Post;
use crate::wire::Kind;

/// Sends frames over the cluster's links, once there is a cluster.
///
/// The parts of a node know each other through it: it is made first, and holds the cluster weakly, since the cluster
/// holds the node.
#[derive(Default)]
pub(super) struct NodeLinks {
    cluster: OnceLock<Weak<Cluster>>,
    cluster_id: OnceLock<u64>,
}

impl NodeLinks {
    /// Links that lead nowhere yet.
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// The links are up.
    pub(super) fn connect(&self, cluster: &Arc<Cluster>) {
        let _ = self.cluster.set(Arc::downgrade(cluster));
    }

    /// The cluster is founded: consensus messages carry its id.
    pub(super) fn found(&self, cluster_id: u64) {
        let _ = self.cluster_id.set(cluster_id);
    }

    /// Whether this is the cluster that the node belongs to.
    pub(super) fn is_ours(&self, cluster_id: u64) -> bool {
        self.cluster_id() == Some(cluster_id)
    }

    /// The cluster that the node belongs to.
    pub(super) fn cluster_id(&self) -> Option<u64> {
        self.cluster_id.get().copied()
    }

    /// Queues a frame. `false` if it was not queued.
    pub(super) fn send(&self, to: NodeKey, lane: Lane, kind: Kind, encode: &mut dyn FnMut(&mut Vec<u8>)) -> bool {
        let Some(cluster) = self.cluster() else { return false };
        match cluster.send(to, lane, kind, |out| encode(out)) {
            Ok(()) => true,
            Err(error) => {
                tracing::trace!(%to, %error, "a frame was not queued");
                false
            }
        }
    }

    /// Whether this is the key of a client, and no node's.
    pub(super) fn is_client(&self, key: NodeKey) -> bool {
        self.cluster().is_some_and(|cluster| cluster.is_client(key))
    }

    /// Ends the connection of a client to this node.
    pub(super) fn let_go(&self, client: NodeKey) {
        if let Some(cluster) = self.cluster() {
            cluster.let_go(client);
        }
    }

    /// The cluster, while it runs.
    pub(super) fn cluster(&self) -> Option<Arc<Cluster>> {
        self.cluster.get()?.upgrade()
    }
}

impl Links for NodeLinks {
    fn send(&self, to: NodeKey, encode: &mut dyn FnMut(&mut Vec<u8>)) -> bool {
        let Some(cluster_id) = self.cluster_id.get() else { return false };
        NodeLinks::send(self, to, Lane::Control, Kind::RAFT, &mut |out| {
            out.extend_from_slice(&cluster_id.to_le_bytes());
            encode(out);
        })
    }

    fn is_up(&self, to: NodeKey) -> bool {
        self.cluster().is_some_and(|cluster| cluster.is_linked(to))
    }
}

impl Post for NodeLinks {
    fn post(&self, to: NodeKey, kind: Kind, encode: &mut dyn FnMut(&mut Vec<u8>)) -> bool {
        NodeLinks::send(self, to, Lane::Bulk, kind, encode)
    }

    fn is_linked(&self, to: NodeKey) -> bool {
        self.cluster().is_some_and(|cluster| cluster.is_linked(to))
    }

    fn broadcast(&self, kind: Kind, encode: &mut dyn FnMut(&mut Vec<u8>)) {
        let Some(cluster) = self.cluster() else { return };
        let me = cluster.me().key;
        for member in cluster.members() {
            if member.key != me {
                self.post(member.key, kind, encode);
            }
        }
    }
}
