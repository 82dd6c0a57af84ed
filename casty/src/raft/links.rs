//! What a host needs of the connections between nodes.

use crate::base::NodeKey;

/// The consensus lane to every peer.
///
/// A frame arrives whole and in order, or not at all, and when one is lost then all later ones are lost too until
/// both sides were told by [`Host::link_down`](super::Host::link_down). What was lost is sent again by the group.
pub trait Links: Send + Sync + 'static {
    /// Queues one frame, which `encode` appends to the buffer of the lane. `false` when the peer is not connected or
    /// the lane is full; then nothing was queued and `encode` need not have been called.
    fn send(&self, to: NodeKey, encode: &mut dyn FnMut(&mut Vec<u8>)) -> bool;

    /// Whether there is a link with the peer: what is asked now is answered, or
    /// [`Host::link_down`](super::Host::link_down) is called.
    fn is_up(&self, to: NodeKey) -> bool;
}
