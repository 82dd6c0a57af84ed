//! A log in memory.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;

use parking_lot::Mutex;

use super::{Flushed, LogBounds, LogEntry, LogPosition, LogStore, Vote};

/// A [`LogStore`] in memory: durable as long as its process lives. Its size is bounded by the purging of the group.
#[derive(Debug, Default)]
pub struct MemoryLog {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// The entries behind `purged`, without a hole.
    entries: VecDeque<LogEntry>,
    purged: Option<LogPosition>,
    vote: Option<Vote>,
    forgotten: Option<LogPosition>,
}

impl MemoryLog {
    /// An empty log.
    pub fn new() -> Self {
        Self::default()
    }

    /// A log with what another store kept. The entries follow on `purged` and on one another.
    pub(crate) fn filled(
        purged: Option<LogPosition>,
        entries: Vec<LogEntry>,
        vote: Option<Vote>,
        forgotten: Option<LogPosition>,
    ) -> Self {
        Self { inner: Mutex::new(Inner { entries: entries.into(), purged, vote, forgotten }) }
    }
}

impl Inner {
    /// The index of the first entry that is kept or will be.
    fn first(&self) -> u64 {
        self.purged.map_or(0, |purged| purged.index + 1)
    }

    fn next(&self) -> u64 {
        self.first() + self.entries.len() as u64
    }
}

impl LogStore for MemoryLog {
    fn bounds(&self) -> io::Result<LogBounds> {
        let log = self.inner.lock();
        Ok(LogBounds { purged: log.purged, last: log.entries.back().map(|entry| entry.at).or(log.purged) })
    }

    fn append(&self, entries: Vec<LogEntry>, done: Flushed) -> io::Result<()> {
        {
            let mut log = self.inner.lock();
            for (expected, entry) in (log.next()..).zip(&entries) {
                if entry.at.index != expected {
                    let why = format!("entry {} cannot be appended to a log whose next is {expected}", entry.at.index);
                    return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
                }
            }
            log.entries.extend(entries);
        }
        // Outside the lock: the callback may read the log.
        done(Ok(()));
        Ok(())
    }

    fn read(&self, range: Range<u64>, bytes_max: u64) -> io::Result<Vec<LogEntry>> {
        let log = self.inner.lock();
        let first = log.first();
        let (start, end) = (range.start.max(first), range.end.min(log.next()));
        if start >= end {
            return Ok(Vec::new());
        }
        let mut bytes = 0;
        let entries = log.entries.range((start - first) as usize..(end - first) as usize);
        let within = entries.take_while(|entry| {
            let fits = bytes == 0 || bytes < bytes_max;
            bytes += entry.bytes();
            fits
        });
        Ok(within.cloned().collect())
    }

    fn truncate_after(&self, index: Option<u64>) -> io::Result<()> {
        let mut log = self.inner.lock();
        let keep = index.map_or(0, |index| index + 1).saturating_sub(log.first());
        log.entries.truncate(keep as usize);
        Ok(())
    }

    fn purge(&self, through: LogPosition) -> io::Result<()> {
        let mut log = self.inner.lock();
        if log.purged.is_some_and(|purged| purged.index >= through.index) {
            return Ok(());
        }
        let gone = (through.index + 1 - log.first()).min(log.entries.len() as u64);
        log.entries.drain(..gone as usize);
        log.purged = Some(through);
        Ok(())
    }

    fn save_vote(&self, vote: Vote, done: Flushed) -> io::Result<()> {
        self.inner.lock().vote = Some(vote);
        done(Ok(()));
        Ok(())
    }

    fn vote(&self) -> io::Result<Option<Vote>> {
        Ok(self.inner.lock().vote)
    }

    fn forgotten(&self) -> io::Result<Option<LogPosition>> {
        Ok(self.inner.lock().forgotten)
    }
}
