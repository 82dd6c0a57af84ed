//! Clusters of real processes, each with an address of its own, that can be killed, stopped and cut off.
//!
//! [`Network`] says where the nodes live: in network namespaces of the kernel, joined by a bridge or by a switch that
//! delays and loses frames, or all on loopback. [`Processes`] starts the [node program](node) there and breaks it.
//!
//! Whatever the harness makes carries its process's id in its name. It goes when the harness is dropped, and what a
//! harness that was killed has left behind goes when the next one starts.

mod clock;
mod command;
mod disk;
mod error;
mod folder;
mod leftovers;
mod network;
pub mod node;
mod process;
mod run;
mod slots;

pub use clock::Clock;
pub use disk::Disk;
pub use error::{HarnessError, Log};
pub use leftovers::sweep;
pub use network::{Network, Partition, Quality, unavailable};
pub use process::Process;
pub use run::Run;
pub use slots::{Processes, Setup};

use std::io::Write;

/// Says in one line, past what the test runner captures, that a test was skipped.
pub fn skipped(test: &str, why: &str) {
    // A line that nobody can read is no reason to fail.
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {why}");
}
