//! What to change next, so that every group has its replicas and every node its share.

use std::collections::{BTreeMap, BTreeSet};

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

/// What there is to be shared out, and among whom.
pub(crate) struct Layout<'a> {
    /// Where every group is.
    pub(crate) placements: &'a Placements,
    /// The nodes that may hold anything.
    pub(crate) nodes: &'a BTreeMap<NodeKey, Standing>,
    /// How many nodes are to hold a data group.
    pub(crate) replicas: usize,
    /// The groups of state machines, and the nodes that have each of them: others cannot hold it.
    pub(crate) machines: &'a BTreeMap<GroupId, BTreeSet<NodeKey>>,
}

impl Layout<'_> {
    fn is_data(&self, group: GroupId) -> bool {
        group != GroupId::META && !self.machines.contains_key(&group)
    }

    /// The data groups.
    fn data(&self) -> impl Iterator<Item = (&GroupId, &Placement)> {
        self.placements.iter().filter(|(group, _)| self.is_data(**group))
    }

    fn may_hold(&self, node: NodeKey, group: GroupId) -> bool {
        self.machines.get(&group).is_none_or(|nodes| nodes.contains(&node))
    }

    /// How many are to vote in a group.
    fn votes(&self, group: GroupId) -> usize {
        let stays =
            |(node, standing): &(&NodeKey, &Standing)| **standing != Standing::Going && self.may_hold(**node, group);
        if self.is_data(group) { self.replicas } else { meta_votes(self.nodes.iter().filter(stays).count()) }
    }
}

/// The next changes: groups with their new replicas, of which the first should lead. Empty when all is well, or when so many
/// changes are under way that the next ones have to wait.
///
/// What a group lacks comes first. Then replicas move, one at a time, from the node that has most to the one that has
/// fewest; and then the leaderships are spread.
pub(crate) fn rebalance(layout: &Layout<'_>) -> Vec<(GroupId, Vec<NodeKey>)> {
    let mut view = View::new(layout);
    let under_way = layout.data().filter(|(_, placement)| !placement.is_settled()).count();
    let mut room = CHANGES_MAX.saturating_sub(under_way);
    let mut changes = Vec::new();
    for (group, placement) in layout.placements {
        let (data, settled) = (layout.is_data(*group), placement.is_settled());
        // A change under way is changed only when it counts on a node that goes.
        let waits = if settled { room == 0 && data } else { !view.counts_on_going(placement) };
        let Some(mended) = view.mended(*group, placement).filter(|_| !waits) else { continue };
        view.replace(*group, &placement.replicas, &mended);
        changes.push((*group, mended));
        if settled && data {
            room -= 1;
        }
    }
    if changes.is_empty() && under_way == 0 {
        changes.extend(view.moved());
    }
    if changes.is_empty() && under_way == 0 {
        changes.extend(view.led_by_another());
    }
    changes
}

/// Who could take what, and how much each node has.
struct View<'a> {
    layout: &'a Layout<'a>,
    /// Data groups that a node holds. The others take nothing worth counting.
    held: BTreeMap<NodeKey, usize>,
    /// Data groups that a node should lead.
    led: BTreeMap<NodeKey, usize>,
}

impl<'a> View<'a> {
    fn new(layout: &'a Layout<'a>) -> Self {
        let none = || layout.nodes.keys().map(|node| (*node, 0)).collect::<BTreeMap<_, _>>();
        let mut view = Self { layout, held: none(), led: none() };
        for (group, placement) in layout.placements {
            view.count(*group, &placement.replicas, 1);
        }
        view
    }

    fn count(&mut self, group: GroupId, replicas: &[NodeKey], by: isize) {
        if !self.layout.is_data(group) {
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
        self.layout.nodes.get(&node).copied().unwrap_or(Standing::Going)
    }

    fn counts_on_going(&self, placement: &Placement) -> bool {
        placement.replicas.iter().any(|node| self.standing(*node) == Standing::Going)
    }

    /// The replicas of a group without those that go, and with others for what it lacks; `None` if it lacks nothing.
    fn mended(&self, group: GroupId, placement: &Placement) -> Option<Vec<NodeKey>> {
        let wanted = self.layout.votes(group);
        let stays = |node: &&NodeKey| self.standing(**node) != Standing::Going;
        let mut mended: Vec<NodeKey> = placement.replicas.iter().filter(stays).copied().collect();
        // A new life that has not said that it has the machine holds a place until somebody does.
        let fits = |node: NodeKey| self.layout.may_hold(node, group) && !placement.leaving.contains(&node);
        if mended.len() > wanted {
            // Those that can be reached keep their votes.
            mended.sort_by_key(|node| (!fits(*node), self.standing(*node) != Standing::Able));
            mended.truncate(wanted);
        }
        while mended.len() < wanted {
            let Some(next) = self.idlest(|node| fits(node) && !mended.contains(&node)) else { break };
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
    fn moved(&self) -> Option<(GroupId, Vec<NodeKey>)> {
        let to = self.idlest(|_| true)?;
        let mut busiest: Vec<_> = self.held.iter().map(|(node, held)| (*held, *node)).collect();
        busiest.sort_unstable_by(|a, b| b.cmp(a));
        let enough = self.held.get(&to).copied().unwrap_or_default() + 2;
        for (held, from) in busiest {
            if held < enough {
                return None;
            }
            let movable = |placement: &&Placement| {
                let free = !placement.replicas.contains(&to) && !placement.leaving.contains(&to);
                placement.replicas.contains(&from) && free
            };
            let data = self.layout.data().filter(|(_, placement)| movable(placement));
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
    fn led_by_another(&self) -> Option<(GroupId, Vec<NodeKey>)> {
        let led = |node: &NodeKey| self.led.get(node).copied().unwrap_or_default();
        let gains = self.layout.data().flat_map(|(group, placement)| {
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
    use super::*;
    use crate::sharding::allocation::founding;

    fn nodes(keys: impl IntoIterator<Item = u64>) -> BTreeMap<NodeKey, Standing> {
        keys.into_iter().map(|key| (NodeKey(key), Standing::Able)).collect()
    }

    fn keys(nodes: &BTreeMap<NodeKey, Standing>) -> Vec<NodeKey> {
        nodes.keys().copied().collect()
    }

    fn changes(placements: &Placements, nodes: &BTreeMap<NodeKey, Standing>) -> Vec<(GroupId, Vec<NodeKey>)> {
        rebalance(&Layout { placements, nodes, replicas: 3, machines: &BTreeMap::new() })
    }

    /// Carries changes out, as if each settled at once, until there are none. Gives the steps that it took.
    fn settle(placements: &mut Placements, nodes: &BTreeMap<NodeKey, Standing>) -> usize {
        for step in 0..1_000 {
            let changes = changes(placements, nodes);
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
            assert_eq!(changes(&placements, &nodes), []);
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
        let changes = changes(&placements, &nodes);
        assert_eq!(changes.iter().filter(|(group, _)| *group != GroupId::META).count(), CHANGES_MAX);
    }

    #[test]
    fn a_change_under_way_is_left_alone_unless_it_counts_on_a_node_that_goes() {
        let mut placements = founding(&keys(&nodes(0..3)), 1, 3);
        let mut nodes = nodes(0..5);
        placements.get_mut(&GroupId(1)).unwrap().change(vec![NodeKey(0), NodeKey(1), NodeKey(3)]);
        let of_group =
            |changes: Vec<(GroupId, Vec<NodeKey>)>| changes.into_iter().find(|(group, _)| *group == GroupId(1));
        assert_eq!(of_group(changes(&placements, &nodes)), None);
        nodes.insert(NodeKey(3), Standing::Going);
        let changed = of_group(changes(&placements, &nodes)).unwrap().1;
        assert!(!changed.contains(&NodeKey(3)) && changed.len() == 3, "{changed:?}");
    }

    #[test]
    fn a_machine_is_held_by_those_that_have_it_and_no_others() {
        let (mut placements, nodes) = (founding(&keys(&nodes(0..3)), 3, 3), nodes(0..5));
        settle(&mut placements, &nodes);
        let group = GroupId(4);
        placements.insert(group, Placement::new(vec![NodeKey(1), NodeKey(2)]));
        let next = |placements: &Placements, has: &[u64]| {
            let machines = BTreeMap::from([(group, has.iter().map(|node| NodeKey(*node)).collect())]);
            rebalance(&Layout { placements, nodes: &nodes, replicas: 3, machines: &machines })
        };
        assert_eq!(next(&placements, &[1, 2]), []);
        let grown = vec![NodeKey(1), NodeKey(2), NodeKey(4)];
        assert_eq!(next(&placements, &[1, 2, 4]), [(group, grown.clone())]);
        placements.insert(group, Placement::new(grown));
        let without = next(&placements, &[2, 4]);
        assert_eq!(without.len(), 1, "two vote, of those that have it: {without:?}");
        assert!(!without[0].1.contains(&NodeKey(1)));
    }

    #[test]
    fn of_too_many_voters_those_stay_that_can_be_reached() {
        let (mut placements, mut nodes) = (founding(&keys(&nodes(0..5)), 5, 3), nodes(0..5));
        nodes.insert(NodeKey(0), Standing::Absent);
        nodes.insert(NodeKey(4), Standing::Going);
        settle(&mut placements, &nodes);
        assert_eq!(placements[&GroupId::META].replicas, [NodeKey(1), NodeKey(2), NodeKey(3)]);
    }
}
