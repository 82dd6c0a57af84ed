//! Several actors behind one reference.

mod routing;
mod spawn;
mod target;

use std::fmt;
use std::ops::Deref;

pub use self::routing::Routing;
pub use self::spawn::{SpawnPool, SpawningPool};
pub use self::target::PoolTarget;
use super::reply::Port;
use super::send::try_send;
use super::{Actor, ActorRef, Handles, Message, Recipient, Request, SendError, SendRequest, SentTo, Target};

/// A reference to several actors of one type, its workers. Each message goes to one of them, which [`Routing`] chooses.
///
/// It dereferences to the actor's handle, as an [`ActorRef`] does. When the last reference is gone, the workers handle what
/// is queued and stop. A worker that has stopped for good is passed over.
pub struct Pool<A: Actor>(A::Handle<PoolTarget<A>>);

impl<A: Actor> Pool<A> {
    fn new(target: PoolTarget<A>) -> Self {
        Self(target.into())
    }

    /// Asks one of the workers.
    pub fn ask<M: Message>(&self, msg: impl SentTo<A, Message = M>) -> Request<'_, A, PoolTarget<A>, M>
    where
        A: Handles<M>,
    {
        Request::new(self.target(), msg.into())
    }

    /// Sends to one of the workers without wanting a reply, waiting for room in its mailbox.
    pub fn send<M: Message>(&self, msg: impl SentTo<A, Message = M>) -> SendRequest<'_, A, PoolTarget<A>, M>
    where
        A: Handles<M>,
    {
        SendRequest::new(self.target(), Some(A::wrap(msg.into(), Port::none())))
    }

    /// Sends to one of the workers without wanting a reply, or hands the message back if its mailbox is full.
    pub fn try_send<M: Message>(&self, msg: impl SentTo<A, Message = M>) -> Result<(), SendError<M>>
    where
        A: Handles<M>,
    {
        try_send(self.target(), A::wrap(msg.into(), Port::none()))
    }

    /// Sends a copy to every worker, waiting for room in each mailbox, and says how many took it.
    pub async fn broadcast<M: Message + Clone>(&self, msg: M) -> usize
    where
        A: Handles<M>,
    {
        let mut taken = 0;
        for worker in self.workers() {
            let copy = A::wrap(msg.clone(), Port::none());
            let sent: Result<(), SendError<M>> = SendRequest::new(worker.target(), Some(copy)).await;
            taken += usize::from(sent.is_ok());
        }
        taken
    }

    /// The same pool, known only as one that handles `M`.
    pub fn recipient<M: Message>(&self) -> Recipient<M>
    where
        A: Handles<M>,
    {
        Recipient::new(self.target().clone())
    }

    /// References to the workers, in the order in which they were spawned.
    pub fn workers(&self) -> impl ExactSizeIterator<Item = ActorRef<A>> {
        self.target().workers().iter().cloned().map(ActorRef::local)
    }

    /// Stops every worker as soon as its message in hand is handled. What is queued goes to dead letters.
    pub fn stop(&self) {
        self.workers().for_each(|worker| worker.stop());
    }

    /// Stops every worker after what it has queued. Nothing more comes in.
    pub fn drain(&self) {
        self.workers().for_each(|worker| worker.drain());
    }

    /// Waits until every worker has stopped.
    pub async fn stopped(&self) {
        for worker in self.workers() {
            worker.stopped().await;
        }
    }

    fn target(&self) -> &PoolTarget<A> {
        self.0.as_ref()
    }
}

impl<A: Actor> Deref for Pool<A> {
    type Target = A::Handle<PoolTarget<A>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<A: Actor> Clone for Pool<A> {
    fn clone(&self) -> Self {
        Self::new(self.target().clone())
    }
}

impl<A: Actor> fmt::Debug for Pool<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let workers = self.target().workers().len();
        f.debug_struct("Pool")
            .field("actor", &A::NAME)
            .field("name", &self.target().name())
            .field("workers", &workers)
            .finish()
    }
}
