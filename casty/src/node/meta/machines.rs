//! Which state machines the cluster has, who has each of them, and when it begins.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::topology::{Stay, Topology};
use crate::base::{GroupId, NodeKey};
use crate::cluster::Role;
use crate::sharding::allocation::{Placement, meta_votes};

/// A state machine, and who has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Offered {
    pub(super) group: GroupId,
    /// The nodes that have it, and at which of their attempts they said so.
    pub(super) nodes: BTreeMap<NodeKey, u64>,
    /// Its group has had a leader. Before, nothing was applied, and it can be given another group.
    pub(super) begun: bool,
}

/// State machines that a cluster can have.
pub(crate) const MACHINES_MAX: usize = 64;

impl Topology {
    /// The group of a state machine, which has a place once enough nodes have the machine.
    pub(crate) fn machine(&self, name: &str) -> Option<GroupId> {
        self.machines.get(name).map(|offered| offered.group)
    }

    /// Whether a group may be used, and moved: a data group, or that of a state machine which has begun.
    pub(crate) fn has_begun(&self, group: GroupId) -> bool {
        self.machines.values().all(|offered| offered.group != group || offered.begun)
    }

    /// The state machines' groups, and the nodes that have each machine.
    pub(crate) fn machines(&self) -> impl Iterator<Item = (GroupId, BTreeSet<NodeKey>)> {
        self.machines.values().map(|offered| (offered.group, offered.nodes.keys().copied().collect()))
    }

    /// Whether the group of a state machine has as many votes as the cluster has nodes for.
    pub(crate) fn is_whole(&self, group: GroupId) -> bool {
        let votes = meta_votes(self.replica_nodes());
        self.has_begun(group)
            && self.placements.get(&group).is_some_and(|at| at.is_settled() && at.replicas.len() >= votes)
    }

    /// The nodes that follow a group of which every node may have a copy; `None` for a data group.
    pub(crate) fn followers(&self, group: GroupId) -> Option<BTreeSet<NodeKey>> {
        if group == GroupId::META {
            return Some(self.nodes.keys().copied().collect());
        }
        self.machines().find(|(id, _)| *id == group).map(|(_, nodes)| nodes)
    }

    pub(super) fn offer(&mut self, name: String, node: NodeKey, attempt: u64) -> Option<()> {
        self.nodes.get(&node)?;
        if !self.machines.contains_key(&name) {
            if self.machines.len() >= MACHINES_MAX {
                return None;
            }
            let group = self.next_machine_group()?;
            self.machines.insert(name.clone(), Offered { group, nodes: BTreeMap::new(), begun: false });
        }
        let offered = self.machines.get_mut(&name)?;
        offered.nodes.insert(node, attempt);
        if !offered.begun {
            self.begin(&name);
        }
        Some(())
    }

    /// A node does not begin the machine, at this attempt or at any.
    pub(super) fn withdraw(&mut self, name: &str, node: NodeKey, attempt: Option<u64>) -> Option<()> {
        let offered = self.machines.get(name).filter(|offered| !offered.begun)?;
        let (group, last) = (offered.group, *offered.nodes.get(&node)?);
        if attempt.is_some_and(|attempt| attempt != last) {
            return None;
        }
        self.machines.get_mut(name)?.nodes.remove(&node);
        if self.placements.get(&group).is_some_and(|placement| placement.has(node)) {
            self.begin_anew(name);
        }
        Some(())
    }

    fn next_machine_group(&mut self) -> Option<GroupId> {
        let number = self.machine_groups.checked_add(1)?;
        let group = GroupId(self.groups.checked_add(number)?);
        self.machine_groups = number;
        Some(group)
    }

    /// A machine begins once a majority of those that are to vote have it: what it answers is on as many.
    fn begin(&mut self, name: &str) {
        let votes = meta_votes(self.replica_nodes());
        let Some(offered) = self.machines.get(name) else { return };
        let may_vote = |node: &&NodeKey| {
            self.nodes.get(node).is_some_and(|entry| entry.role == Role::Replica && entry.stay == Stay::Stays)
        };
        let voters: Vec<NodeKey> = offered.nodes.keys().filter(may_vote).copied().collect();
        if voters.len() * 2 > votes {
            self.placements.entry(offered.group).or_insert_with(|| Placement::new(voters));
        }
    }

    /// Machines that have not begun and count on a node that goes begin in another group: nobody would complete the first one.
    pub(super) fn begin_without(&mut self, node: NodeKey) {
        self.withdraw_all(node, u64::MAX);
    }

    /// A node has started anew: what it offered at attempts below this number is not there any more, where it has not begun.
    pub(super) fn withdraw_all(&mut self, node: NodeKey, below: u64) {
        let gone = |offered: &Offered| offered.nodes.get(&node).is_some_and(|attempt| *attempt < below);
        let gone = self.machines.iter().filter(|(_, offered)| !offered.begun && gone(offered));
        for name in gone.map(|(name, _)| name.clone()).collect::<Vec<_>>() {
            self.withdraw(&name, node, None);
        }
    }

    fn begin_anew(&mut self, name: &str) {
        let Some(group) = self.next_machine_group() else { return };
        let Some(offered) = self.machines.get_mut(name) else { return };
        self.placements.remove(&offered.group);
        offered.group = group;
        self.begin(name);
    }
}

#[cfg(test)]
mod tests {
    use super::super::topology::tests::{founded, key, member, place};
    use super::*;
    use crate::node::meta::{Command, Verdict};

    #[test]
    fn a_machine_begins_once_a_majority_of_its_voters_have_it_and_follows_whoever_has_it() {
        let mut topology = founded();
        let offer =
            |topology: &mut Topology, node| topology.apply(Command::Offer { name: "kv".into(), node, attempt: 1 });
        assert_eq!(offer(&mut topology, key("a", 5)), Verdict::Agreed);
        let group = topology.machine("kv").unwrap();
        assert_eq!((group, topology.placements.get(&group)), (GroupId(4), None), "behind the data groups");
        offer(&mut topology, key("b", 5));
        let mut voters = vec![key("a", 5), key("b", 5)];
        voters.sort();
        assert_eq!(topology.placements[&group].replicas, voters);
        offer(&mut topology, key("c", 5));
        assert_eq!(topology.followers(group).unwrap().len(), 3);
        assert_eq!(place(&mut topology, 4, vec![key("a", 5)]), Verdict::Overtaken, "it has not begun");
        assert_eq!(topology.apply(Command::Settle { group, epoch: 0 }), Verdict::Agreed);
        assert!(topology.has_begun(group));
        topology.apply(Command::Admit(member("c", 6)));
        assert_eq!(topology.followers(group).unwrap().len(), 2, "the new life has not said that it has the machine");
        assert_eq!(offer(&mut topology, key("stranger", 1)), Verdict::Overtaken);
    }

    #[test]
    fn a_machine_that_has_not_begun_begins_in_another_group_when_one_that_it_counts_on_goes() {
        let mut topology = founded();
        let offer =
            |topology: &mut Topology, node| topology.apply(Command::Offer { name: "kv".into(), node, attempt: 1 });
        offer(&mut topology, key("a", 5));
        offer(&mut topology, key("b", 5));
        let first = topology.machine("kv").unwrap();
        topology.apply(Command::Admit(member("a", 6)));
        assert!(!topology.placements.contains_key(&first));
        let second = topology.machine("kv").unwrap();
        assert!(second != first && !topology.placements.contains_key(&second), "one of three has it");
        offer(&mut topology, key("a", 6));
        assert!(topology.placements.contains_key(&second));
        let withdraw = |attempt| Command::Withdraw { name: "kv".into(), node: key("b", 5), attempt };
        assert_eq!(topology.apply(withdraw(0)), Verdict::Overtaken, "it has tried again since");
        assert_eq!(topology.apply(withdraw(1)), Verdict::Agreed);
        assert_ne!(topology.machine("kv"), Some(second));
    }
}
