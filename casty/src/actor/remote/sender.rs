//! Who sent a message, as its handler can ask.

use std::any::Any;
use std::sync::Arc;

use super::Address;
use super::exported::Destination;
use crate::actor::system::Shared;
use crate::actor::{Actor, ActorRef, Target};

/// The sender's own reference, of whatever type. Behind one thin pointer, since a place for one stands in every idle actor.
#[derive(Clone)]
pub(crate) struct Sender(Arc<Inner>);

struct Inner {
    reference: Box<dyn Any + Send + Sync>,
    /// Where it lives, if that can be told to another node.
    address: fn(&(dyn Any + Send + Sync)) -> Option<Address>,
}

impl Sender {
    pub(in crate::actor) fn new<A: Actor>(actor: &ActorRef<A>) -> Self {
        Self(Arc::new(Inner { reference: Box::new(actor.clone()), address: address::<A> }))
    }

    /// The reference, if it is one to an `A`.
    pub(in crate::actor) fn reference<A: Actor>(&self) -> Option<&ActorRef<A>> {
        self.0.reference.downcast_ref()
    }

    /// Where it lives, if that can be told to another node: an actor that never leaves its node is not named elsewhere.
    pub(in crate::actor) fn address(&self) -> Option<Address> {
        (self.0.address)(&*self.0.reference)
    }
}

fn address<A: Actor>(reference: &(dyn Any + Send + Sync)) -> Option<Address> {
    reference.downcast_ref::<ActorRef<A>>()?.target().address().ok()
}

/// The sender that an address names, if this program knows its type.
pub(super) fn of(shared: &Shared, address: Address) -> Option<Sender> {
    let kind = shared.registry().ok()?.get(&address.actor)?.remote?;
    let exchange = shared.env().exchange()?;
    let reference = kind.reference(Destination::of(exchange, address))?;
    // A handler that hands it on does so as an `ActorRef` of the type, which knows its address.
    Some(Sender(Arc::new(Inner { reference, address: |_| None })))
}
