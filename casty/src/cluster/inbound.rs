//! What the layers above are told.

use bytes::Bytes;

use crate::base::NodeKey;
use crate::wire::{Kind, Member};

/// The receiving end of all links of a node. It must not block: a frame waits for the one before it.
///
/// Calls may come before [`Cluster::start`](super::Cluster::start) has returned.
pub trait Inbound: Send + Sync + 'static {
    /// A frame came from the node `from`. Called by the reader of one lane of that node's link, in the order of the lane's
    /// frames; the two lanes have a reader each, and no order between them. Frames of an older link never come after those of
    /// a newer one.
    ///
    /// The body shares memory with the link's read buffer: copy what is kept for long.
    fn frame(&self, from: NodeKey, kind: Kind, body: Bytes);

    /// Something happened to a link or to the membership. Events about the links with one node come in order, and so do those about
    /// the membership; between these there is no order. A link is up before its first frame comes, and down after the last.
    fn event(&self, event: PeerEvent);
}

/// Something that happened to a link or to the membership.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerEvent {
    /// The link with the node is usable: it can be sent to, and answers.
    LinkUp(NodeKey),
    /// The link with the node broke. What was queued for it is lost, and so may be what it sent.
    LinkDown(NodeKey),
    /// The node is a member and believed to be alive.
    MemberUp(Member),
    /// The node left, was declared down, or was replaced by a newer life.
    MemberDown(Member),
    /// A client has left, and has not come back for so long that what it hosted counts as ended. Of a client there is no other
    /// word than this and those of its links.
    ClientGone(NodeKey),
    /// A newer life of this very node is a member. This one has stopped to take part, for good.
    Superseded(Member),
}
