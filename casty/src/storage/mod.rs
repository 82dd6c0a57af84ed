//! Where a group keeps its log, its vote and its state. The traits are narrow, so that memory and disk can both serve.
//!
//! For who writes a store, and hands it to a node as [`Stores`]. There are the two in memory, [`MemoryLog`] and [`MemoryState`], and none on disk yet.

mod log;
mod memory_log;
mod memory_state;
mod state;
mod stores;
#[cfg(test)]
mod suite;

pub use log::{Flushed, LogBounds, LogEntry, LogPosition, LogStore, Payload, Vote};
pub use memory_log::MemoryLog;
pub use memory_state::MemoryState;
pub use state::{Change, StateStore};
pub use stores::{MemoryStores, Stores};
