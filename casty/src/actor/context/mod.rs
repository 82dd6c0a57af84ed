//! What a handler knows of its surroundings.

mod children;
mod emitting;
mod extras;
mod later;
mod stashing;
mod watching;

use std::sync::Arc;
use std::task::{Context, Poll};

use self::extras::{Extras, Own};
pub use self::watching::WatchError;
use super::cell::{AnyCell, Cell};
use super::remote::Sender;
use super::reply::Port;
use super::state::Emitted;
use super::supervision::Family;
use super::{Actor, ActorRef, ActorSystem};
use crate::base::EntityId;

/// The surroundings of an actor, given to its handlers that ask for it.
pub struct Ctx<A: Actor> {
    home: Home<A>,
    /// Of the message in hand.
    sender: Option<Sender>,
    /// Made when the actor first has something beyond its state: a child, a timer, somebody it watches.
    extras: Option<Box<Extras<A>>>,
}

enum Home<A: Actor> {
    /// An actor of this node.
    Local(Arc<Cell<A>>),
    /// An entity.
    Entity(Box<Entity<A>>),
}

struct Entity<A: Actor> {
    id: EntityId,
    myself: ActorRef<A>,
    system: ActorSystem,
    stop: bool,
    /// By the handler that runs.
    emitted: Emitted,
}

impl<A: Actor> Ctx<A> {
    pub(super) fn local(cell: Arc<Cell<A>>) -> Self {
        Self { home: Home::Local(cell), sender: None, extras: None }
    }

    /// The surroundings of the entity `id`, reached by `myself` from anywhere.
    pub(crate) fn for_entity(id: EntityId, myself: ActorRef<A>, system: ActorSystem) -> Self {
        let entity = Entity { id, myself, system, stop: false, emitted: Emitted::default() };
        let home = Home::Entity(Box::new(entity));
        Self { home, sender: None, extras: None }
    }

    /// A reference to the actor itself. As long as it is kept, the actor does not stop for want of references.
    pub fn myself(&self) -> ActorRef<A> {
        match &self.home {
            Home::Local(cell) => ActorRef::local(cell.reference()),
            Home::Entity(entity) => entity.myself.clone(),
        }
    }

    /// Who sent the message in hand, if it said so with [`Request::from`](super::Request::from) and is a `B`.
    pub fn sender<B: Actor>(&self) -> Option<ActorRef<B>> {
        self.sender.as_ref()?.reference::<B>().cloned()
    }

    /// Stops the actor when the message in hand is handled. What is queued goes to dead letters; its askers are told.
    pub fn stop(&mut self) {
        match &mut self.home {
            Home::Local(cell) => cell.mailbox.stop(),
            Home::Entity(entity) => entity.stop = true,
        }
    }

    /// The id of the entity; of another actor its name, or a number if it has none.
    pub fn id(&self) -> EntityId {
        match &self.home {
            Home::Local(cell) => match cell.name() {
                Some(name) => EntityId::from(&**name),
                None => EntityId::from(format!("#{}", cell.number)),
            },
            Home::Entity(entity) => entity.id.clone(),
        }
    }

    /// The name that the actor was spawned with, or the id of the entity.
    pub fn name(&self) -> Option<&str> {
        match &self.home {
            Home::Local(cell) => cell.name().map(|name| &**name),
            Home::Entity(entity) => Some(entity.id.as_str()),
        }
    }

    /// The system that the actor lives in. An actor that keeps it does not keep it from being dropped.
    pub fn system(&self) -> ActorSystem {
        match &self.home {
            Home::Local(cell) => ActorSystem::inside(cell.shared()),
            Home::Entity(entity) => entity.system.inner(),
        }
    }

    /// Whether the actor is to stop after the message in hand.
    pub(crate) fn stop_requested(&self) -> bool {
        match &self.home {
            Home::Local(cell) => cell.mailbox.is_stopping(),
            Home::Entity(entity) => entity.stop,
        }
    }

    /// The actor is made anew. What its old instance had beyond its state is over.
    pub(super) fn renew(&mut self) {
        self.sender = None;
        let old = self.extras.take();
        // Who wants to know when the actor has nothing to do waits for the next instance.
        #[cfg(feature = "testkit")]
        if let Some(mut old) = old
            && !old.when_idle.is_empty()
        {
            self.extras().when_idle = std::mem::take(&mut old.when_idle);
        }
        #[cfg(not(feature = "testkit"))]
        drop(old);
        if let Home::Entity(entity) = &mut self.home {
            entity.stop = false;
            entity.emitted.clear();
        }
    }

    /// The next message to handle: from a timer that is due, or else the last of the batch.
    #[inline]
    pub(super) fn next(&mut self, batch: &mut Vec<A::Msg>) -> Option<A::Msg> {
        match &mut self.extras {
            None => batch.pop(),
            Some(_) => self.next_of_all(batch),
        }
    }

    fn next_of_all(&mut self, batch: &mut Vec<A::Msg>) -> Option<A::Msg> {
        let Some(extras) = &mut self.extras else { return batch.pop() };
        let Own { timers, stash } = extras.own();
        loop {
            let msg = timers.next(stash.source(batch))?;
            if let Some(msg) = stash.sift(msg) {
                return Some(msg);
            }
            if let Home::Local(cell) = &self.home
                && stash.len() > cell.mailbox.capacity()
                && let Some(msg) = stash.give_up()
            {
                cell.displace(msg);
            }
        }
    }

    /// Puts what the actor has put aside back in front of the batch.
    pub(super) fn unstash_into(&mut self, batch: &mut Vec<A::Msg>) {
        if let Some(extras) = &mut self.extras {
            extras.own().stash.empty_into(batch);
        }
    }

    /// The actor has nothing to do. Ready when a timer is due.
    #[inline]
    pub(super) fn poll_timers(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(extras) = &mut self.extras else { return Poll::Pending };
        let due = extras.timers().poll_wait(cx);
        #[cfg(feature = "testkit")]
        if due.is_pending() {
            // Who has gone since needs to know nothing.
            extras.when_idle.drain(..).for_each(|tell| _ = tell.send(()));
        }
        due
    }

    /// Tells when the actor next has nothing to do.
    #[cfg(feature = "testkit")]
    pub(super) fn when_idle(&mut self, tell: tokio::sync::oneshot::Sender<()>) {
        self.extras().when_idle.push(tell);
    }

    /// Whether the entity has a timer or a future that runs.
    pub(super) fn is_busy(&mut self) -> bool {
        self.extras.as_mut().is_some_and(|extras| !extras.futures().is_empty())
    }

    /// The actor's children, if it ever had any.
    pub(super) fn family(&self) -> Option<&Arc<Family>> {
        self.extras.as_ref()?.family.as_ref()
    }

    /// Whether what failed is of the present instance.
    pub(super) fn is_present(&self, instance: u64) -> bool {
        self.extras.as_ref().is_some_and(|extras| extras.instance == instance)
    }

    fn extras(&mut self) -> &mut Extras<A> {
        self.extras.get_or_insert_with(|| Box::new(Extras::new()))
    }

    /// Takes out of the port who sent the message. Generated code calls it before every handler.
    #[doc(hidden)]
    #[inline]
    pub fn accept<R: Send + 'static>(&mut self, port: Port<R>) -> Port<R> {
        let (port, sender) = port.split_sender();
        if sender.is_some() || self.sender.is_some() {
            self.sender = sender;
        }
        port
    }
}
