//! A machine that remembers all it did.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio::sync::watch;

use crate::base::BoxError;
use crate::codec;
use crate::raft::Machine;

/// What a machine applied, seen from outside.
#[derive(Clone)]
pub(super) struct Record {
    applied: Arc<Mutex<Vec<(u64, Bytes)>>>,
    count: watch::Receiver<usize>,
}

/// A machine whose state is the list of its commands with their indexes.
pub(super) struct Recorder {
    applied: Arc<Mutex<Vec<(u64, Bytes)>>>,
    count: watch::Sender<usize>,
    /// Refuse snapshots.
    pub(super) refuse: bool,
}

impl Recorder {
    pub(super) fn new() -> (Self, Record) {
        let (count, counted) = watch::channel(0);
        let applied = Arc::new(Mutex::new(Vec::new()));
        (Self { applied: applied.clone(), count, refuse: false }, Record { applied, count: counted })
    }
}

impl Record {
    pub(super) fn all(&self) -> Vec<(u64, Bytes)> {
        self.applied.lock().unwrap().clone()
    }

    pub(super) fn commands(&self) -> Vec<Bytes> {
        self.all().into_iter().map(|(_, command)| command).collect()
    }

    /// Waits until so many commands were applied.
    pub(super) async fn reached(&self, count: usize) {
        super::cluster::soon("a replica applies", self.count.clone().wait_for(|now| *now >= count)).await.unwrap();
    }
}

impl Machine for Recorder {
    fn apply(&mut self, index: u64, command: &Bytes) -> Bytes {
        let mut applied = self.applied.lock().unwrap();
        assert!(applied.last().is_none_or(|(last, _)| *last < index), "{index} comes once and in order");
        applied.push((index, command.clone()));
        self.count.send_replace(applied.len());
        Bytes::from(applied.len().to_string())
    }

    fn snapshot(&self) -> Result<Bytes, BoxError> {
        Ok(codec::encode(&*self.applied.lock().unwrap())?.into())
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), BoxError> {
        if self.refuse {
            return Err("this machine takes no snapshots".into());
        }
        let restored: Vec<(u64, Bytes)> = codec::decode(snapshot)?;
        self.count.send_replace(restored.len());
        *self.applied.lock().unwrap() = restored;
        Ok(())
    }
}
