//! Who belongs to a group, and how that changes.

use std::collections::BTreeSet;

use crate::base::NodeKey;

/// Who belongs to a group, by the newest membership in the log of the node that was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    /// Who votes. During a change from some voters to others, those of both.
    pub voters: BTreeSet<NodeKey>,
    /// Who follows the log without a vote.
    pub learners: BTreeSet<NodeKey>,
    /// The group is between two sets of voters: decisions need a majority of both (Ongaro and Ousterhout 2014, section 6).
    pub joint: bool,
    /// This membership is committed.
    pub committed: bool,
    /// On the leader, the members that lack no more than the newest entries of the log. Empty elsewhere.
    pub caught_up: BTreeSet<NodeKey>,
    /// On the leader, the members that have answered it within the last two heartbeats. Empty elsewhere.
    pub answering: BTreeSet<NodeKey>,
}

/// One step from one membership to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RosterChange {
    /// A node follows the log from now on.
    Learn(NodeKey),
    /// These vote and no others. Each of them has to belong to the group already; whoever loses its vote goes on as a
    /// learner.
    Vote(BTreeSet<NodeKey>),
    /// A learner leaves the group.
    Forget(NodeKey),
}

impl Roster {
    /// Whether a node belongs to the group.
    pub fn has(&self, node: NodeKey) -> bool {
        self.voters.contains(&node) || self.learners.contains(&node)
    }
}
