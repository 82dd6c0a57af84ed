//! Distributed actors for Rust.

#[doc(hidden)]
pub mod __private;
pub mod actor;
pub mod base;
pub mod codec;

pub use casty_macros::{actor, handler, message, persistent};
