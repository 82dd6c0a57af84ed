//! What is handed to the writer.

use bytes::Bytes;

use super::rows::Generation;
use super::state::UnsavedRows;
use crate::base::GroupId;
use crate::storage::{Flushed, LogEntry, LogPosition, RowBatch, StoredSnapshot, Vote};

/// One change of the file.
pub(super) enum Work {
    Append(GroupId, Vec<LogEntry>),
    /// Removes the entries behind this index; all for `None`.
    Truncate(GroupId, Option<u64>),
    Purge(GroupId, LogPosition),
    Vote(GroupId, Vote),
    /// Removes all of a group but its vote, and where its log ended.
    Forget(GroupId),
    /// Removes all but whose file it is.
    Clear,
    /// The node's own record.
    Record(Bytes),
    Checkpoint(Checkpoint),
    /// Some rows of a generation that is filled.
    Stage(Generation, RowBatch),
    /// Removes a generation, in several transactions.
    Sweep(Generation),
    /// Nothing: whoever waits for it waits for the logs and snapshots that came before.
    Barrier,
}

/// Work that becomes durable in the order in which it is handed in. That of another lane may be earlier or later, but for this:
/// what is urgent is no later than what is handed in after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// Groups wait for it.
    Urgent,
    Snapshots,
    /// Rows that are no group's: not yet, or not any more.
    Rows,
}

/// A snapshot takes the place of the last one.
pub(super) struct Checkpoint {
    pub(super) group: GroupId,
    pub(super) snapshot: StoredSnapshot,
    /// What has changed in the table of the group, if it has one.
    pub(super) rows: Option<UnsavedRows>,
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
            Self::Record(record) => record.len() as u64,
            Self::Checkpoint(checkpoint) => checkpoint.bytes(),
            Self::Stage(_, rows) => rows.bytes().len() as u64,
            Self::Sweep(_) => super::rows::SWEEP_BYTES as u64,
            Self::Truncate(..) | Self::Purge(..) | Self::Vote(..) | Self::Forget(..) | Self::Clear | Self::Barrier => 0,
        }
    }

    /// What it waits behind.
    pub(super) fn lane(&self) -> Lane {
        match self {
            Self::Append(..) | Self::Truncate(..) | Self::Purge(..) | Self::Vote(..) | Self::Record(_) => Lane::Urgent,
            Self::Checkpoint(_) | Self::Barrier => Lane::Snapshots,
            // They remove what came before them of logs and snapshots.
            Self::Forget(_) | Self::Clear => Lane::Snapshots,
            Self::Stage(..) | Self::Sweep(_) => Lane::Rows,
        }
    }
}

impl Checkpoint {
    fn bytes(&self) -> u64 {
        let layers = self.rows.iter().flat_map(|rows| &rows.layers).flat_map(|layer| layer.iter());
        let rows: usize = layers.map(|(key, value)| key.len() + value.as_ref().map_or(0, Bytes::len)).sum();
        (self.snapshot.meta.len() + self.snapshot.head.len() + rows) as u64
    }
}
