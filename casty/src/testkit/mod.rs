//! Tests of actors and of whole clusters.
//!
//! With the feature `testkit`, for actors of one process: a [`TestKit`] has [probes](Probe) that take what actors send,
//! [stubs](Stub) that stand in for actors of any type, and [actors whose state a test sees](TestActor). Expectations have
//! deadlines and end in an [`Unmet`] that says what came instead; with tokio's paused time they cost none.
//!
//! With the feature `sim`, for clusters: a simulator that replays every run from its seed, faults of all kinds, and checks
//! of what was promised.

#[cfg(feature = "sim")]
pub mod decoders;
#[cfg(feature = "sim")]
pub mod history;
#[cfg(feature = "sim")]
pub mod invariants;
#[cfg(feature = "sim")]
pub mod linearizability;
mod local;
#[cfg(feature = "sim")]
pub mod sim;
#[cfg(feature = "sim")]
pub mod stranger;
#[cfg(feature = "sim")]
pub mod workload;

pub use local::{Catcher, CatcherHandle, Probe, Received, Stub, TestActor, TestKit, Unmet};
