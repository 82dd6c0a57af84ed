//! What a handler knows of its surroundings.

use std::sync::Arc;

use super::cell::Cell;
use super::reply::{Port, Sender};
use super::{Actor, ActorRef, ActorSystem};
use crate::base::EntityId;

/// The surroundings of an actor, given to its handlers that ask for it.
pub struct Ctx<A: Actor> {
    home: Home<A>,
    /// Of the message in hand.
    sender: Option<Sender>,
    stop: bool,
}

enum Home<A: Actor> {
    /// An actor of this node.
    Local(Arc<Cell<A>>),
    /// An entity.
    Entity(Box<(EntityId, ActorRef<A>, ActorSystem)>),
}

impl<A: Actor> Ctx<A> {
    pub(super) fn local(cell: Arc<Cell<A>>) -> Self {
        Self { home: Home::Local(cell), sender: None, stop: false }
    }

    /// The surroundings of the entity `id`, reached by `myself` from anywhere.
    pub(crate) fn for_entity(id: EntityId, myself: ActorRef<A>, system: ActorSystem) -> Self {
        Self { home: Home::Entity(Box::new((id, myself, system))), sender: None, stop: false }
    }

    /// A reference to the actor itself. As long as it is kept, the actor does not stop for want of references.
    pub fn myself(&self) -> ActorRef<A> {
        match &self.home {
            Home::Local(cell) => ActorRef::local(cell.reference()),
            Home::Entity(home) => home.1.clone(),
        }
    }

    /// Who sent the message in hand, if it said so with [`Request::from`](super::Request::from) and is a `B`.
    pub fn sender<B: Actor>(&self) -> Option<ActorRef<B>> {
        self.sender.as_ref()?.downcast_ref::<ActorRef<B>>().cloned()
    }

    /// Stops the actor when the message in hand is handled. What is queued goes to dead letters; its askers are told.
    pub fn stop(&mut self) {
        self.stop = true;
    }

    /// The id of the entity; of another actor its name, or a number if it has none.
    pub fn id(&self) -> EntityId {
        match &self.home {
            Home::Local(cell) => match &cell.name {
                Some(name) => EntityId::from(&**name),
                None => EntityId::from(format!("#{}", cell.number)),
            },
            Home::Entity(home) => home.0.clone(),
        }
    }

    /// The name that the actor was spawned with, or the id of the entity.
    pub fn name(&self) -> Option<&str> {
        match &self.home {
            Home::Local(cell) => cell.name.as_deref(),
            Home::Entity(home) => Some(home.0.as_str()),
        }
    }

    /// The system that the actor lives in. An actor that keeps it does not keep it from being dropped.
    pub fn system(&self) -> ActorSystem {
        match &self.home {
            Home::Local(cell) => ActorSystem::inside(&cell.shared),
            Home::Entity(home) => home.2.inner(),
        }
    }

    /// Whether [`stop`](Self::stop) was called.
    pub(crate) fn stop_requested(&self) -> bool {
        self.stop
    }

    /// The actor was made anew.
    pub(super) fn renew(&mut self) {
        (self.sender, self.stop) = (None, false);
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
