//! What the references of a system ask of their node.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::Hub;
use crate::actor::remote::{
    Address, Entities, Exchange, Exported, Flowing, Outflow, TooManyExported, TooManyLinks, TooManyStreams,
};
use crate::actor::{Route, StopReason};
use crate::base::NodeKey;
use crate::remote::channel::Channel;
use crate::remote::linked::{self, Ends};
use crate::remote::protocol::{Reason, Word};

impl Exchange for Hub {
    fn node(&self) -> NodeKey {
        self.me
    }

    fn export(
        &self,
        number: u64,
        make: &mut dyn FnMut() -> Option<Arc<dyn Exported>>,
    ) -> Result<bool, TooManyExported> {
        self.exports.add(number, make)
    }

    fn exported(&self, number: u64) -> Option<Arc<dyn Exported>> {
        self.exports.get(number)
    }

    fn route(self: Arc<Self>, address: Address) -> Arc<dyn Route> {
        let key = (address.node, address.number);
        if let Some(channel) = self.channel(key.0, key.1) {
            return channel;
        }
        let new = Arc::new(Channel::new(Arc::clone(&self), address));
        let mut channels = self.channels.write();
        let place = channels.entry(key).or_default();
        let faster = place.upgrade();
        if faster.is_none() {
            *place = Arc::downgrade(&new);
        }
        // Before one of them is dropped, which looks at the table.
        drop(channels);
        faster.unwrap_or(new)
    }

    fn entities(&self) -> Option<Arc<dyn Entities>> {
        self.entities.get().cloned()
    }

    fn ended(&self, number: u64, reason: &StopReason) {
        // In this order: whoever adds a link looks afterwards whether the actor can be called still.
        let watching = self.exports.ended(number, reason);
        for peer in watching.union(&self.linked.ours_ended(number)).copied() {
            self.word(peer, &Word::Ended { number, reason: Reason::from(reason) });
        }
    }

    fn link(&self, ours: Address, theirs: &Address) -> Result<(), TooManyLinks> {
        self.myself.upgrade().map_or(Ok(()), |hub| linked::link(&hub, ours, theirs))
    }

    fn unlink(&self, number: u64, from: &Address) {
        linked::unlink(self, Ends { node: from.node, theirs: from.number, ours: number });
    }

    fn taken(&self, from: NodeKey, number: u64, sequence: u64) {
        self.word(from, &Word::Taken { number, sequence });
    }

    fn outflow(&self, to: NodeKey, ask: u64, items: Outflow) -> Result<u64, TooManyStreams> {
        self.streams.add(to, ask, items)
    }

    fn inflow(&self, from: NodeKey, stream: u64, to: mpsc::Sender<Flowing>) {
        // Entered before it is asked for: from then on a link that breaks tells. Without a link, nothing would.
        self.streams.expect(from, stream, to);
        if !self.links.is_linked(from) {
            self.streams.forget(from, stream);
        }
    }

    fn pull(&self, from: NodeKey, stream: u64, items: u32) {
        self.word(from, &Word::Pull { stream, items });
    }

    fn abandon(&self, from: NodeKey, stream: u64) {
        self.streams.forget(from, stream);
        self.word(from, &Word::Abandon { stream });
    }
}
