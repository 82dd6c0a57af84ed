//! Anyone who handles a message.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use super::error::SendError;
use super::remote::{Address, Far, Untold};
use super::reply::Port;
use super::send::{SendRequest, try_send};
use super::{Handles, Message, Route, Target, WireMessage};

/// A reference to an actor of any type that handles `M`. It keeps the actor alive as an `ActorRef` does, and can be sent to
/// other nodes as one.
pub struct Recipient<M>(Arc<dyn Deliver<M>>);

impl<M: Message> Recipient<M> {
    /// Whoever is behind `target`.
    pub(crate) fn new<A: Handles<M>, T: Target<A>>(target: T) -> Self {
        Self(Arc::new(To { target, actor: PhantomData }))
    }

    /// Sends, waiting for room in the mailbox.
    pub async fn send(&self, msg: M) -> Result<(), SendError<M>> {
        // Most often there is room, and nothing needs to be boxed.
        match self.0.try_deliver(msg) {
            Err(SendError::Full(msg)) => self.0.deliver(msg).await,
            done => done,
        }
    }

    /// Sends, or hands the message back if the mailbox is full.
    pub fn try_send(&self, msg: M) -> Result<(), SendError<M>> {
        self.0.try_deliver(msg)
    }
}

impl<M> Clone for Recipient<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M> fmt::Debug for Recipient<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient<{}>({})", std::any::type_name::<M>(), self.0.actor())
    }
}

impl<M: WireMessage> Recipient<M> {
    /// Whoever is at the end of `route`.
    pub(super) fn far(route: Arc<dyn Route>) -> Self {
        Self(Arc::new(Far::new(route)))
    }
}

impl<M> Recipient<M> {
    /// Where the actor lives, for other nodes.
    pub(super) fn address(&self) -> Result<Address, Untold> {
        self.0.address()
    }
}

pub(super) type Delivery<'a, M> = Pin<Box<dyn Future<Output = Result<(), SendError<M>>> + Send + 'a>>;

/// Takes messages of one type, for an actor of any.
pub(super) trait Deliver<M>: Send + Sync {
    fn try_deliver(&self, msg: M) -> Result<(), SendError<M>>;
    fn deliver(&self, msg: M) -> Delivery<'_, M>;
    fn actor(&self) -> String;
    fn address(&self) -> Result<Address, Untold>;
}

struct To<A, T> {
    target: T,
    actor: PhantomData<fn() -> A>,
}

impl<M: Message, A: Handles<M>, T: Target<A>> Deliver<M> for To<A, T> {
    fn try_deliver(&self, msg: M) -> Result<(), SendError<M>> {
        try_send::<A, T, M>(&self.target, A::wrap(msg, Port::none()))
    }

    fn deliver(&self, msg: M) -> Delivery<'_, M> {
        Box::pin(SendRequest::<A, T, M>::new(&self.target, Some(A::wrap(msg, Port::none()))))
    }

    fn actor(&self) -> String {
        A::NAME.to_owned()
    }

    fn address(&self) -> Result<Address, Untold> {
        self.target.address()
    }
}
