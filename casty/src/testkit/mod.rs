//! Tests of whole clusters: a simulator that replays every run from its seed, faults of all kinds, and checks of what was
//! promised. Behind the feature `sim`.

pub mod decoders;
pub mod history;
pub mod invariants;
pub mod linearizability;
pub mod sim;
pub mod stranger;
pub mod workload;
