//! Whether there is room on the disk.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// With less room than this, nothing new is taken: what is under way has to find some, and so has what the node itself
/// must write to take part, in bytes.
const RESERVE: u64 = 16 << 20;

/// How long an answer of the system holds.
const PERIOD: Duration = Duration::from_millis(20);

/// The room on the disk of a folder.
pub(super) struct Room {
    folder: PathBuf,
    looked: Mutex<Option<(Instant, bool)>>,
}

impl Room {
    pub(super) fn in_folder(folder: PathBuf) -> Self {
        Self { folder, looked: Mutex::default() }
    }

    /// Whether nothing new should be taken. Where the system does not say, whoever writes finds it out.
    pub(super) fn is_short(&self) -> bool {
        let mut looked = self.looked.lock();
        match *looked {
            Some((at, short)) if at.elapsed() < PERIOD => short,
            _ => {
                let short = free_bytes(&self.folder).is_some_and(|bytes| bytes < RESERVE);
                *looked = Some((Instant::now(), short));
                short
            }
        }
    }
}

#[cfg(unix)]
fn free_bytes(folder: &std::path::Path) -> Option<u64> {
    let system = rustix::fs::statvfs(folder).ok()?;
    Some(system.f_bavail.saturating_mul(system.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_folder: &std::path::Path) -> Option<u64> {
    None
}
