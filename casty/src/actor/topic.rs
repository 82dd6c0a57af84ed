//! Publish and subscribe, by type and name.

use std::any::{Any, type_name};
use std::fmt;
use std::sync::{Arc, Weak};

use parking_lot::{Mutex, MutexGuard};

use super::cell::Cell;
use super::dead_letters::DeadReason;
use super::error::TopicError;
use super::scope::{self, Held};
use super::{ActorId, ActorRef, ActorTarget, Handles, Message, Port, Rejected, RemoteTarget, Target};
use crate::base::StableMap;

/// A name under which messages of one type are published, and whoever subscribed gets a copy.
///
/// Messages of one publisher reach each subscriber in the order in which they were published. Nobody waits: a subscriber
/// whose mailbox has no room misses the message, which goes to dead letters, or what its
/// [`Overflow`](super::Overflow) says is done.
pub struct Topic<M>(Arc<Inner<M>>);

struct Inner<M> {
    name: Arc<str>,
    /// Replaced whole, so that nothing is locked while messages are delivered. In the order in which they came.
    subscribers: Mutex<Arc<Vec<Entry<M>>>>,
}

type Entry<M> = (ActorId, Box<dyn Subscriber<M>>);

impl<M: Message + Clone> Topic<M> {
    pub(crate) fn new(name: Arc<str>) -> Self {
        Self(Arc::new(Inner { name, subscribers: Mutex::default() }))
    }

    /// The name of the topic.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Sends a copy to every subscriber, and says how many took one.
    ///
    /// From an entity's handler it is published when what the handler did is committed, and the number is that of the
    /// subscribers; 0 if the handler sends more than it may.
    pub fn publish(&self, msg: M) -> usize {
        if !scope::is_nested() {
            return self.deliver(msg);
        }
        let later = |(topic, msg): (Self, M)| -> Held {
            Box::new(move || {
                topic.deliver(msg);
                Box::pin(std::future::ready(()))
            })
        };
        scope::hold((self.clone(), msg), later).map_or(0, |()| self.subscribers())
    }

    fn deliver(&self, msg: M) -> usize {
        let subscribers = Arc::clone(&self.0.subscribers.lock());
        let (mut taken, mut gone) = (0, false);
        for (_, subscriber) in subscribers.iter() {
            match subscriber.deliver(msg.clone()) {
                Delivered::Taken => taken += 1,
                Delivered::Missed => {}
                Delivered::Gone => gone = true,
            }
        }
        if gone {
            replace(self.0.subscribers.lock(), |(_, subscriber)| !subscriber.is_gone(), None);
        }
        taken
    }

    /// Has the actor get what is published from now on, until it stops. False if it does already.
    ///
    /// The topic does not keep the actor alive.
    pub fn subscribe<A: Handles<M>>(&self, actor: &ActorRef<A>) -> bool {
        let id = actor.id();
        let new: Box<dyn Subscriber<M>> = match actor.target() {
            ActorTarget::Local(local) => Box::new(Arc::downgrade(local.cell())),
            ActorTarget::Remote(remote) => Box::new(Arc::clone(remote)),
        };
        let subscribers = self.0.subscribers.lock();
        let fresh = !subscribers.iter().any(|(other, subscriber)| *other == id && !subscriber.is_gone());
        if fresh {
            replace(subscribers, |(_, subscriber)| !subscriber.is_gone(), Some((id, new)));
        }
        fresh
    }

    /// The actor gets nothing more. False if it did not anyway.
    pub fn unsubscribe<A: Handles<M>>(&self, actor: &ActorRef<A>) -> bool {
        let id = actor.id();
        let subscribers = self.0.subscribers.lock();
        let known = subscribers.iter().any(|(other, _)| *other == id);
        if known {
            replace(subscribers, |(other, _)| *other != id, None);
        }
        known
    }

    /// How many actors subscribe to it that have not stopped.
    pub(crate) fn living(&self) -> usize {
        self.0.subscribers.lock().iter().filter(|(_, subscriber)| !subscriber.is_gone()).count()
    }

    /// How many actors subscribe to it, those included that have stopped since the last message.
    pub fn subscribers(&self) -> usize {
        self.0.subscribers.lock().len()
    }
}

/// Keeps some of the subscribers, and adds one. What goes is dropped when nothing is locked any more.
fn replace<M>(mut list: MutexGuard<'_, Arc<Vec<Entry<M>>>>, keep: impl Fn(&Entry<M>) -> bool, new: Option<Entry<M>>) {
    let kept = list.iter().filter(|one| keep(one)).map(|(id, subscriber)| (id.clone(), subscriber.again()));
    let next = Arc::new(kept.chain(new).collect());
    let old = std::mem::replace(&mut *list, next);
    drop(list);
    drop(old);
}

impl<M> Clone for Topic<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M> fmt::Debug for Topic<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Topic<{}>({:?})", type_name::<M>(), self.0.name)
    }
}

/// One who gets what is published.
trait Subscriber<M>: Send + Sync {
    fn deliver(&self, msg: M) -> Delivered;
    fn is_gone(&self) -> bool;
    fn again(&self) -> Box<dyn Subscriber<M>>;
}

enum Delivered {
    Taken,
    Missed,
    Gone,
}

impl<M: Message, A: Handles<M>> Subscriber<M> for Weak<Cell<A>> {
    fn deliver(&self, msg: M) -> Delivered {
        let Some(actor) = self.upgrade().and_then(|cell| cell.revive()) else { return Delivered::Gone };
        match Target::try_send(&actor, A::wrap(msg, Port::none())) {
            Ok(()) => Delivered::Taken,
            Err(Rejected::Closed(_)) => Delivered::Gone,
            Err(Rejected::Full(_) | Rejected::Unavailable { .. }) => {
                let address = || actor.cell().address();
                actor.env().dead_letters().record(DeadReason::NoRoom, type_name::<M>(), address);
                Delivered::Missed
            }
        }
    }

    fn is_gone(&self) -> bool {
        self.upgrade().is_none_or(|cell| cell.is_closed())
    }

    fn again(&self) -> Box<dyn Subscriber<M>> {
        Box::new(self.clone())
    }
}

impl<M: Message, A: Handles<M>> Subscriber<M> for Arc<dyn RemoteTarget<A>> {
    fn deliver(&self, msg: M) -> Delivered {
        match self.try_send(A::wrap(msg, Port::none())) {
            Ok(()) => Delivered::Taken,
            Err(_) if self.is_over() => Delivered::Gone,
            Err(rejected) => {
                let reason = match rejected {
                    Rejected::Full(_) => DeadReason::NoRoom,
                    Rejected::Closed(_) | Rejected::Unavailable { .. } => DeadReason::Unavailable,
                };
                let address = || self.id().to_string();
                self.env().dead_letters().record(reason, type_name::<M>(), address);
                Delivered::Missed
            }
        }
    }

    fn is_gone(&self) -> bool {
        self.is_over()
    }

    fn again(&self) -> Box<dyn Subscriber<M>> {
        Box::new(Arc::clone(self))
    }
}

/// The topics of one system.
#[derive(Default)]
pub(super) struct Topics {
    topics: StableMap<Arc<str>, Named>,
    /// At so many, those are let go that nobody holds or subscribes to.
    sweep_at: usize,
}

struct Named {
    topic: Box<dyn Any + Send + Sync>,
    messages: &'static str,
    is_idle: fn(&(dyn Any + Send + Sync)) -> bool,
}

impl Topics {
    /// The topic of this name, made if there is none.
    pub(super) fn get<M: Message + Clone>(&mut self, name: &str) -> Result<Topic<M>, TopicError> {
        if let Some(entry) = self.topics.get(name) {
            let (expected, found) = (type_name::<M>(), entry.messages);
            let wrong = || TopicError::WrongType { name: name.to_owned(), expected, found };
            return entry.topic.downcast_ref::<Topic<M>>().cloned().ok_or_else(wrong);
        }
        if self.topics.len() >= self.sweep_at {
            self.topics.retain(|_, entry| !(entry.is_idle)(&*entry.topic));
            self.sweep_at = (2 * self.topics.len()).max(64);
        }
        let name: Arc<str> = name.into();
        let topic = Topic::<M>::new(Arc::clone(&name));
        let entry = Named { topic: Box::new(topic.clone()), messages: type_name::<M>(), is_idle: is_idle::<M> };
        self.topics.insert(name, entry);
        Ok(topic)
    }
}

fn is_idle<M: Message + Clone>(topic: &(dyn Any + Send + Sync)) -> bool {
    let deserted = |topic: &Topic<M>| topic.0.subscribers.lock().iter().all(|(_, subscriber)| subscriber.is_gone());
    let idle = |topic: &Topic<M>| Arc::strong_count(&topic.0) == 1 && deserted(topic);
    topic.downcast_ref::<Topic<M>>().is_some_and(idle)
}
