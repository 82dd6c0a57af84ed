//! The nodes of the cluster, and which of them hold which group: as the meta group has decided.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::command::{Command, Verdict};
use super::machines::Offered;
use crate::base::{GroupId, NodeId, NodeKey};
use crate::cluster::{Member, Role};
use crate::node::founding::{Charter, Founder};
use crate::sharding::allocation::{Placement, Placements, founding};

/// Names of nodes that are no part of the cluster any more, whose last life is remembered. Of more, those that come first by
/// name are forgotten: such a life, if it should still run, would join again.
const GONE_MAX: usize = 4_096;

/// The nodes of the cluster, and which of them hold which group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Topology {
    pub(super) nodes: BTreeMap<NodeKey, Entry>,
    pub(super) placements: Placements,
    /// The last life of each name that is no part of the cluster any more.
    gone: BTreeMap<NodeId, u64>,
    /// The state machines of the users', by name.
    pub(super) machines: BTreeMap<String, Offered>,
    /// Groups that machines were given so far. None is given twice.
    pub(super) machine_groups: u16,
    /// The number of data groups. Behind them come the groups of the machines.
    pub(super) groups: u16,
    /// How many nodes hold a data group.
    replicas: u8,
}

/// A node of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) id: NodeId,
    pub(crate) incarnation: u64,
    pub(crate) role: Role,
    pub(crate) stay: Stay,
}

/// Whether a node stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stay {
    /// It does.
    Stays,
    /// It has been away for too long. If it comes back before it was removed, it stays.
    Away,
    /// It leaves, for good.
    Leaves,
}

impl Topology {
    /// What the founders begin with.
    pub(crate) fn founded(charter: &Charter) -> Self {
        let entry = |founder: &Founder| {
            let (id, incarnation) = (founder.id.clone(), founder.incarnation);
            (founder.key(), Entry { id, incarnation, role: Role::Replica, stay: Stay::Stays })
        };
        Self {
            nodes: charter.founders.iter().map(entry).collect(),
            placements: founding(&charter.keys(), charter.groups, usize::from(charter.replicas)),
            gone: BTreeMap::new(),
            machines: BTreeMap::new(),
            machine_groups: 0,
            groups: charter.groups,
            replicas: charter.replicas,
        }
    }

    /// Every node of the cluster.
    pub(crate) fn nodes(&self) -> &BTreeMap<NodeKey, Entry> {
        &self.nodes
    }

    /// Where every group is to be.
    pub(crate) fn placements(&self) -> &Placements {
        &self.placements
    }

    /// How many nodes hold replicas.
    pub(super) fn replica_nodes(&self) -> usize {
        self.nodes.values().filter(|entry| entry.role == Role::Replica).count()
    }

    /// How many nodes are to hold a data group.
    pub(crate) fn replicas(&self) -> usize {
        usize::from(self.replicas)
    }

    /// Whether this life of a node was a part of the cluster, and is no more.
    pub(crate) fn is_over(&self, id: &NodeId, incarnation: u64) -> bool {
        self.gone.get(id).is_some_and(|last| incarnation <= *last)
            || self.nodes.values().any(|entry| entry.id == *id && entry.incarnation > incarnation)
    }

    /// Whether a node has to hold a replica of anything.
    pub(crate) fn needs(&self, node: NodeKey) -> bool {
        self.placements.values().any(|placement| placement.has(node))
    }

    /// Carries a decision out. Declarations and names are none of it.
    pub(in crate::node) fn apply(&mut self, command: Command) -> Verdict {
        let done = match command {
            Command::Declare(_) | Command::Register { .. } | Command::Unregister { .. } | Command::Restarted { .. } => {
                None
            }
            Command::Admit(member) => self.admit(&member),
            Command::Away { node, away } => self.stay(node, if away { Stay::Away } else { Stay::Stays }),
            Command::Leave { node } => self.stay(node, Stay::Leaves),
            Command::Remove { node } => self.remove(node),
            Command::Place { group, epoch, replicas } => self.place(group, epoch, replicas),
            Command::Settle { group, epoch } => self.settle(group, epoch),
            Command::Check { group, epoch } => self.at(group, epoch).map(drop),
            Command::LetGo { group, node } => {
                self.placements.get_mut(&group).and_then(|at| at.leaving.take(&node)).map(drop)
            }
            Command::Withdraw { name, node, attempt } => self.withdraw(&name, node, Some(attempt)),
            Command::Offer { name, node, attempt } => self.offer(name, node, attempt),
            Command::Recovered { id, incarnation } => {
                self.recover(&id, incarnation);
                Some(())
            }
        };
        done.map_or(Verdict::Overtaken, |()| Verdict::Agreed)
    }

    fn admit(&mut self, member: &Member) -> Option<()> {
        let earlier =
            self.nodes.iter().find(|(_, entry)| entry.id == member.id).map(|(key, entry)| (*key, entry.incarnation));
        if self.is_over(&member.id, member.incarnation) {
            return None;
        }
        if let Some((key, life)) = earlier.filter(|(key, _)| *key != member.key) {
            self.drop_node(key);
            self.end(member.id.clone(), life);
            self.inherit(key, member);
        }
        let Member { id, incarnation, role, .. } = member.clone();
        self.nodes.entry(member.key).or_insert(Entry { id, incarnation, role, stay: Stay::Stays });
        Some(())
    }

    /// The later life of a node takes the places of the earlier one, whose replicas are gone with it.
    fn inherit(&mut self, earlier: NodeKey, member: &Member) {
        for placement in self.placements.values_mut() {
            placement.leaving.remove(&earlier);
            if placement.replicas.contains(&earlier) && member.role == Role::Replica {
                let heir = |node: &NodeKey| if *node == earlier { member.key } else { *node };
                placement.change(placement.replicas.iter().map(heir).collect());
            }
        }
    }

    fn stay(&mut self, node: NodeKey, stay: Stay) -> Option<()> {
        let entry = self.nodes.get_mut(&node)?;
        // Who leaves has said so itself: it does not come back by being seen.
        if entry.stay == Stay::Leaves && stay != Stay::Leaves {
            return None;
        }
        entry.stay = stay;
        if stay != Stay::Stays {
            self.begin_without(node);
        }
        Some(())
    }

    /// Nobody leaves while a group counts on it.
    fn remove(&mut self, node: NodeKey) -> Option<()> {
        if self.needs(node) || self.nodes.get(&node)?.stay == Stay::Stays {
            return None;
        }
        let entry = self.drop_node(node)?;
        self.end(entry.id, entry.incarnation);
        Some(())
    }

    /// A node has everything, whoever had it before.
    fn recover(&mut self, id: &NodeId, incarnation: u64) {
        let me = NodeKey::new(id, incarnation);
        let others: Vec<_> = self.nodes.keys().copied().filter(|node| *node != me).collect();
        for other in others {
            if let Some(other) = self.drop_node(other) {
                self.end(other.id, other.incarnation);
            }
        }
        self.gone.remove(id);
        self.nodes.insert(me, Entry { id: id.clone(), incarnation, role: Role::Replica, stay: Stay::Stays });
        for offered in self.machines.values_mut().filter(|offered| offered.begun) {
            offered.nodes.entry(me).or_default();
        }
        let begun: BTreeSet<_> = self.placements.keys().copied().filter(|group| self.has_begun(*group)).collect();
        for (_, placement) in self.placements.iter_mut().filter(|(group, _)| begun.contains(*group)) {
            *placement = Placement { epoch: placement.epoch + 1, ..Placement::new(vec![me]) };
        }
    }

    fn drop_node(&mut self, node: NodeKey) -> Option<Entry> {
        let entry = self.nodes.remove(&node);
        for placement in self.placements.values_mut() {
            placement.leaving.remove(&node);
        }
        for offered in self.machines.values_mut().filter(|offered| offered.begun) {
            offered.nodes.remove(&node);
        }
        self.begin_without(node);
        entry
    }

    fn end(&mut self, id: NodeId, incarnation: u64) {
        let last = self.gone.entry(id).or_default();
        *last = incarnation.max(*last);
        while self.gone.len() > GONE_MAX {
            self.gone.pop_first();
        }
    }

    fn at(&mut self, group: GroupId, epoch: u64) -> Option<&mut Placement> {
        self.placements.get_mut(&group).filter(|placement| placement.epoch == epoch)
    }

    fn place(&mut self, group: GroupId, epoch: u64, replicas: Vec<NodeKey>) -> Option<()> {
        let known = |node: &NodeKey| self.nodes.get(node).is_some_and(|entry| entry.role == Role::Replica);
        if replicas.is_empty() || !replicas.iter().all(known) || !self.has_begun(group) {
            return None;
        }
        let placement = self.at(group, epoch)?;
        if replicas.iter().any(|node| placement.leaving.contains(node)) {
            return None;
        }
        placement.change(replicas);
        Some(())
    }

    fn settle(&mut self, group: GroupId, epoch: u64) -> Option<()> {
        let data = group != GroupId::META && group.0 <= self.groups;
        let placement = self.placements.get_mut(&group).filter(|placement| placement.epoch == epoch)?;
        let before = std::mem::take(&mut placement.before);
        let gone = before.into_iter().filter(|node| data && self.nodes.contains_key(node));
        placement.leaving.extend(gone.filter(|node| !placement.replicas.contains(node)));
        self.machines.values_mut().filter(|offered| offered.group == group).for_each(|offered| offered.begun = true);
        Some(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::node::founding::Terms;

    pub(in crate::node::meta) fn member(id: &str, incarnation: u64) -> Member {
        Member::new(id.into(), incarnation, "h:1", Role::Replica)
    }

    pub(in crate::node::meta) fn key(id: &str, incarnation: u64) -> NodeKey {
        member(id, incarnation).key
    }

    pub(in crate::node::meta) fn founded() -> Topology {
        let founders = ["a", "b", "c"].map(|id| Founder { id: id.into(), incarnation: 5 });
        Topology::founded(&Charter::new(founders.to_vec(), Terms { size: 3, groups: 1, replicas: 3 }))
    }

    pub(in crate::node::meta) fn place(topology: &mut Topology, group: u16, replicas: Vec<NodeKey>) -> Verdict {
        let epoch = topology.placements[&GroupId(group)].epoch;
        topology.apply(Command::Place { group: GroupId(group), epoch, replicas })
    }

    #[test]
    fn a_later_life_takes_the_places_of_the_earlier() {
        let mut topology = founded();
        assert_eq!(topology.apply(Command::Admit(member("b", 6))), Verdict::Agreed);
        assert!(!topology.nodes.contains_key(&key("b", 5)));
        for placement in topology.placements.values() {
            assert!(placement.replicas.contains(&key("b", 6)) && !placement.replicas.contains(&key("b", 5)));
            assert!(placement.before.contains(&key("b", 5)) && placement.epoch == 1);
        }
    }

    #[test]
    fn a_life_that_is_over_is_not_admitted_again() {
        let mut topology = founded();
        topology.apply(Command::Admit(member("b", 6)));
        assert_eq!(topology.apply(Command::Admit(member("b", 5))), Verdict::Overtaken);
        assert!(topology.is_over(&"b".into(), 5) && !topology.is_over(&"b".into(), 6));
    }

    #[test]
    fn nobody_is_removed_while_a_group_counts_on_it() {
        let (mut topology, a) = (founded(), key("a", 5));
        assert_eq!(topology.apply(Command::Leave { node: a }), Verdict::Agreed);
        assert_eq!(topology.apply(Command::Away { node: a, away: false }), Verdict::Overtaken, "it leaves for good");
        for group in 0..=3 {
            assert_eq!(topology.apply(Command::Remove { node: a }), Verdict::Overtaken);
            assert_eq!(place(&mut topology, group, vec![key("b", 5), key("c", 5)]), Verdict::Agreed);
            assert_eq!(topology.apply(Command::Remove { node: a }), Verdict::Overtaken, "not settled");
            assert_eq!(topology.apply(Command::Settle { group: GroupId(group), epoch: 1 }), Verdict::Agreed);
        }
        assert_eq!(topology.apply(Command::Remove { node: a }), Verdict::Agreed);
        assert!(topology.is_over(&"a".into(), 5));
    }

    #[test]
    fn a_placement_that_was_overtaken_changes_nothing() {
        let mut topology = founded();
        let (group, replicas) = (GroupId(1), vec![key("b", 5)]);
        assert_eq!(topology.apply(Command::Place { group, epoch: 9, replicas: replicas.clone() }), Verdict::Overtaken);
        assert_eq!(place(&mut topology, 1, vec![key("stranger", 1)]), Verdict::Overtaken);
        assert_eq!(place(&mut topology, 1, replicas), Verdict::Agreed);
        assert_eq!(topology.apply(Command::Settle { group, epoch: 0 }), Verdict::Overtaken);
        assert!(!topology.placements[&group].is_settled());
    }

    #[test]
    fn a_group_is_not_given_again_to_a_node_that_has_not_let_go() {
        let (mut topology, group) = (founded(), GroupId(1));
        let [a, b, c] = ["a", "b", "c"].map(|id| key(id, 5));
        place(&mut topology, 1, vec![a, b]);
        assert_eq!(topology.apply(Command::Settle { group, epoch: 1 }), Verdict::Agreed);
        assert_eq!(place(&mut topology, 1, vec![a, b, c]), Verdict::Overtaken);
        assert_eq!(topology.apply(Command::LetGo { group, node: c }), Verdict::Agreed);
        assert_eq!(place(&mut topology, 1, vec![a, b, c]), Verdict::Agreed);
        assert_eq!(topology.apply(Command::Check { group, epoch: 1 }), Verdict::Overtaken);
        assert_eq!(topology.apply(Command::Check { group, epoch: 2 }), Verdict::Agreed);
    }

    #[test]
    fn who_recovers_a_cluster_has_all_of_it_and_the_others_are_over() {
        let (mut topology, b) = (founded(), key("b", 5));
        place(&mut topology, 1, vec![key("a", 5), key("c", 5)]);
        topology.apply(Command::Settle { group: GroupId(1), epoch: 1 });
        assert!(topology.placements[&GroupId(1)].leaving.contains(&b));
        let recovered = Command::Recovered { id: "b".into(), incarnation: 5 };
        assert_eq!(topology.apply(recovered), Verdict::Agreed);
        assert_eq!(topology.nodes.keys().collect::<Vec<_>>(), [&b]);
        for placement in topology.placements.values() {
            assert!(placement.is_settled() && placement.leaving.is_empty() && placement.replicas == [b]);
        }
        assert!(topology.is_over(&"a".into(), 5) && !topology.is_over(&"b".into(), 5));
        assert_eq!(topology.placements[&GroupId(1)].epoch, 2, "what was said of earlier placements is known as such");
    }

    #[test]
    fn the_lives_that_are_remembered_are_bounded() {
        let mut topology = founded();
        for n in 0..2 * GONE_MAX {
            topology.end(n.to_string().into(), 1);
        }
        assert_eq!(topology.gone.len(), GONE_MAX);
    }
}
