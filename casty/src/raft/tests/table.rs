//! A machine with a table.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;

use crate::base::{BoxError, GroupId};
use crate::raft::{Machine, MachineSnapshot};
use crate::storage::{
    Change, FrozenRows, LogStore, MemoryState, MemoryStores, RowBatch, RowReader, StagedRows, StateStore, Stores,
};

/// The bytes of a row.
pub(super) const ROW_BYTES: usize = 40_000;

/// A machine whose commands are the keys of rows, and whose head is how many it has applied.
pub(super) struct Shelf {
    rows: Arc<dyn StateStore>,
    applied: watch::Sender<u64>,
}

/// What a [`Shelf`] has, seen from outside.
#[derive(Clone)]
pub(super) struct Seen {
    rows: Arc<dyn StateStore>,
    applied: watch::Receiver<u64>,
}

impl Shelf {
    pub(super) fn new(rows: Box<dyn StateStore>) -> (Self, Seen) {
        let (rows, (applied, seen)) = (Arc::from(rows), watch::channel(0));
        (Self { rows: Arc::clone(&rows), applied }, Seen { rows, applied: seen })
    }
}

impl Seen {
    /// How many commands were applied.
    pub(super) fn count(&self) -> u64 {
        *self.applied.borrow()
    }

    /// Waits until so many commands were applied.
    pub(super) async fn reached(&self, count: u64) {
        super::cluster::soon("a replica applies", self.applied.clone().wait_for(|now| *now >= count)).await.unwrap();
    }

    /// Whether each key has its row.
    pub(super) fn has(&self, keys: impl IntoIterator<Item = Bytes>) -> bool {
        keys.into_iter().all(|key| self.rows.get(&key).unwrap().as_deref() == Some(&*value(&key)))
    }
}

/// Stores in memory, of whose tables the first that is read cannot be read to its end. It is counted.
pub(super) struct FailingStores(pub(super) watch::Sender<u32>);

struct FailingState(MemoryState, watch::Sender<u32>);

struct FailingReader {
    rows: Box<dyn RowReader>,
    reads: u32,
    failed: watch::Sender<u32>,
}

impl Stores for FailingStores {
    fn log(&self, group: GroupId) -> io::Result<Arc<dyn LogStore>> {
        MemoryStores.log(group)
    }

    fn state(&self, _: GroupId) -> io::Result<Box<dyn StateStore>> {
        Ok(Box::new(FailingState(MemoryState::new(), self.0.clone())))
    }
}

impl StateStore for FailingState {
    fn get(&self, key: &[u8]) -> io::Result<Option<Bytes>> {
        self.0.get(key)
    }

    fn write(&self, batch: &[Change<'_>]) -> io::Result<()> {
        self.0.write(batch)
    }

    fn freeze(&self) -> io::Result<FrozenRows> {
        let FrozenRows::Here(rows) = self.0.freeze()? else { return Err(io::ErrorKind::Unsupported.into()) };
        Ok(FrozenRows::Here(Box::new(FailingReader { rows, reads: 0, failed: self.1.clone() })))
    }

    fn stage(&self) -> io::Result<Box<dyn StagedRows>> {
        self.0.stage()
    }
}

impl RowReader for FailingReader {
    fn read(&mut self, bytes_max: usize) -> io::Result<RowBatch> {
        self.reads += 1;
        if self.reads == 2 && self.failed.send_if_modified(|failed| std::mem::replace(failed, 1) == 0) {
            return Err(io::Error::other("it cannot be read now"));
        }
        self.rows.read(bytes_max)
    }
}

/// What a key's row holds.
fn value(key: &[u8]) -> Vec<u8> {
    key.iter().copied().cycle().take(ROW_BYTES).collect()
}

impl Machine for Shelf {
    fn apply(&mut self, _: u64, command: &Bytes) -> Result<Bytes, BoxError> {
        self.rows.write(&[Change::Put(command, &value(command))])?;
        self.applied.send_modify(|applied| *applied += 1);
        Ok(Bytes::new())
    }

    fn snapshot(&self) -> Result<MachineSnapshot, BoxError> {
        let head = self.applied.borrow().to_le_bytes().to_vec();
        Ok(MachineSnapshot { head: head.into(), rows: Some(self.rows.freeze()?) })
    }

    fn stage(&self) -> Result<Option<Box<dyn StagedRows>>, BoxError> {
        Ok(Some(self.rows.stage()?))
    }

    fn restore(&mut self, head: &[u8], rows: Option<Box<dyn StagedRows>>) -> Result<(), BoxError> {
        let applied = u64::from_le_bytes(head.try_into()?);
        if let Some(rows) = rows {
            rows.adopt()?;
        }
        self.applied.send_replace(applied);
        Ok(())
    }

    fn unsaved_bytes(&self) -> u64 {
        self.rows.unsaved_bytes()
    }
}
