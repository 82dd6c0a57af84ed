//! An actor of this node that other nodes can call.

use std::any::Any;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};

use parking_lot::Mutex;
use tokio::time::Instant;

use super::relay::{Relay, Waiting};
use super::{Address, Exchange, sender, untold};
use crate::actor::cell::{AnyCell, Cell, Local};
use crate::actor::registration::{Origin, Outbound};
use crate::actor::reply::ReplySink;
use crate::actor::watch::Signal;
use crate::actor::{
    ActorId, ActorRef, Env, Failure, Registered, Rejected, Route, Routed, StopReason, Target, Terminated,
};
use crate::base::NodeKey;

/// An actor of this node that other nodes can call. It does not stop for want of references, since nobody counts those that
/// others have.
pub trait Exported: Send + Sync {
    /// Puts a message into its mailbox, or into the line before it. What is rejected goes to dead letters, and its asker is
    /// told.
    fn deliver(self: Arc<Self>, parcel: Parcel<'_>) -> Result<(), Unread>;

    /// Stops it after the message in hand.
    fn stop(&self);

    /// Stops it after what is queued.
    fn drain(&self);

    /// It is linked with an actor of another node from now on.
    fn link(&self, node: NodeKey, number: u64);

    /// It is linked with that actor no more.
    fn unlink(&self, node: NodeKey, number: u64);

    /// An actor of another node has stopped that it was linked with.
    fn link_ended(&self, with: Address, reason: StopReason);

    /// Whether it has stopped.
    fn has_ended(&self) -> bool;

    /// A peer is gone for good.
    fn forget(&self, peer: NodeKey);

    /// The cell, for references that come home.
    fn cell(&self) -> Arc<dyn Any + Send + Sync>;

    /// [`Route::poll_submit`], for who knows nothing of the actor but a message that it handles.
    fn poll_enter(
        &self,
        cx: &mut Context<'_>,
        message: &mut Option<Outbound>,
        ticket: &mut Option<u64>,
    ) -> Poll<Result<(), Rejected<Outbound>>>;

    /// [`Route::cancel`].
    fn cancel(&self, ticket: u64) -> bool;

    /// What the references of the system share.
    fn env(&self) -> &Env;

    /// The name that it was spawned with.
    fn name(&self) -> Option<&str>;

    /// Where it lives.
    fn address(&self) -> Option<Address>;
}

/// A message for an actor that came as bytes.
pub struct Parcel<'a> {
    /// The node that sent it.
    pub from: NodeKey,
    /// Its place among those that the node sent to the actor.
    pub sequence: u64,
    /// Which message it is.
    pub tag: u32,
    /// The encoded message.
    pub body: &'a [u8],
    /// Where its reply goes.
    pub sink: Option<Arc<dyn ReplySink>>,
    /// Who sent it, if that was said.
    pub sender: Option<Address>,
    /// When nobody waits for the reply any more.
    pub deadline: Option<Instant>,
}

/// A message that is none of the actor's, or whose decoder panicked. It was not handled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Unread {
    /// What is wrong with it.
    pub why: String,
}

/// What can be done with an actor type of which only the wire name is known.
pub trait RemoteType: Send + Sync {
    /// The entrance to an actor, by its cell. `None`: it is of another type.
    fn exported(&self, cell: Arc<dyn Any + Send + Sync>) -> Option<Arc<dyn Exported>>;

    /// An `ActorRef` to an actor of the type. `None`: it is of another type.
    fn reference(&self, destination: Destination) -> Option<Box<dyn Any + Send + Sync>>;
}

/// Where a reference leads.
pub enum Destination {
    /// To an actor of this node.
    Home(Arc<dyn Exported>),
    /// Elsewhere, or to an actor that has stopped.
    Away(Arc<dyn Route>),
}

impl Destination {
    /// Where an address leads, seen from a node.
    pub(super) fn of(exchange: Arc<dyn Exchange>, address: Address) -> Self {
        let home = (address.node == exchange.node()).then(|| exchange.exported(address.number)).flatten();
        home.map_or_else(|| Self::Away(exchange.route(address)), Self::Home)
    }
}

/// [`RemoteType`] of the actor `A`.
pub struct Of<A>(PhantomData<fn() -> A>);

impl<A> Of<A> {
    /// The only value.
    pub const NEW: Self = Self(PhantomData);
}

impl<A: Registered> RemoteType for Of<A> {
    fn exported(&self, cell: Arc<dyn Any + Send + Sync>) -> Option<Arc<dyn Exported>> {
        let cell = cell.downcast::<Cell<A>>().ok()?;
        Some(Arc::new(Export { local: cell.reference(), relay: Mutex::default() }))
    }

    fn reference(&self, destination: Destination) -> Option<Box<dyn Any + Send + Sync>> {
        Some(Box::new(match destination {
            Destination::Home(exported) => ActorRef::local(exported.cell().downcast::<Cell<A>>().ok()?.reference()),
            Destination::Away(route) => ActorRef::remote(Arc::new(Routed::<A>::new(route))),
        }))
    }
}

/// The entrance to an actor.
pub(super) struct Export<A: Registered> {
    pub(super) local: Local<A>,
    pub(super) relay: Mutex<Relay<A>>,
}

impl<A: Registered> Export<A> {
    /// Reads a message on behalf of the node. `Deserialize` is the user's code.
    fn read(&self, tag: u32, body: &[u8], origin: Origin) -> Result<A::Msg, Unread> {
        let _inside = Target::<A>::env(&self.local).enter();
        match catch_unwind(AssertUnwindSafe(|| A::decode(tag, body, origin))) {
            Ok(Ok(msg)) => Ok(msg),
            Ok(Err(error)) => Err(Unread { why: error.to_string() }),
            Err(panic) => {
                let reason = Failure::from_panic(panic).reason;
                Err(Unread { why: format!("it panicked while it was read: {reason}") })
            }
        }
    }
}

impl<A: Registered> Exported for Export<A> {
    fn deliver(self: Arc<Self>, parcel: Parcel<'_>) -> Result<(), Unread> {
        let Parcel { from, sequence, tag, body, sink, sender, deadline } = parcel;
        let sender = sender.and_then(|address| sender::of(self.local.cell().shared(), address));
        match self.read(tag, body, Origin { sink, sender }) {
            Ok(msg) => {
                self.enter(Waiting { msg: Some(msg), ticket: None, deadline, from, sequence });
                Ok(())
            }
            Err(unread) => {
                let due = self.relay.lock().taken(from, sequence);
                self.acknowledge(from, due);
                Err(unread)
            }
        }
    }

    fn stop(&self) {
        self.local.cell().stop();
    }

    fn drain(&self) {
        self.local.cell().drain();
    }

    fn link(&self, node: NodeKey, number: u64) {
        self.local.cell().sideband.link_far((node, number));
    }

    fn unlink(&self, node: NodeKey, number: u64) {
        self.local.cell().sideband.unlink_far((node, number));
    }

    fn link_ended(&self, with: Address, reason: StopReason) {
        let cell = self.local.cell();
        let actor = cell.shared().registry().ok().and_then(|registry| registry.get(&with.actor));
        let who = ActorId::remote(actor.map_or("an actor", |known| known.name), with);
        cell.signal(Signal::LinkEnded(Terminated { who, reason }));
    }

    fn has_ended(&self) -> bool {
        self.local.cell().sideband.has_ended()
    }

    fn forget(&self, peer: NodeKey) {
        self.relay.lock().forget(peer);
    }

    fn cell(&self) -> Arc<dyn Any + Send + Sync> {
        Arc::clone(self.local.cell()) as _
    }

    fn poll_enter(
        &self,
        cx: &mut Context<'_>,
        message: &mut Option<Outbound>,
        ticket: &mut Option<u64>,
    ) -> Poll<Result<(), Rejected<Outbound>>> {
        let outbound = message.take();
        let read = outbound.as_ref().map(|outbound| self.read(outbound.tag, &outbound.body, Origin::default()));
        let mut msg = match read.transpose() {
            Ok(msg) => msg,
            Err(Unread { why }) => return Poll::Ready(Err(Rejected::Unavailable { message: outbound, reason: why })),
        };
        let sent = Target::<A>::poll_send(&self.local, cx, &mut msg, ticket);
        sent.map_err(|rejected| match (rejected, outbound) {
            (Rejected::Full(_), Some(outbound)) => Rejected::Full(outbound),
            (Rejected::Unavailable { reason, .. }, message) => Rejected::Unavailable { message, reason },
            (_, outbound) => Rejected::Closed(outbound),
        })
    }

    fn cancel(&self, ticket: u64) -> bool {
        Target::<A>::cancel(&self.local, ticket)
    }

    fn env(&self) -> &Env {
        Target::<A>::env(&self.local)
    }

    fn name(&self) -> Option<&str> {
        Target::<A>::name(&self.local)
    }

    fn address(&self) -> Option<Address> {
        untold::tell(self.local.cell(), Some(&Of::<A>::NEW)).ok()
    }
}
