//! How much of the file is kept in memory.

/// How a node's file is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskSettings {
    /// The most bytes of the file that are kept in memory, over all groups: 64 MiB. Rows that are read often are best
    /// among them; all others come from the disk.
    pub cache_bytes: usize,
}

impl Default for DiskSettings {
    fn default() -> Self {
        Self { cache_bytes: 64 << 20 }
    }
}
