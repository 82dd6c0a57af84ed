//! The live instances of a region.

use std::sync::Arc;

use tokio::time::Instant;

use super::LiveEntities;
use super::outside::Outside;
use super::sends::{Parcel, Sends};
use crate::actor::entity::EntityCell;
use crate::base::{EntityId, SessionId, StableMap};
use crate::sharding::protocol::Request;
use crate::sharding::settings::TypeSettings;

/// A place in the table of cells. It is never used twice under one opening of the region.
pub(super) type CellKey = u64;

/// The cells of one opening of a region. Dropping it stops them all.
pub(super) struct Cells {
    live: Arc<LiveEntities>,
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
    /// It has ended. It stays here, and takes no messages, until its last record is settled: the next cell of
    /// the entity must begin with all of them.
    pub(super) ended: bool,
    /// The version of its latest record; 0 if it has none.
    pub(super) version: u64,
    /// How many of its messages are not handled.
    pub(super) running: usize,
    /// When it was last given a message, or had handled one.
    pub(super) used: Instant,
    /// When it is to be looked at, if it is in line for that.
    pub(super) look_at: Option<Instant>,
    /// It has said that it stays: it is not asked again before, though there be too many.
    pub(super) stays_until: Option<Instant>,
    /// The requests that wait until it is gone, if it was asked to end or has ended.
    pub(super) waiting: Option<Vec<(SessionId, Request)>>,
    pub(super) sends: Sends,
    pub(super) settings: TypeSettings,
}

impl Cells {
    /// None yet. They count among all of the node.
    pub(super) fn new(live: Arc<LiveEntities>) -> Self {
        Self { live, by_entity: StableMap::default(), cells: StableMap::default(), next: 0 }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

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
        self.live.add();
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

    /// Takes out a cell that has stopped.
    pub(super) fn remove(&mut self, key: CellKey) -> Option<Cell> {
        let cell = self.cells.remove(&key)?;
        self.live.sub(1);
        self.by_entity.remove(&(cell.entity_type, cell.entity.clone()));
        Some(cell)
    }

    /// What the cells sent that is free to go and has not gone.
    pub(super) fn take_free_sends(&mut self) -> impl Iterator<Item = Parcel> {
        self.cells.values_mut().flat_map(|cell| cell.sends.take_free())
    }
}

impl Cell {
    /// Whether requests are answered before anything is kept. What is kept outside is saved before.
    pub(super) fn answers_at_once(&self) -> bool {
        self.outside.is_none() && self.settings.at_once()
    }

    /// Whether all its records are settled, where those of batches up to `committed` are.
    pub(super) fn is_settled(&self, committed: u64) -> bool {
        self.last_batch <= committed && self.outside.as_ref().is_none_or(Outside::is_saved)
    }
}

impl Drop for Cells {
    fn drop(&mut self) {
        self.live.sub(self.cells.len());
        for cell in self.cells.values() {
            cell.cell.stop();
        }
    }
}
