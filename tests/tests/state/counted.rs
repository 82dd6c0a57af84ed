//! How much is logged.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use casty::GroupId;
use casty::storage::{
    Flushed, LogBounds, LogEntry, LogPosition, LogStore, MemoryLog, MemoryStores, Payload, StateStore, Stores, Vote,
};

/// Stores that count the bytes of the commands in all logs of data groups.
#[derive(Clone, Default)]
pub(crate) struct Counted(Arc<AtomicUsize>);

impl Counted {
    /// The bytes until now.
    pub(crate) fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

struct CountedLog {
    log: MemoryLog,
    logged: Arc<AtomicUsize>,
}

impl Stores for Counted {
    fn log(&self, group: GroupId) -> io::Result<Arc<dyn LogStore>> {
        match group {
            GroupId::META => MemoryStores.log(group),
            _ => Ok(Arc::new(CountedLog { log: MemoryLog::new(), logged: self.0.clone() })),
        }
    }

    fn state(&self, group: GroupId) -> io::Result<Box<dyn StateStore>> {
        MemoryStores.state(group)
    }
}

impl LogStore for CountedLog {
    fn bounds(&self) -> io::Result<LogBounds> {
        self.log.bounds()
    }

    fn append(&self, entries: Vec<LogEntry>, done: Flushed) -> io::Result<()> {
        let bytes = |entry: &LogEntry| match &entry.payload {
            Payload::Command(bytes) => bytes.len(),
            Payload::Blank | Payload::Membership(_) => 0,
        };
        self.logged.fetch_add(entries.iter().map(bytes).sum(), Ordering::Relaxed);
        self.log.append(entries, done)
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
        self.log.save_vote(vote, done)
    }

    fn vote(&self) -> io::Result<Option<Vote>> {
        self.log.vote()
    }
}
