//! What is to be told, from what was told before and what is the case now. Pure.

use std::collections::BTreeMap;

use super::ClusterEvent;
use crate::base::{NodeId, NodeKey};
use crate::cluster::Member;
use crate::node::meta::{Stay, Topology};
use crate::raft::Leadership;

/// What a node sees.
pub(super) struct Now<'a> {
    pub(super) me: NodeKey,
    /// The nodes of the cluster.
    pub(super) topology: &'a Topology,
    /// The nodes that are alive, by id, whether or not they belong to the cluster.
    pub(super) in_sight: &'a [Member],
    /// Who leads the meta group.
    pub(super) leadership: Leadership,
}

/// What was told: as many members as the cluster has, at most.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The members that were told to be up, by key, and whether they were up when last told of.
    members: BTreeMap<NodeKey, (Member, bool)>,
    leader: Option<NodeId>,
}

impl Told {
    /// What has to be told to come from before to now: who left, who is out of sight, who is up, each by id, and who leads.
    pub(super) fn advance(&mut self, now: &Now<'_>) -> Vec<ClusterEvent> {
        let mut events: Vec<_> = self.left(now).into_iter().map(ClusterEvent::MemberLeft).collect();
        events.extend(self.lost(now).into_iter().map(ClusterEvent::MemberUnreachable));
        events.extend(self.risen(now).into_iter().map(ClusterEvent::MemberUp));
        let leader = now.leader();
        if leader != self.leader {
            self.leader.clone_from(&leader);
            events.push(ClusterEvent::LeaderChanged { leader });
        }
        events
    }

    fn left(&mut self, now: &Now<'_>) -> Vec<Member> {
        let gone = self.members.extract_if(.., |key, _| !now.topology.nodes().contains_key(key));
        by_id(gone.map(|(_, (member, _))| member).collect())
    }

    fn lost(&mut self, now: &Now<'_>) -> Vec<Member> {
        // Who leaves goes out of sight before it is removed, and that is as it should be.
        let leaves = |key: &NodeKey| now.topology.nodes().get(key).is_some_and(|entry| entry.stay == Stay::Leaves);
        let mut lost = Vec::new();
        for (key, (member, up)) in &mut self.members {
            if *up && !now.sees(*key) && !leaves(key) {
                *up = false;
                lost.push(member.clone());
            }
        }
        by_id(lost)
    }

    fn risen(&mut self, now: &Now<'_>) -> Vec<Member> {
        let mut risen = Vec::new();
        for member in now.in_sight.iter().filter(|member| now.topology.nodes().contains_key(&member.key)) {
            let known = self.members.insert(member.key, (member.clone(), true));
            if known.is_none_or(|(_, up)| !up) {
                risen.push(member.clone());
            }
        }
        by_id(risen)
    }
}

impl Now<'_> {
    fn sees(&self, key: NodeKey) -> bool {
        self.in_sight.iter().any(|member| member.key == key)
    }

    /// The node that leads. This one only if a majority follows it: it may not know yet that it was followed by another.
    fn leader(&self) -> Option<NodeId> {
        let leader = self.leadership.leader?.node;
        if leader == self.me && self.leadership.ours.is_none() {
            return None;
        }
        self.topology.nodes().get(&leader).map(|entry| entry.id.clone())
    }
}

fn by_id(mut members: Vec<Member>) -> Vec<Member> {
    members.sort_by(|a, b| (&a.id, a.incarnation).cmp(&(&b.id, b.incarnation)));
    members
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Role;
    use crate::node::founding::{Charter, Founder, Terms};
    use crate::node::meta::Command;
    use crate::raft::LeaderId;

    use ClusterEvent::{MemberLeft, MemberUnreachable, MemberUp};

    fn member(id: &str, incarnation: u64) -> Member {
        Member::new(id.into(), incarnation, "h:1", Role::Replica)
    }

    fn led_by(id: &str) -> ClusterEvent {
        ClusterEvent::LeaderChanged { leader: Some(id.into()) }
    }

    /// The node `a` of a cluster that `a`, `b` and `c` found, and what it has told.
    struct Teller {
        topology: Topology,
        in_sight: Vec<Member>,
        leadership: Leadership,
        told: Told,
    }

    impl Teller {
        fn new() -> Self {
            let founders = ["a", "b", "c"].map(|id| Founder { id: id.into(), incarnation: 1 });
            let topology =
                Topology::founded(&Charter::new(founders.to_vec(), Terms { size: 3, groups: 1, replicas: 3 }));
            let in_sight = vec![member("a", 1)];
            Self { topology, in_sight, leadership: Leadership::default(), told: Told::default() }
        }

        /// One that has told all there is to tell of three nodes in sight.
        fn in_peace() -> Self {
            let mut teller = Self::new();
            teller.see(&["a", "b", "c"]);
            teller
        }

        fn events(&mut self) -> Vec<ClusterEvent> {
            let Self { topology, in_sight, leadership, told } = self;
            let now = || Now { me: member("a", 1).key, topology, in_sight, leadership: *leadership };
            let events = told.advance(&now());
            assert_eq!(told.advance(&now()), [], "nothing is told twice");
            events
        }

        fn see(&mut self, ids: &[&str]) -> Vec<ClusterEvent> {
            self.in_sight = ids.iter().map(|id| member(id, 1)).collect();
            self.events()
        }

        fn decide(&mut self, command: Command) {
            self.topology.apply(command);
        }

        /// Takes a node's places away, and removes it.
        fn remove(&mut self, node: NodeKey) {
            self.decide(Command::Away { node, away: true });
            for group in self.topology.placements().keys().copied().collect::<Vec<_>>() {
                let at = &self.topology.placements()[&group];
                let (epoch, replicas) = (at.epoch, at.replicas.iter().filter(|at| **at != node).copied().collect());
                self.decide(Command::Place { group, epoch, replicas });
                self.decide(Command::Settle { group, epoch: epoch + 1 });
            }
            self.decide(Command::Remove { node });
        }

        fn lead(&mut self, id: &str, ours: bool) -> Vec<ClusterEvent> {
            let leader = LeaderId { term: 1, node: member(id, 1).key };
            self.leadership = Leadership { leader: Some(leader), ours: ours.then_some(leader) };
            self.events()
        }
    }

    #[test]
    fn a_node_is_up_once_it_is_both_admitted_and_in_sight() {
        let mut teller = Teller::new();
        assert_eq!(teller.events(), [MemberUp(member("a", 1))], "b and c are admitted and not in sight");
        assert_eq!(teller.see(&["a", "b", "c", "d"]), [MemberUp(member("b", 1)), MemberUp(member("c", 1))]);
        teller.decide(Command::Admit(member("d", 1)));
        assert_eq!(teller.events(), [MemberUp(member("d", 1))]);
    }

    #[test]
    fn a_node_that_is_out_of_sight_is_unreachable_and_up_again_when_it_is_back() {
        let mut teller = Teller::in_peace();
        assert_eq!(teller.see(&["a", "b"]), [MemberUnreachable(member("c", 1))]);
        assert_eq!(teller.see(&["a", "b", "c"]), [MemberUp(member("c", 1))]);
    }

    #[test]
    fn a_node_that_is_removed_has_left_after_it_was_unreachable() {
        let mut teller = Teller::in_peace();
        assert_eq!(teller.see(&["a", "c"]), [MemberUnreachable(member("b", 1))]);
        teller.remove(member("b", 1).key);
        assert_eq!(teller.events(), [MemberLeft(member("b", 1))]);
        assert_eq!(teller.see(&["a", "b", "c"]), [], "it is in sight, and no part of the cluster");
    }

    #[test]
    fn a_node_that_leaves_is_never_unreachable() {
        let mut teller = Teller::in_peace();
        teller.decide(Command::Leave { node: member("c", 1).key });
        assert_eq!(teller.see(&["a", "b"]), []);
        teller.remove(member("c", 1).key);
        assert_eq!(teller.events(), [MemberLeft(member("c", 1))]);
    }

    #[test]
    fn a_later_life_is_up_after_the_earlier_one_has_left() {
        let mut teller = Teller::in_peace();
        teller.in_sight[1] = member("b", 2);
        teller.decide(Command::Admit(member("b", 2)));
        assert_eq!(teller.events(), [MemberLeft(member("b", 1)), MemberUp(member("b", 2))]);
    }

    #[test]
    fn a_node_that_was_never_up_is_not_told_to_have_left() {
        let mut teller = Teller::new();
        teller.events();
        teller.remove(member("c", 1).key);
        assert_eq!(teller.events(), []);
    }

    #[test]
    fn this_node_leads_only_while_a_majority_follows_it() {
        let mut teller = Teller::in_peace();
        assert_eq!(teller.lead("b", false), [led_by("b")]);
        assert_eq!(teller.lead("a", false), [ClusterEvent::LeaderChanged { leader: None }]);
        assert_eq!(teller.lead("a", true), [led_by("a")]);
    }
}
