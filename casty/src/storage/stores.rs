//! Where the groups of one node keep what they keep.

use std::io;
use std::sync::Arc;

use super::{LogStore, MemoryLog, MemoryState, StateStore};
use crate::base::GroupId;

/// The stores of one node, by group.
pub trait Stores: Send + Sync + 'static {
    /// The log and the vote of a group: what was stored before, or empty.
    fn log(&self, group: GroupId) -> io::Result<Arc<dyn LogStore>>;

    /// The table of a group, as its last durable snapshot has it. What an earlier table of the group was given since is
    /// lost, and may not be used any more. It may read a disk, and wait for what is queued.
    fn state(&self, group: GroupId) -> io::Result<Box<dyn StateStore>>;
}

/// Everything in memory: it lives as long as the process.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryStores;

impl Stores for MemoryStores {
    fn log(&self, _group: GroupId) -> io::Result<Arc<dyn LogStore>> {
        Ok(Arc::new(MemoryLog::new()))
    }

    fn state(&self, _group: GroupId) -> io::Result<Box<dyn StateStore>> {
        Ok(Box::new(MemoryState::default()))
    }
}
