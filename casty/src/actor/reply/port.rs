//! The handler's end of a request.

use std::sync::Arc;

use super::sink::{ReplySink, SinkPort};
use super::slot::SlotPort;
use super::wire_slot::{ReplySlot, WireSlot};
use crate::actor::WireReply;
use crate::actor::remote::Sender;

/// Where the reply to one message goes. It lies in the mailbox, with the message.
///
/// Dropped unanswered, it tells the asker at once that the handler panicked or that the actor stopped.
pub struct Port<R: Send + 'static>(Kind<R>);

enum Kind<R: Send + 'static> {
    /// Nobody asked.
    None,
    /// An asker in this process.
    Slot(SlotPort<R>),
    /// An asker elsewhere, who gets bytes.
    Sink(Box<SinkPort<R>>),
    /// One of the others, and who sent the message.
    From(Box<(Kind<R>, Sender)>),
}

impl<R: Send + 'static> Port<R> {
    /// The port of a message that nobody wants a reply to.
    pub const fn none() -> Self {
        Self(Kind::None)
    }

    pub(super) fn slot(slot: SlotPort<R>) -> Self {
        Self(Kind::Slot(slot))
    }

    /// Answers.
    #[inline]
    pub fn reply(self, reply: R) {
        match self.0 {
            Kind::None => {}
            Kind::Slot(slot) => slot.reply(reply),
            Kind::Sink(sink) => sink.reply(&reply),
            Kind::From(from) => Self(from.0).reply(reply),
        }
    }

    /// Adds who sent the message.
    pub(crate) fn with_sender(self, sender: Option<Sender>) -> Self {
        match sender {
            Some(sender) => Self(Kind::From(Box::new((self.0, sender)))),
            None => self,
        }
    }

    /// Takes out who sent the message.
    #[inline]
    pub(crate) fn split_sender(self) -> (Self, Option<Sender>) {
        match self.0 {
            Kind::From(from) => (Self(from.0), Some(from.1)),
            kind => (Self(kind), None),
        }
    }
}

impl<R: WireReply> Port<R> {
    /// A port whose reply goes, encoded, into `sink`.
    pub fn into_sink(sink: Arc<dyn ReplySink>) -> Self {
        Self(Kind::Sink(Box::new(SinkPort::new(sink))))
    }

    /// The place where the reply is waited for, without its type, to be answered with bytes. `None` if nobody waits in
    /// this process.
    pub fn into_slot(self) -> Option<Arc<dyn ReplySlot>> {
        match self.0 {
            Kind::Slot(slot) => Some(Arc::new(WireSlot::new(slot))),
            Kind::From(from) => Self(from.0).into_slot(),
            Kind::None | Kind::Sink(_) => None,
        }
    }
}
