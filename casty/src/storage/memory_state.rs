//! A table in memory.

use std::io;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;

use super::{Change, StateStore};
use crate::base::{StableMap, stable_hash};

/// A table is split into this many maps: a map that grows moves all its rows at once, and with a million rows in one
/// map that would be a pause of tens of milliseconds under the lock.
const PARTS: usize = 64;

type Part = StableMap<Box<[u8]>, Box<[u8]>>;

/// A [`StateStore`] in memory. A row takes its key, its value and 32 bytes in the map; there is no spare capacity in
/// it. The number of rows is bounded by who writes them.
#[derive(Debug)]
pub struct MemoryState {
    table: RwLock<Table>,
}

#[derive(Debug)]
struct Table {
    parts: Vec<Part>,
    bytes: u64,
}

impl MemoryState {
    /// An empty table.
    pub fn new() -> Self {
        Self { table: RwLock::new(Table { parts: vec![Part::default(); PARTS], bytes: 0 }) }
    }

    // Nothing in here panics half-way through a change, so a poisoned lock still guards a whole table.
    fn shared(&self) -> RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn exclusive(&self) -> RwLockWriteGuard<'_, Table> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryState {
    fn default() -> Self {
        Self::new()
    }
}

impl Table {
    fn put(&mut self, key: &[u8], value: &[u8]) {
        let part = &mut self.parts[part_of(key)];
        match part.get_mut(key) {
            // Most states keep their size: no allocation.
            Some(old) if old.len() == value.len() => old.copy_from_slice(value),
            Some(old) => {
                self.bytes = self.bytes - old.len() as u64 + value.len() as u64;
                *old = value.into();
            }
            None => {
                self.bytes += (key.len() + value.len()) as u64;
                part.insert(key.into(), value.into());
            }
        }
    }

    fn delete(&mut self, key: &[u8]) {
        if let Some(old) = self.parts[part_of(key)].remove(key) {
            self.bytes -= (key.len() + old.len()) as u64;
        }
    }
}

impl StateStore for MemoryState {
    fn get(&self, key: &[u8]) -> io::Result<Option<Bytes>> {
        Ok(self.shared().parts[part_of(key)].get(key).map(|value| Bytes::copy_from_slice(value)))
    }

    fn write(&self, batch: &[Change<'_>]) -> io::Result<()> {
        let mut table = self.exclusive();
        for change in batch {
            match *change {
                Change::Put(key, value) => table.put(key, value),
                Change::Delete(key) => table.delete(key),
            }
        }
        Ok(())
    }

    fn for_each(&self, visit: &mut dyn FnMut(&[u8], &[u8])) -> io::Result<()> {
        for (key, value) in self.shared().parts.iter().flatten() {
            visit(key, value);
        }
        Ok(())
    }

    fn clear(&self) -> io::Result<()> {
        *self.exclusive() = Table { parts: vec![Part::default(); PARTS], bytes: 0 };
        Ok(())
    }

    fn len(&self) -> u64 {
        self.shared().parts.iter().map(|part| part.len() as u64).sum()
    }

    fn bytes(&self) -> u64 {
        self.shared().bytes
    }
}

/// The top bits choose the part: the map within uses a mix of all of them.
fn part_of(key: &[u8]) -> usize {
    (stable_hash(key) >> 58) as usize % PARTS
}
