//! An asker's slot without its type: for a router that answers it with bytes from another node.

use std::panic::{AssertUnwindSafe, catch_unwind};

use parking_lot::Mutex;
use tokio::time::Instant;

use super::slot::SlotPort;
use crate::actor::error::AskFailure;
use crate::actor::{Failure, WireReply};

/// The place where one reply is waited for. It is answered once; what comes later is ignored.
///
/// When the last reference is dropped unanswered, the ask ends with `Stopped`.
pub trait ReplySlot: Send + Sync {
    /// Answers with an encoded reply. Bytes that do not decode, or whose decoder panics, end the ask with `Unknown`.
    fn complete(&self, bytes: &[u8]);

    /// Ends the ask without a reply.
    fn fail(&self, failure: AskFailure);

    /// When the asker gives up, exact to the sweeper's interval of 10 ms; `None` if nobody waits.
    fn deadline(&self) -> Option<Instant>;

    /// Whether nobody waits any more: the asker has left, or was answered.
    fn is_abandoned(&self) -> bool;
}

/// The actor's side of a slot, until it is answered.
pub(super) struct WireSlot<R: WireReply>(Mutex<Option<SlotPort<R>>>);

impl<R: WireReply> WireSlot<R> {
    pub(super) fn new(port: SlotPort<R>) -> Self {
        Self(Mutex::new(Some(port)))
    }

    fn take(&self) -> Option<SlotPort<R>> {
        self.0.lock().take()
    }
}

impl<R: WireReply> ReplySlot for WireSlot<R> {
    fn complete(&self, bytes: &[u8]) {
        let Some(port) = self.take() else { return };
        // `Deserialize` is the user's code, and whoever brings replies has more of them to bring.
        let unread = match catch_unwind(AssertUnwindSafe(|| R::decode(bytes))) {
            Ok(Ok(reply)) => return port.reply(reply),
            Ok(Err(error)) => format!("the reply cannot be read: {error}"),
            Err(panic) => format!("the reply panicked while it was read: {}", Failure::from_panic(panic).reason),
        };
        port.fail(AskFailure::Unknown { reason: unread });
    }

    fn fail(&self, failure: AskFailure) {
        if let Some(port) = self.take() {
            port.fail(failure);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.0.lock().as_ref()?.deadline()
    }

    fn is_abandoned(&self) -> bool {
        self.0.lock().as_ref().is_none_or(SlotPort::is_abandoned)
    }
}
