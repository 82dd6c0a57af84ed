//! Distributed actors for Rust.

#[doc(hidden)]
pub mod __private;
pub mod actor;
pub mod base;
pub mod codec;
pub mod prelude;

pub use casty_macros::{actor, handler, message, persistent};
