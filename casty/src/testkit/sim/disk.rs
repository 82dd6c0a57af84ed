//! What a node keeps, on a disk that can be slow.
//!
//! Without disks, logs are in memory, as those of a node without a `data_dir`: a crash forgets them. With disks, a node
//! has the store that it has in production, on a [disk in memory](SimulatedDisk).

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

use crate::base::GroupId;
use crate::storage::{
    DiskStores, Flushed, LogBounds, LogEntry, LogPosition, LogStore, MemoryLog, MemoryState, SimulatedDisk, StateStore,
    Stores, Vote,
};

/// Where one process keeps what it keeps.
#[derive(Clone)]
pub(super) enum Disk {
    /// In memory.
    Forgetful(Arc<SimDisk>),
    /// On a disk that the next process finds.
    Lasting(Arc<DiskStores>, SimulatedDisk),
}

impl Disk {
    pub(super) fn stores(&self) -> Arc<dyn Stores> {
        match self {
            Self::Forgetful(disk) => disk.clone(),
            Self::Lasting(stores, _) => stores.clone(),
        }
    }

    /// From now on each flush takes so long.
    pub(super) fn set_delay(&self, delay: Duration) {
        match self {
            Self::Forgetful(disk) => disk.set_delay(delay),
            Self::Lasting(_, disk) => disk.set_delay(delay),
        }
    }

    /// It takes no write and no sync any more. In memory nothing can fail.
    pub(super) fn fail(&self) {
        if let Self::Lasting(_, disk) = self {
            disk.fail();
        }
    }

    /// Whether it can be used no more.
    pub(super) fn has_failed(&self) -> bool {
        matches!(self, Self::Lasting(_, disk) if disk.has_failed())
    }

    /// The log of a group that the process has opened.
    pub(super) fn log_of(&self, group: GroupId) -> Option<Arc<dyn LogStore>> {
        match self {
            Self::Forgetful(disk) => disk.log_of(group).map(|log| log as Arc<dyn LogStore>),
            Self::Lasting(stores, _) => stores.log(group).ok(),
        }
    }
}

/// The logs of one life of a node in memory.
#[derive(Default)]
pub(super) struct SimDisk {
    logs: Mutex<BTreeMap<GroupId, Arc<SimLog>>>,
    /// How long a flush takes.
    delay: Arc<Mutex<Duration>>,
}

impl SimDisk {
    /// From now on each flush takes so long.
    fn set_delay(&self, delay: Duration) {
        *self.delay.lock() = delay;
    }

    /// The log of a group, if the node has opened one: the last one, where it left the group and came back.
    fn log_of(&self, group: GroupId) -> Option<Arc<SimLog>> {
        self.logs.lock().get(&group).cloned()
    }
}

impl Stores for SimDisk {
    fn log(&self, group: GroupId) -> io::Result<Arc<dyn LogStore>> {
        let new = || Arc::new(SimLog { log: MemoryLog::new(), delay: self.delay.clone(), last: Mutex::default() });
        let log = new();
        self.logs.lock().insert(group, log.clone());
        Ok(log)
    }

    fn state(&self, _group: GroupId) -> io::Result<Box<dyn StateStore>> {
        Ok(Box::new(MemoryState::default()))
    }
}

/// A log whose flushes take time. What was appended can be read at once, as the trait wants it.
pub(super) struct SimLog {
    log: MemoryLog,
    delay: Arc<Mutex<Duration>>,
    /// When the last flush ends: none ends before one that began earlier.
    last: Mutex<Option<Instant>>,
}

impl SimLog {
    fn flush(&self, done: Flushed) {
        let (now, delay, mut last) = (Instant::now(), *self.delay.lock(), self.last.lock());
        let busy = last.filter(|last| *last > now);
        if delay.is_zero() && busy.is_none() {
            drop(last);
            return done(Ok(()));
        }
        let after = busy.map_or(now, |last| last + Duration::from_millis(1));
        let due = after.max(now + delay);
        *last = Some(due);
        tokio::spawn(async move {
            sleep_until(due).await;
            done(Ok(()));
        });
    }
}

impl LogStore for SimLog {
    fn bounds(&self) -> io::Result<LogBounds> {
        self.log.bounds()
    }

    fn append(&self, entries: Vec<LogEntry>, done: Flushed) -> io::Result<()> {
        self.log.append(entries, Box::new(|_| {}))?;
        self.flush(done);
        Ok(())
    }

    fn read(&self, range: Range<u64>, bytes_max: u64) -> io::Result<Vec<LogEntry>> {
        self.log.read(range, bytes_max)
    }

    fn truncate_after(&self, index: Option<u64>) -> io::Result<()> {
        self.log.truncate_after(index)
    }

    fn purge(&self, through: LogPosition) -> io::Result<()> {
        self.log.purge(through)
    }

    fn save_vote(&self, vote: Vote, done: Flushed) -> io::Result<()> {
        self.log.save_vote(vote, Box::new(|_| {}))?;
        self.flush(done);
        Ok(())
    }

    fn vote(&self) -> io::Result<Option<Vote>> {
        self.log.vote()
    }
}
