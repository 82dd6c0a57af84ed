//! Actors that an actor watches, or is linked with.

use std::sync::Arc;

use super::extras::Watch;
use super::{Ctx, Home};
use crate::actor::cell::{AnyCell, Cell};
use crate::actor::remote::{TooManyLinks, Untold, tell_any};
use crate::actor::watch::{ActorId, Interest, Signal, Terminated, Watcher};
use crate::actor::{Actor, ActorRef, ActorTarget, WatchesOthers};

/// Why an actor is not watched, or not linked with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WatchError {
    /// An entity cannot watch: it has no place of its own that another could tell.
    #[error("an entity cannot watch or link: have an actor watch, which then sends the entity a message")]
    InEntity,
    /// The other actor lives on another node, which cannot be told of this one.
    #[error("a link with an actor of another node takes one that can be told of: {0}")]
    Untold(#[from] Untold),
    /// There are too many links with actors of other nodes.
    #[error(transparent)]
    TooMany(#[from] TooManyLinks),
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
    /// link with one does nothing.
    ///
    /// With an actor of another node it is the same, from when that node has heard of it. A connection between the nodes that
    /// breaks is no end of an actor: who stops meanwhile, and what is taken back, is told afterwards. A node that is lost is an
    /// end of all its actors, and none that they were told. This actor can be called from other nodes from then on, and does
    /// not stop for want of references.
    pub fn link<B: Actor>(&mut self, other: &ActorRef<B>) -> Result<(), WatchError> {
        let Home::Local(me) = &self.home else { return Err(WatchError::InEntity) };
        match other.target() {
            ActorTarget::Local(other) => {
                let other = other.cell();
                me.sideband.add(linked(other), || me.id());
                other.sideband.add(linked(me), || other.id());
            }
            ActorTarget::Remote(other) => {
                // What has no place of its own never stops.
                let Ok(theirs) = other.address() else { return Ok(()) };
                let (ours, far) = (tell_any(me)?, (theirs.node, theirs.number));
                me.sideband.link_far(far);
                let linked = me.shared().env().exchange().map_or(Ok(()), |node| node.link(ours, &theirs));
                if let Err(error) = linked {
                    me.sideband.unlink_far(far);
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }

    /// Takes a [`link`](Self::link) back, whichever of them made it. False if they were not linked.
    pub fn unlink<B: Actor>(&mut self, other: &ActorRef<B>) -> bool {
        let Home::Local(me) = &self.home else { return false };
        match other.target() {
            ActorTarget::Local(other) => {
                other.cell().sideband.remove(me.key(), Interest::Link);
                me.sideband.remove(other.cell().key(), Interest::Link)
            }
            ActorTarget::Remote(other) => {
                let Ok(theirs) = other.address() else { return false };
                if let Some(node) = me.shared().env().exchange() {
                    node.unlink(me.number, &theirs);
                }
                me.sideband.unlink_far((theirs.node, theirs.number))
            }
        }
    }

    /// An actor that this one is linked with has stopped. False if they are linked no more.
    pub(in crate::actor) fn take_link(&self, other: &ActorId) -> bool {
        let Home::Local(me) = &self.home else { return false };
        match (other.key(), other.far()) {
            (Some(key), _) => me.sideband.remove(key, Interest::Link),
            (None, Some(far)) => me.sideband.unlink_far(far),
            (None, None) => false,
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
                // Now, and not when the task runs: who is told afterwards that it is watched may stop it.
                let (ended, who) = (remote.ended(), who.clone());
                Watch::Task(extras.futures().spawn(async move {
                    let reason = ended.await;
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
