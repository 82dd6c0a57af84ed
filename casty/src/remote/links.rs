//! What stands between this module and the network.

use std::future::Future;
use std::pin::Pin;

use crate::base::NodeKey;
use crate::cluster::SendFailure;
use crate::wire::Kind;

/// Waits until there is room on a link, or no link.
pub(crate) type Room = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The links of a node, as remote references use them. All frames go on one lane: they arrive in the order in which they were
/// queued.
pub(crate) trait Links: Send + Sync + 'static {
    /// Queues a frame whose body `encode` appends.
    fn send(&self, to: NodeKey, kind: Kind, encode: &mut dyn FnMut(&mut Vec<u8>)) -> Result<(), SendFailure>;

    /// Whether there is a link with the node, so that a question could be answered.
    fn is_linked(&self, to: NodeKey) -> bool;

    /// Whether the node is believed to be alive.
    fn is_member(&self, node: NodeKey) -> bool;

    /// The other nodes that are believed to be alive.
    fn members(&self) -> Vec<NodeKey>;

    /// Waits until a frame could be queued again, or there is no link.
    fn room(&self, to: NodeKey) -> Room;
}
