//! An actor on this node as its references see it: a mailbox, a count, and how to end it.

use std::any::Any;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use tokio::task::AbortHandle;

use super::mailbox::{Mailbox, Refused};
use super::system::Shared;
use super::watchers::Watchers;
use super::{Actor, Env, Rejected, Target};

/// What an actor's references share.
pub(super) struct Cell<A: Actor> {
    pub(super) mailbox: Mailbox<A::Msg>,
    pub(super) watchers: Watchers,
    pub(super) shared: Arc<Shared>,
    pub(super) name: Option<Arc<str>>,
    /// Tells actors of one system apart.
    pub(super) number: u64,
    /// How to end it when it does not end by itself.
    pub(super) task: OnceLock<AbortHandle>,
    /// How many references keep it from draining. The system, and the actor itself, do not count.
    references: AtomicUsize,
}

/// A cell without its type.
pub(super) trait AnyCell: Any + Send + Sync {
    /// The wire name of its actor.
    fn actor(&self) -> &'static str;
    /// Tells it apart from another that had its name.
    fn number(&self) -> u64;
    /// Ends it after the message in hand.
    fn stop(&self);
    /// Ends it after what is queued.
    fn drain(&self);
    /// Ends it where it waits.
    fn abort(&self);
}

/// A reference that counts: when the last one is gone, the actor drains and stops.
pub struct Local<A: Actor>(Arc<Cell<A>>);

impl<A: Actor> Cell<A> {
    /// A cell and its first reference.
    pub(super) fn new(
        shared: Arc<Shared>,
        name: Option<Arc<str>>,
        number: u64,
        capacity: usize,
    ) -> (Arc<Self>, Local<A>) {
        let cell = Arc::new(Self {
            mailbox: Mailbox::new(capacity),
            watchers: Watchers::default(),
            shared,
            name,
            number,
            task: OnceLock::new(),
            references: AtomicUsize::new(1),
        });
        (Arc::clone(&cell), Local(cell))
    }

    /// One more reference, for the actor itself. It may be the only one: then the actor is draining already.
    pub(super) fn reference(self: &Arc<Self>) -> Local<A> {
        self.references.fetch_add(1, Ordering::Relaxed);
        Local(Arc::clone(self))
    }

    /// One more reference, unless the actor is on its way to stop.
    pub(super) fn revive(self: &Arc<Self>) -> Option<Local<A>> {
        let more = |count: usize| (count > 0).then(|| count + 1);
        self.references.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        let local = Local(Arc::clone(self));
        (!self.mailbox.is_closed()).then_some(local)
    }
}

impl<A: Actor> AnyCell for Cell<A> {
    fn actor(&self) -> &'static str {
        A::NAME
    }

    fn number(&self) -> u64 {
        self.number
    }

    fn stop(&self) {
        self.mailbox.stop();
    }

    fn drain(&self) {
        self.mailbox.close();
    }

    fn abort(&self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

impl<A: Actor> Local<A> {
    #[inline]
    pub(super) fn cell(&self) -> &Arc<Cell<A>> {
        &self.0
    }
}

impl<A: Actor> Clone for Local<A> {
    #[inline]
    fn clone(&self) -> Self {
        self.0.reference()
    }
}

impl<A: Actor> Drop for Local<A> {
    #[inline]
    fn drop(&mut self) {
        if self.0.references.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.mailbox.close();
        }
    }
}

impl<A: Actor> Target<A> for Local<A> {
    #[inline]
    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        msg: &mut Option<A::Msg>,
        ticket: &mut Option<u64>,
    ) -> Poll<Result<(), Rejected<A::Msg>>> {
        self.0.mailbox.poll_send(cx, msg, ticket).map_err(Rejected::Closed)
    }

    #[inline]
    fn try_send(&self, msg: A::Msg) -> Result<(), Rejected<A::Msg>> {
        self.0.mailbox.try_send(msg).map_err(|refused| match refused {
            Refused::Full(msg) => Rejected::Full(msg),
            Refused::Closed(msg) => Rejected::Closed(Some(msg)),
        })
    }

    fn cancel(&self, ticket: u64) -> bool {
        self.0.mailbox.cancel(ticket).is_some()
    }

    #[inline]
    fn env(&self) -> &Env {
        self.0.shared.env()
    }

    fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }
}
