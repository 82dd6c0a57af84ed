//! Who leads a group.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::NodeKey;

/// One leadership of a group. A term has one leader, so leaderships are ordered by their terms.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LeaderId {
    /// The term.
    pub term: u64,
    /// The node that leads in this term.
    pub node: NodeKey,
}

impl fmt::Display for LeaderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in term {}", self.node, self.term)
    }
}

impl fmt::Debug for LeaderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What one node knows of the leadership of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leadership {
    /// The leader that a quorum elected, as far as this node knows. It may be gone by now.
    pub leader: Option<LeaderId>,
    /// Set when this node leads, has applied every entry that was committed before its term, and heard from a quorum
    /// a short time ago. A leader that is cut off from the majority stops saying so, and says it again, perhaps in
    /// the same term, when the majority is back.
    pub ours: Option<LeaderId>,
}
