//! How a cluster begins: once, with exactly the nodes that all of them agreed on.
//!
//! A pure core. A node promises itself to one exact charter of `expected_size` nodes. Whoever holds the promises of all
//! of them founds the cluster, always with the same charter, so it does no harm if several do. A promise may be withdrawn
//! while nothing came of it, when a founder has a newer life, or has been away for long, or when the nodes in sight have
//! called for another charter for long; from then on the charter is refused for good, and the others are told. If the same
//! founders come together again, they call for another charter by another number of the attempt. A node
//! that hears of a founded cluster never founds another.
//!
//! A founder may have been held up with all promises in hand, and found when the others have given up. If a majority
//! founded, those that refuse visit the cluster as guests. If nothing can ever come of the cluster, its founder abandons it:
//! every other founder refuses it or has died since, and nothing was ever committed. Everyone is told, and whoever belongs
//! to it ends its life, to begin another.

mod latest;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use self::latest::Latest;
use crate::base::{NodeId, NodeKey, StableMap, stable_hash};
use crate::cluster::KNOWN_NODES_MAX;
use crate::codec::encode;

#[cfg(test)]
mod tests;

/// A node that founds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Founder {
    pub(crate) id: NodeId,
    pub(crate) incarnation: u64,
}

impl Founder {
    /// The key of this life of the node.
    pub(crate) fn key(&self) -> NodeKey {
        NodeKey::new(&self.id, self.incarnation)
    }
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
    /// How often these founders have given each other up before.
    pub(crate) attempt: u32,
}

impl Charter {
    /// The charter of these founders, at their first attempt.
    pub(crate) fn new(mut founders: Vec<Founder>, terms: Terms) -> Self {
        founders.sort();
        let groups = u16::try_from(founders.len() * terms.groups).unwrap_or(u16::MAX);
        Self { founders, groups, replicas: terms.replicas, attempt: 0 }
    }

    /// The identity of the cluster that it founds.
    pub(crate) fn cluster_id(&self) -> u64 {
        encode(self).map_or(0, |bytes| stable_hash(&bytes))
    }

    /// Whether a node is among the founders.
    pub(crate) fn has(&self, key: NodeKey) -> bool {
        self.founders.iter().any(|founder| founder.key() == key)
    }

    /// The founders' keys, in their order.
    pub(crate) fn keys(&self) -> Vec<NodeKey> {
        self.founders.iter().map(Founder::key).collect()
    }
}

/// On which terms a cluster is founded: the same on each founder.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// How many found it.
    pub(crate) size: usize,
    /// Data groups for each founder.
    pub(crate) groups: usize,
    /// Replicas of a group.
    pub(crate) replicas: u8,
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
    /// Tell everyone that nothing will ever come of this cluster, and end this life of the node.
    Abandon(Charter),
}

/// For so many looks in a row the nodes in sight must call for another charter before a promise is withdrawn: some
/// seconds, so that a founder that was only slow to answer is waited for.
const LOOKS_BEFORE_WITHDRAWAL: u32 = 50;

/// Promises that are kept: of as many nodes as gossip remembers names, so that there is a place for each that is in sight. A node
/// that begins one life after the other promises itself in each of them.
const PROMISES_MAX: usize = KNOWN_NODES_MAX;

/// The founding, as one node sees it.
pub(super) struct Founding {
    me: NodeKey,
    terms: Terms,
    /// The attempt that this node calls for: the same founders may come together again, and one of them may refuse what
    /// they called for before.
    attempt: u32,
    may_found: bool,
    standing: Standing,
    refused: Latest<u64>,
    /// To which cluster each life of a node has promised itself last.
    promises: StableMap<NodeKey, u64>,
    /// The founders that refuse the cluster that this node is bound to.
    refused_by: BTreeSet<NodeKey>,
    /// The founders of a refused charter that founded it nevertheless.
    founded_by: Latest<(u64, NodeKey)>,
    /// Clusters of which nothing will ever come.
    abandoned: Latest<u64>,
    /// The founders seen at the last look: a promise is only made on a view that held still.
    last_view: Vec<Founder>,
    /// For how many looks in a row the promise has not fitted the view.
    misfits: u32,
}

impl Founding {
    /// Nothing has happened yet. An observer never founds.
    pub(super) fn new(me: NodeKey, terms: Terms, may_found: bool) -> Self {
        Self {
            me,
            terms,
            attempt: 0,
            may_found,
            standing: Standing::Looking,
            refused: Latest::default(),
            promises: StableMap::default(),
            refused_by: BTreeSet::new(),
            founded_by: Latest::default(),
            abandoned: Latest::default(),
            last_view: Vec::new(),
            misfits: 0,
        }
    }

    /// The node belongs to this cluster already: an earlier process of its life has founded or joined it.
    pub(super) fn settle(&mut self, charter: Charter) {
        let founder = charter.has(self.me);
        self.standing = if founder { Standing::Bound(charter) } else { Standing::Guest(charter) };
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
        let founders = self.last_view.get(..self.terms.size)?;
        let charter = Charter { attempt: self.attempt, ..Charter::new(founders.to_vec(), self.terms) };
        (self.may_found && charter.has(self.me)).then_some(charter)
    }

    fn promise(&mut self) -> Option<Step> {
        let mut charter = self.called_for()?;
        while self.refuses(&charter) {
            self.attempt = self.attempt.checked_add(1)?;
            charter.attempt = self.attempt;
        }
        self.standing = Standing::Promised(charter.clone());
        self.misfits = 0;
        self.promises.insert(self.me, charter.cluster_id());
        self.found_if_all_promised().or(Some(Step::Promise(charter)))
    }

    /// Whether nothing will come of a promise: a founder has a newer life or calls for another attempt, or for long the
    /// view has not fitted.
    fn is_hopeless(&mut self, charter: &Charter) -> bool {
        let reborn =
            |founder: &Founder| self.last_view.iter().any(|now| now.id == founder.id && now.key() != founder.key());
        if charter.attempt < self.attempt || charter.founders.iter().any(reborn) {
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
        if let Standing::Bound(charter) = &self.standing
            && charter.has(from)
            && charter.cluster_id() == cluster_id
        {
            self.refused_by.insert(from);
        }
    }

    /// Looks whether anything can come of the cluster that this node is bound to. Called at regular times, with the live
    /// nodes, and with whether this node's groups are `untouched`: none has an entry of any leader.
    ///
    /// Who refuses it never took part. Who has died since may have, and be gone with what it knew: but not without this
    /// node, if they alone are no majority of a group, and then this node would hold an entry.
    pub(super) fn review(&mut self, alive: &[Founder], untouched: bool) -> Option<Step> {
        let Standing::Bound(charter) = &self.standing else { return None };
        let dead = |founder: &Founder| alive.iter().any(|now| now.id == founder.id && now.key() != founder.key());
        let others = || charter.founders.iter().filter(|founder| founder.key() != self.me);
        let refuses = |founder: &Founder| self.refused_by.contains(&founder.key());
        let gone = others().filter(|founder| !refuses(founder) && dead(founder)).count();
        let hopeless = others().count() > 0 && others().all(|founder| refuses(founder) || dead(founder));
        let replicas = usize::from(charter.replicas).min(charter.founders.len());
        let charter = (hopeless && untouched && gone * 2 < replicas).then(|| charter.clone())?;
        self.abandoned.insert(charter.cluster_id());
        Some(Step::Abandon(charter))
    }

    /// Somebody says that nothing will ever come of this cluster.
    pub(super) fn abandoned(&mut self, cluster_id: u64) -> Option<Step> {
        self.abandoned.insert(cluster_id);
        self.refused.insert(cluster_id);
        let charter = self.charter().filter(|charter| charter.cluster_id() == cluster_id).cloned();
        charter.map(Step::Abandon)
    }

    /// Whether it is known that nothing will ever come of a cluster.
    pub(super) fn is_abandoned(&self, charter: &Charter) -> bool {
        self.abandoned.contains(&charter.cluster_id())
    }

    /// Whether this node refuses a charter for good.
    pub(super) fn refuses(&self, charter: &Charter) -> bool {
        self.refused.contains(&charter.cluster_id())
    }

    /// Another node has promised itself to `charter`.
    pub(super) fn promised(&mut self, from: NodeKey, charter: &Charter) -> Option<Step> {
        self.make_room_for(from);
        self.promises.insert(from, charter.cluster_id());
        if charter.has(self.me) && charter.has(from) {
            self.attempt = self.attempt.max(charter.attempt);
        }
        self.found_if_all_promised()
    }

    /// Lets go of promises of nodes that are out of sight, if there is no room for one more. Whoever is there after all makes
    /// its promise again at its next look.
    fn make_room_for(&mut self, from: NodeKey) {
        if self.promises.len() < PROMISES_MAX || self.promises.contains_key(&from) {
            return;
        }
        let in_sight: BTreeSet<_> = self.last_view.iter().map(Founder::key).collect();
        self.promises.retain(|node, _| in_sight.contains(node) || *node == self.me);
    }

    /// A node that belongs to a founded cluster says so.
    pub(super) fn told(&mut self, from: NodeKey, charter: Charter) -> Option<Step> {
        let welcome = !self.refuses(&charter) || self.is_founded_by_most(from, &charter);
        let welcome = welcome && !self.is_abandoned(&charter);
        match &self.standing {
            Standing::Bound(_) | Standing::Guest(_) => None,
            // Nothing will come of it unless a majority founded it without this node.
            _ if !welcome => None,
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

    /// Takes note that `from` founded a refused charter. Whether a majority of its founders did.
    fn is_founded_by_most(&mut self, from: NodeKey, charter: &Charter) -> bool {
        let id = charter.cluster_id();
        if charter.has(from) {
            self.founded_by.insert((id, from));
        }
        self.founded_by.iter().filter(|(founded, _)| *founded == id).count() * 2 > charter.founders.len()
    }

    fn found_if_all_promised(&mut self) -> Option<Step> {
        let Standing::Promised(charter) = &self.standing else { return None };
        let id = charter.cluster_id();
        if !charter.founders.iter().all(|founder| self.promises.get(&founder.key()) == Some(&id)) {
            return None;
        }
        let charter = charter.clone();
        self.standing = Standing::Bound(charter.clone());
        Some(Step::Found(charter))
    }
}
