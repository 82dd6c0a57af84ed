//! Where the groups of one node keep what they keep.

use std::future::{pending, ready};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Flushed, LogStore, MemoryLog, MemoryState, StateStore, StoreError};
use crate::base::GroupId;

/// The stores of one node, by group, and what the node keeps of itself.
///
/// Stores that live as long as the process need the first two methods only: a node that finds no record of itself is a
/// new one.
pub trait Stores: Send + Sync + 'static {
    /// The log and the vote of a group: what was stored before, or empty.
    fn log(&self, group: GroupId) -> io::Result<Arc<dyn LogStore>>;

    /// The table of a group, as its last durable snapshot has it. What an earlier table of the group was given since is
    /// lost, and may not be used any more. It may read a disk, and wait for what is queued.
    fn state(&self, group: GroupId) -> io::Result<Box<dyn StateStore>>;

    /// The groups that have a log, in their order.
    fn groups(&self) -> io::Result<Vec<GroupId>> {
        Ok(Vec::new())
    }

    /// Forgets what is stored of a group that is closed, but for the vote that the node gave in it, and
    /// [where its log ended](LogStore::forgotten).
    fn forget(&self, _group: GroupId, done: Flushed) -> io::Result<()> {
        done(Ok(()));
        Ok(())
    }

    /// Whether there is no room for more at the moment.
    fn is_full(&self) -> bool {
        false
    }

    /// Waits until nothing can be stored or read any more, before they are opened anew, and says why. Without end where that
    /// cannot happen.
    fn failure(&self) -> BoxFuture<'static, io::Error> {
        pending().boxed()
    }

    /// What the node last saved of itself: bytes that a store does not look into.
    fn record(&self) -> io::Result<Option<Bytes>> {
        Ok(None)
    }

    /// Copies everything, as it is at one moment, to a folder that has no copy yet, while it is written on.
    fn back_up(&self, _folder: PathBuf) -> BoxFuture<'static, Result<(), BackupError>> {
        ready(Err(BackupError::InMemory)).boxed()
    }

    /// Whether something that an earlier process had stored was found to be of no use when this was opened, so that there
    /// is nothing. Who knows that keeps it in its record.
    fn has_lost(&self) -> bool {
        false
    }

    /// Replaces what the node keeps of itself.
    fn save_record(&self, _record: Bytes, done: Flushed) -> io::Result<()> {
        done(Ok(()));
        Ok(())
    }

    /// Forgets everything: the node begins anew. No group is open.
    fn clear(&self, done: Flushed) -> io::Result<()> {
        done(Ok(()));
        Ok(())
    }

    /// Writes what is queued, and lets go of what the stores stand on: every call fails from here on. Whoever waits knows
    /// when it is done.
    fn close(&self) -> BoxFuture<'static, ()> {
        ready(()).boxed()
    }
}

/// What a node keeps could not be copied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// There is no file.
    #[error("there is nothing to copy: the node keeps its state in memory; give it a `data_dir`")]
    InMemory,
    /// The file could not be read, or the copy not be written.
    #[error("the backup failed: {0}")]
    Store(#[from] StoreError),
    /// The node has stopped, or its disk failed before.
    #[error("the backup failed: {0}")]
    Io(#[from] io::Error),
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
