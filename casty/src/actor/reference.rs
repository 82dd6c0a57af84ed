//! A reference to an actor.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::cell::{AnyCell, Local};
use super::error::SendError;
use super::remote::{Address, Untold};
use super::reply::Port;
use super::send::try_send;
use super::{
    Actor, ActorId, ActorTarget, Handles, Message, Recipient, RemoteTarget, Request, SendRequest, SentTo, Target,
};

/// A reference to an actor. Cloning it is cheap; when the last one is gone, the actor handles what is queued and stops.
///
/// It dereferences to the actor's handle, which has a method for each handler.
///
/// # On other nodes
///
/// A reference can be a field of a message, and so be sent to other nodes; there it works as it does here, and one that comes
/// home is as local as it was. The actor that has been sent so does **not** stop for want of references, since nobody counts
/// those of other nodes: it lives until it stops itself, is stopped, or its node ends.
///
/// To an actor of another node:
/// - `send` returns when the message is queued for the link. At most 1024 of one node's messages to one actor lie between it
///   and the actor's mailbox: then senders wait, and `try_send` fails. When the link breaks, what is under way is lost;
///   what arrives arrives in order.
/// - `ask` ends with `Unavailable` if its message did not leave, and with `Unknown` as soon as the link breaks after it did.
/// - `stop`, `drain`, `stopped`, watching and links ([`Ctx::link`](super::Ctx::link)) work as for a local one. An actor whose node
///   is lost has stopped.
#[must_use = "the actor stops when the last reference to it is dropped"]
pub struct ActorRef<A: Actor>(A::Handle<ActorTarget<A>>);

impl<A: Actor> ActorRef<A> {
    pub(super) fn local(local: Local<A>) -> Self {
        Self(ActorTarget::Local(local).into())
    }

    /// A reference to an actor that is not a mailbox of this node.
    pub fn remote(target: Arc<dyn RemoteTarget<A>>) -> Self {
        Self(ActorTarget::Remote(target).into())
    }

    /// Asks for a reply. The request ends with the reply or a typed error, and within its time.
    #[inline]
    pub fn ask<M: Message>(&self, msg: impl SentTo<A, Message = M>) -> Request<'_, A, ActorTarget<A>, M>
    where
        A: Handles<M>,
    {
        Request::new(self.target(), msg.into())
    }

    /// Sends without wanting a reply, waiting for room in the mailbox.
    #[inline]
    pub fn send<M: Message>(&self, msg: impl SentTo<A, Message = M>) -> SendRequest<'_, A, ActorTarget<A>, M>
    where
        A: Handles<M>,
    {
        SendRequest::new(self.target(), Some(A::wrap(msg.into(), Port::none())))
    }

    /// Sends without wanting a reply, or hands the message back if the mailbox is full.
    #[inline]
    pub fn try_send<M: Message>(&self, msg: impl SentTo<A, Message = M>) -> Result<(), SendError<M>>
    where
        A: Handles<M>,
    {
        try_send(self.target(), A::wrap(msg.into(), Port::none()))
    }

    /// Stops the actor as soon as the message in hand is handled. What is queued goes to dead letters; its askers are told.
    pub fn stop(&self) {
        match self.target() {
            ActorTarget::Local(local) => local.cell().stop(),
            ActorTarget::Remote(remote) => remote.stop(),
        }
    }

    /// Stops the actor after what is queued. Nothing more comes in.
    pub fn drain(&self) {
        match self.target() {
            ActorTarget::Local(local) => local.cell().drain(),
            ActorTarget::Remote(remote) => remote.drain(),
        }
    }

    /// Waits until the actor has stopped, `on_stop` included. Its name is free then.
    pub async fn stopped(&self) {
        match self.target() {
            ActorTarget::Local(local) => local.cell().sideband.ended().await,
            ActorTarget::Remote(remote) => drop(remote.ended().await),
        }
    }

    /// The same actor, known only as one that handles `M`.
    pub fn recipient<M: Message>(&self) -> Recipient<M>
    where
        A: Handles<M>,
    {
        Recipient::new::<A, _>(self.target().clone())
    }

    /// Which actor it is: the same for every reference to it.
    pub fn id(&self) -> ActorId {
        match self.target() {
            ActorTarget::Local(local) => local.cell().id(),
            ActorTarget::Remote(remote) => remote.id(),
        }
    }

    /// Where it lives, for other nodes. From then on they can call it.
    pub(crate) fn address_for_others(&self) -> Result<Address, Untold> {
        self.target().address()
    }

    /// The name that it was spawned with.
    pub fn name(&self) -> Option<&str> {
        self.target().name()
    }

    #[inline]
    pub(super) fn target(&self) -> &ActorTarget<A> {
        self.0.as_ref()
    }
}

impl<A: Actor> Deref for ActorRef<A> {
    type Target = A::Handle<ActorTarget<A>>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<A: Actor> Clone for ActorRef<A> {
    fn clone(&self) -> Self {
        Self(self.target().clone().into())
    }
}

impl<A: Actor> fmt::Debug for ActorRef<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_tuple("ActorRef");
        tuple.field(&A::NAME);
        if let Some(name) = self.name() {
            tuple.field(&name);
        }
        tuple.finish()
    }
}
