//! What invariants see of a cluster.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::host::Host;
use crate::base::{GroupId, NodeKey};
use crate::cluster::Role;
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

/// A group of one cluster: nodes may found another if nothing came of the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GroupOf {
    pub(crate) cluster_id: u64,
    pub(crate) id: GroupId,
}

/// One replica of a group.
pub(crate) struct Replica {
    /// The number of its node.
    pub(crate) node: usize,
    /// Which life of the node holds it.
    pub(crate) life: u64,
    pub(crate) group: GroupOf,
    pub(crate) status: GroupStatus,
    pub(crate) log: Option<Arc<dyn LogStore>>,
    /// The state of a data group. Neither can be read on a disk that has failed.
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

    /// Whether a node may be lost: every group keeps a majority of its voters, in the view of every replica that lives, and
    /// of those that are to vote in it. (A group that shrinks to two can lose none from the decision on.) And another has to
    /// stay: where all that are left leave, the cluster ends.
    pub(crate) fn can_lose(&self, host: usize) -> bool {
        let lives: Vec<_> = self.nodes().map(|(number, node)| (number, node.me().key, node)).collect();
        let Some(lost) = lives.iter().find(|(number, ..)| *number == host).map(|(_, key, _)| *key) else { return true };
        let leaves = |other: &Host| other.life().is_some_and(|life| life.process.is_leaving());
        let stays = |(other, node): (usize, Arc<Node>)| {
            other != host && node.me().role == Role::Replica && !leaves(&self.hosts[other])
        };
        if self.hosts.iter().any(leaves) && !self.nodes().any(stays) {
            return false;
        }
        let held: BTreeSet<_> = lives
            .iter()
            .flat_map(|(_, key, node)| node.rosters().into_iter().map(|(group, _)| (*key, group)))
            .filter(|(key, _)| *key != lost)
            .collect();
        let keeps = |group: GroupId, voters: &mut dyn Iterator<Item = &NodeKey>| {
            let (all, left) = voters
                .fold((0, 0), |(all, left), voter| (all + 1, left + usize::from(held.contains(&(*voter, group)))));
            left * 2 > all
        };
        lives.iter().all(|(.., node)| {
            let rosters = node.rosters();
            // Between two sets of voters it would take a majority of both; it does not last.
            let now = rosters.iter().all(|(group, roster)| {
                !roster.voters.contains(&lost) || (!roster.joint && keeps(*group, &mut roster.voters.iter()))
            });
            let wanted = node.wanted();
            now && wanted.iter().all(|(group, voters)| !voters.contains(&lost) || keeps(*group, &mut voters.iter()))
        })
    }

    fn find_replicas(&self) -> impl Iterator<Item = Replica> {
        self.hosts.iter().flat_map(|host| {
            let running = host.life().filter(|life| !life.is_halted());
            let replicas = running.and_then(|life| Some((life.process.node()?, life.disk.clone())));
            replicas.into_iter().flat_map(move |(node, disk)| {
                let (cluster_id, readable) = (node.cluster_id().unwrap_or_default(), !disk.has_failed());
                node.groups().into_iter().map(move |(id, status)| Replica {
                    node: host.number,
                    life: host.lives(),
                    group: GroupOf { cluster_id, id },
                    status,
                    log: disk.log_of(id).filter(|_| readable),
                    table: node.table(id).filter(|_| readable),
                })
            })
        })
    }
}

impl fmt::Display for GroupOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of cluster {:016x}", self.id, self.cluster_id)
    }
}
