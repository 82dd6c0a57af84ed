//! The live instances of a region.

use std::sync::Arc;

use super::outside::Outside;
use super::sends::{Parcel, Sends};
use crate::actor::entity::EntityCell;
use crate::base::{EntityId, StableMap};
use crate::sharding::acknowledge::Acknowledging;

/// A place in the table of cells. It is never used twice under one opening of the region.
pub(super) type CellKey = u64;

/// The cells of one opening of a region. Dropping it stops them all.
#[derive(Default)]
pub(super) struct Cells {
    by_entity: StableMap<(u32, EntityId), CellKey>,
    cells: StableMap<CellKey, Cell>,
    next: CellKey,
}

/// One live instance.
pub(super) struct Cell {
    pub(super) entity_type: u32,
    pub(super) entity: EntityId,
    pub(super) cell: Arc<dyn EntityCell>,
    /// What it has of its row, if a store outside of the cluster keeps it.
    pub(super) outside: Option<Outside>,
    /// The number of the batch that holds its latest record; 0 if it has none.
    pub(super) last_batch: u64,
    /// It has ended by itself. It stays here, and takes no messages, until its last record is settled: the next cell of
    /// the entity must begin with all of them.
    pub(super) ended: bool,
    pub(super) sends: Sends,
    pub(super) acknowledging: Acknowledging,
}

impl Cells {
    /// The cell of an entity, if it is live.
    pub(super) fn find(&self, entity_type: u32, entity: &EntityId) -> Option<CellKey> {
        self.by_entity.get(&(entity_type, entity.clone())).copied()
    }

    /// The key for the next cell.
    pub(super) fn next_key(&mut self) -> CellKey {
        self.next += 1;
        self.next
    }

    /// Adds a cell under a key that [`next_key`](Self::next_key) gave.
    pub(super) fn insert(&mut self, key: CellKey, cell: Cell) {
        self.by_entity.insert((cell.entity_type, cell.entity.clone()), key);
        self.cells.insert(key, cell);
    }

    /// The cell with this key.
    pub(super) fn get_mut(&mut self, key: CellKey) -> Option<&mut Cell> {
        self.cells.get_mut(&key)
    }

    /// All cells.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Cell> {
        self.cells.values()
    }

    /// Lets go of a cell that has stopped. Gives those of its sends that are free to go and have not gone.
    pub(super) fn remove(&mut self, key: CellKey) -> impl Iterator<Item = Parcel> + use<> {
        let removed = self.cells.remove(&key).map(|mut cell| {
            self.by_entity.remove(&(cell.entity_type, cell.entity));
            cell.sends.take_free()
        });
        removed.into_iter().flatten()
    }

    /// What the cells sent that is free to go and has not gone.
    pub(super) fn take_free_sends(&mut self) -> impl Iterator<Item = Parcel> {
        self.cells.values_mut().flat_map(|cell| cell.sends.take_free())
    }
}

impl Cell {
    /// Whether requests are answered before anything is kept. What is kept outside is saved before.
    pub(super) fn answers_at_once(&self) -> bool {
        self.outside.is_none() && self.acknowledging.at_once()
    }

    /// Whether all its records are settled, where those of batches up to `committed` are.
    pub(super) fn is_settled(&self, committed: u64) -> bool {
        self.last_batch <= committed && self.outside.as_ref().is_none_or(Outside::is_saved)
    }
}

impl Drop for Cells {
    fn drop(&mut self) {
        for cell in self.cells.values() {
            cell.cell.stop();
        }
    }
}
