//! Which nodes cannot send to which: a value, whatever cuts the wires.

use std::collections::BTreeSet;

/// Pairs of nodes *(from, to)*: nothing that the first sends arrives at the second.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Partition {
    cut: BTreeSet<(usize, usize)>,
}

impl Partition {
    /// All hear all.
    pub fn none() -> Self {
        Self::default()
    }

    /// Nothing that `from` sends arrives at `to`; the other direction works.
    pub fn one_way(from: usize, to: usize) -> Self {
        Self { cut: BTreeSet::from([(from, to)]) }
    }

    /// No node of `left` hears one of `right`, nor the other way round. Nodes of neither hear, and are heard by, all: one
    /// such node is a bridge between two halves that do not see each other.
    pub fn halves(left: &[usize], right: &[usize]) -> Self {
        let pairs = left.iter().flat_map(|one| right.iter().map(|other| (*one, *other)));
        Self { cut: pairs.flat_map(|(one, other)| [(one, other), (other, one)]).collect() }
    }

    /// A node, of `nodes`, that hears nobody and is heard by nobody.
    pub fn isolated(node: usize, nodes: usize) -> Self {
        Self::mute(node, nodes).and(&Self::deaf(node, nodes))
    }

    /// A node, of `nodes`, that can send but not receive.
    pub fn deaf(node: usize, nodes: usize) -> Self {
        Self { cut: others(node, nodes).map(|other| (other, node)).collect() }
    }

    /// A node, of `nodes`, that can receive but not send.
    pub fn mute(node: usize, nodes: usize) -> Self {
        Self { cut: others(node, nodes).map(|other| (node, other)).collect() }
    }

    /// Each of `nodes` hears, and is heard by, its two neighbours only: everybody sees a majority of three, and each
    /// another one.
    pub fn ring(nodes: usize) -> Self {
        let apart = |(one, other): &(usize, usize)| (2..nodes - 1).contains(&((one + nodes - other) % nodes));
        let pairs = (0..nodes).flat_map(|one| (0..nodes).map(move |other| (one, other)));
        Self { cut: pairs.filter(apart).collect() }
    }

    /// This one and another at the same time.
    pub fn and(mut self, other: &Self) -> Self {
        self.cut.extend(&other.cut);
        self
    }

    /// Whether nothing that `from` sends arrives at `to`.
    pub fn cuts(&self, from: usize, to: usize) -> bool {
        self.cut.contains(&(from, to))
    }

    /// The pairs that are cut here and not in `other`.
    pub(super) fn beyond<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (usize, usize)> + 'a {
        self.cut.difference(&other.cut).copied()
    }
}

fn others(node: usize, nodes: usize) -> impl Iterator<Item = usize> {
    (0..nodes).filter(move |other| *other != node)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard_by(partition: &Partition, node: usize, nodes: usize) -> Vec<usize> {
        others(node, nodes).filter(|from| !partition.cuts(*from, node)).collect()
    }

    #[test]
    fn a_node_between_two_halves_sees_both() {
        let partition = Partition::halves(&[0, 1], &[3, 4]);
        let heard: Vec<_> = (0..5).map(|node| heard_by(&partition, node, 5)).collect();
        assert_eq!(heard, [vec![1, 2], vec![0, 2], vec![0, 1, 3, 4], vec![2, 4], vec![2, 3]]);
    }

    #[test]
    fn a_cut_can_be_in_one_direction_only() {
        let (deaf, mute) = (Partition::deaf(1, 3), Partition::mute(1, 3));
        assert!(deaf.cuts(0, 1) && !deaf.cuts(1, 0));
        assert!(mute.cuts(1, 0) && !mute.cuts(0, 1));
        assert_eq!(Partition::isolated(1, 3), deaf.and(&mute));
    }

    #[test]
    fn in_a_ring_each_hears_its_neighbours() {
        let ring = Partition::ring(5);
        let heard: Vec<_> = (0..5).map(|node| heard_by(&ring, node, 5)).collect();
        assert_eq!(heard, [[1, 4], [0, 2], [1, 3], [2, 4], [0, 3]]);
    }
}
