//! Where an actor lives, as messages say it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::NodeKey;

/// Where an actor lives: a life of a node, and the actor's number there. It is never another's.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    /// The life of the node.
    pub node: NodeKey,
    /// The number of the actor on that node, which no other actor of that life has or had.
    pub number: u64,
    /// The wire name of its type.
    pub actor: Arc<str>,
    /// The name that it was spawned with.
    pub name: Option<Arc<str>>,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{} `{name}` of node {}", self.actor, self.node),
            None => write!(f, "{} #{} of node {}", self.actor, self.number, self.node),
        }
    }
}
