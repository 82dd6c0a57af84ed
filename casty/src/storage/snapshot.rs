//! Snapshots of one group that outlive the process.

use std::io;

use bytes::Bytes;

use super::{Flushed, LogPosition};

/// The state of a group at one place of its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSnapshot {
    /// The last entry that the state comprises.
    pub through: LogPosition,
    /// What the consensus engine has to know of it, encoded by the engine.
    pub meta: Bytes,
    /// The machine's state.
    pub state: Bytes,
}

/// Keeps the last snapshot of one group, beside its [`LogStore`](super::LogStore).
///
/// A log that was purged is worth nothing without the state up to there: the work of the two becomes durable in the
/// order in which it was handed in, so that a snapshot that was saved before a purge is never missing after it.
pub trait SnapshotStore: Send + Sync + 'static {
    /// The snapshot that was saved last. It may read a disk: not for a thread that others wait for.
    fn load(&self) -> io::Result<Option<StoredSnapshot>>;

    /// Replaces the snapshot, whole or not at all. One that ends before the saved one changes nothing, and is done
    /// when that one is durable.
    fn save(&self, snapshot: StoredSnapshot, done: Flushed) -> io::Result<()>;
}
