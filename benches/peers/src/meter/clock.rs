//! Time by the clock on the wall, and processor time of the process.

use std::time::{Duration, Instant};
use std::{fs, io};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// What one round of one piece of work cost.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
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
    /// The id of another process whose processor time counts too.
    other: Option<u32>,
    cpu: Duration,
    wall: Instant,
}

impl Stopwatch {
    /// Starts to measure.
    pub fn start() -> Self {
        Self { other: None, cpu: cpu_time(), wall: Instant::now() }
    }

    #[cfg(feature = "remote")]
    /// Starts to measure, and counts the processor time of another process with that of this one.
    pub fn with(other: u32) -> Self {
        Self { other: Some(other), cpu: cpu_time_with(Some(other)), wall: Instant::now() }
    }

    /// What one of `operations` took, in nanoseconds.
    pub fn per(&self, operations: u64) -> Sample {
        let (wall, cpu) = (self.wall.elapsed(), cpu_time_with(self.other) - self.cpu);
        let each = |time: Duration| time.as_nanos() as f64 / operations as f64;
        Sample { value: each(wall), cpu: Some(each(cpu)) }
    }
}

/// The processor time that this process has used, in all threads.
pub fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

fn cpu_time_with(other: Option<u32>) -> Duration {
    let others = other.map_or(Ok(Duration::ZERO), cpu_time_of);
    cpu_time() + others.expect("the other process lives, on Linux")
}

/// The processor time that the living threads of a process have used. Linux only.
fn cpu_time_of(process: u32) -> io::Result<Duration> {
    let mut sum = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let schedstat = fs::read_to_string(thread?.path().join("schedstat"))?;
        let nanoseconds = schedstat.split(' ').next().and_then(|nanoseconds| nanoseconds.parse().ok());
        sum += Duration::from_nanos(nanoseconds.ok_or_else(|| io::Error::other("unknown format of schedstat"))?);
    }
    Ok(sum)
}
