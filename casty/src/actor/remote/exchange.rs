//! The node behind a system: it knows which of its actors others may call, and the way to those of others.

use std::cell::RefCell;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Address, Entities, Exported, Flowing, Outflow, TooManyStreams};
use crate::actor::{Route, StopReason};
use crate::base::NodeKey;

/// The node that a system belongs to, as its references see it.
pub trait Exchange: Send + Sync + 'static {
    /// This life of the node.
    fn node(&self) -> NodeKey;

    /// From now on other nodes can call the actor of this number, until it has stopped. `make` is called if they could not
    /// before; false if it makes nothing.
    fn export(&self, number: u64, make: &mut dyn FnMut() -> Option<Arc<dyn Exported>>)
    -> Result<bool, TooManyExported>;

    /// The actor of this number, if others can call it.
    fn exported(&self, number: u64) -> Option<Arc<dyn Exported>>;

    /// The way to an actor of another node, or to one of this node that has stopped.
    fn route(self: Arc<Self>, address: Address) -> Arc<dyn Route>;

    /// The entities of its cluster, while the node runs.
    fn entities(&self) -> Option<Arc<dyn Entities>>;

    /// An actor of this node has stopped.
    fn ended(&self, number: u64, reason: &StopReason);

    /// An actor of this node links itself with one that is not: from now on both hear of the other's end.
    fn link(&self, ours: Address, theirs: &Address) -> Result<(), TooManyLinks>;

    /// The actor of this number is linked no more with that one.
    fn unlink(&self, number: u64, from: &Address);

    /// All messages up to `sequence` that `from` sent to the actor of this number have a place in its mailbox, or never will.
    fn taken(&self, from: NodeKey, number: u64, sequence: u64);

    /// A stream of items that begins to flow when `to`, which asked, wants it. Its number is that of no other stream.
    fn outflow(&self, to: NodeKey, ask: u64, items: Outflow) -> Result<u64, TooManyStreams>;

    /// What comes of a stream of `from` goes there, until its end. It is dropped when the node is lost.
    fn inflow(&self, from: NodeKey, stream: u64, to: mpsc::Sender<Flowing>);

    /// `from` may send so many items more of its stream.
    fn pull(&self, from: NodeKey, stream: u64, items: u32);

    /// Nobody wants the stream of `from` any more.
    fn abandon(&self, from: NodeKey, stream: u64);
}

/// No more actors of this node can be known to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{max} actors of this node are known to other nodes already: stop some, or send one reference for several actors"
)]
pub struct TooManyExported {
    /// The limit.
    pub max: usize,
}

/// No more actors of this node can be linked with those of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{max} links between actors of this node and those of others stand already: watch, or link fewer")]
pub struct TooManyLinks {
    /// The limit.
    pub max: usize,
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<dyn Exchange>>> = const { RefCell::new(None) };
    static LEAVING: RefCell<Option<Destination>> = const { RefCell::new(None) };
}

/// Where the reply goes that this thread encodes: a node, and the number of its ask.
type Destination = (Arc<dyn Exchange>, NodeKey, u64);

/// Where the reply goes that this thread encodes.
pub(super) fn leaving() -> Option<Destination> {
    LEAVING.try_with(|leaving| leaving.try_borrow().ok()?.clone()).ok().flatten()
}

/// While it lives, its thread encodes a reply to an ask of another node.
#[must_use = "it ends when this is dropped"]
pub(in crate::actor) struct Leaving(Option<Destination>);

impl Leaving {
    pub(in crate::actor) fn new(to: Option<Destination>) -> Self {
        Self(LEAVING.try_with(|leaving| leaving.replace(to)).ok().flatten())
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        let outer = self.0.take();
        drop(LEAVING.try_with(|leaving| leaving.replace(outer)));
    }
}

/// The node on whose behalf this thread decodes.
pub(super) fn current() -> Option<Arc<dyn Exchange>> {
    CURRENT.try_with(|current| current.try_borrow().ok()?.clone()).ok().flatten()
}

/// While it lives, its thread decodes on behalf of a node: references become those of that node's system.
#[must_use = "it ends when this is dropped"]
pub(crate) struct Entered(Option<Arc<dyn Exchange>>);

impl Entered {
    pub(in crate::actor) fn new(exchange: Option<Arc<dyn Exchange>>) -> Self {
        Self(swap(exchange))
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        drop(swap(self.0.take()));
    }
}

fn swap(exchange: Option<Arc<dyn Exchange>>) -> Option<Arc<dyn Exchange>> {
    CURRENT.try_with(|current| current.replace(exchange)).ok().flatten()
}
