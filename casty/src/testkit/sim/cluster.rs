//! What invariants see of a cluster.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;

use super::host::Host;
use crate::base::GroupId;
use crate::node::Node;
use crate::raft::GroupStatus;
use crate::replication::SharedState;
use crate::storage::LogStore;

/// The cluster at one moment of a run, between two steps.
pub struct Cluster<'a> {
    now: Duration,
    hosts: &'a [Host],
    replicas: OnceCell<Vec<Replica>>,
}

/// One replica of a group.
pub(crate) struct Replica {
    /// The number of its node.
    pub(crate) node: usize,
    /// Which life of the node holds it.
    pub(crate) life: u64,
    pub(crate) group: GroupId,
    pub(crate) status: GroupStatus,
    pub(crate) log: Option<Arc<dyn LogStore>>,
    /// The state of a data group.
    pub(crate) table: Option<SharedState>,
}

impl<'a> Cluster<'a> {
    pub(super) fn new(now: Duration, hosts: &'a [Host]) -> Self {
        Self { now, hosts, replicas: OnceCell::new() }
    }

    /// How long the run has lasted.
    pub fn now(&self) -> Duration {
        self.now
    }

    /// The nodes whose processes run, with their numbers.
    pub fn nodes(&self) -> impl Iterator<Item = (usize, Arc<Node>)> {
        self.hosts.iter().filter_map(|host| Some((host.number, host.life()?.process.node()?)))
    }

    /// All replicas on nodes that run and do not stand still.
    pub(crate) fn replicas(&self) -> &[Replica] {
        self.replicas.get_or_init(|| self.find_replicas().collect())
    }

    fn find_replicas(&self) -> impl Iterator<Item = Replica> {
        self.hosts.iter().flat_map(|host| {
            let running = host.life().filter(|life| !life.is_halted());
            let replicas = running.and_then(|life| Some((life.process.node()?, life.disk.clone())));
            replicas.into_iter().flat_map(move |(node, disk)| {
                node.groups().into_iter().map(move |(group, status)| Replica {
                    node: host.number,
                    life: host.lives(),
                    group,
                    status,
                    log: disk.log_of(group).map(|log| log as Arc<dyn LogStore>),
                    table: node.table(group),
                })
            })
        })
    }
}
