//! One process a folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use super::StoreError;

const FILE: &str = "lock";

/// The folder belongs to this process while it lives. The system releases it when the process ends, however it does.
#[derive(Debug)]
pub(super) struct FolderLock {
    _held: File,
}

impl FolderLock {
    pub(super) fn take(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE);
        let io = |why: io::Error| StoreError::Io { file: path.clone(), why: why.into() };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Where a locked file cannot be read, the error does without the number.
                let _ = file.read_to_string(&mut holder);
                return Err(StoreError::Locked { folder: folder.to_owned(), holder: holder.trim().parse().ok() });
            }
            Err(TryLockError::Error(why)) => return Err(io(why)),
        }
        let mut write = || {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        write().map_err(io)?;
        Ok(Self { _held: file })
    }
}
