//! The names of one run of the harness.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

/// What the name of everything begins with that the harness makes. Names of network devices have at most 15 bytes.
const PREFIX: &str = "cy";

/// One run of the harness. Everything that it makes is named after it, and so after the process that must clean up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The process of the harness.
    pub pid: u32,
    /// The number of the run in this process.
    pub number: u32,
}

impl Run {
    /// A new run of this process.
    pub fn next() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Self { pid: std::process::id(), number: NEXT.fetch_add(1, Ordering::Relaxed) }
    }

    /// The run that made the thing with this name, if a harness did.
    pub fn of(name: &str) -> Option<Self> {
        let (pid, rest) = name.strip_prefix(PREFIX)?.split_once('-')?;
        let digits = rest.find(|next: char| !next.is_ascii_digit())?;
        Some(Self { pid: pid.parse().ok()?, number: rest[..digits].parse().ok()? })
    }

    /// Whether the process of the run is gone.
    pub fn is_over(&self) -> bool {
        !Path::new("/proc").join(self.pid.to_string()).exists()
    }

    pub(super) fn namespace(&self, node: usize) -> String {
        format!("{self}n{node}")
    }

    pub(super) fn device(&self, node: usize) -> String {
        format!("{self}v{node}")
    }

    pub(super) fn bridge(&self) -> String {
        format!("{self}b")
    }

    pub(super) fn folder(&self) -> String {
        format!("{self}f")
    }

    /// Three bytes that differ between runs: of addresses.
    pub(super) fn bytes(&self) -> [u8; 3] {
        let [_, high, middle, low] = self.pid.wrapping_mul(RUNS).wrapping_add(self.number).to_be_bytes();
        [high, middle, low]
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}-{}", self.pid, self.number)
    }
}

/// Runs of one process have addresses of their own up to this number.
const RUNS: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_made_is_known_by_its_name() {
        let run = Run { pid: 4_194_304, number: 12 };
        for name in [run.namespace(3), run.device(3), run.bridge(), run.folder()] {
            assert_eq!(Run::of(&name), Some(run), "{name}");
            assert!(name.len() <= 15, "{name} is too long for a device");
        }
        for name in ["cy12", "cy12-", "cy12-3", "cycle-3n1", "eth0", "casty1"] {
            assert_eq!(Run::of(name), None, "{name}");
        }
    }

    #[test]
    fn a_run_of_this_process_is_not_over() {
        assert!(!Run::next().is_over());
        assert_ne!(Run::next().bytes(), Run::next().bytes());
    }
}
