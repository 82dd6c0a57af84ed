//! Which actor it is.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::actor::cell::CellKey;

/// Which actor it is: the same for every reference to it, and never that of another actor of this process.
///
/// It is shown as the type of the actor and its name, or its number if it has no name.
#[derive(Clone)]
pub struct ActorId {
    actor: &'static str,
    name: Option<Arc<str>>,
    which: Which,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Which {
    /// The number of an actor in the system of that number.
    Local { system: u64, number: u64 },
    /// Told apart by type and name.
    Named,
}

impl ActorId {
    pub(in crate::actor) fn local(actor: &'static str, name: Option<Arc<str>>, system: u64, number: u64) -> Self {
        Self { actor, name, which: Which::Local { system, number } }
    }

    pub(in crate::actor) fn named(actor: &'static str, name: Option<&str>) -> Self {
        Self { actor, name: name.map(Arc::from), which: Which::Named }
    }

    /// The key of its cell, if it is an actor of this process.
    pub(in crate::actor) fn key(&self) -> Option<CellKey> {
        match self.which {
            Which::Local { system, number } => Some((system, number)),
            Which::Named => None,
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
