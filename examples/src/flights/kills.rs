//! When a node is killed, which one, and how long its groups were without an answer.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use casty::base::{GroupId, NodeId};
use tokio::time::Instant;

/// Unanswered messages that a kill waits for.
pub const UNANSWERED_MIN: usize = 100;

/// When one node is to be killed, in messages sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Not before this many were sent.
    pub from: usize,
    /// At the latest after this many, however few are unanswered: some must remain, to measure the failover with.
    pub latest: usize,
}

/// Spreads `kills` evenly over a stream of `messages`: one kill stands in its middle.
pub fn moments(messages: usize, kills: usize) -> Vec<Moment> {
    let at = |kill: usize| messages * kill / (kills + 1);
    (1..=kills).map(|kill| Moment { from: at(kill), latest: (at(kill) + at(kill + 1)) / 2 }).collect()
}

/// The living node that leads the most groups, and the groups. `None` if none of the living leads any.
pub fn busiest(leaders: &[(GroupId, Option<NodeId>)], living: &[NodeId]) -> Option<(NodeId, BTreeSet<GroupId>)> {
    let mut led: BTreeMap<&NodeId, BTreeSet<GroupId>> = BTreeMap::new();
    for (group, leader) in leaders {
        if let Some(leader) = leader.as_ref().filter(|leader| living.contains(leader)) {
            led.entry(leader).or_default().insert(*group);
        }
    }
    // Of several that lead as many the first by name is taken, so that a run can be repeated.
    let (node, groups) = led.into_iter().rev().max_by_key(|(_, groups)| groups.len())?;
    Some((node.clone(), groups))
}

/// One kill, and what was measured after it.
#[derive(Clone, Debug)]
pub struct Kill {
    /// The node that was killed.
    pub node: NodeId,
    /// Messages that were unanswered at that moment.
    pub unanswered: usize,
    /// How many groups it led.
    pub groups: usize,
    at: Instant,
    waiting: BTreeSet<GroupId>,
    longest: Option<Duration>,
}

impl Kill {
    /// `node`, which led `groups`, is killed at `at`, while `unanswered` messages are on their way.
    pub fn new(node: NodeId, groups: BTreeSet<GroupId>, unanswered: usize, at: Instant) -> Self {
        Self { node, unanswered, groups: groups.len(), at, waiting: groups, longest: None }
    }

    /// A write to `group`, issued at `issued`, was answered at `answered`. Writes that were issued before the kill tell
    /// nothing: their answer may have been on its way already.
    pub fn answered(&mut self, group: GroupId, issued: Instant, answered: Instant) {
        if issued >= self.at && self.waiting.remove(&group) {
            self.longest = self.longest.max(Some(answered - self.at));
        }
    }

    /// The longest time, over the groups that the node led, from the kill to the first answer of a write issued
    /// after it. `None` if no write was issued to any of them.
    pub fn failover(&self) -> Option<Duration> {
        self.longest
    }

    /// Groups that got no write after the kill, and are therefore not part of the figure.
    pub fn unmeasured(&self) -> usize {
        self.waiting.len()
    }
}
