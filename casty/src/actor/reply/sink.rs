//! Replies that leave as bytes.

use std::sync::Arc;

use super::unanswered::{Unanswered, unanswered};
use crate::actor::WireReply;
use crate::actor::remote::{Exchange, Leaving};
use crate::base::NodeKey;
use crate::codec::{EncodeError, buffer};

/// Takes the encoded reply to one message.
pub trait ReplySink: Send + Sync {
    /// Called once for every port made of it.
    fn complete(&self, reply: SinkReply);

    /// The node and the number of its ask, if the reply goes to one: streams may follow it there.
    fn destination(&self) -> Option<(Arc<dyn Exchange>, NodeKey, u64)> {
        None
    }
}

/// What became of a message that bytes from elsewhere brought.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SinkReply {
    /// The encoded reply.
    Value(Vec<u8>),
    /// The handler panicked, or its reply could not be encoded.
    Failed,
    /// The actor stopped before it replied.
    Stopped,
    /// There was no room for the message: it was not handled.
    Displaced,
}

/// A port that encodes. It keeps how, so that [`Port`](super::Port) itself asks nothing of its reply.
pub(super) struct SinkPort<R> {
    sink: Option<Arc<dyn ReplySink>>,
    encode: fn(&R, &mut Vec<u8>) -> Result<(), EncodeError>,
}

impl<R: WireReply> SinkPort<R> {
    pub(super) fn new(sink: Arc<dyn ReplySink>) -> Self {
        Self { sink: Some(sink), encode: R::encode }
    }
}

impl<R> SinkPort<R> {
    pub(super) fn reply(mut self, reply: &R) {
        let Some(sink) = self.sink.take() else { return };
        let mut bytes = buffer();
        let leaving = Leaving::new(sink.destination());
        let encoded = (self.encode)(reply, &mut bytes);
        drop(leaving);
        match encoded {
            Ok(()) => sink.complete(SinkReply::Value(bytes)),
            Err(error) => {
                tracing::error!(%error, "a handler's reply cannot leave this node; its asker is told that it failed");
                sink.complete(SinkReply::Failed);
            }
        }
    }
}

impl<R> Drop for SinkPort<R> {
    fn drop(&mut self) {
        if let Some(sink) = self.sink.take() {
            sink.complete(match unanswered() {
                Unanswered::Failed => SinkReply::Failed,
                Unanswered::Stopped => SinkReply::Stopped,
                Unanswered::Displaced => SinkReply::Displaced,
            });
        }
    }
}
