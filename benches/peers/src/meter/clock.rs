//! Time by the clock on the wall, and processor time of the process.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// What one round of one piece of work cost.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// In the unit of the row.
    pub value: f64,
    /// Processor time of all threads in the same unit, if the row is about time.
    pub cpu: Option<f64>,
}

impl Sample {
    /// A figure that is not a time.
    pub fn plain(value: f64) -> Self {
        Self { value, cpu: None }
    }
}

/// Measures wall time and processor time together. When others share the machine, the second is disturbed less.
pub struct Stopwatch {
    cpu: Duration,
    wall: Instant,
}

impl Stopwatch {
    /// Starts to measure.
    pub fn start() -> Self {
        Self { cpu: cpu_time(), wall: Instant::now() }
    }

    /// What one of `operations` took, in nanoseconds.
    pub fn per(&self, operations: u64) -> Sample {
        let (wall, cpu) = (self.wall.elapsed(), cpu_time() - self.cpu);
        let each = |time: Duration| time.as_nanos() as f64 / operations as f64;
        Sample { value: each(wall), cpu: Some(each(cpu)) }
    }
}

/// The processor time that this process has used, in all threads.
pub fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}
