//! How safely the state of entities is kept: presets, and their parts.

use super::ConfigError;
use crate::sharding::Acknowledge;
use crate::storage::Fsync;

/// The most replicas of a group.
const REPLICAS_MAX: usize = 5;

/// How many nodes have the state of an entity, when a request is answered, and when what was written is on the disk.
///
/// | Preset | Replicas | Answered after | Written to the [`data_dir`](super::ClusterConfig::data_dir) |
/// |---|---|---|---|
/// | [`development`](Self::development) | 1 | the leader | never synced |
/// | [`high_performance`](Self::high_performance) | 3 | the leader | synced every second |
/// | [`balanced`](Self::balanced) | 3 | the quorum | synced every second |
/// | [`high_durability`](Self::high_durability) | 3 | the quorum | synced before the answer |
///
/// The parts can be set one by one:
///
/// ```
/// use std::time::Duration;
/// use casty::{Fsync, Replication};
///
/// let replication = Replication::balanced().replicas(5).fsync(Fsync::Interval(Duration::from_millis(100)));
/// ```
///
/// `replicas` is agreed on by the founders of a cluster, and is the same on every node. When requests are answered can be
/// [said for each entity type](super::StartSharded::acknowledge) instead, and `fsync` is of the node, whose entities share
/// one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replication {
    pub(super) replicas: usize,
    pub(super) acknowledge: Acknowledge,
    pub(super) fsync: Fsync,
}

impl Replication {
    /// One node has the state of an entity, and nothing waits: a node that is lost takes its entities' state along.
    pub fn development() -> Self {
        Self { replicas: 1, acknowledge: Acknowledge::Leader, fsync: Fsync::Never }
    }

    /// Three nodes have the state, and an answer does not wait for them: what was answered in the last moment before the
    /// loss of one node can be lost.
    pub fn high_performance() -> Self {
        Self { replicas: 3, acknowledge: Acknowledge::Leader, fsync: Fsync::EVERY_SECOND }
    }

    /// What was answered is with two of three nodes, and lives through the loss of any one; with a `data_dir` also through
    /// a kill of all processes. A power failure of two machines within a second is more than it lives through.
    ///
    /// This is what a node without a `data_dir` does if nothing is said.
    pub fn balanced() -> Self {
        Self { replicas: 3, acknowledge: Acknowledge::Quorum, fsync: Fsync::EVERY_SECOND }
    }

    /// What was answered is on the disks of two of three nodes, and lives through a power failure of all. Needs a
    /// `data_dir`.
    ///
    /// This is what a node with a `data_dir` does if nothing is said.
    pub fn high_durability() -> Self {
        Self { replicas: 3, acknowledge: Acknowledge::Quorum, fsync: Fsync::EveryCommit }
    }

    /// On how many nodes the state of an entity is held: 1, 3 or 5. Smaller clusters hold it on as many as they have.
    pub fn replicas(mut self, replicas: usize) -> Self {
        self.replicas = replicas;
        self
    }

    /// When a request that changed an entity is answered, for the entity types that
    /// [say nothing of their own](super::StartSharded::acknowledge).
    pub fn acknowledge(mut self, acknowledge: Acknowledge) -> Self {
        self.acknowledge = acknowledge;
        self
    }

    /// When what was written to the [`data_dir`](super::ClusterConfig::data_dir) is made to outlive the machine.
    pub fn fsync(mut self, fsync: Fsync) -> Self {
        self.fsync = fsync;
        self
    }

    pub(super) fn check(&self, on_disk: bool) -> Result<(), ConfigError> {
        let bad = |why| Err(ConfigError { setting: "replication", why });
        let Self { replicas, fsync, .. } = self;
        if replicas.is_multiple_of(2) || *replicas > REPLICAS_MAX {
            return bad(format!("{replicas} replicas are not possible: 1, 3 or 5, so that a majority is well defined"));
        }
        match fsync {
            Fsync::EveryCommit if !on_disk => {
                bad("there is no disk to sync: give the node a folder with `.data_dir(\"data\")`".to_owned())
            }
            Fsync::Interval(period) if period.is_zero() => {
                bad("an interval of zero is `Fsync::EveryCommit`: say that instead".to_owned())
            }
            _ => Ok(()),
        }
    }
}
