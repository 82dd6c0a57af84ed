//! A disk of a node that can be full.

use std::ffi::CString;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount};

use super::HarnessError;

/// The file that takes all room of a full disk.
const BALLAST: &str = "ballast";

/// How much is written at once to fill a disk: a page, of which it has a whole number.
const BLOCK: [u8; 4096] = [0; 4096];

/// A small file system in memory (tmpfs) for one node. It goes with this.
///
/// It must be mounted before a process that is to see it starts in a namespace.
#[derive(Debug)]
pub struct Disk {
    path: PathBuf,
}

impl Disk {
    /// Mounts a disk of so many bytes at a folder that is made for it.
    pub fn mount(path: PathBuf, bytes: u64) -> Result<Self, HarnessError> {
        let failed = |action, source| HarnessError::File { action, path: path.clone(), source };
        fs::create_dir_all(&path).map_err(|source| failed("make", source))?;
        let options = CString::new(format!("size={bytes},mode=0700")).map_err(|wrong| failed("mount", wrong.into()))?;
        mount("tmpfs", &path, "tmpfs", MountFlags::NODEV | MountFlags::NOSUID, Some(options.as_c_str()))
            .map_err(|source| failed("mount", source.into()))?;
        Ok(Self { path })
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes all room that is left.
    pub fn fill(&self) -> Result<(), HarnessError> {
        let failed = |source| HarnessError::File { action: "fill", path: self.path.clone(), source };
        let mut ballast = fs::File::options().create(true).append(true).open(self.ballast()).map_err(failed)?;
        loop {
            match ballast.write_all(&BLOCK) {
                Ok(()) => {}
                Err(full) if full.kind() == ErrorKind::StorageFull => return Ok(()),
                Err(source) => return Err(failed(source)),
            }
        }
    }

    /// Gives the room back that [`fill`](Self::fill) took.
    pub fn free(&self) -> Result<(), HarnessError> {
        match fs::remove_file(self.ballast()) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(HarnessError::File { action: "free", path: self.path.clone(), source })
            }
            _ => Ok(()),
        }
    }

    /// Has it take no writes, or take them again. Nobody may have a file open to write.
    pub fn set_read_only(&self, read_only: bool) -> Result<(), HarnessError> {
        let flags = if read_only { MountFlags::RDONLY } else { MountFlags::empty() };
        let failed = |source: rustix::io::Errno| HarnessError::File {
            action: "remount",
            path: self.path.clone(),
            source: source.into(),
        };
        mount_remount(&self.path, flags | MountFlags::NODEV | MountFlags::NOSUID, c"").map_err(failed)
    }

    fn ballast(&self) -> PathBuf {
        self.path.join(BALLAST)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A process may still have it open: it goes from the tree now, and wholly when that process ends.
        let _ = unmount(&self.path, UnmountFlags::DETACH);
    }
}
