//! Actors that an actor watches, or is linked with.

use std::sync::Arc;

use super::extras::Watch;
use super::{Ctx, Home};
use crate::actor::cell::{AnyCell, Cell};
use crate::actor::watch::{ActorId, Interest, Signal, Terminated, Watcher};
use crate::actor::{Actor, ActorRef, ActorTarget, WatchesOthers};

/// Why an actor is not watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WatchError {
    /// An entity cannot watch: it has no place of its own that another could tell.
    #[error("an entity cannot watch or link: have an actor watch, which then sends the entity a message")]
    InEntity,
}

impl<A: Actor> Ctx<A> {
    /// Has `on_terminated` called when `other` stops, once, also if it has stopped already.
    ///
    /// It is called ahead of the messages that wait in the mailbox, and so perhaps ahead of some that `other` sent. To
    /// watch an actor that is watched already changes nothing. An entity never stops: who watches one is told nothing. An actor
    /// of another node has stopped also when its node is lost: [`StopReason::NodeLost`](super::super::StopReason::NodeLost).
    pub fn watch<B: Actor>(&mut self, other: &ActorRef<B>) -> Result<(), WatchError>
    where
        A: WatchesOthers,
    {
        self.observe(other)
    }

    /// Takes [`watch`](Self::watch) back: nothing more is told of `other`. False if it was not watched.
    pub fn unwatch<B: Actor>(&mut self, other: &ActorRef<B>) -> bool {
        self.ignore(&other.id())
    }

    /// Links this actor with `other`: when one of them stops and was not told to, the other stops too. If `other` has
    /// stopped so already, this actor stops after the message in hand.
    ///
    /// A link ends when one of them stops as it was told. It outlives restarts, which are no ends. An entity never stops: a
    /// link with one does nothing. Nor does one with an actor of another node: watch that.
    pub fn link<B: Actor>(&mut self, other: &ActorRef<B>) -> Result<(), WatchError> {
        let Home::Local(me) = &self.home else { return Err(WatchError::InEntity) };
        if let ActorTarget::Local(other) = other.target() {
            let other = other.cell();
            me.sideband.add(linked(other), || me.id());
            other.sideband.add(linked(me), || other.id());
        }
        Ok(())
    }

    /// Takes a [`link`](Self::link) back, whichever of them made it. False if they were not linked.
    pub fn unlink<B: Actor>(&mut self, other: &ActorRef<B>) -> bool {
        let (Home::Local(me), ActorTarget::Local(other)) = (&self.home, other.target()) else { return false };
        other.cell().sideband.remove(me.key(), Interest::Link);
        me.sideband.remove(other.cell().key(), Interest::Link)
    }

    /// An actor that this one is linked with has stopped. False if they are linked no more.
    pub(in crate::actor) fn take_link(&self, other: &ActorId) -> bool {
        match (&self.home, other.key()) {
            (Home::Local(me), Some(key)) => me.sideband.remove(key, Interest::Link),
            _ => false,
        }
    }

    /// A watched actor has stopped. False if it is watched no more, or was told of already.
    pub(in crate::actor) fn take_watched(&mut self, who: &ActorId) -> bool {
        self.extras.as_mut().is_some_and(|extras| extras.watched.remove(who).is_some())
    }

    fn observe<B: Actor>(&mut self, other: &ActorRef<B>) -> Result<(), WatchError> {
        let Home::Local(me) = &self.home else { return Err(WatchError::InEntity) };
        let (me, who) = (Arc::clone(me), other.id());
        let extras = self.extras();
        if extras.watched.contains_key(&who) {
            return Ok(());
        }
        let watch = match other.target() {
            ActorTarget::Local(local) => {
                let there: Arc<dyn AnyCell> = Arc::clone(local.cell()) as _;
                let cell = Arc::downgrade(&(Arc::clone(&me) as Arc<dyn AnyCell>));
                let watcher = Watcher { key: me.key(), cell, interest: Interest::Watch };
                there.sideband().add(watcher, || other.id());
                Watch::Cell(Arc::downgrade(&there), me.key())
            }
            ActorTarget::Remote(remote) => {
                let (remote, who) = (Arc::clone(remote), who.clone());
                Watch::Task(extras.futures().spawn(async move {
                    let reason = remote.ended().await;
                    let terminated = Terminated { who, reason };
                    me.signal(Signal::Terminated(terminated));
                }))
            }
        };
        extras.watched.insert(who, watch);
        Ok(())
    }

    fn ignore(&mut self, other: &ActorId) -> bool {
        let Some(extras) = &mut self.extras else { return false };
        extras.watched.remove(other).map(Watch::end).is_some()
    }
}

/// Whom to tell of the end of an actor that this one is linked with.
fn linked<A: Actor>(cell: &Arc<Cell<A>>) -> Watcher {
    let key = cell.key();
    let cell: Arc<dyn AnyCell> = Arc::clone(cell) as _;
    Watcher { key, cell: Arc::downgrade(&cell), interest: Interest::Link }
}
