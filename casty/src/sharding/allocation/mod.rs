//! Which nodes hold which group: pure functions of who there is and of what was before.

mod rebalance;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub(crate) use self::rebalance::{Layout, Standing, rebalance};
use crate::base::{GroupId, NodeKey};

/// The wanted replicas of every group, the meta group among them.
pub(crate) type Placements = BTreeMap<GroupId, Placement>;

/// Where a group is to be, and where it still may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Placement {
    /// The nodes that are to vote in the group; the first of them should lead it.
    pub(crate) replicas: Vec<NodeKey>,
    /// Nodes that held it before, until the group has changed over.
    pub(crate) before: BTreeSet<NodeKey>,
    /// Nodes that are not counted on any more, and have not let go yet. Until they have, the group is not given to them again:
    /// they may be about to drop what they would be taken to have.
    pub(crate) leaving: BTreeSet<NodeKey>,
    /// Grows with every change, so that a late word about an earlier one is known as such.
    pub(crate) epoch: u64,
}

impl Placement {
    /// A group that begins with these replicas.
    pub(crate) fn new(replicas: Vec<NodeKey>) -> Self {
        Self { replicas, before: BTreeSet::new(), leaving: BTreeSet::new(), epoch: 0 }
    }

    /// Whether the group has changed over to its replicas.
    pub(crate) fn is_settled(&self) -> bool {
        self.before.is_empty()
    }

    /// Whether a node has to hold a replica: it should, or others may still count on it.
    pub(crate) fn has(&self, node: NodeKey) -> bool {
        self.replicas.contains(&node) || self.before.contains(&node)
    }

    /// The group is to have these replicas. Another order of the same is no change that has to settle.
    pub(crate) fn change(&mut self, replicas: Vec<NodeKey>) {
        let same = |a: &[NodeKey], b: &[NodeKey]| a.iter().collect::<BTreeSet<_>>() == b.iter().collect();
        if !same(&self.replicas, &replicas) || !self.is_settled() {
            self.before.extend(&self.replicas);
        }
        self.replicas = replicas;
        self.epoch += 1;
    }
}

/// The replicas of a data group at the founding: `replicas` of the `nodes`, beginning with the one that should lead it.
///
/// Groups go round the nodes, so that every node leads as many as any other.
pub(crate) fn replicas_of(group: GroupId, nodes: &[NodeKey], replicas: usize) -> Vec<NodeKey> {
    let first = usize::from(group.0).saturating_sub(1);
    (0..replicas.min(nodes.len())).map(|place| nodes[(first + place) % nodes.len()]).collect()
}

/// The most votes in the meta group.
const META_VOTES_MAX: usize = 5;

/// How many of `nodes` nodes vote in the meta group: the largest odd number up to five; two nodes both vote.
pub(crate) fn meta_votes(nodes: usize) -> usize {
    match nodes {
        0..=2 => nodes,
        more => (more - 1 + more % 2).min(META_VOTES_MAX),
    }
}

/// Where all groups are at the founding.
pub(crate) fn founding(nodes: &[NodeKey], groups: u16, replicas: usize) -> Placements {
    let meta = nodes[..meta_votes(nodes.len())].to_vec();
    let data = (1..=groups).map(GroupId).map(|group| (group, replicas_of(group, nodes, replicas)));
    let all = std::iter::once((GroupId::META, meta)).chain(data);
    all.map(|(group, replicas)| (group, Placement::new(replicas))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(count: u64) -> Vec<NodeKey> {
        (0..count).map(NodeKey).collect()
    }

    #[test]
    fn every_node_leads_its_share() {
        for count in 1..=7 {
            let nodes = nodes(count);
            let mut led = vec![0; nodes.len()];
            for group in 1..=(4 * count as u16) {
                let replicas = replicas_of(GroupId(group), &nodes, 3);
                assert_eq!(replicas.len(), nodes.len().min(3));
                led[replicas[0].0 as usize] += 1;
            }
            assert!(led.iter().all(|led| *led == 4), "{count} nodes: {led:?}");
        }
    }

    #[test]
    fn a_replica_is_named_once() {
        let replicas = replicas_of(GroupId(6), &nodes(5), 5);
        let mut once = replicas.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), 5, "{replicas:?}");
    }

    #[test]
    fn votes_are_odd_and_at_most_five() {
        let votes: Vec<usize> = (1..=9).map(meta_votes).collect();
        assert_eq!(votes, [1, 2, 3, 3, 5, 5, 5, 5, 5]);
    }

    #[test]
    fn who_held_a_group_counts_until_the_change_has_settled() {
        let mut placement = Placement::new(nodes(3));
        placement.change(vec![NodeKey(2), NodeKey(0), NodeKey(1)]);
        assert!(placement.is_settled(), "another order is no change");
        placement.change(vec![NodeKey(0), NodeKey(1), NodeKey(3)]);
        placement.change(vec![NodeKey(0), NodeKey(1), NodeKey(4)]);
        assert!(!placement.is_settled());
        assert!((0..5).all(|node| placement.has(NodeKey(node))), "{placement:?}");
    }
}
