//! What to change next, so that every group has its replicas and every node its share.

use std::collections::BTreeMap;

use super::{Placement, Placements, meta_votes};
use crate::base::{GroupId, NodeKey};

/// Groups that change over at one time. Each of them copies its state to a new replica.
const CHANGES_MAX: usize = 4;

/// What a node may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It may hold replicas, and get more.
    Able,
    /// It may keep what it holds, and gets nothing: it cannot be reached at the moment.
    Absent,
    /// What it holds has to go elsewhere: it leaves, or has been away for too long.
    Going,
}

/// The next changes: groups with their new replicas, of which the first should lead. Empty when all is well, or when so many
/// changes are under way that the next ones have to wait.
///
/// What a group lacks comes first. Then replicas move, one at a time, from the node that has most to the one that has
/// fewest; and then the leaderships are spread.
pub(crate) fn rebalance(
    placements: &Placements,
    nodes: &BTreeMap<NodeKey, Standing>,
    replicas: usize,
) -> Vec<(GroupId, Vec<NodeKey>)> {
    let mut view = View::new(placements, nodes);
    let under_way = placements.iter().filter(|(group, at)| **group != GroupId::META && !at.is_settled()).count();
    let mut room = CHANGES_MAX.saturating_sub(under_way);
    let members = nodes.values().filter(|standing| **standing != Standing::Going).count();
    let mut changes = Vec::new();
    for (group, placement) in placements {
        let (meta, settled) = (*group == GroupId::META, placement.is_settled());
        // A change under way is changed only when it counts on a node that goes.
        let waits = if settled { room == 0 && !meta } else { !view.counts_on_going(placement) };
        let wanted = if meta { meta_votes(members) } else { replicas };
        let Some(mended) = view.mended(*group, placement, wanted).filter(|_| !waits) else { continue };
        view.replace(*group, &placement.replicas, &mended);
        changes.push((*group, mended));
        if settled && !meta {
            room -= 1;
        }
    }
    if changes.is_empty() && under_way == 0 {
        changes.extend(view.moved(placements));
    }
    if changes.is_empty() && under_way == 0 {
        changes.extend(view.led_by_another(placements));
    }
    changes
}

/// Who could take what, and how much each node has.
struct View<'a> {
    nodes: &'a BTreeMap<NodeKey, Standing>,
    /// Data groups that a node holds. Those of the meta group take nothing worth counting.
    held: BTreeMap<NodeKey, usize>,
    /// Data groups that a node should lead.
    led: BTreeMap<NodeKey, usize>,
}

impl<'a> View<'a> {
    fn new(placements: &Placements, nodes: &'a BTreeMap<NodeKey, Standing>) -> Self {
        let none = || nodes.keys().map(|node| (*node, 0)).collect::<BTreeMap<_, _>>();
        let mut view = Self { nodes, held: none(), led: none() };
        for (group, placement) in placements {
            view.count(*group, &placement.replicas, 1);
        }
        view
    }

    fn count(&mut self, group: GroupId, replicas: &[NodeKey], by: isize) {
        if group == GroupId::META {
            return;
        }
        for node in replicas {
            let held = self.held.entry(*node).or_default();
            *held = held.saturating_add_signed(by);
        }
        if let Some(first) = replicas.first() {
            let led = self.led.entry(*first).or_default();
            *led = led.saturating_add_signed(by);
        }
    }

    fn replace(&mut self, group: GroupId, before: &[NodeKey], after: &[NodeKey]) {
        self.count(group, before, -1);
        self.count(group, after, 1);
    }

    fn standing(&self, node: NodeKey) -> Standing {
        self.nodes.get(&node).copied().unwrap_or(Standing::Going)
    }

    fn counts_on_going(&self, placement: &Placement) -> bool {
        placement.replicas.iter().any(|node| self.standing(*node) == Standing::Going)
    }

    /// The replicas of a group without those that go, and with others for what it lacks; `None` if it lacks nothing.
    fn mended(&self, group: GroupId, placement: &Placement, wanted: usize) -> Option<Vec<NodeKey>> {
        let stays = |node: &&NodeKey| self.standing(**node) != Standing::Going;
        let mut mended: Vec<NodeKey> = placement.replicas.iter().filter(stays).copied().collect();
        if group == GroupId::META {
            mended.truncate(wanted);
        }
        while mended.len() < wanted {
            let Some(next) = self.idlest(|node| !mended.contains(&node)) else { break };
            mended.push(next);
        }
        // With nobody left the group stays as it is: who goes takes its last copy along.
        (mended != placement.replicas && !mended.is_empty()).then_some(mended)
    }

    /// The node with the fewest replicas that may get one more.
    fn idlest(&self, fits: impl Fn(NodeKey) -> bool) -> Option<NodeKey> {
        let able = self.held.iter().filter(|(node, _)| self.standing(**node) == Standing::Able && fits(**node));
        able.min_by_key(|(node, held)| (**held, **node)).map(|(node, _)| *node)
    }

    /// One replica of the node that has most goes to the one that has fewest, if that makes the two more equal.
    fn moved(&self, placements: &Placements) -> Option<(GroupId, Vec<NodeKey>)> {
        let to = self.idlest(|_| true)?;
        let mut busiest: Vec<_> = self.held.iter().map(|(node, held)| (*held, *node)).collect();
        busiest.sort_unstable_by(|a, b| b.cmp(a));
        let enough = self.held.get(&to).copied().unwrap_or_default() + 2;
        for (held, from) in busiest {
            if held < enough {
                return None;
            }
            let movable =
                |placement: &&Placement| placement.replicas.contains(&from) && !placement.replicas.contains(&to);
            let data = placements.iter().filter(|(group, placement)| **group != GroupId::META && movable(placement));
            // Where it does not lead, nobody notices the move.
            let Some((group, placement)) = data.min_by_key(|(_, placement)| placement.replicas.first() == Some(&from))
            else {
                continue;
            };
            let swap = |node: &NodeKey| if *node == from { to } else { *node };
            return Some((*group, placement.replicas.iter().map(swap).collect()));
        }
        None
    }

    /// A group that the node which leads most leads no longer, but another of its replicas, if that makes the two more
    /// equal.
    fn led_by_another(&self, placements: &Placements) -> Option<(GroupId, Vec<NodeKey>)> {
        let led = |node: &NodeKey| self.led.get(node).copied().unwrap_or_default();
        let data = placements.iter().filter(|(group, _)| **group != GroupId::META);
        let gains = data.flat_map(|(group, placement)| {
            let first = placement.replicas.first();
            let others = placement.replicas.iter().skip(1).filter(|node| self.standing(**node) == Standing::Able);
            others.filter_map(move |other| Some((led(first?).checked_sub(led(other) + 2)?, *group, placement, *other)))
        });
        let (_, group, placement, other) = gains.max_by_key(|(gain, group, ..)| (*gain, std::cmp::Reverse(*group)))?;
        let rest = placement.replicas.iter().copied().filter(|node| *node != other);
        Some((group, std::iter::once(other).chain(rest).collect()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::sharding::allocation::founding;

    fn nodes(keys: impl IntoIterator<Item = u64>) -> BTreeMap<NodeKey, Standing> {
        keys.into_iter().map(|key| (NodeKey(key), Standing::Able)).collect()
    }

    fn keys(nodes: &BTreeMap<NodeKey, Standing>) -> Vec<NodeKey> {
        nodes.keys().copied().collect()
    }

    /// Carries changes out, as if each settled at once, until there are none. Gives the steps that it took.
    fn settle(placements: &mut Placements, nodes: &BTreeMap<NodeKey, Standing>) -> usize {
        for step in 0..1_000 {
            let changes = rebalance(placements, nodes, 3);
            if changes.is_empty() {
                return step;
            }
            for (group, replicas) in changes {
                let placement = placements.get_mut(&group).unwrap();
                placement.change(replicas);
                placement.before.clear();
            }
        }
        panic!("it never comes to rest");
    }

    fn loads(placements: &Placements, of: impl Fn(&Placement) -> Vec<NodeKey>) -> BTreeMap<NodeKey, usize> {
        let mut loads = BTreeMap::new();
        for (_, placement) in placements.iter().filter(|(group, _)| **group != GroupId::META) {
            of(placement).into_iter().for_each(|node| *loads.entry(node).or_default() += 1);
        }
        loads
    }

    fn assert_even(placements: &Placements, nodes: usize) {
        for loads in [
            loads(placements, |placement| placement.replicas.clone()),
            loads(placements, |placement| placement.replicas[..1].to_vec()),
        ] {
            let (least, most) = (loads.values().min().unwrap(), loads.values().max().unwrap());
            assert!(loads.len() == nodes && most - least <= 1, "{loads:?}");
        }
        for placement in placements.values() {
            let once: BTreeSet<_> = placement.replicas.iter().collect();
            assert_eq!(once.len(), placement.replicas.len(), "a node holds one replica: {placement:?}");
        }
    }

    #[test]
    fn a_founded_cluster_is_at_rest() {
        for count in 1..=7 {
            let nodes = nodes(0..count);
            let placements = founding(&keys(&nodes), 4 * count as u16, 3);
            assert_eq!(rebalance(&placements, &nodes, 3), []);
        }
    }

    #[test]
    fn nodes_that_join_get_their_share() {
        for joined in [4, 5, 6, 9] {
            let mut placements = founding(&keys(&nodes(0..3)), 12, 3);
            settle(&mut placements, &nodes(0..joined));
            assert_even(&placements, joined as usize);
            assert_eq!(placements[&GroupId::META].replicas.len(), meta_votes(joined as usize));
        }
    }

    #[test]
    fn whoever_goes_is_replaced_and_holds_nothing_in_the_end() {
        let mut placements = founding(&keys(&nodes(0..5)), 20, 3);
        let mut nodes = nodes(0..5);
        nodes.insert(NodeKey(2), Standing::Going);
        settle(&mut placements, &nodes);
        assert!(placements.values().all(|placement| !placement.replicas.contains(&NodeKey(2))));
        assert!(placements.iter().all(|(group, at)| *group == GroupId::META || at.replicas.len() == 3));
        assert_even(&placements, 4);
    }

    #[test]
    fn the_last_nodes_keep_what_they_can_hold() {
        let mut placements = founding(&keys(&nodes(0..3)), 12, 3);
        let mut nodes = nodes(0..3);
        nodes.insert(NodeKey(0), Standing::Going);
        settle(&mut placements, &nodes);
        assert!(placements.values().all(|placement| placement.replicas.len() == 2));
        nodes.insert(NodeKey(1), Standing::Going);
        settle(&mut placements, &nodes);
        assert!(placements.values().all(|placement| placement.replicas == [NodeKey(2)]));
        nodes.insert(NodeKey(2), Standing::Going);
        assert_eq!(settle(&mut placements, &nodes), 0, "the last copy goes nowhere");
    }

    #[test]
    fn a_node_that_is_away_keeps_what_it_has_and_gets_nothing() {
        let mut placements = founding(&keys(&nodes(0..3)), 12, 3);
        let mut nodes = nodes(0..5);
        nodes.insert(NodeKey(1), Standing::Absent);
        nodes.insert(NodeKey(4), Standing::Absent);
        settle(&mut placements, &nodes);
        assert!(loads(&placements, |placement| placement.replicas.clone())[&NodeKey(1)] > 0);
        assert!(placements.values().all(|placement| !placement.replicas.contains(&NodeKey(4))));
    }

    #[test]
    fn few_groups_change_at_one_time() {
        let placements = founding(&keys(&nodes(0..3)), 12, 3);
        let mut nodes = nodes(0..4);
        nodes.insert(NodeKey(0), Standing::Going);
        let changes = rebalance(&placements, &nodes, 3);
        assert_eq!(changes.iter().filter(|(group, _)| *group != GroupId::META).count(), CHANGES_MAX);
    }

    #[test]
    fn a_change_under_way_is_left_alone_unless_it_counts_on_a_node_that_goes() {
        let mut placements = founding(&keys(&nodes(0..3)), 1, 3);
        let mut nodes = nodes(0..5);
        placements.get_mut(&GroupId(1)).unwrap().change(vec![NodeKey(0), NodeKey(1), NodeKey(3)]);
        let of_group =
            |changes: Vec<(GroupId, Vec<NodeKey>)>| changes.into_iter().find(|(group, _)| *group == GroupId(1));
        assert_eq!(of_group(rebalance(&placements, &nodes, 3)), None);
        nodes.insert(NodeKey(3), Standing::Going);
        let changed = of_group(rebalance(&placements, &nodes, 3)).unwrap().1;
        assert!(!changed.contains(&NodeKey(3)) && changed.len() == 3, "{changed:?}");
    }
}
