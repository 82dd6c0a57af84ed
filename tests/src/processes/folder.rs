//! The folder of a run: logs, histories, and the mounts of disks.

use std::fs;
use std::path::{Path, PathBuf};

use super::{HarnessError, Run};

/// The folder of a run. It goes with this.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn create(run: Run) -> Result<Self, HarnessError> {
        let path = std::env::temp_dir().join(run.folder());
        fs::create_dir_all(&path).map_err(|source| HarnessError::File {
            action: "make",
            path: path.clone(),
            source,
        })?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays is swept by the next run.
        let _ = fs::remove_dir_all(&self.0);
    }
}
