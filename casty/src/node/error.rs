//! Why a node did not start.

use std::io;
use std::time::Duration;

use super::ConfigError;
use crate::actor::RegistryError;
use crate::cluster::ClusterError;
use crate::raft::RaftError;
use crate::storage::StoreError;

/// `ActorSystem::cluster` failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A setting cannot be.
    #[error("the node cannot start with this configuration: {0}")]
    Config(#[from] ConfigError),
    /// The program's actor types contradict each other.
    #[error("the node cannot start: {0}")]
    Registry(#[from] RegistryError),
    /// The network refused.
    #[error("the node cannot join the network: {0}")]
    Cluster(#[from] ClusterError),
    /// The folder of the node cannot be used.
    #[error("the node cannot open its data_dir: {0}")]
    Store(#[from] StoreError),
    /// What the node keeps of itself cannot be read or written.
    #[error("the node cannot tell who it was from what it has stored: {0}")]
    Record(#[source] io::Error),
    /// Consensus did not start.
    #[error("consensus cannot start: {0}")]
    Raft(#[from] RaftError),
}

/// The node will not be ready any more. Start it anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotReady {
    /// It was shut down.
    #[error("this node has been shut down")]
    ShutDown,
    /// A later life of the node, or another process with its name, has joined the cluster.
    #[error("another process has taken this node's place: give every node a `node_id` of its own")]
    Superseded,
    /// Its cluster was founded by a node that was held up, and the others had given the founding up by then.
    #[error(
        "the founders of this node's cluster parted before anything came of it: restart the node, and it joins them"
    )]
    Abandoned,
    /// A consensus group has stopped here, since its log or its machine failed; the log says why. When it is started
    /// again, it goes on with what its `data_dir` has; without one, others have taken its places.
    #[error("a consensus group has stopped on this node, as the log says: mend the cause, and start the node again")]
    GroupFailed,
    /// What this node keeps cannot be stored or read any more, since its disk failed or its file is damaged; the log says
    /// which. What was acknowledged is on other nodes as well, which go on without this one until it is started again.
    #[error("the store of this node has failed, as the log says: mend the cause, and start the node again")]
    StoreFailed,
    /// The cluster has given this node up, since it was away for too long, or had begun to leave when it stopped; others hold
    /// what it held.
    #[error(
        "the cluster has removed this node, which was away for too long or had begun to leave: restart it, and it joins as \
         a new one"
    )]
    Removed,
}

/// A node could not leave in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeaveError {
    /// The cluster could not be told: its meta group has no majority.
    #[error("the cluster could not decide on the leave within {after:?}: does a majority of its nodes run?")]
    Unavailable {
        /// How long it was tried.
        after: Duration,
    },
    /// The others have not taken over all that this node holds.
    #[error("the others have not taken over within {after:?}; this node still holds {holds} groups")]
    TimedOut {
        /// How long was waited.
        after: Duration,
        /// Groups of which it holds a replica, the meta group among them.
        holds: usize,
    },
}
