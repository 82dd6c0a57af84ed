//! What is open between this host and one peer.

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{mpsc, oneshot};

use super::types::{AppendRequest, AppendResult};
use super::wire::Response;
use crate::base::{GroupId, StableMap};

/// Appends of one session that wait for their replies. It bounds the queues at both ends of a session: the leader
/// sends no more, so neither the follower's queue of appends nor the leader's of replies can grow beyond it.
pub(super) const IN_FLIGHT_MAX: usize = 64;

/// Sessions that one peer may have open here: some for each group it leads.
pub(super) const SERVED_MAX: usize = 4_096;

/// A reply with the number of its append.
pub(super) type Reply = (u64, AppendResult);

/// What is open between this host and one peer. All of it ends when the connection breaks.
#[derive(Default)]
pub(super) struct Peer {
    open: Mutex<Open>,
}

#[derive(Default)]
pub(super) struct Open {
    /// Sessions from here to the peer, by their ids. At most a few for each group led here.
    pub(super) sessions: StableMap<u64, mpsc::Sender<Reply>>,
    /// Requests to the peer without an answer. The library makes at most a few at a time for each group.
    pub(super) asks: StableMap<u64, oneshot::Sender<Response>>,
    /// Sessions from the peer to here, at most [`SERVED_MAX`].
    pub(super) served: StableMap<u64, Served>,
}

/// The follower's end of a session.
pub(super) struct Served {
    pub(super) group: GroupId,
    /// The number of the next append.
    pub(super) next: u64,
    pub(super) input: mpsc::Sender<AppendRequest>,
}

impl Peer {
    /// What is open. The lock is never held while a task waits.
    pub(super) fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock()
    }

    /// Ends everything. Gives the peer's sessions, for the peer to be told.
    pub(super) fn close(&self) -> Vec<(u64, GroupId)> {
        let open = std::mem::take(&mut *self.open());
        open.served.into_iter().map(|(session, served)| (session, served.group)).collect()
    }
}
