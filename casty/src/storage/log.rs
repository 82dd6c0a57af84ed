//! The log of one group, in terms that belong to no consensus library.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::SnapshotStore;

/// Where an entry is. Two entries of one log with the same position are the same entry, since a term has one leader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogPosition {
    /// The term of the leader that appended the entry.
    pub term: u64,
    /// The place in the log. The first entry has index 0.
    pub index: u64,
}

/// One entry of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Where the entry is.
    pub at: LogPosition,
    /// What it says.
    pub payload: Payload,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Nothing: a new leader appends it in order to commit what came before.
    Blank,
    /// A command for the group's machine.
    Command(Bytes),
    /// The voters and learners of the group from here on, encoded by the consensus engine.
    Membership(Bytes),
}

impl LogEntry {
    /// What the entry costs in a store: its payload and a little for its position.
    pub fn bytes(&self) -> u64 {
        let payload = match &self.payload {
            Payload::Blank => 0,
            Payload::Command(bytes) | Payload::Membership(bytes) => bytes.len(),
        };
        payload as u64 + 32
    }
}

/// Whom this node has voted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vote {
    /// The term of the vote.
    pub term: u64,
    /// The raw key of the node that the vote is for.
    pub node: u64,
    /// A quorum gave the same vote, so the node leads the term.
    pub committed: bool,
}

/// The ends of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogBounds {
    /// The last entry that was purged, behind a snapshot.
    pub purged: Option<LogPosition>,
    /// The last entry, or `purged` when nothing follows it.
    pub last: Option<LogPosition>,
}

/// Called once when what was handed in is as durable as the store makes it, or could not be made so.
pub type Flushed = Box<dyn FnOnce(io::Result<()>) + Send>;

/// The log and the vote of one group.
///
/// Calls come from one writer, in order; reads come from several tasks at once. No call blocks on a disk: a store
/// that needs one takes the work over, serves reads from what it took, and calls [`Flushed`] when it is done.
/// The work of later calls may not become durable before that of earlier ones. An error means that the store can no
/// longer be trusted; the group stops.
pub trait LogStore: Send + Sync + 'static {
    /// The ends of the log.
    fn bounds(&self) -> io::Result<LogBounds>;

    /// Appends entries whose indexes follow [`LogBounds::last`] without a hole; a hole is refused with
    /// [`io::ErrorKind::InvalidInput`]. When this returns, the entries can be read.
    fn append(&self, entries: Vec<LogEntry>, done: Flushed) -> io::Result<()>;

    /// The stored entries with an index in `range`, in order. It stops after the entry with which `bytes_max` is
    /// reached, but gives at least one entry if there is one.
    fn read(&self, range: Range<u64>, bytes_max: u64) -> io::Result<Vec<LogEntry>>;

    /// Removes all entries behind `index`; all entries for `None`.
    fn truncate_after(&self, index: Option<u64>) -> io::Result<()>;

    /// Forgets all entries up to and including `through`. It may lie behind the last entry: a snapshot took the place
    /// of entries that never came, and the next entry has the index that follows it.
    fn purge(&self, through: LogPosition) -> io::Result<()>;

    /// Replaces the vote.
    fn save_vote(&self, vote: Vote, done: Flushed) -> io::Result<()>;

    /// The last saved vote.
    fn vote(&self) -> io::Result<Option<Vote>>;

    /// Where the log of the group ended that was [forgotten](super::Stores::forget) here. Who acknowledged an entry votes for nobody
    /// who lacks it, whether or not it still has it.
    fn forgotten(&self) -> io::Result<Option<LogPosition>> {
        Ok(None)
    }

    /// Whether there is no room for more at the moment. What is handed in all the same becomes durable when there is.
    fn is_full(&self) -> bool {
        false
    }

    /// Where snapshots of the group are kept. `None`: the log lives no longer than the state of its machine, so none
    /// need be, and to compact the log makes no bytes.
    fn snapshots(&self) -> Option<Arc<dyn SnapshotStore>> {
        None
    }
}

/// Hands work to a store and waits until it is durable.
pub(crate) async fn durably(begin: impl FnOnce(Flushed) -> io::Result<()>) -> io::Result<()> {
    let (tell, told) = oneshot::channel();
    begin(Box::new(move |result| drop(tell.send(result))))?;
    told.await.map_err(|_| io::Error::other("the store dropped what it was to save"))?
}
