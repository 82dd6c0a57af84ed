//! Where a group keeps its log, its vote and its state. The traits are narrow, so that memory and disk can both serve.
//!
//! For who writes a store, and hands it to a node as [`Stores`]. There are [`MemoryStores`], which live as long as their
//! process, and [`DiskStores`], which keep everything in one file.
//!
//! Where the entities of a type are kept outside of the cluster instead, that is an [`EntityStore`].

mod disk;
mod external;
mod log;
mod memory_log;
mod memory_state;
mod rows;
mod snapshot;
mod state;
mod stores;
#[cfg(test)]
mod suite;

#[cfg(feature = "sim")]
pub(crate) use disk::SimulatedDisk;
pub use disk::{DiskSettings, DiskStores, Fsync, Identity, StoreError};
pub(crate) use disk::{Salvage, StoredGroup};
#[cfg(feature = "postgres")]
pub use external::PostgresStore;
#[cfg(feature = "sqlite")]
pub use external::SqliteStore;
pub use external::{EntityKey, EntityStore, EntityStoreError, MemoryEntityStore, StoredEntity};
pub(crate) use log::durably;
pub use log::{Flushed, LogBounds, LogEntry, LogPosition, LogStore, Payload, Vote};
pub use memory_log::MemoryLog;
pub use memory_state::MemoryState;
pub use rows::{RowBatch, RowBatchBuilder};
pub use snapshot::{SnapshotStore, StoredSnapshot};
pub use state::{Change, FrozenRows, RowReader, StagedRows, StateStore};
pub use stores::{BackupError, MemoryStores, Stores};
