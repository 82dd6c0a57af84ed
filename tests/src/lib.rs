//! What the tests share: actors, clusters of nodes within one process, and a network that fails on command.

#![expect(clippy::expect_used, reason = "all of this is test code, where what cannot be ends the test")]

pub mod bank;
pub mod cabinet;
pub mod cluster;
pub mod desk;
pub mod fault;
pub mod gates;
pub mod journal;
