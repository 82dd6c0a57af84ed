//! Which actor it is.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::actor::cell::CellKey;
use crate::actor::remote::Address;
use crate::base::NodeKey;

/// Which actor it is: the same for every reference to it that one node has, and never that of another actor.
///
/// It is shown as the type of the actor and its name, or its number if it has no name, and its node if that is another.
#[derive(Clone)]
pub struct ActorId {
    actor: &'static str,
    name: Option<Arc<str>>,
    which: Which,
}

/// An actor of another node: that life of the node, and the actor's number there.
pub(in crate::actor) type Far = (NodeKey, u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Which {
    /// The number of an actor in the system of that number.
    Local { system: u64, number: u64 },
    /// The number of an actor in that life of another node.
    Remote { node: NodeKey, number: u64 },
    /// Told apart by type and name.
    Named,
}

impl ActorId {
    pub(in crate::actor) fn local(actor: &'static str, name: Option<Arc<str>>, system: u64, number: u64) -> Self {
        Self { actor, name, which: Which::Local { system, number } }
    }

    pub(in crate::actor) fn remote(actor: &'static str, address: Address) -> Self {
        let which = Which::Remote { node: address.node, number: address.number };
        Self { actor, name: address.name, which }
    }

    /// An actor of which only this text is known.
    pub(crate) fn elsewhere(text: &str) -> Self {
        Self::named("an actor", Some(text))
    }

    pub(in crate::actor) fn named(actor: &'static str, name: Option<&str>) -> Self {
        Self { actor, name: name.map(Arc::from), which: Which::Named }
    }

    /// The key of its cell, if it is an actor of this process.
    pub(in crate::actor) fn key(&self) -> Option<CellKey> {
        match self.which {
            Which::Local { system, number } => Some((system, number)),
            Which::Remote { .. } | Which::Named => None,
        }
    }

    /// Where it lives, if that is another node.
    pub(in crate::actor) fn far(&self) -> Option<Far> {
        match self.which {
            Which::Remote { node, number } => Some((node, number)),
            Which::Local { .. } | Which::Named => None,
        }
    }

    /// The name that the actor was spawned with, or the id of the entity.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

impl PartialEq for ActorId {
    fn eq(&self, other: &Self) -> bool {
        match (self.which, other.which) {
            (Which::Named, Which::Named) => self.actor == other.actor && self.name == other.name,
            (one, another) => one == another,
        }
    }
}

impl Eq for ActorId {}

impl Hash for ActorId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.which.hash(state);
        if self.which == Which::Named {
            (self.actor, &self.name).hash(state);
        }
    }
}

impl fmt::Display for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, self.which) {
            (Some(name), Which::Remote { node, .. }) => write!(f, "{} `{name}` of node {node}", self.actor),
            (None, Which::Remote { node, number }) => write!(f, "{} #{number} of node {node}", self.actor),
            (Some(name), _) => write!(f, "{} `{name}`", self.actor),
            (None, Which::Local { number, .. }) => write!(f, "{} #{number}", self.actor),
            (None, Which::Named) => f.write_str(self.actor),
        }
    }
}

impl fmt::Debug for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ActorId({self})")
    }
}
