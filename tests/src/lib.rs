//! What the tests share: a small bank, and clusters of nodes within one process.

pub mod bank;
pub mod cluster;
