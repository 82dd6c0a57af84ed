//! A machine that remembers all it did.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::base::BoxError;
use crate::codec;
use crate::raft::{Machine, MachineSnapshot};
use crate::storage::StagedRows;

/// What a machine applied, seen from outside.
#[derive(Clone)]
pub(super) struct Record {
    applied: Arc<Mutex<Vec<(u64, Bytes)>>>,
    count: watch::Receiver<usize>,
    restored: Arc<AtomicUsize>,
}

/// A machine whose state is the list of its commands with their indexes.
pub(super) struct Recorder {
    applied: Arc<Mutex<Vec<(u64, Bytes)>>>,
    count: watch::Sender<usize>,
    restored: Arc<AtomicUsize>,
    /// Refuse snapshots.
    pub(super) refuse: bool,
    /// Fail at this command.
    pub(super) fail_at: Option<Bytes>,
}

impl Recorder {
    pub(super) fn new() -> (Self, Record) {
        let (count, counted) = watch::channel(0);
        let (applied, restored) = <(Arc<Mutex<Vec<_>>>, Arc<AtomicUsize>)>::default();
        let machine =
            Self { applied: applied.clone(), count, restored: restored.clone(), refuse: false, fail_at: None };
        (machine, Record { applied, count: counted, restored })
    }
}

impl Record {
    pub(super) fn all(&self) -> Vec<(u64, Bytes)> {
        self.applied.lock().clone()
    }

    pub(super) fn commands(&self) -> Vec<Bytes> {
        self.all().into_iter().map(|(_, command)| command).collect()
    }

    /// How often the machine took a snapshot of another.
    pub(super) fn restored(&self) -> usize {
        self.restored.load(Ordering::SeqCst)
    }

    /// Waits until so many commands were applied.
    pub(super) async fn reached(&self, count: usize) {
        super::cluster::soon("a replica applies", self.count.clone().wait_for(|now| *now >= count)).await.unwrap();
    }
}

impl Machine for Recorder {
    fn apply(&mut self, index: u64, command: &Bytes) -> Result<Bytes, BoxError> {
        if self.fail_at == Some(command.clone()) {
            return Err("the disk is full".into());
        }
        let mut applied = self.applied.lock();
        assert!(applied.last().is_none_or(|(last, _)| *last < index), "{index} comes once and in order");
        applied.push((index, command.clone()));
        self.count.send_replace(applied.len());
        Ok(Bytes::from(applied.len().to_string()))
    }

    fn snapshot(&self) -> Result<MachineSnapshot, BoxError> {
        Ok(codec::encode(&*self.applied.lock())?.into())
    }

    fn restore(&mut self, head: &[u8], _: Option<Box<dyn StagedRows>>) -> Result<(), BoxError> {
        if self.refuse {
            return Err("this machine takes no snapshots".into());
        }
        let restored: Vec<(u64, Bytes)> = codec::decode(head)?;
        let count = restored.len();
        *self.applied.lock() = restored;
        self.restored.fetch_add(1, Ordering::SeqCst);
        self.count.send_replace(count);
        Ok(())
    }
}
