//! The table of one group on the disk.

#[cfg(any(test, feature = "sim"))]
use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use parking_lot::RwLock;

use super::rows::{self, Generation};
use super::work::Work;
use super::writer::Writer;
use crate::base::StableMap;
use crate::storage::{Change, Flushed, FrozenRows, RowBatch, StagedRows, StateStore};

/// Rows that were put (`Some`) or deleted.
pub(super) type Changes = StableMap<Box<[u8]>, Option<Bytes>>;

/// A table whose rows are in the file, as the last snapshot has them, and in memory as far as they have changed since.
/// So a row that changes often is written once a snapshot.
pub(super) struct DiskState {
    writer: Arc<Writer>,
    table: Arc<RwLock<DiskTable>>,
}

pub(super) struct DiskTable {
    /// Where the rows are that have not changed.
    generation: Generation,
    /// What has changed since the table was frozen last. Whoever writes the table bounds it by saving snapshots.
    changes: Changes,
    /// The bytes of the keys and values in it.
    bytes: u64,
    /// What had changed when the table was frozen, until it is in the file; the oldest first.
    layers: VecDeque<Layer>,
    /// How often the table was frozen.
    frozen: u64,
}

struct Layer {
    number: u64,
    changes: Arc<Changes>,
    /// It is on its way to the file.
    queued: bool,
}

/// What a table was when it was frozen, for who saves it. It does not keep the file open: the writer has it in its queue.
pub(super) struct Unsaved {
    table: Arc<RwLock<DiskTable>>,
    generation: Generation,
    layer: u64,
}

/// What a snapshot changes in the file.
pub(super) struct UnsavedRows {
    pub(super) generation: Generation,
    /// The oldest first.
    pub(super) layers: Vec<Arc<Changes>>,
}

impl DiskState {
    /// The rows of a generation, which may have none yet.
    pub(super) fn open(generation: Generation, writer: Arc<Writer>) -> Self {
        let table = DiskTable { generation, changes: Changes::default(), bytes: 0, layers: VecDeque::new(), frozen: 0 };
        Self { writer, table: Arc::new(RwLock::new(table)) }
    }
}

impl DiskTable {
    /// What is known of a row without the file.
    fn changed(&self, key: &[u8]) -> Option<&Option<Bytes>> {
        let frozen = || self.layers.iter().rev().find_map(|layer| layer.changes.get(key));
        self.changes.get(key).or_else(frozen)
    }

    fn change(&mut self, key: &[u8], value: Option<Bytes>) {
        let bytes = |value: &Option<Bytes>| (key.len() + value.as_ref().map_or(0, Bytes::len)) as u64;
        self.bytes += bytes(&value);
        if let Some(known) = self.changes.get_mut(key) {
            self.bytes -= bytes(known);
            *known = value;
        } else {
            self.changes.insert(key.into(), value);
        }
    }
}

impl StateStore for DiskState {
    fn get(&self, key: &[u8]) -> io::Result<Option<Bytes>> {
        // Held while the file is read: what has changed is not let go of before this reader sees it in the file.
        let table = self.table.read();
        self.writer.check()?;
        if let Some(changed) = table.changed(key) {
            return Ok(changed.clone());
        }
        self.writer.read(|read| rows::get(read, table.generation, key))
    }

    fn write(&self, batch: &[Change<'_>]) -> io::Result<()> {
        self.writer.check()?;
        let mut table = self.table.write();
        for change in batch {
            match *change {
                Change::Put(key, value) => table.change(key, Some(Bytes::copy_from_slice(value))),
                Change::Delete(key) => table.change(key, None),
            }
        }
        Ok(())
    }

    fn freeze(&self) -> io::Result<FrozenRows> {
        self.writer.check()?;
        let mut table = self.table.write();
        let changes = std::mem::take(&mut table.changes);
        table.bytes = 0;
        table.frozen += 1;
        let layer = table.frozen;
        if !changes.is_empty() {
            table.layers.push_back(Layer { number: layer, changes: changes.into(), queued: false });
        }
        let unsaved = Unsaved { table: self.table.clone(), generation: table.generation, layer };
        Ok(FrozenRows::Unsaved(Box::new(unsaved)))
    }

    fn stage(&self) -> io::Result<Box<dyn StagedRows>> {
        self.writer.has_room()?;
        let generation = self.writer.new_generation(self.table.read().generation.group);
        Ok(Box::new(DiskStaged { table: self.table.clone(), writer: self.writer.clone(), generation, adopted: false }))
    }

    #[cfg(any(test, feature = "sim"))]
    fn all_rows(&self) -> io::Result<RowBatch> {
        let table = self.table.read();
        let saved = self.writer.read(|read| {
            let mut saved = Vec::new();
            rows::each(read, table.generation, |key, value| saved.push((key.to_vec(), value.to_vec())))?;
            Ok(saved)
        })?;
        let mut all: BTreeMap<_, _> = saved.iter().map(|(key, value)| (&**key, &**value)).collect();
        let layers = table.layers.iter().map(|layer| &*layer.changes).chain([&table.changes]);
        for (key, value) in layers.flatten() {
            match value {
                Some(value) => all.insert(key, value),
                None => all.remove(&**key),
            };
        }
        let mut batch = RowBatch::builder();
        all.into_iter().try_for_each(|(key, value)| batch.push(key, value))?;
        Ok(batch.build())
    }

    fn unsaved_bytes(&self) -> u64 {
        self.table.read().bytes
    }
}

impl Unsaved {
    /// What has to be written, and is on its way from here on. `None`: the table has other rows since.
    pub(super) fn take(&self) -> Option<UnsavedRows> {
        let mut table = self.table.write();
        if table.generation != self.generation {
            return None;
        }
        let waiting = table.layers.iter_mut().filter(|layer| layer.number <= self.layer && !layer.queued);
        let layers = waiting
            .map(|layer| {
                layer.queued = true;
                layer.changes.clone()
            })
            .collect();
        Some(UnsavedRows { generation: self.generation, layers })
    }

    /// It is in the file.
    pub(super) fn saved(&self) {
        let mut table = self.table.write();
        if table.generation == self.generation {
            table.layers.retain(|layer| layer.number > self.layer);
        }
    }

    /// Whether it was frozen in this table.
    pub(super) fn is_of(&self, table: &Weak<RwLock<DiskTable>>) -> bool {
        std::ptr::eq(Arc::as_ptr(&self.table), table.as_ptr())
    }
}

impl DiskState {
    pub(super) fn table(&self) -> &Arc<RwLock<DiskTable>> {
        &self.table
    }
}

/// A generation that is filled while the table goes on with another.
struct DiskStaged {
    table: Arc<RwLock<DiskTable>>,
    writer: Arc<Writer>,
    generation: Generation,
    adopted: bool,
}

impl StagedRows for DiskStaged {
    fn in_memory(&self) -> bool {
        false
    }

    fn put(&mut self, rows: RowBatch, done: Flushed) -> io::Result<()> {
        self.writer.has_room()?;
        self.writer.queue(Work::Stage(self.generation, rows), Some(done))
    }

    fn adopt(mut self: Box<Self>) -> io::Result<()> {
        self.writer.check()?;
        let mut table = self.table.write();
        table.generation = self.generation;
        table.changes = Changes::default();
        table.bytes = 0;
        table.layers.clear();
        drop(table);
        self.adopted = true;
        Ok(())
    }
}

impl Drop for DiskStaged {
    fn drop(&mut self) {
        if !self.adopted {
            // What a store that has failed keeps of it is removed when it is opened again.
            let _ = self.writer.queue(Work::Sweep(self.generation), None);
        }
    }
}
