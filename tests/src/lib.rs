//! What the tests share: actors, clusters of nodes within one process, a network that fails on command, and clusters of
//! real processes whose machines and wires fail.

#![expect(clippy::expect_used, reason = "all of this is test code, where what cannot be ends the test")]

pub mod bank;
pub mod cabinet;
pub mod chaos;
pub mod cluster;
pub mod desk;
pub mod fault;
pub mod gates;
pub mod journal;
pub mod load;
pub mod meter;
pub mod postgres;
pub mod processes;
pub mod rows;
