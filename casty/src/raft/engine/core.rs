//! The library's handle to the core of a group, and whether the group is closed.

use tokio_util::sync::CancellationToken;

use super::types::Raft;

/// The core of a group.
///
/// A call that finds the core ended waits for the first call that found it so, and panics if that one is dropped before it
/// knows why. So nothing that this node asks of a core is polled once the group is closed.
#[derive(Clone)]
pub(super) struct Core {
    pub(super) raft: Raft,
    closed: CancellationToken,
}

impl Core {
    pub(super) fn new(raft: Raft) -> Self {
        Self { raft, closed: CancellationToken::new() }
    }

    /// Ends all calls.
    pub(super) fn close(&self) {
        self.closed.cancel();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.is_cancelled()
    }

    /// What a call returns; `None` once the group is closed.
    pub(super) async fn unless_closed<T>(&self, call: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.closed.cancelled() => None,
            result = call => Some(result),
        }
    }
}
