//! A table in memory.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::RwLock;

use super::{Change, Flushed, FrozenRows, RowBatch, RowReader, StagedRows, StateStore};
use crate::base::{StableMap, stable_hash};

/// A table is split into this many maps: a map that grows moves all its rows at once, and with a million rows in one
/// map that would be a pause of tens of milliseconds under the lock. So would the copy of one that is frozen.
const PARTS: usize = 64;

type Part = StableMap<Box<[u8]>, Box<[u8]>>;

/// A [`StateStore`] in memory. A row takes its key, its value and 32 bytes in the map; there is no spare capacity in
/// it. While frozen rows are read, what changes is there twice. The number of rows is bounded by who writes them.
#[derive(Debug)]
pub struct MemoryState {
    table: Arc<RwLock<Table>>,
}

/// Parts are shared with those who read a frozen table, and copied before they change.
#[derive(Clone, Debug)]
struct Table {
    parts: Vec<Arc<Part>>,
}

impl MemoryState {
    /// An empty table.
    pub fn new() -> Self {
        Self { table: Arc::new(RwLock::new(Table::new())) }
    }
}

impl Default for MemoryState {
    fn default() -> Self {
        Self::new()
    }
}

impl Table {
    fn new() -> Self {
        Self { parts: (0..PARTS).map(|_| Arc::default()).collect() }
    }

    fn part_mut(&mut self, key: &[u8]) -> &mut Part {
        Arc::make_mut(&mut self.parts[part_of(key)])
    }

    fn put(&mut self, key: &[u8], value: &[u8]) {
        let part = self.part_mut(key);
        match part.get_mut(key) {
            // Most states keep their size: no allocation.
            Some(old) if old.len() == value.len() => old.copy_from_slice(value),
            Some(old) => *old = value.into(),
            None => drop(part.insert(key.into(), value.into())),
        }
    }

    fn delete(&mut self, key: &[u8]) {
        self.part_mut(key).remove(key);
    }
}

impl StateStore for MemoryState {
    fn get(&self, key: &[u8]) -> io::Result<Option<Bytes>> {
        Ok(self.table.read().parts[part_of(key)].get(key).map(|value| Bytes::copy_from_slice(value)))
    }

    fn write(&self, batch: &[Change<'_>]) -> io::Result<()> {
        let mut table = self.table.write();
        for change in batch {
            match *change {
                Change::Put(key, value) => table.put(key, value),
                Change::Delete(key) => table.delete(key),
            }
        }
        Ok(())
    }

    fn freeze(&self) -> io::Result<FrozenRows> {
        let mut parts = self.table.read().parts.clone();
        parts.reverse();
        Ok(FrozenRows::Here(Box::new(Reader { parts, keys: BTreeSet::new() })))
    }

    fn stage(&self) -> io::Result<Box<dyn StagedRows>> {
        Ok(Box::new(Staged { rows: Table::new(), table: self.table.clone() }))
    }
}

/// Reads part by part, each in the order of its keys.
struct Reader {
    /// The parts that are not read to their ends, the present one last.
    parts: Vec<Arc<Part>>,
    /// The keys of the present part that are left.
    keys: BTreeSet<Box<[u8]>>,
}

impl RowReader for Reader {
    fn read(&mut self, bytes_max: usize) -> io::Result<RowBatch> {
        let mut batch = RowBatch::builder();
        while let Some(part) = self.parts.last() {
            if self.keys.is_empty() {
                self.keys = part.keys().cloned().collect();
            }
            while let Some(key) = self.keys.pop_first() {
                if let Some(value) = part.get(&key) {
                    batch.push(&key, value)?;
                }
                if batch.bytes() >= bytes_max {
                    break;
                }
            }
            if self.keys.is_empty() {
                self.parts.pop();
            }
            if batch.bytes() >= bytes_max {
                break;
            }
        }
        Ok(batch.build())
    }
}

struct Staged {
    rows: Table,
    table: Arc<RwLock<Table>>,
}

impl StagedRows for Staged {
    fn in_memory(&self) -> bool {
        true
    }

    fn put(&mut self, rows: RowBatch, done: Flushed) -> io::Result<()> {
        rows.iter().for_each(|(key, value)| self.rows.put(key, value));
        done(Ok(()));
        Ok(())
    }

    fn adopt(self: Box<Self>) -> io::Result<()> {
        *self.table.write() = self.rows;
        Ok(())
    }
}

/// The top bits choose the part: the map within uses a mix of all of them.
fn part_of(key: &[u8]) -> usize {
    (stable_hash(key) >> 58) as usize % PARTS
}
