//! What the meta group decides on, and what it says.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::actor::remote::Address;
use crate::base::{GroupId, NodeId, NodeKey};
use crate::cluster::Member;
use crate::sharding::Declaration;

/// A proposal to the meta group. Any node may make one; the same twice does no harm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Command {
    /// An entity type is to exist.
    Declare(Declaration),
    /// A node belongs to the cluster from now on. If it is a later life of one that does, it takes its places.
    Admit(Member),
    /// A node has been away for too long, and others are to hold what it held; or it is back before they do.
    Away { node: NodeKey, away: bool },
    /// A node leaves, and hands over what it holds.
    Leave { node: NodeKey },
    /// A node that holds nothing any more is no part of the cluster.
    Remove { node: NodeKey },
    /// A group whose placement is still the one of this epoch is to have these replicas.
    Place { group: GroupId, epoch: u64, replicas: Vec<NodeKey> },
    /// A group has changed over to the placement of this epoch.
    Settle { group: GroupId, epoch: u64 },
    /// Nothing is decided but that the group's placement is still the one of this epoch.
    Check { group: GroupId, epoch: u64 },
    /// A node that is not counted on any more has dropped its replica.
    LetGo { group: GroupId, node: NodeKey },
    /// A node has a state machine of this name, and holds a copy once enough nodes have it.
    Offer { name: String, node: NodeKey, attempt: u64 },
    /// A node has given this attempt to start the state machine up, before it began.
    Withdraw { name: String, node: NodeKey, attempt: u64 },
    /// An actor is to have a name.
    Register { name: Arc<str>, address: Address },
    /// The actor of this number on this node needs its name no more.
    Unregister { name: Arc<str>, node: NodeKey, number: u64 },
    /// Another process goes on with the life of a node: what earlier ones numbered is below this, and gone.
    Restarted { node: NodeKey, below: u64 },
    /// The cluster is made anew by this life of a node, which has all that is left, and nobody else belongs to it.
    Recovered { id: NodeId, incarnation: u64 },
}

/// The end of a proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Verdict {
    /// It is so.
    Agreed,
    /// The cluster has the entity type otherwise, or another type in its place.
    Conflict(Declaration),
    /// An actor of this node has the name.
    Taken { node: NodeId },
    /// It was overtaken, makes no sense any more, or there is no room for it: nothing has changed.
    Overtaken,
    /// The node that was asked does not lead the meta group, or lost it: ask again.
    Again,
}
