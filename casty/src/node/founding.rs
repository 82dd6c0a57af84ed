//! How a cluster begins: once, with exactly the nodes that all of them agreed on.
//!
//! A pure core. A node promises itself to one exact charter of `expected_size` nodes. Whoever holds the promises of all
//! of them founds the cluster, always with the same charter, so it does no harm if several do. A promise may be withdrawn
//! while nothing came of it, when a founder has a newer life, or has been away for long, or when the nodes in sight have
//! called for another charter for long; from then on the charter is refused for good, and the others are told. A node
//! that hears of a founded cluster never founds another.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::base::{NodeId, NodeKey, StableMap, stable_hash};
use crate::codec::encode;
use crate::sharding::GROUPS_PER_NODE;

/// A node that founds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Founder {
    pub(crate) id: NodeId,
    pub(crate) key: NodeKey,
}

/// What the founders agree on. It never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Charter {
    /// Sorted by id.
    pub(crate) founders: Vec<Founder>,
    /// The number of data groups.
    pub(crate) groups: u16,
    /// Replicas of a group.
    pub(crate) replicas: u8,
}

impl Charter {
    /// The charter of these founders.
    pub(crate) fn new(mut founders: Vec<Founder>, replicas: u8) -> Self {
        founders.sort();
        let groups = u16::try_from(founders.len() * GROUPS_PER_NODE).unwrap_or(u16::MAX);
        Self { founders, groups, replicas }
    }

    /// The identity of the cluster that it founds.
    pub(crate) fn cluster_id(&self) -> u64 {
        encode(self).map_or(0, |bytes| stable_hash(&bytes))
    }

    /// Whether a node is among the founders.
    pub(crate) fn has(&self, key: NodeKey) -> bool {
        self.founders.iter().any(|founder| founder.key == key)
    }

    /// The founders' keys, in their order.
    pub(crate) fn keys(&self) -> Vec<NodeKey> {
        self.founders.iter().map(|founder| founder.key).collect()
    }
}

/// Where a node stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It looks for the others.
    Looking,
    /// It has promised itself, and waits for the promises of the others.
    Promised(Charter),
    /// It is a founder of this cluster, for good.
    Bound(Charter),
    /// It has joined a cluster that was founded without it.
    Guest(Charter),
}

/// What the node has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Tell the founders of the promise.
    Promise(Charter),
    /// Start the groups, and begin them: every founder has promised, which this node knows from all of them or from
    /// one that knew.
    Found(Charter),
    /// Tell the founders that the promise to this charter no longer stands.
    Withdraw(Charter),
    /// Learn the way into a cluster founded without this node.
    Visit(Charter),
}

/// For so many looks in a row the nodes in sight must call for another charter before a promise is withdrawn: some
/// seconds, so that a founder that was only slow to answer is waited for.
const LOOKS_BEFORE_WITHDRAWAL: u32 = 50;

/// The founding, as one node sees it.
pub(super) struct Founding {
    me: NodeKey,
    expected_size: usize,
    replicas: u8,
    may_found: bool,
    standing: Standing,
    refused: HashSet<u64>,
    promises: StableMap<NodeKey, u64>,
    /// The founders seen at the last look: a promise is only made on a view that held still.
    last_view: Vec<Founder>,
    /// For how many looks in a row the promise has not fitted the view.
    misfits: u32,
}

impl Founding {
    /// Nothing has happened yet. An observer never founds.
    pub(super) fn new(me: NodeKey, expected_size: usize, replicas: u8, may_found: bool) -> Self {
        let (refused, promises, last_view) = (HashSet::new(), StableMap::default(), Vec::new());
        Self {
            me,
            expected_size,
            replicas,
            may_found,
            standing: Standing::Looking,
            refused,
            promises,
            last_view,
            misfits: 0,
        }
    }

    /// The charter of the cluster that exists, as far as this node knows.
    pub(super) fn charter(&self) -> Option<&Charter> {
        match &self.standing {
            Standing::Bound(charter) | Standing::Guest(charter) => Some(charter),
            Standing::Looking | Standing::Promised(_) => None,
        }
    }

    /// These nodes are alive and could found, this one among them. Called at regular times.
    pub(super) fn look(&mut self, mut alive: Vec<Founder>) -> Option<Step> {
        alive.sort();
        let still = alive == self.last_view;
        self.last_view = alive;
        match self.standing.clone() {
            Standing::Promised(charter) if self.is_hopeless(&charter) => self.withdraw(),
            Standing::Promised(charter) => Some(Step::Promise(charter)),
            Standing::Looking if still => self.promise(),
            _ => None,
        }
    }

    /// The charter that the nodes in sight call for: the first of them, by id.
    fn called_for(&self) -> Option<Charter> {
        let founders = self.last_view.get(..self.expected_size)?;
        let charter = Charter::new(founders.to_vec(), self.replicas);
        (self.may_found && charter.has(self.me)).then_some(charter)
    }

    fn promise(&mut self) -> Option<Step> {
        let charter = self.called_for().filter(|charter| !self.refused.contains(&charter.cluster_id()))?;
        self.standing = Standing::Promised(charter.clone());
        self.misfits = 0;
        self.promises.insert(self.me, charter.cluster_id());
        self.found_if_all_promised().or(Some(Step::Promise(charter)))
    }

    /// Whether nothing will come of a promise: a founder has a newer life, or for long the view has not fitted.
    fn is_hopeless(&mut self, charter: &Charter) -> bool {
        let reborn =
            |founder: &Founder| self.last_view.iter().any(|now| now.id == founder.id && now.key != founder.key);
        if charter.founders.iter().any(reborn) {
            return true;
        }
        let fits = self.called_for().as_ref() == Some(charter);
        self.misfits = if fits { 0 } else { self.misfits + 1 };
        self.misfits >= LOOKS_BEFORE_WITHDRAWAL
    }

    fn withdraw(&mut self) -> Option<Step> {
        let Standing::Promised(charter) = std::mem::replace(&mut self.standing, Standing::Looking) else { return None };
        self.refused.insert(charter.cluster_id());
        self.promises.remove(&self.me);
        Some(Step::Withdraw(charter))
    }

    /// Another node has withdrawn its promise, or refuses the charter.
    pub(super) fn withdrawn(&mut self, from: NodeKey, cluster_id: u64) {
        if self.promises.get(&from) == Some(&cluster_id) {
            self.promises.remove(&from);
        }
    }

    /// Whether this node refuses a charter for good.
    pub(super) fn refuses(&self, charter: &Charter) -> bool {
        self.refused.contains(&charter.cluster_id())
    }

    /// Another node has promised itself to `charter`.
    pub(super) fn promised(&mut self, from: NodeKey, charter: &Charter) -> Option<Step> {
        self.promises.insert(from, charter.cluster_id());
        self.found_if_all_promised()
    }

    /// A founder that has founded says so.
    pub(super) fn told(&mut self, charter: Charter) -> Option<Step> {
        match &self.standing {
            // Whoever founded it did so without this node. It cannot hold a majority if the others refuse it too.
            _ if charter.has(self.me) && self.refuses(&charter) => None,
            Standing::Bound(_) | Standing::Guest(_) => None,
            Standing::Promised(mine) if *mine == charter => {
                self.standing = Standing::Bound(charter.clone());
                Some(Step::Found(charter))
            }
            Standing::Looking | Standing::Promised(_) => {
                self.standing = Standing::Guest(charter.clone());
                Some(Step::Visit(charter))
            }
        }
    }

    /// A Raft message of this cluster came. Whether it may be taken, and what to do first.
    pub(super) fn raft(&mut self, cluster_id: u64) -> (bool, Option<Step>) {
        match &self.standing {
            Standing::Bound(charter) => (charter.cluster_id() == cluster_id, None),
            Standing::Promised(charter) if charter.cluster_id() == cluster_id => {
                let charter = charter.clone();
                self.standing = Standing::Bound(charter.clone());
                (true, Some(Step::Found(charter)))
            }
            _ => (false, None),
        }
    }

    fn found_if_all_promised(&mut self) -> Option<Step> {
        let Standing::Promised(charter) = &self.standing else { return None };
        let id = charter.cluster_id();
        if !charter.founders.iter().all(|founder| self.promises.get(&founder.key) == Some(&id)) {
            return None;
        }
        let charter = charter.clone();
        self.standing = Standing::Bound(charter.clone());
        Some(Step::Found(charter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn founder(name: &str, life: u64) -> Founder {
        let id = NodeId::from(name);
        Founder { key: NodeKey::new(&id, life), id }
    }

    fn three(life_of_c: u64) -> Vec<Founder> {
        vec![founder("a", 1), founder("b", 1), founder("c", life_of_c)]
    }

    fn founding(name: &str) -> Founding {
        Founding::new(founder(name, 1).key, 3, 3, true)
    }

    fn promise_of(founding: &mut Founding, alive: &[Founder]) -> Charter {
        founding.look(alive.to_vec());
        match founding.look(alive.to_vec()) {
            Some(Step::Promise(charter)) => charter,
            other => panic!("no promise: {other:?}"),
        }
    }

    #[test]
    fn a_cluster_is_founded_when_all_have_promised_and_not_before() {
        let (mut a, b, c) = (founding("a"), founder("b", 1), founder("c", 1));
        let charter = promise_of(&mut a, &three(1));
        assert_eq!(a.promised(b.key, &charter), None);
        assert_eq!(a.promised(c.key, &charter), Some(Step::Found(charter.clone())));
        assert_eq!(a.charter(), Some(&charter));
    }

    #[test]
    fn everyone_founds_the_same_cluster_whatever_order_it_saw() {
        let (mut a, mut b) = (founding("a"), founding("b"));
        let mut other_order = three(1);
        other_order.reverse();
        assert_eq!(promise_of(&mut a, &three(1)).cluster_id(), promise_of(&mut b, &other_order).cluster_id());
    }

    #[test]
    fn two_nodes_are_not_three() {
        let mut a = founding("a");
        for _ in 0..5 {
            assert_eq!(a.look(three(1)[..2].to_vec()), None);
        }
    }

    #[test]
    fn a_view_that_moves_gets_no_promise() {
        let mut a = founding("a");
        assert_eq!(a.look(three(1)), None);
        assert_eq!(a.look(three(2)), None);
        assert!(matches!(a.look(three(2)), Some(Step::Promise(_))));
    }

    #[test]
    fn a_promise_to_a_dead_life_is_withdrawn_and_its_charter_refused_for_good() {
        let mut a = founding("a");
        let old = promise_of(&mut a, &three(1));
        assert_eq!(a.look(three(2)), Some(Step::Withdraw(old.clone())));
        let new = promise_of(&mut a, &three(2));
        assert_ne!(old, new);
        assert_eq!(a.raft(old.cluster_id()), (false, None), "a message of the refused cluster is not taken");
        assert_eq!(a.told(old.clone()), None, "nor is this node made a guest of it");
        a.promised(founder("b", 1).key, &old);
        assert_eq!(a.promised(founder("c", 2).key, &new), None, "b has not promised itself to the new charter");
        assert!(matches!(a.promised(founder("b", 1).key, &new), Some(Step::Found(_))));
    }

    #[test]
    fn a_founder_that_is_out_of_sight_for_a_moment_is_waited_for() {
        let mut a = founding("a");
        let charter = promise_of(&mut a, &three(1));
        for _ in 1..LOOKS_BEFORE_WITHDRAWAL {
            assert_eq!(a.look(three(1)[..2].to_vec()), Some(Step::Promise(charter.clone())));
        }
        assert_eq!(a.look(three(1)), Some(Step::Promise(charter.clone())), "it is back");
        for _ in 1..LOOKS_BEFORE_WITHDRAWAL {
            a.look(three(1)[..2].to_vec());
        }
        assert_eq!(a.look(three(1)[..2].to_vec()), Some(Step::Withdraw(charter)));
    }

    #[test]
    fn a_promise_that_was_withdrawn_does_not_count() {
        let (mut a, b, c) = (founding("a"), founder("b", 1), founder("c", 1));
        let charter = promise_of(&mut a, &three(1));
        a.promised(b.key, &charter);
        a.withdrawn(b.key, charter.cluster_id());
        assert_eq!(a.promised(c.key, &charter), None);
        assert!(matches!(a.promised(b.key, &charter), Some(Step::Found(_))));
    }

    #[test]
    fn nodes_that_promised_too_early_agree_once_their_views_do() {
        let all = || ["a", "b", "c", "d"].map(|name| founder(name, 1)).to_vec();
        let (mut b, mut c) = (founding("b"), founding("c"));
        promise_of(&mut b, &all()[1..]);
        let first = promise_of(&mut c, &all());
        assert!((0..LOOKS_BEFORE_WITHDRAWAL).any(|_| matches!(b.look(all()), Some(Step::Withdraw(_)))));
        assert_eq!(b.look(all()), Some(Step::Promise(first)));
    }

    #[test]
    fn a_node_that_is_bound_stays_bound() {
        let mut a = founding("a");
        let charter = promise_of(&mut a, &three(1));
        assert_eq!(a.raft(charter.cluster_id()), (true, Some(Step::Found(charter.clone()))));
        assert_eq!(a.look(three(2)), None);
        assert_eq!(a.raft(charter.cluster_id()), (true, None));
        assert_eq!(a.told(Charter::new(three(2), 3)), None);
    }

    #[test]
    fn who_reaches_a_founded_cluster_never_founds_another() {
        let mut d = founding("d");
        let charter = Charter::new(three(1), 3);
        assert_eq!(d.told(charter.clone()), Some(Step::Visit(charter)));
        for _ in 0..3 {
            assert_eq!(d.look(vec![founder("d", 1), founder("e", 1), founder("f", 1)]), None);
        }
    }

    #[test]
    fn an_observer_never_founds() {
        let mut observer = Founding::new(founder("a", 1).key, 3, 3, false);
        for _ in 0..3 {
            assert_eq!(observer.look(three(1)), None);
        }
    }

    #[test]
    fn one_node_founds_alone() {
        let mut a = Founding::new(founder("a", 1).key, 1, 3, true);
        a.look(vec![founder("a", 1)]);
        assert!(matches!(a.look(vec![founder("a", 1)]), Some(Step::Found(_))));
    }
}
