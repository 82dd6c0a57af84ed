//! Actors that an actor spawns, and that end with it.

use std::sync::Arc;

use super::{Ctx, Home};
use crate::actor::cell::AnyCell;
use crate::actor::spawn::Parent;
use crate::actor::supervision::Family;
use crate::actor::{Actor, Spawn, Strategy};

impl<A: Actor> Ctx<A> {
    /// Spawns a child: an actor that ends before this one does, or restarts.
    ///
    /// As any actor, it also ends when the last reference to it is gone: keep the reference. If it fails, its own
    /// `on_error` decides; a child that is spawned by value cannot restart ([`spawn_with`](Self::spawn_with) can). An entity
    /// has no children, and the spawn fails.
    pub fn spawn<B: Actor>(&mut self, child: B) -> Spawn<B> {
        let parent = self.parent();
        self.system().spawn(child).child_of(parent)
    }

    /// Spawns a child that can be made anew when it fails; [`Spawn::restarts`] says how often.
    ///
    /// `make` is called for every instance. A restart keeps the references to the child, its name, those who watch it,
    /// and the messages that wait in its mailbox; the one that failed is gone.
    pub fn spawn_with<B: Actor>(&mut self, make: impl FnMut() -> B + Send + 'static) -> Spawn<B> {
        let parent = self.parent();
        self.system().spawn_with(make).child_of(parent)
    }

    /// Says what the restart of one child means for the others. The default is [`Strategy::OneForOne`].
    pub fn supervise(&mut self, strategy: Strategy) {
        if let Parent::Family(family) = self.parent() {
            family.set_strategy(strategy);
        }
    }

    fn parent(&mut self) -> Parent {
        let Home::Local(cell) = &self.home else { return Parent::Entity };
        let cell: Arc<dyn AnyCell> = Arc::clone(cell) as _;
        let extras = self.extras();
        let family = extras.family.get_or_insert_with(|| Family::new(&cell, extras.instance));
        Parent::Family(Arc::clone(family))
    }
}
