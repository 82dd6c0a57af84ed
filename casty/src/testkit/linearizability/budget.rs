//! How long a search may go on.

use std::time::{Duration, Instant};

/// How often the clock is looked at, in steps.
const STEPS_PER_LOOK: u64 = 256;

/// When a check gives up. It has to be told: in the worst case it takes time exponential in the number of operations that
/// overlap, and in the number of those of unknown outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most applications of the model. Each of them remembers at most one state and one configuration, so this bounds
    /// the memory too. It is the same in every run, unlike the time.
    pub steps: u64,
    /// The longest time. `None` in a simulation, where no run may depend on a real clock.
    pub time: Option<Duration>,
}

/// A million steps and any time: about a second for a small state.
impl Default for Limits {
    fn default() -> Self {
        Self { steps: 1_000_000, time: None }
    }
}

#[derive(Debug)]
pub(super) struct Budget {
    limits: Limits,
    begun: Option<Instant>,
    pub(super) spent: u64,
}

/// All steps or all the time is used up.
#[derive(Debug)]
pub(super) struct OutOfBudget;

impl Budget {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, begun: limits.time.map(|_| Instant::now()), spent: 0 }
    }

    pub(super) fn step(&mut self) -> Result<(), OutOfBudget> {
        if self.spent >= self.limits.steps || self.spent.is_multiple_of(STEPS_PER_LOOK) && self.is_late() {
            return Err(OutOfBudget);
        }
        self.spent += 1;
        Ok(())
    }

    fn is_late(&self) -> bool {
        self.begun.zip(self.limits.time).is_some_and(|(begun, time)| begun.elapsed() >= time)
    }
}
