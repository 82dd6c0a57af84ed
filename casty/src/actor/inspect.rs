//! What the test kit sees of actors.

use std::any::Any;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::cell::{AnyCell, Cell, Local};
use super::watch::{Signal, StopReason};
use super::{Actor, ActorRef, ActorSystem, ActorTarget, Spawn};

/// Looks at an actor between two messages.
pub(super) type Look = Box<dyn FnOnce(&mut dyn Any) + Send>;

/// An actor about to be spawned whose messages go to `inbox`.
pub(crate) fn stand_in<A: Actor>(system: &ActorSystem, inbox: mpsc::UnboundedSender<A::Msg>) -> Spawn<A> {
    system.spawn_stand_in(inbox).unbounded()
}

/// Has the actor looked at between two messages, ahead of those that wait. `None` if it stops before.
pub(crate) async fn look<A: Actor, S: Send + 'static>(
    actor: &ActorRef<A>,
    see: impl FnOnce(&mut A) -> S + Send + 'static,
) -> Option<S> {
    let (tell, told) = oneshot::channel();
    let look: Look = Box::new(move |actor| {
        if let Some(actor) = actor.downcast_mut::<A>() {
            // Who has gone since needs to know nothing.
            drop(tell.send(see(actor)));
        }
    });
    cell(actor)?.signal(Signal::Look(look));
    told.await.ok()
}

/// Waits until the actor has nothing to do. `None` if it stops before.
pub(crate) async fn idle<A: Actor>(actor: &ActorRef<A>) -> Option<()> {
    let (tell, told) = oneshot::channel();
    cell(actor)?.signal(Signal::WhenIdle(tell));
    told.await.ok()
}

/// The types of the messages that wait in the mailbox, the oldest first. Those that the actor has taken out are not among them.
pub(crate) fn queued<A: Actor>(actor: &ActorRef<A>) -> Vec<&'static str> {
    cell(actor).map(|cell| cell.mailbox.queued(A::message_name)).unwrap_or_default()
}

/// Waits until the actor has stopped, and says why.
pub(crate) async fn ended<A: Actor>(actor: &ActorRef<A>) -> Option<StopReason> {
    let cell = cell(actor)?;
    cell.sideband.ended().await;
    cell.sideband.reason()
}

fn cell<A: Actor>(actor: &ActorRef<A>) -> Option<&Arc<Cell<A>>> {
    match actor.target() {
        ActorTarget::Local(local) => Some(Local::cell(local)),
        ActorTarget::Remote(_) => None,
    }
}
