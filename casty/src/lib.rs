//! Distributed actors for Rust.

#[doc(hidden)]
pub mod __private;
pub mod actor;
pub mod base;
pub mod cluster;
pub mod codec;
mod wire;

pub use casty_macros::{actor, message, persistent};
