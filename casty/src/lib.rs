//! Distributed actors for Rust.

#[doc(hidden)]
pub mod __private;
pub mod actor;
pub mod base;
pub mod codec;
pub mod cluster;
mod node;
pub mod prelude;
pub mod raft;
mod replication;
pub mod sharding;
pub mod storage;
mod wire;

pub use casty_macros::{actor, handler, message, persistent};
