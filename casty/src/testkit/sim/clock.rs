//! The time of a simulation.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How far time moves in one step. Nodes run one after the other within a step, and what they send arrives in a later
/// one: within a step no node can see what another does.
pub(super) const STEP: Duration = Duration::from_millis(1);

/// The simulated time, which all nodes share; each has a clock of its own beside it.
#[derive(Debug, Default)]
pub(super) struct SimClock(AtomicU64);

impl SimClock {
    /// How long the simulation has run.
    pub(super) fn now(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Relaxed))
    }

    /// Begins the next step.
    pub(super) fn advance(&self) {
        self.0.fetch_add(STEP.as_micros() as u64, Ordering::Relaxed);
    }
}
