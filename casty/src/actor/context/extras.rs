//! What few actors have: children, timers, those that they watch, futures of their own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::task::{AbortHandle, JoinSet};

use crate::actor::Actor;
use crate::actor::cell::{AnyCell, CellKey};
use crate::actor::stash::Stash;
use crate::actor::supervision::Family;
use crate::actor::timers::Timers;
use crate::actor::watch::{ActorId, Interest};
use crate::base::StableMap;

/// What one instance of an actor has beyond its state. It ends with the instance.
pub(super) struct Extras<A: Actor> {
    /// Tells the instances of one actor apart.
    pub(super) instance: u64,
    pub(super) family: Option<Arc<Family>>,
    /// Never locked: a mutex can be shared, as the context of an `async` handler is that takes `&Ctx`.
    own: Mutex<Own<A>>,
    pub(super) watched: StableMap<ActorId, Watch>,
    /// Futures whose output the actor gets. What has ended is taken out when the next is added.
    pub(super) futures: JoinSet<()>,
    /// The timers of an entity, which send to it as anybody would.
    pub(super) senders: StableMap<u64, AbortHandle>,
    /// Tests that want to know when the actor has nothing to do.
    #[cfg(feature = "testkit")]
    pub(super) when_idle: Vec<tokio::sync::oneshot::Sender<()>>,
}

/// Messages that are the actor's own.
pub(super) struct Own<A: Actor> {
    pub(super) timers: Timers<A::Msg>,
    pub(super) stash: Stash<A>,
}

impl<A: Actor> Default for Own<A> {
    fn default() -> Self {
        Self { timers: Timers::default(), stash: Stash::default() }
    }
}

/// How an actor is watched.
pub(super) enum Watch {
    /// The cell tells the watcher of this key.
    Cell(Weak<dyn AnyCell>, CellKey),
    /// A task waits for its end.
    Task(AbortHandle),
}

impl<A: Actor> Extras<A> {
    pub(super) fn new() -> Self {
        Self {
            instance: ticket(),
            family: None,
            own: Mutex::default(),
            watched: StableMap::default(),
            futures: JoinSet::new(),
            senders: StableMap::default(),
            #[cfg(feature = "testkit")]
            when_idle: Vec::new(),
        }
    }

    #[inline]
    pub(super) fn own(&mut self) -> &mut Own<A> {
        self.own.get_mut()
    }

    #[inline]
    pub(super) fn timers(&mut self) -> &mut Timers<A::Msg> {
        &mut self.own().timers
    }

    /// Where futures of the actor's own run, without those that have ended.
    pub(super) fn futures(&mut self) -> &mut JoinSet<()> {
        while self.futures.try_join_next().is_some() {}
        &mut self.futures
    }
}

impl<A: Actor> Drop for Extras<A> {
    fn drop(&mut self) {
        self.watched.drain().for_each(|(_, watch)| watch.end());
        // They have ended before, unless the actor is dropped where it waits.
        if let Some(family) = &self.family {
            family.stop();
        }
    }
}

impl Watch {
    /// It is watched no more.
    pub(super) fn end(self) {
        match self {
            Self::Task(task) => task.abort(),
            Self::Cell(cell, me) => {
                if let Some(cell) = cell.upgrade() {
                    cell.sideband().remove(me, Interest::Watch);
                }
            }
        }
    }
}

/// A number that was not given before.
pub(super) fn ticket() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
