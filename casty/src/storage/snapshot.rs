//! Snapshots of one group that outlive the process.

use std::io;

use bytes::Bytes;

use super::{Flushed, FrozenRows, LogPosition, RowReader};

/// The state of a group at one place of its log, but for the rows of its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSnapshot {
    /// The last entry that the state comprises.
    pub through: LogPosition,
    /// What the consensus engine has to know of it, encoded by the engine.
    pub meta: Bytes,
    /// The machine's state, without rows.
    pub head: Bytes,
}

/// Keeps the last snapshot of one group, beside its [`LogStore`](super::LogStore) and its
/// [`StateStore`](super::StateStore).
///
/// A log that was purged is worth nothing without the state up to there, so it may be purged only once a snapshot that
/// comprises it is durable. A snapshot becomes durable after what was handed to the log before it; what is handed in
/// later may overtake it.
pub trait SnapshotStore: Send + Sync + 'static {
    /// The snapshot that was saved last, with the rows that its table had then. Other snapshots may be saved while they
    /// are read. It may read a disk, and wait for what is being written: not for a thread that others wait for.
    fn load(&self) -> io::Result<Option<(StoredSnapshot, Box<dyn RowReader>)>>;

    /// Replaces the snapshot, whole or not at all. The rows are those of the group's table when it was
    /// [frozen](super::StateStore::freeze) last; `None` where the machine has no table. A snapshot that ends before the
    /// saved one changes nothing, and is done when that one is durable.
    fn save(&self, snapshot: StoredSnapshot, rows: Option<FrozenRows>, done: Flushed) -> io::Result<()>;
}
