//! Which nodes hold which group: a pure function of the founding nodes.

use crate::base::{GroupId, NodeKey};

/// The replicas of a data group: `replicas` of the `nodes`, beginning with the one that should lead it.
///
/// Groups go round the nodes, so that every node leads as many as any other.
pub(crate) fn replicas_of(group: GroupId, nodes: &[NodeKey], replicas: usize) -> Vec<NodeKey> {
    let first = usize::from(group.0).saturating_sub(1);
    (0..replicas.min(nodes.len())).map(|place| nodes[(first + place) % nodes.len()]).collect()
}

/// The most votes in the meta group.
const META_VOTES_MAX: usize = 5;

/// The voters of the meta group: the largest odd number of nodes up to five; two nodes both vote.
pub(crate) fn meta_voters(nodes: &[NodeKey]) -> &[NodeKey] {
    let votes = match nodes.len() {
        0..=2 => nodes.len(),
        more => (more - 1 + more % 2).min(META_VOTES_MAX),
    };
    &nodes[..votes]
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
        let votes: Vec<usize> = (1..=9).map(|count| meta_voters(&nodes(count)).len()).collect();
        assert_eq!(votes, [1, 2, 3, 3, 5, 5, 5, 5, 5]);
    }
}
