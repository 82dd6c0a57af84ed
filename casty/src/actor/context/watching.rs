//! Actors that an actor watches, or is linked with.

use std::sync::Arc;

use super::extras::{Watched, Way, ticket};
use super::{Ctx, Home};
use crate::actor::cell::AnyCell;
use crate::actor::watch::{ActorId, Interest, Signal, StopReason, Terminated, Watcher};
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
    /// watch an actor that is watched already changes nothing. An entity never stops: who watches one is told nothing.
    pub fn watch<B: Actor>(&mut self, other: &ActorRef<B>) -> Result<(), WatchError>
    where
        A: WatchesOthers,
    {
        self.observe(other, Interest::Watch).map(drop)
    }

    /// Takes [`watch`](Self::watch) back: nothing more is told of `other`. False if it was not watched.
    pub fn unwatch<B: Actor>(&mut self, other: &ActorRef<B>) -> bool {
        self.ignore(&other.id(), Interest::Watch)
    }

    /// Links this actor with `other`: when one of them stops and was not told to, the other stops too. If `other` has
    /// stopped so already, this actor stops after the message in hand.
    ///
    /// A link ends when one of them stops as it was told, and when the instance that made it is made anew.
    pub fn link<B: Actor>(&mut self, other: &ActorRef<B>) -> Result<(), WatchError> {
        let linked = self.observe(other, Interest::Link)?;
        if let (true, Home::Local(me), ActorTarget::Local(other)) = (linked, &self.home, other.target()) {
            let (other, interest) = (other.cell(), Interest::Link);
            let cell = Arc::downgrade(other);
            me.sideband.add(Watcher { key: other.key(), cell, interest, ticket: Signal::ANY }, || me.id());
        }
        Ok(())
    }

    /// Takes [`link`](Self::link) back, for both sides. False if they were not linked.
    pub fn unlink<B: Actor>(&mut self, other: &ActorRef<B>) -> bool {
        self.forget_link(&other.id());
        self.ignore(&other.id(), Interest::Link)
    }

    /// A watched actor has stopped, and its signal has this ticket. False if the signal is of a watch that is over.
    pub(in crate::actor) fn take_watched(&mut self, who: &ActorId, interest: Interest, ticket: u64) -> bool {
        if interest == Interest::Link {
            self.forget_link(who);
        }
        let Some(extras) = &mut self.extras else { return ticket == Signal::ANY };
        let key = (who.clone(), interest);
        if ticket != Signal::ANY && extras.watched.get(&key).is_none_or(|watched| watched.ticket != ticket) {
            return false;
        }
        extras.watched.remove(&key);
        true
    }

    /// Ends the links that the present instance made.
    pub(super) fn unlink_all(&mut self) {
        let Some(extras) = &self.extras else { return };
        for (who, interest) in extras.watched.keys() {
            if *interest == Interest::Link {
                self.forget_link(who);
            }
        }
    }

    /// The other side is told of this actor's end no more.
    fn forget_link(&self, other: &ActorId) {
        if let (Home::Local(me), Some(key)) = (&self.home, other.key()) {
            me.sideband.remove(key, Interest::Link);
        }
    }

    /// False if it is so already.
    fn observe<B: Actor>(&mut self, other: &ActorRef<B>, interest: Interest) -> Result<bool, WatchError> {
        let Home::Local(me) = &self.home else { return Err(WatchError::InEntity) };
        let me = Arc::clone(me);
        let key = (other.id(), interest);
        let extras = self.extras();
        if extras.watched.contains_key(&key) {
            return Ok(false);
        }
        let ticket = ticket();
        let way = match other.target() {
            ActorTarget::Local(local) => {
                let there: Arc<dyn AnyCell> = Arc::clone(local.cell()) as _;
                let cell = Arc::downgrade(&(Arc::clone(&me) as Arc<dyn AnyCell>));
                there.sideband().add(Watcher { key: me.key(), cell, interest, ticket }, || other.id());
                Way::Cell(Arc::downgrade(&there), me.key())
            }
            ActorTarget::Remote(remote) => {
                let (remote, who) = (Arc::clone(remote), other.id());
                Way::Task(extras.futures().spawn(async move {
                    remote.stopped().await;
                    let terminated = Terminated { who, reason: StopReason::Stopped };
                    me.signal(interest.signal(terminated, ticket));
                }))
            }
        };
        extras.watched.insert(key, Watched { ticket, way });
        Ok(true)
    }

    fn ignore(&mut self, other: &ActorId, interest: Interest) -> bool {
        let Some(extras) = &mut self.extras else { return false };
        let watched = extras.watched.remove(&(other.clone(), interest));
        watched.map(|watched| watched.end(interest)).is_some()
    }
}
