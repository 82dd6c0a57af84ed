//! An actor on this node as its references see it: a mailbox, a count, and how to end it.

use std::any::{Any, TypeId};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use tokio::task::AbortHandle;

use super::actor_type::ActorType;
use super::dead_letters::DeadReason;
use super::mailbox::{Mailbox, Refused};
use super::remote::{Address, Untold, tell_any};
use super::reply::drop_displaced;
use super::supervision::Family;
use super::system::Shared;
use super::watch::{ActorId, Ending, Sideband, Signal};
use super::{Actor, Env, Rejected, Target};

/// What an actor's references share.
pub(super) struct Cell<A: Actor> {
    pub(super) mailbox: Mailbox<A::Msg>,
    pub(super) sideband: Sideband,
    pub(super) kind: Arc<ActorType>,
    /// Boxed, since most actors have none.
    ties: Option<Box<Ties>>,
    /// Tells actors of one system apart.
    pub(super) number: u64,
    /// How to end it when it does not end by itself.
    pub(super) task: OnceLock<AbortHandle>,
    /// How many references keep it from draining. The system, and the actor itself, do not count.
    references: AtomicUsize,
}

/// What an actor is to others.
#[derive(Default)]
pub(super) struct Ties {
    /// The name that it was spawned with.
    pub(super) name: Option<Arc<str>>,
    /// Whether it is the one that is found by its type.
    pub(super) unique: bool,
    /// When it ends, as the system does.
    pub(super) phase: u8,
    /// The family that it is a child of.
    pub(super) family: Option<Arc<Family>>,
}

impl Ties {
    fn is_empty(&self) -> bool {
        let Self { name, unique, phase, family } = self;
        name.is_none() && !unique && *phase == 0 && family.is_none()
    }
}

/// Of the number of an actor so many bits count where it is told who waits for whom: that many actors are more than a
/// system spawns in its life.
const WAITING_BITS: u32 = 40;
const WAITING_MASK: u64 = (1 << WAITING_BITS) - 1;

/// A system's number and that of an actor in it: no two cells of a process share them.
pub(super) type CellKey = (u64, u64);

/// A cell without its type.
pub(super) trait AnyCell: Any + Send + Sync {
    /// The wire name of its actor.
    fn actor(&self) -> &'static str;
    /// Tells it apart from another that had its name.
    fn number(&self) -> &u64;
    /// Which actor it is.
    fn id(&self) -> ActorId;
    /// The name that it was spawned with.
    fn name(&self) -> Option<&Arc<str>>;
    /// Its type, if it is the one that is found by it.
    fn unique(&self) -> Option<TypeId>;
    /// Whether it is a child.
    fn is_child(&self) -> bool;
    /// When it ends, as the system does.
    fn phase(&self) -> u8;
    /// What reaches it beside its queue, and whom its end reaches.
    fn sideband(&self) -> &Sideband;
    /// Leaves a signal. False if the actor has stopped.
    fn signal(&self, signal: Signal) -> bool;
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
        kind: Arc<ActorType>,
        ties: Ties,
        number: u64,
        mailbox: Mailbox<A::Msg>,
    ) -> (Arc<Self>, Local<A>) {
        let cell = Arc::new(Self {
            mailbox,
            sideband: Sideband::default(),
            kind,
            ties: (!ties.is_empty()).then(|| Box::new(ties)),
            number,
            task: OnceLock::new(),
            references: AtomicUsize::new(1),
        });
        (Arc::clone(&cell), Local(cell))
    }

    /// The family that it is a child of.
    pub(super) fn family(&self) -> Option<&Arc<Family>> {
        self.ties.as_ref()?.family.as_ref()
    }

    /// The system that it lives in.
    #[inline]
    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.kind.shared
    }

    /// Whether nothing more comes in.
    pub(super) fn is_closed(&self) -> bool {
        self.mailbox.is_closed()
    }

    /// How many messages wait for it, about.
    pub(super) fn load(&self) -> usize {
        self.mailbox.load()
    }

    /// The actor as the log and dead letters call it.
    pub(super) fn address(&self) -> String {
        self.id().to_string()
    }

    pub(super) fn key(&self) -> CellKey {
        (self.shared().env().sweeper().id(), self.number)
    }

    /// Tells it apart from the actors of every system, for who waits for whom.
    #[inline]
    pub(super) fn waiting_key(&self) -> u64 {
        (self.shared().env().sweeper().id() + 1) << WAITING_BITS | (self.number & WAITING_MASK)
    }

    /// Says who waits for whom. The last waits for the first.
    #[cold]
    pub(super) fn describe(&self, path: &[u64]) -> String {
        let directory = self.shared().directory();
        let first = directory.first();
        let number = |key: &u64| first.wrapping_add(key.wrapping_sub(first) & WAITING_MASK);
        let name = |key: &u64| match directory.numbered(number(key)) {
            Some(cell) => cell.id().to_string(),
            None => format!("#{}", number(key)),
        };
        let mut names: Vec<String> = path.iter().map(name).collect();
        names.rotate_right(1);
        names.extend(names.first().cloned());
        names.join(" asks ")
    }

    /// What its sender is told of a message that found no room.
    #[cold]
    fn refused(&self, refused: Refused<A::Msg>) -> Result<(), Rejected<A::Msg>> {
        match refused {
            Refused::Full(msg) => Err(Rejected::Full(msg)),
            Refused::Closed(msg) => Err(Rejected::Closed(msg)),
            Refused::Displaced(msg) => {
                self.displace(msg);
                Ok(())
            }
        }
    }

    /// There is no room for a message that was taken.
    #[cold]
    pub(super) fn displace(&self, msg: A::Msg) {
        let letters = self.shared().env().dead_letters();
        letters.record(DeadReason::Displaced, A::message_name(&msg), || self.address());
        drop_displaced(msg);
    }

    /// It has stopped: tells everybody, here and on other nodes.
    pub(super) fn end(&self, ending: Ending) {
        self.sideband.end(ending.clone(), || self.id());
        if let Some(exchange) = self.shared().env().exchange() {
            exchange.ended(self.number, &ending.into());
        }
        if let Some((name, naming)) = self.name().zip(self.shared().env().naming()) {
            naming.release(name, self.number);
        }
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

    fn number(&self) -> &u64 {
        &self.number
    }

    fn id(&self) -> ActorId {
        let (system, number) = self.key();
        ActorId::local(A::NAME, self.name().cloned(), system, number)
    }

    fn name(&self) -> Option<&Arc<str>> {
        self.ties.as_ref()?.name.as_ref()
    }

    fn unique(&self) -> Option<TypeId> {
        self.ties.as_ref().filter(|ties| ties.unique).map(|_| TypeId::of::<A>())
    }

    fn is_child(&self) -> bool {
        self.family().is_some()
    }

    fn phase(&self) -> u8 {
        self.ties.as_ref().map_or(0, |ties| ties.phase)
    }

    fn sideband(&self) -> &Sideband {
        &self.sideband
    }

    fn signal(&self, signal: Signal) -> bool {
        let left = self.sideband.push(signal);
        self.mailbox.signal();
        left
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
    fn local(&self) -> Option<&Self> {
        Some(self)
    }

    #[inline]
    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        msg: &mut Option<A::Msg>,
        ticket: &mut Option<u64>,
    ) -> Poll<Result<(), Rejected<A::Msg>>> {
        self.0.mailbox.poll_send(cx, msg, ticket).map(|sent| sent.or_else(|refused| self.0.refused(refused)))
    }

    #[inline]
    fn try_send(&self, msg: A::Msg) -> Result<(), Rejected<A::Msg>> {
        self.0.mailbox.try_send(msg).or_else(|refused| self.0.refused(refused))
    }

    fn cancel(&self, ticket: u64) -> bool {
        self.0.mailbox.cancel(ticket).is_some()
    }

    #[inline]
    fn env(&self) -> &Env {
        self.0.shared().env()
    }

    fn name(&self) -> Option<&str> {
        self.0.name().map(|name| &**name)
    }

    fn address(&self) -> Result<Address, Untold> {
        tell_any(&self.0)
    }
}
