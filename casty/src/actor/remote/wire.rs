//! References inside messages.

use std::sync::Arc;

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::exported::Destination;
use super::home::Home;
use super::{Address, RemoteType, exchange, untold};
use crate::actor::{Actor, ActorRef, ActorTarget, Recipient, Target, WireMessage};

/// An actor whose references can be put into messages. `#[actor]` implements it.
///
/// It says the same as [`Registered`](crate::actor::Registered), and asks nothing of the messages: an actor may be told of
/// itself, and two of each other.
#[diagnostic::on_unimplemented(
    message = "a reference to `{Self}` cannot be sent to another node: the actor is not registered",
    label = "not registered",
    note = "generic actors, and those with `#[actor(local)]`, work on their own node only"
)]
pub trait Addressed: Actor {
    /// What other nodes do with it; `None` only in a program that does not compile.
    const REMOTE: Option<&'static dyn RemoteType>;
}

/// The address of the actor. From then on other nodes can call it, and it does not stop for want of references.
impl<A: Addressed> Serialize for ActorRef<A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let address = match self.target() {
            ActorTarget::Local(local) => untold::tell(local.cell(), A::REMOTE),
            ActorTarget::Remote(_) => self.target().address(),
        };
        address.map_err(S::Error::custom)?.serialize(serializer)
    }
}

/// A reference that works where it is read. It can be read on behalf of a node only.
impl<'de, A: Addressed> Deserialize<'de> for ActorRef<A> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let address = Address::deserialize(deserializer)?;
        if *address.actor != *A::NAME {
            return Err(D::Error::custom(format_args!("a reference to `{}` is none to `{}`", address.actor, A::NAME)));
        }
        let (kind, destination) = (A::REMOTE, destination(address).map_err(D::Error::custom)?);
        let reference = kind.and_then(|kind| kind.reference(destination)?.downcast::<Self>().ok());
        let wrong = || D::Error::custom(format_args!("the actor is no `{}`, though it says so", A::NAME));
        reference.map(|reference| *reference).ok_or_else(wrong)
    }
}

impl<M: WireMessage> Serialize for Recipient<M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.address().map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl<'de, M: WireMessage> Deserialize<'de> for Recipient<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let destination = destination(Address::deserialize(deserializer)?).map_err(D::Error::custom)?;
        Ok(Self::far(match destination {
            Destination::Home(exported) => Arc::new(Home::new(exported)),
            Destination::Away(route) => route,
        }))
    }
}

/// Where an address leads, seen from the node on whose behalf this thread decodes.
fn destination(address: Address) -> Result<Destination, &'static str> {
    let exchange = exchange::current().ok_or("a reference can be read on behalf of a node only: not here")?;
    Ok(Destination::of(exchange, address))
}
