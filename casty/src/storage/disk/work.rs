//! What is handed to the writer.

use bytes::Bytes;

use crate::base::GroupId;
use crate::storage::{Flushed, LogEntry, LogPosition, StoredSnapshot, Vote};

/// One change of the file.
pub(super) enum Work {
    Append(GroupId, Vec<LogEntry>),
    /// Removes the entries behind this index; all for `None`.
    Truncate(GroupId, Option<u64>),
    Purge(GroupId, LogPosition),
    Vote(GroupId, Vote),
    Snapshot(GroupId, StoredSnapshot),
    /// Removes all of a group but its vote.
    Forget(GroupId),
    /// Removes all but whose file it is.
    Clear,
    /// The node's own record.
    Record(Bytes),
    /// Nothing: whoever waits for it waits for what came before.
    Barrier,
}

/// A change, and who waits for it.
pub(super) struct Queued {
    pub(super) work: Work,
    pub(super) done: Option<Flushed>,
}

impl Work {
    /// About what it takes in the file.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Append(_, entries) => entries.iter().map(LogEntry::bytes).sum(),
            Self::Snapshot(_, snapshot) => (snapshot.meta.len() + snapshot.state.len()) as u64,
            Self::Record(record) => record.len() as u64,
            Self::Truncate(..) | Self::Purge(..) | Self::Vote(..) | Self::Forget(..) | Self::Clear | Self::Barrier => 0,
        }
    }
}
