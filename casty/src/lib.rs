//! Distributed actors for Rust.

#[doc(hidden)]
pub mod __private;
pub mod actor;
pub mod base;
pub mod codec;
pub mod raft;
pub mod storage;

pub use casty_macros::{actor, message, persistent};
