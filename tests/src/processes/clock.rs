//! One clock for all processes of a run.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The time since the start of a run, the same in all processes of one machine: the kernel's monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    origin: Duration,
}

impl Clock {
    /// A run that starts now.
    pub fn start() -> Self {
        Self { origin: monotonic() }
    }

    /// The clock of a run, from what [`origin_us`](Self::origin_us) said in another process.
    pub fn from_origin_us(origin_us: u64) -> Self {
        Self { origin: Duration::from_micros(origin_us) }
    }

    /// When the run started, in microseconds of the kernel's clock.
    pub fn origin_us(&self) -> u64 {
        self.origin.as_micros() as u64
    }

    /// How long the run has lasted.
    pub fn now(&self) -> Duration {
        monotonic().saturating_sub(self.origin)
    }
}

fn monotonic() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}
