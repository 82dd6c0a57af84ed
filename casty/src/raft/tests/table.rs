//! A machine with a table.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;

use crate::base::BoxError;
use crate::raft::{Machine, MachineSnapshot};
use crate::storage::{Change, StagedRows, StateStore};

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
