//! Messages that an actor puts aside until it is ready for them.

use std::any::type_name;
use std::collections::VecDeque;

use super::Actor;

/// What one actor has put aside.
pub(super) struct Stash<A: Actor> {
    /// The types of messages that are put aside at present.
    types: Vec<&'static str>,
    kept: VecDeque<A::Msg>,
    /// Taken back, to be handled before anything else; the last is the next.
    ready: Vec<A::Msg>,
}

impl<A: Actor> Default for Stash<A> {
    fn default() -> Self {
        Self { types: Vec::new(), kept: VecDeque::new(), ready: Vec::new() }
    }
}

impl<A: Actor> Stash<A> {
    /// Messages of type `M` are put aside from now on.
    pub(super) fn begin<M>(&mut self) {
        if !self.types.contains(&type_name::<M>()) {
            self.types.push(type_name::<M>());
        }
    }

    /// Nothing is put aside any more, and what was is handled next, in its order.
    pub(super) fn end(&mut self) {
        self.types.clear();
        self.ready.extend(self.kept.drain(..).rev());
    }

    /// Where the next message is: here, or in the batch.
    pub(super) fn source<'a>(&'a mut self, batch: &'a mut Vec<A::Msg>) -> &'a mut Vec<A::Msg> {
        if self.ready.is_empty() { batch } else { &mut self.ready }
    }

    /// Puts the message aside if it is to be, or hands it back.
    pub(super) fn sift(&mut self, msg: A::Msg) -> Option<A::Msg> {
        if self.types.is_empty() || !self.types.contains(&A::message_name(&msg)) {
            return Some(msg);
        }
        self.kept.push_back(msg);
        None
    }

    /// How many messages were put aside.
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    /// The message that was put aside last.
    pub(super) fn give_up(&mut self) -> Option<A::Msg> {
        self.kept.pop_back()
    }

    /// Puts everything back in front of the batch, whose last is the next.
    pub(super) fn empty_into(&mut self, batch: &mut Vec<A::Msg>) {
        self.end();
        batch.append(&mut self.ready);
    }
}
