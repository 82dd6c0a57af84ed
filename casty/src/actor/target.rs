//! Where a reference leads: a mailbox on this node, another node, an entity.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::cell::Local;
use super::remote::{Address, Untold};
use super::{Actor, ActorId, Env, StopReason};

/// Takes messages for an actor, wherever it lives. Typed handles are generic over it.
pub trait Target<A: Actor>: Clone + Send + Sync + 'static {
    /// Delivers the message, or waits for room.
    ///
    /// `msg` is taken when it is delivered or when it gets a ticket. With a ticket, poll again or
    /// [`cancel`](Self::cancel). After it was ready it is not polled again.
    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        msg: &mut Option<A::Msg>,
        ticket: &mut Option<u64>,
    ) -> Poll<Result<(), Rejected<A::Msg>>>;

    /// Delivers the message, or fails if that would take waiting.
    fn try_send(&self, msg: A::Msg) -> Result<(), Rejected<A::Msg>>;

    /// Whoever waited under `ticket` has left. True if its message will certainly not be delivered.
    fn cancel(&self, ticket: u64) -> bool;

    /// What the references of the system share.
    fn env(&self) -> &Env;

    /// The actor's name, if it has one.
    fn name(&self) -> Option<&str>;

    /// The time an ask may take by default.
    fn ask_timeout(&self) -> Duration {
        self.env().ask_timeout()
    }

    /// The actor of this process that the messages go to; `None` if it is elsewhere, or one of several.
    fn local(&self) -> Option<&Local<A>> {
        None
    }

    /// Where the actor lives, for other nodes. From then on they can call it.
    fn address(&self) -> Result<Address, Untold> {
        Err(Untold::NoPlace { actor: A::NAME })
    }
}

/// Why a message was not delivered. The message is handed back unless it was used up.
#[derive(Debug)]
#[non_exhaustive]
pub enum Rejected<M> {
    /// There is no room.
    Full(M),
    /// The actor has stopped.
    Closed(Option<M>),
    /// The actor cannot be reached; nothing was applied.
    Unavailable {
        /// The message.
        message: Option<M>,
        /// What stood in the way.
        reason: String,
    },
}

/// An actor behind an [`ActorRef`](super::ActorRef) that is not a mailbox of this node.
pub trait RemoteTarget<A: Actor>: Send + Sync + 'static {
    /// [`Target::poll_send`].
    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        msg: &mut Option<A::Msg>,
        ticket: &mut Option<u64>,
    ) -> Poll<Result<(), Rejected<A::Msg>>>;

    /// [`Target::try_send`].
    fn try_send(&self, msg: A::Msg) -> Result<(), Rejected<A::Msg>>;

    /// [`Target::cancel`].
    fn cancel(&self, ticket: u64) -> bool;

    /// [`Target::env`].
    fn env(&self) -> &Env;

    /// [`Target::name`].
    fn name(&self) -> Option<&str>;

    /// [`Target::ask_timeout`].
    fn ask_timeout(&self) -> Duration {
        self.env().ask_timeout()
    }

    /// Stops the actor at once.
    fn stop(&self);

    /// Stops the actor after what is queued.
    fn drain(&self);

    /// Ends when the actor has stopped, or is known to be gone. Its node is asked before this returns.
    fn ended(&self) -> Ended<'static>;

    /// Whether it was heard that the actor has stopped: from its node, which says so to whoever sends to it.
    fn is_over(&self) -> bool;

    /// Which actor it is.
    fn id(&self) -> ActorId;

    /// [`Target::address`].
    fn address(&self) -> Result<Address, Untold>;
}

/// The future of [`RemoteTarget::ended`]: why the actor has stopped.
pub type Ended<'a> = Pin<Box<dyn Future<Output = StopReason> + Send + 'a>>;

/// The target of every [`ActorRef`](super::ActorRef).
pub enum ActorTarget<A: Actor> {
    /// A mailbox of this node.
    Local(Local<A>),
    /// Anything else.
    Remote(Arc<dyn RemoteTarget<A>>),
}

impl<A: Actor> Clone for ActorTarget<A> {
    fn clone(&self) -> Self {
        match self {
            Self::Local(local) => Self::Local(local.clone()),
            Self::Remote(remote) => Self::Remote(Arc::clone(remote)),
        }
    }
}

impl<A: Actor> Target<A> for ActorTarget<A> {
    #[inline]
    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        msg: &mut Option<A::Msg>,
        ticket: &mut Option<u64>,
    ) -> Poll<Result<(), Rejected<A::Msg>>> {
        match self {
            Self::Local(local) => local.poll_send(cx, msg, ticket),
            Self::Remote(remote) => remote.poll_send(cx, msg, ticket),
        }
    }

    #[inline]
    fn try_send(&self, msg: A::Msg) -> Result<(), Rejected<A::Msg>> {
        match self {
            Self::Local(local) => local.try_send(msg),
            Self::Remote(remote) => remote.try_send(msg),
        }
    }

    fn cancel(&self, ticket: u64) -> bool {
        match self {
            Self::Local(local) => local.cancel(ticket),
            Self::Remote(remote) => remote.cancel(ticket),
        }
    }

    #[inline]
    fn env(&self) -> &Env {
        match self {
            Self::Local(local) => local.env(),
            Self::Remote(remote) => remote.env(),
        }
    }

    fn name(&self) -> Option<&str> {
        match self {
            Self::Local(local) => local.name(),
            Self::Remote(remote) => remote.name(),
        }
    }

    #[inline]
    fn ask_timeout(&self) -> Duration {
        match self {
            Self::Local(local) => local.env().ask_timeout(),
            Self::Remote(remote) => remote.ask_timeout(),
        }
    }

    #[inline]
    fn local(&self) -> Option<&Local<A>> {
        match self {
            Self::Local(local) => Some(local),
            Self::Remote(_) => None,
        }
    }

    fn address(&self) -> Result<Address, Untold> {
        match self {
            Self::Local(local) => local.address(),
            Self::Remote(remote) => remote.address(),
        }
    }
}
