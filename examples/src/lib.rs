//! What the larger examples are made of.
//!
//! The programs stand one folder up: `cargo run --release --example flights`.

pub mod flights;
