//! How routers and regions reach other nodes.

use crate::base::NodeKey;
use crate::wire::Kind;

/// Sends frames to peers. Implemented over the cluster's links; in tests, over a map.
pub(crate) trait Post: Send + Sync + 'static {
    /// Queues a frame, in order with earlier ones to the same peer. `false` if nothing was queued: the peer is not
    /// connected, or its queue is full.
    fn post(&self, to: NodeKey, kind: Kind, encode: &mut dyn FnMut(&mut Vec<u8>)) -> bool;

    /// Whether frames to this peer can leave, if its queue has room.
    fn is_linked(&self, to: NodeKey) -> bool;

    /// Queues a frame to every connected peer.
    fn broadcast(&self, kind: Kind, encode: &mut dyn FnMut(&mut Vec<u8>));
}
