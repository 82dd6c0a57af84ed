//! The next step from the membership that a group has to the one that it should have.

use std::collections::BTreeSet;

use crate::base::NodeKey;
use crate::raft::{Roster, RosterChange};

/// What a group should be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Who should vote. The first of them should lead.
    pub(super) voters: Vec<NodeKey>,
    /// Who should follow without a vote.
    pub(super) learners: BTreeSet<NodeKey>,
    /// The cluster has been told that the group is like this.
    pub(super) settled: bool,
}

/// What the leader of a group does next for its membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Change it.
    Change(RosterChange),
    /// Give the leadership to this voter.
    HandOver(NodeKey),
    /// Tell the cluster that the group is as it should be.
    Settle,
}

/// How the leader of a group sees the others.
pub(super) struct Sight<'a> {
    pub(super) me: NodeKey,
    /// Whether a node can be reached at the moment.
    pub(super) reaches: &'a dyn Fn(NodeKey) -> bool,
    /// Whether a node could lead: its program lacks nothing, and its disk has room.
    pub(super) may_lead: &'a dyn Fn(NodeKey) -> bool,
}

/// The next step, at the leader of a group with this roster; `None` while there is nothing to do, or nothing to do but wait.
///
/// Whoever is new follows the log before it votes, and all that are new begin to vote together, with those that lose their
/// votes: the group is never without a majority that has everything, and never larger than it has to be. Nothing changes
/// while a majority of the new voters does not answer: a change that was begun cannot be taken back, and would hang.
pub(super) fn next(sight: &Sight<'_>, roster: &Roster, wanted: &Wanted) -> Option<Step> {
    let me = sight.me;
    if !roster.committed {
        return None;
    }
    let voters: BTreeSet<NodeKey> = wanted.voters.iter().copied().collect();
    if let Some(new) = voters.union(&wanted.learners).find(|node| !roster.has(**node)) {
        return Some(Step::Change(RosterChange::Learn(*new)));
    }
    let follows = |node: &NodeKey| roster.voters.contains(node) || roster.caught_up.contains(node);
    // A leader that should not vote stays until it has handed over.
    let mut target = voters.clone();
    target.insert(me);
    if roster.joint || (roster.voters != target && roster.voters != voters) {
        let answers = |node: &&NodeKey| **node == me || roster.answering.contains(*node);
        let reached = target.iter().filter(answers).count();
        let safe = reached * 2 > target.len() && voters.iter().all(follows);
        return safe.then_some(Step::Change(RosterChange::Vote(target)));
    }
    let is_up_to_date = |node: &NodeKey| roster.caught_up.contains(node) && (sight.reaches)(*node);
    let able = |node: &NodeKey| *node != me && is_up_to_date(node) && (sight.may_lead)(*node);
    if !voters.contains(&me) {
        // Better led by a program that lacks something than by nobody, once this one has gone.
        let any = wanted.voters.iter().copied().find(|node| *node != me && is_up_to_date(node));
        return wanted.voters.iter().copied().find(able).or(any).map(Step::HandOver);
    }
    if let Some(former) = roster.learners.iter().find(|node| !voters.contains(node) && !wanted.learners.contains(node))
    {
        return Some(Step::Change(RosterChange::Forget(*former)));
    }
    if !wanted.settled {
        return Some(Step::Settle);
    }
    // The first should lead; or, where this node cannot serve, anyone who can.
    let mut heirs = wanted.voters.iter().copied();
    let heir = if (sight.may_lead)(me) { heirs.next().filter(able) } else { heirs.find(able) };
    heir.map(Step::HandOver)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &[u64]) -> BTreeSet<NodeKey> {
        keys.iter().map(|key| NodeKey(*key)).collect()
    }

    fn wanted(voters: &[u64], learners: &[u64]) -> Wanted {
        Wanted { voters: voters.iter().map(|key| NodeKey(*key)).collect(), learners: keys(learners), settled: false }
    }

    /// The next step at a leader that reaches everybody.
    fn at(me: u64, roster: &Roster, wanted: &Wanted) -> Option<Step> {
        next(&Sight { me: NodeKey(me), reaches: &|_| true, may_lead: &|_| true }, roster, wanted)
    }

    #[test]
    fn who_cannot_serve_hands_over_to_whoever_can_and_to_nobody_else() {
        let (voters, others) = ([1, 2, 3], |fit: &'static [u64]| move |node: NodeKey| fit.contains(&node.0));
        let wanted = Wanted { settled: true, ..wanted(&voters, &[]) };
        let roster = Group::new(&voters).roster;
        let step = |me, fit: &'static [u64]| {
            next(&Sight { me: NodeKey(me), reaches: &|_| true, may_lead: &others(fit) }, &roster, &wanted)
        };
        assert_eq!(step(1, &[1, 2, 3]), None);
        assert_eq!(step(1, &[3]), Some(Step::HandOver(NodeKey(3))));
        assert_eq!(step(1, &[]), None, "the others cannot either");
        assert_eq!(step(3, &[3]), None, "the first cannot");
        assert_eq!(step(3, &[1, 3]), Some(Step::HandOver(NodeKey(1))));
    }

    /// A group that does what it is told, at once. Everybody catches up as soon as it is told to follow.
    struct Group {
        leader: NodeKey,
        roster: Roster,
        settled: bool,
    }

    impl Group {
        fn new(voters: &[u64]) -> Self {
            let (caught_up, answering) = (keys(voters), keys(voters));
            let roster = Roster { voters: keys(voters), caught_up, answering, committed: true, ..Roster::default() };
            Self { leader: NodeKey(voters[0]), roster, settled: false }
        }

        /// Runs to the end, and gives the steps.
        fn run(&mut self, wanted: &Wanted) -> Vec<Step> {
            let mut steps = Vec::new();
            loop {
                let wanted = Wanted { settled: self.settled, ..wanted.clone() };
                let Some(step) = at(self.leader.0, &self.roster, &wanted) else { return steps };
                match &step {
                    Step::Settle => self.settled = true,
                    Step::HandOver(to) => {
                        assert!(self.roster.voters.contains(to), "only a voter can lead");
                        self.leader = *to;
                    }
                    Step::Change(RosterChange::Learn(node)) => {
                        self.roster.learners.insert(*node);
                        self.roster.caught_up.insert(*node);
                        self.roster.answering.insert(*node);
                    }
                    Step::Change(RosterChange::Forget(node)) => assert!(self.roster.learners.remove(node)),
                    Step::Change(RosterChange::Vote(voters)) => {
                        let all: BTreeSet<_> = self.roster.voters.union(&self.roster.learners).copied().collect();
                        assert!(voters.is_subset(&all) && voters.contains(&self.leader));
                        self.roster.learners = all.difference(voters).copied().collect();
                        self.roster.voters = voters.clone();
                    }
                }
                steps.push(step);
                assert!(steps.len() < 50, "it never comes to rest: {steps:?}");
            }
        }
    }

    #[test]
    fn a_replica_is_replaced_and_the_change_is_told_once_it_is_whole() {
        let mut group = Group::new(&[1, 2, 3]);
        let steps = group.run(&wanted(&[1, 2, 4], &[]));
        let change = Step::Change;
        assert_eq!(
            steps,
            [
                change(RosterChange::Learn(NodeKey(4))),
                change(RosterChange::Vote(keys(&[1, 2, 4]))),
                change(RosterChange::Forget(NodeKey(3))),
                Step::Settle
            ]
        );
        assert_eq!(group.roster.voters, keys(&[1, 2, 4]));
        assert!(group.roster.learners.is_empty());
    }

    #[test]
    fn a_leader_that_goes_hands_over_before_it_loses_its_vote() {
        let mut group = Group::new(&[1, 2, 3]);
        let steps = group.run(&wanted(&[2, 3, 4], &[]));
        let handed = steps.iter().position(|step| matches!(step, Step::HandOver(_))).unwrap();
        let without = Step::Change(RosterChange::Vote(keys(&[2, 3, 4])));
        assert!(steps.iter().position(|step| *step == without).unwrap() > handed, "{steps:?}");
        assert_eq!((group.leader, group.roster.has(NodeKey(1))), (NodeKey(2), false));
    }

    #[test]
    fn the_first_replica_leads_in_the_end_unless_it_cannot() {
        let mut group = Group::new(&[1, 2, 3]);
        group.run(&wanted(&[3, 1, 2], &[]));
        assert_eq!(group.leader, NodeKey(3));
        let settled = Wanted { settled: true, ..wanted(&[2, 1, 3], &[]) };
        let sight = Sight { me: NodeKey(3), reaches: &|_| true, may_lead: &|node| node != NodeKey(2) };
        assert_eq!(next(&sight, &group.roster, &settled), None);
    }

    #[test]
    fn every_node_follows_the_meta_group() {
        let mut group = Group::new(&[1, 2, 3]);
        group.run(&wanted(&[1, 2, 3], &[4, 5, 6]));
        assert_eq!(group.roster.learners, keys(&[4, 5, 6]));
        group.settled = false;
        group.run(&wanted(&[1, 2, 3, 4, 5], &[6]));
        assert_eq!((group.roster.voters.len(), group.roster.learners.clone()), (5, keys(&[6])));
        group.settled = false;
        group.run(&wanted(&[1, 2, 3], &[5, 6]));
        assert_eq!((group.roster.voters.len(), group.roster.learners), (3, keys(&[5, 6])));
    }

    #[test]
    fn nobody_votes_before_it_has_caught_up_and_nothing_happens_before_the_last_step_is_committed() {
        let mut group = Group::new(&[1, 2, 3]);
        group.roster.learners.insert(NodeKey(4));
        assert_eq!(at(1, &group.roster, &wanted(&[1, 2, 4], &[])), None);
        group.roster.caught_up.insert(NodeKey(4));
        group.roster.committed = false;
        assert_eq!(at(1, &group.roster, &wanted(&[1, 2, 4], &[])), None);
    }

    #[test]
    fn a_group_that_stopped_between_two_sets_of_voters_goes_on() {
        let mut group = Group::new(&[1, 2, 3]);
        group.roster.voters.insert(NodeKey(4));
        group.roster.joint = true;
        let step = at(1, &group.roster, &wanted(&[1, 2, 4], &[]));
        assert_eq!(step, Some(Step::Change(RosterChange::Vote(keys(&[1, 2, 4])))));
    }

    #[test]
    fn no_change_begins_that_could_not_end() {
        let mut group = Group::new(&[1, 2, 3]);
        group.roster.answering.remove(&NodeKey(3));
        assert_eq!(at(1, &group.roster, &wanted(&[1, 3], &[])), None, "both of two are a majority");
        assert!(at(1, &group.roster, &wanted(&[1, 2], &[])).is_some());
    }

    #[test]
    fn whoever_goes_hands_over_even_to_a_program_that_lacks_something() {
        let group = Group::new(&[1, 2, 3]);
        let sight = Sight { me: NodeKey(1), reaches: &|_| true, may_lead: &|_| false };
        let mut roster = group.roster.clone();
        roster.voters = keys(&[1, 2, 3]);
        assert_eq!(next(&sight, &roster, &wanted(&[2, 3], &[])), Some(Step::HandOver(NodeKey(2))));
        assert_eq!(next(&sight, &roster, &Wanted { settled: true, ..wanted(&[2, 1, 3], &[]) }), None);
    }
}
