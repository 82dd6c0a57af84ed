//! New entries of the logs of a cluster, each shown once.

use std::collections::BTreeMap;

use crate::base::{GroupId, stable_hash};
use crate::storage::{LogEntry, LogPosition, LogStore, Payload};
use crate::testkit::sim::Replica;

/// How far each replica was read. A replica is a node's, in one of its lives.
#[derive(Default)]
pub(super) struct Reader {
    read: BTreeMap<(usize, u64, GroupId), LogPosition>,
}

impl Reader {
    /// The entries of a replica behind those that were shown, up to index `end`.
    pub(super) fn new_entries(&mut self, replica: &Replica, end: Option<u64>) -> Result<Vec<LogEntry>, String> {
        let (Some(log), Some(end)) = (&replica.log, end) else { return Ok(Vec::new()) };
        let key = (replica.node, replica.life, replica.group);
        let from = match self.read.get(&key) {
            Some(last) if last.index >= end => return Ok(Vec::new()),
            Some(last) => last.index + 1,
            None => 0,
        };
        let entries = log.read(from..end + 1, u64::MAX).map_err(|error| format!("a log cannot be read: {error}"))?;
        if let Some(last) = entries.last() {
            self.read.insert(key, last.at);
        }
        Ok(entries)
    }

    /// The log of a replica was cut off: what comes from there on is new.
    pub(super) fn rewind(&mut self, replica: &Replica, log: &dyn LogStore) {
        let key = (replica.node, replica.life, replica.group);
        let Some(last) = self.read.get(&key).copied() else { return };
        let there = log.read(last.index..last.index + 1, u64::MAX).unwrap_or_default();
        let same = there.first().is_some_and(|entry| entry.at == last);
        let purged = log.bounds().is_ok_and(|bounds| bounds.purged.is_some_and(|purged| purged >= last));
        if !same && !purged {
            self.read.remove(&key);
        }
    }
}

/// A hash of what an entry says.
pub(super) fn hash_of(entry: &LogEntry) -> u64 {
    match &entry.payload {
        Payload::Blank => 0,
        Payload::Command(bytes) | Payload::Membership(bytes) => stable_hash(bytes),
    }
}
