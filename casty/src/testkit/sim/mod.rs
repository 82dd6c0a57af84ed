//! Whole clusters in one thread, on simulated time, network and disks, from one seed.

mod client;
mod clock;
mod cluster;
mod disk;
mod failure;
mod fault;
mod faults_on;
mod host;
mod log;
mod mixed;
mod net;
mod panics;
mod plan;
mod scenario;
#[expect(clippy::module_inception, reason = "the type `Sim` stands in a file of its name")]
mod sim;
mod simulation;
mod trace;

pub use client::Client;
pub use cluster::Cluster;
pub(crate) use cluster::Replica;
pub use failure::{Failure, Passed};
pub use fault::{FaultKind, Faults};
pub use scenario::Scenario;
pub use sim::Sim;
pub use trace::{Fingerprint, Line};
