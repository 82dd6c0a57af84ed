//! What a node tells its clients of the cluster, and the other nodes of its clients.

use serde::{Deserialize, Serialize};

use crate::base::NodeKey;
use crate::cluster::PeerEvent;
use crate::wire::Member;

/// From a node to its clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum News {
    /// All members, and those of them that frames get to. The first word on a connection.
    All { members: Vec<Member>, linked: Vec<NodeKey> },
    /// A member more.
    Up(Member),
    /// A member less.
    Down(NodeKey),
    /// Frames get to this node, and back.
    Linked(NodeKey),
    /// The link to this node broke: what was under way may be lost.
    Unlinked(NodeKey),
}

/// From node to node: a client's connection with this number has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Departed {
    pub(crate) client: NodeKey,
    pub(crate) nonce: u64,
}

impl News {
    /// What an event is to a client, if it is anything.
    pub(super) fn of(event: &PeerEvent) -> Option<Self> {
        match event {
            PeerEvent::MemberUp(member) => Some(Self::Up(member.clone())),
            PeerEvent::MemberDown(member) => Some(Self::Down(member.key)),
            PeerEvent::LinkUp(peer) => Some(Self::Linked(*peer)),
            PeerEvent::LinkDown(peer) => Some(Self::Unlinked(*peer)),
            PeerEvent::ClientGone(_) | PeerEvent::Superseded(_) => None,
        }
    }
}
