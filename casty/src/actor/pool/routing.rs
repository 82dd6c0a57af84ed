//! Which worker of a pool gets a message.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::actor::Actor;
use crate::base::StableHasher;

/// Which worker of a [`Pool`](super::Pool) gets a message.
pub struct Routing<A: Actor>(pub(super) Way<A>);

pub(super) enum Way<A: Actor> {
    RoundRobin,
    LeastLoaded,
    ByKey(Key<A::Msg>),
}

/// The hash of a message's key.
type Key<T> = Arc<dyn Fn(&T) -> u64 + Send + Sync>;

impl<A: Actor> Routing<A> {
    /// One after the other. The default.
    pub const fn round_robin() -> Self {
        Self(Way::RoundRobin)
    }

    /// The one with the fewest messages waiting. What a worker takes out of its mailbox counts until it takes more.
    pub const fn least_loaded() -> Self {
        Self(Way::LeastLoaded)
    }

    /// Messages with equal keys go to the same worker, in the order in which they were sent: state can be split by key.
    ///
    /// `key` reads the key from the actor's message enum, which `#[actor]` makes. The workers are tried in a ring from the
    /// hash of the key on, so that those keys alone move whose worker has stopped for good.
    pub fn consistent_hash<K: Hash>(key: impl Fn(&A::Msg) -> K + Send + Sync + 'static) -> Self {
        Self(Way::ByKey(Arc::new(move |msg| {
            let mut hasher = StableHasher::default();
            key(msg).hash(&mut hasher);
            hasher.finish()
        })))
    }
}

impl<A: Actor> Clone for Routing<A> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            Way::RoundRobin => Way::RoundRobin,
            Way::LeastLoaded => Way::LeastLoaded,
            Way::ByKey(key) => Way::ByKey(Arc::clone(key)),
        })
    }
}

impl<A: Actor> Default for Routing<A> {
    fn default() -> Self {
        Self::round_robin()
    }
}

impl<A: Actor> fmt::Debug for Routing<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Way::RoundRobin => "round_robin",
            Way::LeastLoaded => "least_loaded",
            Way::ByKey(_) => "consistent_hash",
        })
    }
}
