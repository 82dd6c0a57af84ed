//! The log of one group on the disk.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use super::snapshots::DiskSnapshots;
use super::state::DiskState;
use super::tables;
use super::work::Work;
use super::writer::Writer;
use crate::base::GroupId;
use crate::storage::{Flushed, LogBounds, LogEntry, LogPosition, LogStore, MemoryLog, SnapshotStore, Vote};

/// A log that is whole in memory, where it is read, and written behind by the node's writer. So nobody waits for a disk
/// to read what was appended a moment ago; the purging of the group bounds it.
pub(super) struct DiskLog {
    group: GroupId,
    memory: MemoryLog,
    writer: Arc<Writer>,
    snapshots: Arc<DiskSnapshots>,
}

impl DiskLog {
    /// What the file has of a group.
    pub(super) fn load(group: GroupId, writer: Arc<Writer>) -> io::Result<Self> {
        let stored = writer.read(|read| tables::read_log(read, group))?;
        let memory = MemoryLog::filled(stored.purged, stored.entries, stored.vote, stored.forgotten);
        let snapshots = Arc::new(DiskSnapshots::load(group, writer.clone())?);
        Ok(Self { group, memory, writer, snapshots })
    }

    /// The table whose state stands before the log.
    pub(super) fn table(&self) -> io::Result<DiskState> {
        self.snapshots.table()
    }

    /// The group is forgotten: no snapshot is saved any more.
    pub(super) fn retire(&self) {
        self.snapshots.retire();
    }
}

fn ignored() -> Flushed {
    Box::new(|_| {})
}

impl LogStore for DiskLog {
    fn bounds(&self) -> io::Result<LogBounds> {
        self.writer.check()?;
        self.memory.bounds()
    }

    fn append(&self, entries: Vec<LogEntry>, done: Flushed) -> io::Result<()> {
        self.writer.check()?;
        self.memory.append(entries.clone(), ignored())?;
        self.writer.queue(Work::Append(self.group, entries), Some(done))
    }

    fn read(&self, range: Range<u64>, bytes_max: u64) -> io::Result<Vec<LogEntry>> {
        self.writer.check()?;
        self.memory.read(range, bytes_max)
    }

    fn truncate_after(&self, index: Option<u64>) -> io::Result<()> {
        self.writer.check()?;
        self.memory.truncate_after(index)?;
        self.writer.queue(Work::Truncate(self.group, index), None)
    }

    fn purge(&self, through: LogPosition) -> io::Result<()> {
        if self.bounds()?.purged.is_some_and(|purged| purged.index >= through.index) {
            return Ok(());
        }
        self.memory.purge(through)?;
        self.writer.queue(Work::Purge(self.group, through), None)
    }

    fn save_vote(&self, vote: Vote, done: Flushed) -> io::Result<()> {
        self.writer.check()?;
        self.memory.save_vote(vote, ignored())?;
        self.writer.queue(Work::Vote(self.group, vote), Some(done))
    }

    fn vote(&self) -> io::Result<Option<Vote>> {
        self.writer.check()?;
        self.memory.vote()
    }

    fn forgotten(&self) -> io::Result<Option<LogPosition>> {
        self.writer.check()?;
        self.memory.forgotten()
    }

    fn is_full(&self) -> bool {
        self.writer.is_full()
    }

    fn snapshots(&self) -> Option<Arc<dyn SnapshotStore>> {
        Some(self.snapshots.clone())
    }
}
