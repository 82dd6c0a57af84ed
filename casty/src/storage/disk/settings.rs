//! How a node's file is kept.

use std::time::Duration;

/// How a node's file is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskSettings {
    /// The most bytes of the file that are kept in memory, over all groups: 64 MiB. Rows that are read often are best
    /// among them; all others come from the disk.
    pub cache_bytes: usize,
    /// When what was written is made to outlive the machine: at every commit.
    pub fsync: Fsync,
}

impl Default for DiskSettings {
    fn default() -> Self {
        Self { cache_bytes: 64 << 20, fsync: Fsync::default() }
    }
}

/// When what was written is made to outlive the machine. In any case it has been handed to the system, and outlives the
/// process, before it counts as stored.
///
/// Between syncs a file is no longer what was written in order: if the machine stops, all of it is given up, and the node
/// begins anew, with what the others have. Only an orderly stop of the node, which syncs, or a restart of its process
/// alone leaves the file good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fsync {
    /// Before it counts as stored. What comes together shares a sync.
    #[default]
    EveryCommit,
    /// So long after it was written, so that a machine has little to write when it is told to stop.
    Interval(Duration),
    /// When the system sees fit, and when the node stops in order.
    Never,
}

impl Fsync {
    /// A second after it was written.
    pub const EVERY_SECOND: Self = Self::Interval(Duration::from_secs(1));
}
