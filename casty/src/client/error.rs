//! Why a client did not connect, or did not find what it looked for.

use std::time::Duration;

use crate::actor::RegistryError;
use crate::cluster::ClusterError;
use crate::node::ConfigError;

/// [`Client::connect`](super::Client::connect) failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// A setting cannot be.
    #[error("the client cannot connect with this configuration: {0}")]
    Config(#[from] ConfigError),
    /// The program's actor types contradict each other.
    #[error("the client cannot start: {0}")]
    Registry(#[from] RegistryError),
    /// The certificates or the addresses cannot be used.
    #[error("the client cannot connect: {0}")]
    Cluster(#[from] ClusterError),
    /// No node has taken the client.
    #[error("no node of the cluster `{cluster}` took the client within {after:?}; the last attempt: {last}")]
    Unreachable {
        /// The name of the cluster.
        cluster: String,
        /// How long was tried.
        after: Duration,
        /// Why the last attempt failed.
        last: String,
    },
}

/// What a client looked for was not found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// No living actor of the cluster has the name.
    #[error(
        "no actor of the cluster was named `{name}` within {after:?}: spawn it on a node with `.named(\"{name}\")`"
    )]
    NoSuchActor {
        /// The name.
        name: String,
        /// How long was waited for it.
        after: Duration,
    },
    /// No node has started the entity type or the singleton.
    #[error(
        "no node has started `{name}` within {after:?}: `node.sharded(\"{name}\")` or `node.singleton(\"{name}\")` does"
    )]
    NotStarted {
        /// The name of the entity type or of the singleton.
        name: String,
        /// How long was waited for it.
        after: Duration,
    },
    /// What has the name is something else.
    #[error("`{name}` is {found}, and not {expected}")]
    WrongType {
        /// The name.
        name: String,
        /// What was looked for.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The client asks for too much at one time.
    #[error("too many look-ups of this client wait for an answer: wait for some of them")]
    TooMany,
    /// No node has answered.
    #[error("no node of the cluster has answered within {after:?}: is the client connected?")]
    Unreachable {
        /// How long was waited.
        after: Duration,
    },
}
