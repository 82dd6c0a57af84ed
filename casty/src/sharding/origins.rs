//! Under which origin each live node sends its requests.

use std::collections::BTreeSet;

use parking_lot::Mutex;

use crate::base::{NodeKey, StableMap};

/// The origins of the live nodes and of their clients. Leaders expire the sessions of origins that are nobody's any more.
#[derive(Default)]
pub(crate) struct Origins(Mutex<StableMap<NodeKey, Announced>>);

/// What a node said last.
struct Announced {
    origin: NodeKey,
    clients: Vec<NodeKey>,
}

impl Origins {
    /// `node` says that its requests come under `origin`, and those of its clients under these.
    pub(crate) fn announce(&self, node: NodeKey, origin: NodeKey, clients: Vec<NodeKey>) {
        self.0.lock().insert(node, Announced { origin, clients });
    }

    /// `node` is gone.
    pub(crate) fn forget(&self, node: NodeKey) {
        self.0.lock().remove(&node);
    }

    /// Whether a node has said under which origin its requests come: so it belongs to this cluster.
    pub(crate) fn is_known(&self, node: NodeKey) -> bool {
        self.0.lock().contains_key(&node)
    }

    /// Every origin that is some live node's, or a client's of one.
    pub(crate) fn live(&self) -> BTreeSet<NodeKey> {
        let announced = self.0.lock();
        announced.values().flat_map(|one| one.clients.iter().copied().chain([one.origin])).collect()
    }
}
