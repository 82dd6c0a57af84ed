//! Why a node did not start.

use super::ConfigError;
use crate::actor::RegistryError;
use crate::cluster::ClusterError;
use crate::raft::RaftError;

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
    /// Consensus did not start.
    #[error("consensus cannot start: {0}")]
    Raft(#[from] RaftError),
}

/// The node was shut down before it was ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the node was shut down before the cluster was ready")]
pub struct NotReady;
