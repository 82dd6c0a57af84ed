//! Events that a handler emits.

use serde::Serialize;

use super::{Ctx, Home};
use crate::actor::state::{Emitted, EventSourced, Happened, Saver};
use crate::actor::{Actor, Persistent};
use crate::codec::EncodeError;

impl<A: Actor> Ctx<A> {
    /// Says that something happened: `event` is applied to `actor`, which is the handler's `self`, at once.
    ///
    /// Of an entity, the events of a message are recorded together with its reply, in one write, before the reply leaves. A
    /// handler that panics has emitted nothing. One that returns an `Err` has emitted what it emitted. In `on_stop` it is too
    /// late: nothing is recorded there. An actor that is no entity records nothing.
    pub fn emit(&mut self, actor: &mut A, event: A::Event)
    where
        A: Persistent + EventSourced,
        A::Event: Serialize,
    {
        match &mut self.home {
            Home::Local(_) => actor.apply(event),
            Home::Entity(entity) => entity.emitted.emit(actor, event),
        }
    }

    /// What the handler that has ended emitted, or why it cannot count: `save` saves another state than events left.
    pub(in crate::actor) fn take_emitted(
        &mut self,
        save: impl FnOnce(&mut Saver<'_>) -> Result<(), EncodeError>,
    ) -> Result<Happened, String> {
        self.emitted().map_or(Ok(Happened::default()), |emitted| emitted.take(save))
    }

    /// From now on, what `save` saves is to be changed by events alone.
    pub(in crate::actor) fn watch_state(&mut self, save: impl FnOnce(&mut Saver<'_>) -> Result<(), EncodeError>) {
        if let Some(emitted) = self.emitted() {
            emitted.watch(save);
        }
    }

    fn emitted(&mut self) -> Option<&mut Emitted> {
        match &mut self.home {
            Home::Local(_) => None,
            Home::Entity(entity) => Some(&mut entity.emitted),
        }
    }
}
